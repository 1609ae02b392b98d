"""Links for outsiders, addresses that want no mail, documents as PDF, and the tree of workorder categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from mock_server.model.call import Call
from mock_server.model.clock import rfc3339
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json

_PORTAL = "https://portal.repzo.me/workorder"
_SHOWN = ("_id", "name", "description", "code", "color", "icon")
_KEPT_IN = {"invoice": "fullinvoices", "proforma": "proforma", "order": "proforma", "receipt": "payments"}
_BYTES_A_PAGE = 48_000
_LINES_A_PAGE = 30


def _token(key: str, before: str) -> dict[str, str]:
    """A token that follows from the link and from the token before it, and the address it makes."""
    token = "wpl_" + sha256(f"{key}/{before}".encode()).hexdigest()[:12]
    return {"link_token": token, "full_url": f"{_PORTAL}/{token}"}


@computed("repzo-regenerate-link")
def regenerate_link(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A link with a new token; nothing else of it changes."""
    work, key = Work.of(world, call), str(call.path["id"])
    link = work.get("workorder-portal-link", key)
    if link is None:
        return Problem(Kind.NOT_FOUND, f"workorder-portal-link {key!r} does not exist")
    item = work.merge("workorder-portal-link", key, _token(key, link["link_token"]))
    return work.outcome(meaning.status, {"success": True, "data": item})


@computed("repzo-check-unsubscribed")
def check_unsubscribed(world: World, meaning: Meaning, call: Call) -> Outcome:
    """Whether an address is on the list, whatever the case of its letters, and since when."""
    wanted = call.body["email"].lower()
    listed = [item for item in Work.of(world, call).items("mail-unsubscribe") if item["email"].lower() == wanted]
    data: dict[str, Json] = {"is_unsubscribed": bool(listed)}
    if listed:
        data["unsubscribe_date"] = listed[0]["createdAt"]
    return Outcome(meaning.status, {"success": True, "data": data}, reads=("mail-unsubscribe",))


@computed("repzo-category-tree")
def category_tree(world: World, meaning: Meaning, call: Call) -> Outcome:
    """The categories below their parents, by their sort order; one whose parent is gone stands at the top."""
    work = Work.of(world, call)
    categories = sorted(work.items("workorder-category"), key=lambda each: each.get("sort_order", 0))
    counts = Counter(each.get("category") for each in work.items("workorder"))
    known = {each["_id"] for each in categories}
    below: dict[str | None, list[dict[str, Any]]] = {}
    for each in categories:
        parent = each.get("parent_category")
        below.setdefault(parent if parent in known else None, []).append(each)
    seen: set[str] = set()
    tree = [_branch(each, below, counts, seen) for each in below.get(None, [])]
    # Categories that are each other's parents hang on nothing; the first of a ring is put at the top.
    tree += [_branch(each, below, counts, seen) for each in categories if each["_id"] not in seen]
    return Outcome(meaning.status, {"success": True, "data": tree}, reads=("workorder-category", "workorder"))


def _branch(
    category: dict[str, Any],
    below: Mapping[str | None, list[dict[str, Any]]],
    counts: Mapping[str | None, int],
    seen: set[str],
) -> dict[str, Json]:
    seen.add(category["_id"])
    children = [each for each in below.get(category["_id"], []) if each["_id"] not in seen]
    return {
        **{name: category[name] for name in _SHOWN if name in category},
        "children": [_branch(each, below, counts, seen) for each in children],
        "workorder_count": counts.get(category["_id"], 0),
    }


@computed("repzo-convert-to-pdf")
def convert_to_pdf(world: World, meaning: Meaning, call: Call) -> Outcome:
    """Where the PDF of a document is for a day: as long as its lines make it, a page for one that nobody knows."""
    kind, key = call.body["documentType"], call.body["documentId"]
    document = Work.of(world, call).get(_KEPT_IN[kind], key) if kind in _KEPT_IN else None
    lines = len((document or {}).get("items") or [])
    pages = 1 + max(0, lines - 1) // _LINES_A_PAGE
    mark = sha256(f"{kind}/{key}/{call.body.get('template', '')}/{world.now.isoformat()}".encode()).hexdigest()[:16]
    body = {
        "success": True,
        "pdfUrl": f"https://files.repzo.example/pdf/{mark}.pdf",
        "filename": f"{kind}-{key}.pdf",
        "size": pages * _BYTES_A_PAGE,
        "pages": pages,
        "generatedAt": rfc3339(world.now),
        "expiresAt": rfc3339(world.now + timedelta(days=1)),
    }
    return Outcome(meaning.status, body)
