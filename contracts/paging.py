"""Walking a list by its own paging: page numbers, offsets, cursors, Link headers and the addresses in envelopes.

A walk is bounded, and knows no more than the list says of itself. It begins with one draft, so that every walk of an
attempt asks for the same list as the same caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from requests.utils import parse_header_links

from contracts.drafting import UNSET, Draft, Wishes, repinned
from contracts.hunting import Inapplicable
from contracts.pool import Item
from contracts.roster import Roles
from contracts.service import NOT_JSON, Recorded
from contracts.trial import Trial
from mock_server.exchange.requests import value_schema
from mock_server.model.filters import value_at
from mock_server.model.meaning import OWN_KEY, Meaning
from mock_server.model.outcome import key_text
from mock_server.openapi.values import Direction, Json

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


def walk(
    trial: Trial,
    first: Draft,
    *,
    size: int | None = None,
    most: int = MOST_PAGES,
    between: Callable[[int], None] = lambda _: None,
) -> Walk:
    """Walks through a list from its beginning, ``size`` items a page (None: as many as the service likes).

    ``between`` is called before each further page with the number of pages seen. The first page has to be granted:
    ``Inapplicable`` where it is not.
    """
    meaning = trial.roster.meaning(first.operation_id)
    listing = meaning.listing
    draft: Draft | None = first
    if size is not None and listing.limit is not None:
        draft = repinned(first, trial.drafter, {("query", listing.limit): _allowed(trial, first.operation_id, size)})
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
        draft = _next(trial, meaning, draft, recorded, shown, len(items), size)
    return _walk(meaning, pages, items, counts, ended=draft is None)


def _stopped(meaning: Meaning, pages: list[Recorded], items: list[Json], counts: list[int], recorded: Recorded) -> Walk:
    """A walk that was answered with something else than a page: 404 behind the last page is an end."""
    if not pages:
        raise Inapplicable(f"{recorded.operation_id} answers {recorded.status} and no list")
    numbered = meaning.listing.style in {"page", "offset"} and recorded.status in {404, 416}
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


def whole(trial: Trial, first: Draft) -> Walk:
    """The list with as few requests as it takes; ``Inapplicable`` where it is too long, or does not come to an end."""
    found = walk(trial, first, size=largest(trial, first.operation_id), most=6)
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
    total = field(meaning, recorded.json, "total")
    count = any(path[-1].lower() == "count" for path, role in meaning.envelope.fields.items() if role == "total")
    return isinstance(total, int) and not count and seen > total > 0


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
