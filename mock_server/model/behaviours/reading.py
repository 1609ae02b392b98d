"""Read one item, and list many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mock_server.model.call import Call
from mock_server.model.collection import Entry
from mock_server.model.filters import Predicate, key_is, value_at
from mock_server.model.meaning import Meaning, Reason, Resource
from mock_server.model.members import with_templates
from mock_server.model.outcome import NO_BODY, Outcome, key_text
from mock_server.model.preconditions import not_modified, tag
from mock_server.model.problem import Kind, Problem
from mock_server.model.queries import Page, select
from mock_server.model.tenants import holders, parents_in
from mock_server.model.world import World, missing_parent, scope_of
from mock_server.openapi.values import Json, Violation


def key_of(meaning: Meaning, call: Call) -> str:
    """The key of the item that a call is about: from the path, or from the body where the path has none."""
    if meaning.key_parameter is not None:
        return key_text(call.path[meaning.key_parameter])
    resource = meaning.resource
    if resource is not None and resource.key is not None:
        body = value_at(call.body, meaning.request_path) if call.body is not NO_BODY else None
        if isinstance(body, dict) and resource.key in body:
            return key_text(body[resource.key])
    return ""


def not_found(resource: Resource, key: str) -> Problem:
    """The 404 of an item that is not there."""
    return Problem(Kind.NOT_FOUND, f"{resource.name} {key!r} does not exist" if key else f"no {resource.name} is set")


def without_key(resource: Resource) -> Problem:
    """The refusal of a body that does not say which item it is about."""
    violation = Violation("body", "", "required", None, [resource.key], f"names no {resource.key}")
    return Problem(Kind.INVALID, f"the body names no {resource.key}, so which {resource.name}?", (violation,))


def existing(world: World, meaning: Meaning, call: Call) -> tuple[Resource, tuple[str, ...], str, Entry] | Problem:
    """The item a call is about, with its resource, scope and key; a 404 when it or a parent is missing."""
    resource = meaning.resource
    assert resource is not None
    refusal = missing_parent(world, meaning, call)
    if refusal is not None:
        return refusal
    scope, key = scope_of(world, meaning, call), key_of(meaning, call)
    if not key and not resource.singleton:
        return without_key(resource)
    entry = world.entry(resource, scope, key)
    if entry is None:
        problem = not_found(resource, key)
        return problem if resource.tenancy is None else _another_tenants(world, resource, scope, key, problem)
    return resource, scope, key, entry


def _another_tenants(world: World, resource: Resource, scope: tuple[str, ...], key: str, problem: Problem) -> Problem:
    """The same 404, whose explanation tells that another tenant has such an item."""
    others = ", ".join(repr(tenant) for tenant in holders(world.state, resource, parents_in(resource, scope), key))
    if not others:
        return problem
    why = f"{resource.name} {key!r} belongs to {others}, and this call is about {scope[0]!r}"
    return replace(problem, reasons=(Reason("tenant", "not found", why),))


def name_of(resource: Resource, scope: tuple[str, ...], key: str = "") -> str:
    """How explanations name a place in the state."""
    return "/".join((resource.qualified, *scope, *((key,) if key else ())))


_SAMPLED: tuple[Reason, ...] = (Reason("body", "sampled", "no operation creates this, so any key is taken to exist"),)


def read(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """One item as it is stored; 304 when the caller has it already."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    resource, scope, key, entry = found
    etag = tag(entry.sequence, entry.revision) if world.model.facts(meaning).uses_etags else None
    reads = (name_of(resource, scope, key),)
    if etag is not None and not_modified(call, etag):
        why = Reason("status", "304", "If-None-Match names the current entity tag")
        return Outcome(304, NO_BODY, reads=reads, etag=etag, reasons=(why,))
    body = answered(world, meaning, call, entry.value)
    reasons = () if entry.sequence else _SAMPLED
    return Outcome(meaning.status, body, reads=reads, etag=etag, reasons=reasons)


def answered(world: World, meaning: Meaning, call: Call, item: Json) -> Json:
    """The body that shows an item: by the annotation's template, or the item with what the annotation adds."""
    if meaning.body is not None:
        return meaning.body.evaluate(world.context(call, resource=item))
    body = world.model.answers.shown(meaning, item)
    return added(world, meaning, call, body, item) if meaning.adds else body


def added(world: World, meaning: Meaning, call: Call, body: Json, item: Json) -> Json:
    """The body with what the operation's annotation adds to it."""
    if not meaning.adds or body is NO_BODY:
        return body
    return with_templates(body, meaning.adds, world.context(call, resource=item))


