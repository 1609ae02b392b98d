"""Walking a list by its own paging: page numbers, offsets, cursors, Link headers and the addresses in envelopes.

A walk is bounded, and knows no more than the list says of itself. It begins with one draft, so that every walk of an
attempt asks for the same list as the same caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from requests.utils import parse_header_links

from contracts.drafting import UNSET, Draft, Wishes, repinned
from contracts.hunting import Inapplicable
from contracts.pool import Item
from contracts.roster import Roles
from contracts.service import NOT_JSON, Recorded
from mock_server.dataclass import dataclass
from mock_server.exchange.requests import value_schema
from mock_server.model.filters import value_at
from mock_server.model.meaning import OWN_KEY, Meaning
from mock_server.model.outcome import key_text
from mock_server.openapi.values import Direction, Json

if TYPE_CHECKING:
    from contracts.trial import Trial

MOST_PAGES = 60
"""Pages of one walk, at most."""
MOST_MADE = 12
"""Items that are made so that a list has several pages, at most."""
_SIZES = (1, 2, 3, 4, 5, 7, 10, 20, 25, 50)
_LARGE = (100, 50, 30, 25, 20, 10)


@dataclass(frozen=True, slots=True)
class Walk:
    """What one walk through a list saw. ``ended`` says that the list came to its end, ``looped`` that it came back.

    ``sizes`` are the number of items on each page; ``refused`` is the reply that ended it before its time, if one did.
    """

    pages: tuple[Recorded, ...]
    items: tuple[Json, ...]
    keys: tuple[str, ...]
    sizes: tuple[int, ...]
    ended: bool
    looped: bool = False
    refused: Recorded | None = None

    @property
    def repeated(self) -> tuple[str, ...]:
        """The keys that were seen more than once."""
        return tuple(key for key in dict.fromkeys(self.keys) if self.keys.count(key) > 1)


def sizes(trial: Trial, operation_id: str) -> tuple[int, ...]:
    """The page sizes that a list can be asked for, small ones first; none where it knows no page size."""
    return tuple(size for size in _SIZES if _allowed(trial, operation_id, size) is not UNSET)


def _allowed(trial: Trial, operation_id: str, size: int) -> Json:
    """A page size as a list takes it: as a number, or a text of one; UNSET where it takes no such size."""
    limit = trial.roster.meaning(operation_id).listing.limit
    for parameter in trial.drafter.api.operation(operation_id).parameters:
        if (parameter.location, parameter.name) == ("query", limit):
            schema = value_schema(parameter)
            fitting = (
                value for value in (size, str(size)) if schema is None or schema.accepts(value, Direction.REQUEST)
            )
            return next(fitting, UNSET)
    return UNSET


def largest(trial: Trial, operation_id: str) -> int | None:
    """A page size that shows much at once, None where the list knows no page size."""
    return next((size for size in _LARGE if _allowed(trial, operation_id, size) is not UNSET), None)


def large_page(trial: Trial, operation_id: str) -> dict[tuple[str, str], Json]:
    """The query parameter that asks a list for much at once; nothing where it knows no page size."""
    size, limit = largest(trial, operation_id), trial.roster.meaning(operation_id).listing.limit
    return {("query", limit): _allowed(trial, operation_id, size)} if size is not None and limit is not None else {}


def walk(
    trial: Trial,
    first: Draft,
    *,
    size: int | None = None,
    most: int = MOST_PAGES,
    between: Callable[[int], None] = lambda _: None,
    until: Callable[[Json], bool] = lambda _: False,
    trusting: bool = False,
) -> Walk:
    """Walks through a list from its beginning, ``size`` items a page (None: as the first request says).

    ``between`` is called before each further page with the number of pages seen. The walk breaks off with the first
    page that shows an item for which ``until`` holds. ``trusting`` takes the list's own numbers for where it ends, and
    does not look behind that.
    """
    meaning = trial.roster.meaning(first.operation_id)
    draft, size = _sized(trial, first, size)
    pages: list[Recorded] = []
    items: list[Json] = []
    counts: list[int] = []
    asked: set[str] = set()
    while draft is not None and len(pages) < most:
        if draft.request.target in asked:
            return _walk(meaning, pages, items, counts, ended=False, looped=True)
        asked.add(draft.request.target)
        if pages:
            between(len(pages))
        recorded = trial.send(draft)
        shown = items_on(trial, recorded)
        if shown is None:
            return _stopped(meaning, pages, items, counts, recorded)
        pages.append(recorded)
        items += shown
        counts.append(len(shown))
        if any(until(item) for item in shown):
            break
        is_last = trusting and _said_all(meaning, draft, recorded, len(items))
        draft = None if is_last else _next(trial, meaning, draft, recorded, shown, len(items), size)
    return _walk(meaning, pages, items, counts, ended=draft is None)


def _sized(trial: Trial, first: Draft, size: int | None) -> tuple[Draft | None, int | None]:
    """The first request, and how many items a page has by it."""
    place = ("query", trial.roster.meaning(first.operation_id).listing.limit or "")
    if size is not None and place[1]:
        return repinned(first, trial.drafter, {place: _allowed(trial, first.operation_id, size)}), size
    said = first.values.get(place)
    return first, said if size is None and isinstance(said, int) else size


def _stopped(meaning: Meaning, pages: list[Recorded], items: list[Json], counts: list[int], recorded: Recorded) -> Walk:
    """A walk that was answered with something else than a page: 404 behind the last page is an end."""
    numbered = bool(pages) and meaning.listing.style in {"page", "offset"} and recorded.status in {404, 416}
    return _walk(meaning, pages, items, counts, ended=numbered, refused=None if numbered else recorded)


def _walk(
    meaning: Meaning,
    pages: list[Recorded],
    items: list[Json],
    counts: list[int],
    *,
    ended: bool,
    looped: bool = False,
    refused: Recorded | None = None,
) -> Walk:
    keys = tuple(key_of(meaning, item) for item in items)
    return Walk(tuple(pages), tuple(items), keys, tuple(counts), ended, looped, refused)


def begun(found: Walk) -> Walk:
    """A walk that saw a page; ``Inapplicable`` for one whose first page was refused."""
    if not found.pages and found.refused is not None:
        raise Inapplicable(f"{found.refused.operation_id} answers {found.refused.status} and no list")
    return found


def whole(trial: Trial, first: Draft) -> Walk:
    """The list with as few requests as it takes; ``Inapplicable`` where it is too long, or does not come to an end."""
    found = begun(walk(trial, first, size=largest(trial, first.operation_id), most=6))
    if not found.ended:
        raise Inapplicable("the list is too long to be walked, or does not end")
    return found


def items_on(trial: Trial, recorded: Recorded) -> list[Json] | None:
    """The items of one page, None for a reply that is none."""
    if not recorded.ok or recorded.json is NOT_JSON:
        return None
    shown = trial.representation(recorded)
    return shown if isinstance(shown, list) else None


def key_of(meaning: Meaning, item: Json) -> str:
    """The key that an item is known by; all of it where it shows none."""
    resource = meaning.resource
    if resource is not None and isinstance(item, dict):
        key = item.get(resource.key or OWN_KEY)
        if key is not None:
            return key_text(key)
    return json.dumps(item, sort_keys=True, ensure_ascii=False)


def shows_keys(meaning: Meaning, items: tuple[Json, ...]) -> bool:
    """Whether every item shows its key, so that items can be told apart."""
    name = (meaning.resource.key or OWN_KEY) if meaning.resource is not None else OWN_KEY
    return all(isinstance(item, dict) and item.get(name) is not None for item in items)


def field(meaning: Meaning, body: Json, role: str) -> Json:
    """The field of an envelope with a role, UNSET where there is none."""
    for path, known in meaning.envelope.fields.items():
        if known == role:
            above = value_at(body, path[:-1])
            return above.get(path[-1], UNSET) if isinstance(above, dict) else UNSET
    return UNSET


# The page after


def _next(
    trial: Trial, meaning: Meaning, draft: Draft, recorded: Recorded, shown: list[Json], seen: int, size: int | None
) -> Draft | None:
    """The request for the page after one; None at the end of the list."""
    address = next_address(meaning, recorded)
    if address is not None:
        return _addressed(draft, address) if address else None
    listing = meaning.listing
    values: dict[tuple[str, str], Json] | None = None
    if listing.style == "cursor" and listing.after is not None:
        values = _by_cursor(meaning, recorded, shown, size)
    elif not shown or field(meaning, recorded.json, "has_more") is False:
        values = None
    elif listing.style == "page" and listing.page is not None:
        current = draft.values.get(("query", listing.page), listing.first_page)
        values = {("query", listing.page): int(current) + 1}
    elif listing.style == "offset" and listing.offset is not None and not _total_reached(meaning, recorded, seen):
        values = {("query", listing.offset): seen}
    return repinned(draft, trial.drafter, values) if values else None


def _total_reached(meaning: Meaning, recorded: Recorded, seen: int) -> bool:
    total = _total(meaning, recorded)
    return total is not None and seen > total > 0


def _total(meaning: Meaning, recorded: Recorded) -> int | None:
    """How many items there are, as the list says; a count may be that of the page."""
    total = field(meaning, recorded.json, "total")
    count = any(path[-1].lower() == "count" for path, role in meaning.envelope.fields.items() if role == "total")
    return total if isinstance(total, int) and not count else None


def _said_all(meaning: Meaning, draft: Draft, recorded: Recorded, seen: int) -> bool:
    """Whether the list's own numbers say that nothing comes after a page."""
    listing = meaning.listing
    if listing.style == "offset":
        total = _total(meaning, recorded)
        return total is not None and seen >= total
    pages = field(meaning, recorded.json, "pages")
    if listing.style == "page" and listing.page is not None and isinstance(pages, int):
        current = int(draft.values.get(("query", listing.page), listing.first_page))
        return current - listing.first_page + 1 >= pages
    return False


