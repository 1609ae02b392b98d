"""Walking a list: every page that it has, by its own paging, until there is no more or enough was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from contracts.casting import tenant_names
from contracts.drafting import Draft, repinned
from contracts.pool import Item
from contracts.service import NOT_JSON, Caller, Recorded
from mock_server.exchange.requests import value_schema
from mock_server.model.anatomy import words
from mock_server.model.filters import value_at
from mock_server.model.meaning import Meaning
from mock_server.openapi.description import Operation, Parameter
from mock_server.openapi.values import Direction, Json

if TYPE_CHECKING:
    from contracts.trial import Trial

MOST_PAGES = 20
"""Pages that a walk takes at most."""

_PAGE_SIZES = (100, 50, 20)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a walk has seen: the items in order, and whether these are all. ``pages`` are the exchanges it took."""

    items: tuple[Json, ...]
    complete: bool
    pages: tuple[Recorded, ...]


def walk(
    trial: Trial, draft: Draft, *, until: Callable[[Json], bool] = lambda _: False, most: int = MOST_PAGES
) -> Listed:
    """Every item of a list from a draft's page on; it ends early with the first item for which ``until`` holds."""
    items: list[Json] = []
    pages: list[Recorded] = []
    for recorded in _pages(trial, draft, most):
        pages.append(recorded)
        shown = trial.representation(recorded) if recorded.ok and recorded.json is not NOT_JSON else None
        if not isinstance(shown, list):
            return Listed(tuple(items), complete=False, pages=tuple(pages))
        items += shown
        if any(until(item) for item in shown):
            return Listed(tuple(items), complete=False, pages=tuple(pages))
    return Listed(tuple(items), complete=len(pages) < most, pages=tuple(pages))


def _pages(trial: Trial, draft: Draft, most: int) -> Iterator[Recorded]:
    meaning = trial.roster.meaning(draft.operation_id)
    seen = {draft.request.target}
    following: Draft | None = draft
    taken = 0
    while following is not None and taken < most:
        recorded = trial.send(following)
        taken += 1
        yield recorded
        following = _next(trial, following, recorded, meaning)
        if following is None or following.request.target in seen:
            return
        seen.add(following.request.target)


def _next(trial: Trial, draft: Draft, recorded: Recorded, meaning: Meaning) -> Draft | None:
    """The draft of the page after this one, None where there is none."""
    told = {role: value_at(recorded.json, path) for path, role in meaning.envelope.fields.items()}
    if told.get("has_more") is False:
        return None
    shown = trial.representation(recorded)
    size = len(shown) if isinstance(shown, list) else 0
    values = _following(draft, meaning, told, size)
    if values is None:
        return None
    return repinned(draft, trial.drafter, {("query", name): value for name, value in values.items()})


def _following(draft: Draft, meaning: Meaning, told: dict[str, Json], size: int) -> dict[str, Json] | None:
    listing = meaning.listing
    sent = {name: value for (location, name), value in draft.values.items() if location == "query"}
    if isinstance(told.get("next_url"), str) and told["next_url"]:
        query = dict(parse_qsl(urlsplit(told["next_url"]).query))
        return {name: value for name, value in query.items() if str(sent.get(name)) != value} or None
    if listing.after is not None and listing.style == "cursor":
        cursor = told.get("next_cursor")
        return {listing.after: cursor} if cursor not in (None, "", 0) else None
    if size == 0:
        return None
    if listing.page is not None and listing.style == "page":
        at = int(sent.get(listing.page, listing.first_page))
        pages = told.get("pages")
        last = isinstance(pages, int) and at - listing.first_page + 1 >= pages
        return None if last else {listing.page: at + 1}
    if listing.offset is not None and listing.style == "offset":
        at = int(sent.get(listing.offset, 0)) + size
        total = told.get("total")
        return None if isinstance(total, int) and at >= total else {listing.offset: at}
    return None


def page_size(operation: Operation, meaning: Meaning) -> dict[tuple[str, str], Json]:
    """The query parameter that asks for large pages, as large as is described; nothing where there is none."""
    name = meaning.listing.limit
    parameter = next(
        (known for known in operation.parameters if known.name == name and known.location == "query"), None
    )
    schema = value_schema(parameter) if parameter is not None else None
    if name is None or schema is None:
        return {}
    highest = schema.bundle(Direction.REQUEST).get("maximum")
    sizes = (min(int(highest), 200),) if isinstance(highest, int | float) else _PAGE_SIZES if highest is None else ()
    return next(({("query", name): size} for size in sizes if schema.accepts(size, Direction.REQUEST)), {})


def values_for(
    trial: Trial, item: Item, operation_id: str, caller: Caller | None, *, large: bool
) -> dict[tuple[str, str], Json]:
    """What a list has to be told so that it shows an item: its parents, and the filters that are required or preset."""
    operation, meaning = trial.drafter.api.operation(operation_id), trial.roster.meaning(operation_id)
    scope = trial.roster.model.facts(meaning).scope
    values: dict[tuple[str, str], Json] = {("path", name): key for name, key in zip(scope, item.parents, strict=False)}
    values |= page_size(operation, meaning) if large else {}
    filters = {known.parameter: known for known in meaning.listing.filters if known.operator in {"eq", "in"}}
    for parameter in operation.parameters:
        name, place = parameter.name, (parameter.location, parameter.name)
        if parameter.location != "query" or place in values or not _narrows(parameter, meaning):
            continue
        own = _own_tenant(trial, name, caller)
        if own is None and name not in filters:
            trial.give_up(f"{operation_id} wants {name}, and which value selects an item is not known")
        values[place] = own if own is not None else value_at(item.value, filters[name].property)
        if values[place] is None:
            trial.give_up(f"{operation_id} wants {name}, which the item does not show")
    return values


def _narrows(parameter: Parameter, meaning: Meaning) -> bool:
    """Whether a parameter narrows a list unless it is told otherwise: it is required, or a filter with a default."""
    if parameter.required:
        return True
    schema = value_schema(parameter)
    chooses = parameter.name in {*(known.parameter for known in meaning.listing.filters), meaning.listing.search}
    return chooses and schema is not None and "default" in schema.bundle(Direction.REQUEST)


def _own_tenant(trial: Trial, name: str, caller: Caller | None) -> Json:
    """The caller's tenant, where a name speaks of it or of the resource that tenants are; else None."""
    tenant = caller.tenant if caller is not None else None
    if tenant is None:
        return None
    if words(name) in tenant_names(trial.roster):
        return tenant
    qualified = trial.roster.called(name)
    items = trial.pool.items(trial.roster.resources[qualified].resource) if qualified is not None else []
    return next((item.typed_key for item in items if item.key == tenant), None)