def list_items(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The page of a collection that the query selects."""
    resource = meaning.resource
    assert resource is not None
    refusal = missing_parent(world, meaning, call)
    if refusal is not None:
        return refusal
    scope = scope_of(world, meaning, call)
    conditions = selection(world, meaning, call)
    page = select(world.collection(resource, scope), meaning.listing, call.query, conditions=conditions)
    if not isinstance(page, Page):
        return Problem(Kind.INVALID, f"query parameter {page.name}: {page.message}", (page,))
    view = world.model.answers.view(meaning)
    items = view.items([entry.value for entry in page.entries])
    links = _Links(call, meaning, page)
    extra = {path: _field(role, page, meaning, links) for path, role in meaning.envelope.fields.items()}
    return Outcome(
        meaning.status,
        added(world, meaning, call, view.body(items, extra), None),
        headers=_headers(world, meaning, page, links),
        reads=(name_of(resource, scope),),
        reasons=_page_reasons(meaning, page),
    )


def _page_reasons(meaning: Meaning, page: Page) -> tuple[Reason, ...]:
    style = meaning.listing.style
    why = "not paginated" if style == "none" else f"{style} pagination, limit {page.limit}, offset {page.offset}"
    found = Reason("list", f"{len(page.entries)} of {page.total}", why)
    if not page.unsorted:
        return (found,)
    return found, Reason("sort", "no effect", f"no property is called {', '.join(page.unsorted)}")


def selection(world: World, meaning: Meaning, call: Call) -> list[Predicate]:
    """The conditions that the path itself puts on a list: a view's parent, soft-deleted items."""
    resource = meaning.resource
    assert resource is not None
    found: list[Predicate] = [
        key_is(path, key_text(call.path[parameter])) for parameter, path in world.model.facts(meaning).narrowing.items()
    ]
    listed = world.model.resource_facts(resource).listed
    return found if listed is None else [*found, listed]


def _field(role: str, page: Page, meaning: Meaning, links: _Links) -> Json:
    listing = meaning.listing
    limit = page.limit
    number = listing.first_page + (page.offset // limit if limit else 0)
    pages = -(-page.total // limit) if limit else 1
    values: dict[str, Any] = {
        "total": page.total,
        "count": len(page.entries),
        "has_more": page.has_more,
        "next_cursor": page.next_cursor,
        "previous_cursor": page.previous_cursor,
        "limit": limit if limit is not None else page.total,
        "offset": page.offset,
        "page": number,
        "pages": max(pages, 1),
        "next_page": number + 1 if page.has_more else None,
        "previous_page": number - 1 if page.offset else None,
        "self_url": links.own,
        "next_url": links.url("next"),
        "previous_url": links.url("prev"),
        "first_url": links.url("first"),
        "last_url": links.url("last"),
        "true": True,
    }
    return values[role]


class _Links:
    """The URLs of neighbouring pages, in the list's own pagination style."""

    def __init__(self, call: Call, meaning: Meaning, page: Page) -> None:
        self._call = call
        self._page = page
        self._listing = meaning.listing

    @property
    def own(self) -> str:
        """The list's own address, without a query."""
        return self._call.url + self._call.target.partition("?")[0]

    def url(self, relation: str) -> str | None:
        """The URL of the next, prev, first or last page; None where there is none."""
        changes = self._changes(relation)
        if changes is None:
            return None
        path, _, query = self._call.target.partition("?")
        pairs = [(n, v) for n, v in parse_qsl(query, keep_blank_values=True) if n not in changes]
        return f"{self._call.url}{path}?{urlencode([*pairs, *changes.items()])}"

    def _changes(self, relation: str) -> dict[str, str] | None:
        page, listing, limit = self._page, self._listing, self._page.limit
        if limit is None or limit == 0:
            return None
        if listing.after is not None and listing.offset is None and listing.page is None:
            cursor = page.next_cursor if relation == "next" else None
            return {listing.after: cursor} if cursor is not None else None
        last = max((page.total - 1) // limit, 0) * limit
        offsets = {"next": page.offset + limit, "prev": page.offset - limit, "first": 0, "last": last}
        offset = offsets[relation]
        if (relation == "next" and not page.has_more) or (relation == "prev" and page.offset == 0):
            return None
        offset = max(offset, 0)
        if listing.page is not None:
            return {listing.page: str(listing.first_page + offset // limit)}
        return {listing.offset: str(offset)} if listing.offset is not None else None


_TOTAL_HEADERS = ("x-total-count", "x-total", "total-count")


def _headers(world: World, meaning: Meaning, page: Page, links: _Links) -> tuple[tuple[str, str], ...]:
    described = world.model.facts(meaning).headers
    if not described:
        return ()
    found = []
    if "link" in described:
        relations = [(relation, links.url(relation)) for relation in ("prev", "next", "last", "first")]
        text = ", ".join(f'<{url}>; rel="{relation}"' for relation, url in relations if url is not None)
        if text:
            found.append((described["link"], text))
    found += [(described[name], str(page.total)) for name in _TOTAL_HEADERS if name in described]
    return tuple(found)