def next_address(meaning: Meaning, recorded: Recorded) -> str | None:
    """Where the next page is, as a Link header (RFC 8288) or the envelope says; "" for nowhere, None for no word."""
    header = recorded.header("link")
    if header is not None:
        links = {link.get("rel"): link["url"] for link in parse_header_links(header)}
        if links.keys() & {"next", "prev", "first", "last"}:
            return links.get("next", "")
    given = field(meaning, recorded.json, "next_url")
    if given is UNSET:
        return None
    return given if isinstance(given, str) else ""


def _addressed(draft: Draft, address: str) -> Draft:
    """The same request with the query of an address: which host and prefix it names may be a proxy's matter."""
    path = draft.request.target.partition("?")[0]
    query = urlsplit(address).query
    return replace(draft, request=replace(draft.request, target=f"{path}?{query}" if query else path))


def _by_cursor(
    meaning: Meaning, recorded: Recorded, shown: list[Json], size: int | None
) -> dict[tuple[str, str], Json] | None:
    after = ("query", meaning.listing.after or "")
    body = recorded.json
    more = field(meaning, body, "has_more")
    given = field(meaning, body, "next_cursor")
    if more is False:
        return None
    if given is not UNSET:
        return {after: given} if given not in (None, "", False) else None
    # Lists without a cursor of their own go on after the key of the last item (Stripe's starting_after).
    if not shown or not shows_keys(meaning, tuple(shown)) or (more is UNSET and len(shown) != size):
        return None
    return {after: key_of(meaning, shown[-1])}


# Something to list


def filled(trial: Trial, roles: Roles, least: int) -> Item:
    """An item in a list that holds ``least`` of them, as far as the service grants it.

    ``Inapplicable`` where none is known and none can be made.
    """
    known = trial.pool.items(roles.resource)
    item = trial.choice(known) if known and not roles.creates else trial.item(roles)
    missing = least - sum(other.scope == item.scope for other in trial.pool.items(roles.resource))
    for _ in range(max(0, missing) if roles.creates else 0):
        try:
            make_beside(trial, roles, item)
        except Inapplicable:
            break
    return item


def make_beside(trial: Trial, roles: Roles, item: Item) -> Item:
    """One more item under the parents of another."""
    return trial.make(roles, wishes_beside(trial, roles.creates[0], item))


def wishes_beside(trial: Trial, creator: str, item: Item) -> Wishes:
    """What a create is told so that it makes an item under the parents of another."""
    scope = trial.roster.model.facts(trial.roster.meaning(creator)).scope
    return Wishes(values={("path", name): key for name, key in zip(scope, item.parents, strict=False)})
