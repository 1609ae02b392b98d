"""Templates: what Meta has for an account is taken over."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World


@computed("kirimdev-sync-templates")
def sync_templates(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """How many templates Meta has for an account, after taking them over."""
    account = call.related["account"]
    if account["status"] == "disconnected":
        return Problem(Kind.FAULT, "WhatsApp cannot be asked: this account is disconnected.", status=502,
                       code="upstream_error")  # fmt: skip
    work = Work.of(world, call)
    scope = (account["phone_number_id"],)
    upstream = world.tables["kirimdev"]["upstream_templates"].get(account["phone_number_id"], [])
    created = 0
    for given in upstream:
        known = work.find("templates", scope=scope, name=given["name"], language=given["language"])
        if known is not None:
            work.put("templates", known["id"], {**known, **given}, scope=scope)
            continue
        made = work.create(
            "templates", {"object": "template", **given, "whatsapp_account": account["embedded"]}, scope=scope
        )
        if isinstance(made, Problem):
            return made
        created += 1
    result = {
        "object": "template_sync_result",
        "synced": len(upstream),
        "created": created,
        "updated": len(upstream) - created,
    }
    return work.outcome(meaning.status, {"data": result})
