"""Who can be told of events: the operation that subscribes, and where its request has the parts of a subscription.

An operation with callbacks (OAS 3.1 §4.8.18) subscribes whoever calls it to what becomes of that one request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.roster import Roles, Roster
from mock_server.dataclass import dataclass
from mock_server.model.anatomy import Member, anatomy_of, words
from mock_server.model.inference.bodies import request_schema
from mock_server.model.meaning import Meaning
from mock_server.openapi import outgoing
from mock_server.openapi.expressions import Expression
from mock_server.openapi.outgoing import Outgoing
from mock_server.openapi.values import Direction, Json

_URLS = frozenset(
    {"url", "callbackurl", "targeturl", "endpoint", "endpointurl", "webhookurl", "deliveryurl", "hookurl"}
)
_EVENTS = frozenset({"events", "eventtypes", "topics", "enabledevents", "triggers", "event", "topic", "eventtype"})
_SPOKEN = frozenset({"webhook", "webhooks", "hook", "hooks", "subscription", "subscriptions", "callbacks", "listeners"})

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hook:
    """A way to subscribe. ``url``, ``events`` and ``secret`` are places in the request's body.

    ``listed`` says that ``events`` is a list; ``allowed`` are the types that it takes, () for any. ``annotated`` says
    that an annotation tells all this, and not names alone. ``callbacks`` are those that the operation describes, ()
    for a subscription; ``parameter`` is the place of the URL where it is a parameter (location and name).
    """

    create: str
    url: Path
    events: Path | None
    secret: Path | None
    listed: bool
    allowed: tuple[Json, ...]
    delete: str | None
    roles: Roles | None
    annotated: bool
    callbacks: tuple[Outgoing, ...] = ()
    parameter: tuple[str, str] | None = None


def hooks(roster: Roster) -> Iterator[Hook]:
    """The ways to subscribe that an API has, as annotated, else those that look like one; and its callbacks."""
    yield from _subscriptions(roster)
    for operation_id, described in outgoing.callbacks(roster.model.api).items():
        if operation_id in roster.operations:
            yield from _callbacks(roster, operation_id, described)


def _subscriptions(roster: Roster) -> Iterator[Hook]:
    model = roster.model
    subscriptions = model.webhooks.subscriptions
    if subscriptions is not None:
        roles = roster.resources.get(subscriptions.resource)
        for operation_id in roles.operations() if roles is not None else ():
            members = _members(roster, operation_id)
            if subscriptions.url[0] in members:
                yield _hook(roster, operation_id, members, subscriptions.url, subscriptions.events,
                            subscriptions.secret, annotated=True)  # fmt: skip
        return
    if not model.api.root.get(model.api.dialect.webhooks):
        return
    for operation_id in roster.operations:
        meaning, members = roster.meaning(operation_id), _members(roster, operation_id)
        url = next((name for name in members if "".join(words(name)) in _URLS), None)
        if url is not None and _speaks_of_hooks(roster, meaning):
            events = next((name for name in members if "".join(words(name)) in _EVENTS), None)
            secret = next((name for name in members if "secret" in words(name)), None)
            yield _hook(roster, operation_id, members, (url,), (events,) if events else None,
                        (secret,) if secret else None, annotated=False)  # fmt: skip


def _callbacks(roster: Roster, operation_id: str, described: tuple[Outgoing, ...]) -> Iterator[Hook]:
    """One way for each place of the request that holds the URL of callbacks."""
    places: dict[tuple[str, Path], list[Outgoing]] = {}
    for one in described:
        first = one.url.parts[0] if one.url is not None and one.url.parts else None
        if isinstance(first, Expression) and first.root == "request" and first.source in {"body", "query", "header"}:
            path = first.pointer if first.source == "body" else ("".join(first.steps),)
            if path:
                places.setdefault((first.source, path), []).append(one)
    for (source, path), found in places.items():
        parameter = (source, path[0]) if source != "body" else None
        url = path if source == "body" else ()
        yield Hook(operation_id, url, None, None, False, (), None, roster.of(operation_id), True, tuple(found),
                   parameter)  # fmt: skip


def _members(roster: Roster, operation_id: str) -> Mapping[str, Member]:
    """The members of the body of an operation that may make a subscription."""
    operation = roster.model.api.operation(operation_id)
    meaning = roster.meaning(operation_id)
    schema = request_schema(operation)
    if operation.method != "POST" or schema is None or meaning.behaviour not in {"create", "compute"}:
        return {}
    if meaning.key_parameter is not None and meaning.behaviour == "compute":
        return {}
    return anatomy_of(schema, Direction.REQUEST).members


def _speaks_of_hooks(roster: Roster, meaning: Meaning) -> bool:
    path = roster.model.api.refs[meaning.operation_id].template.text
    return bool(_SPOKEN & set(words(path)))


def _hook(
    roster: Roster,
    operation_id: str,
    members: Mapping[str, Member],
    url: Path,
    events: Path | None,
    secret: Path | None,
    *,
    annotated: bool,
) -> Hook:
    meaning = roster.meaning(operation_id)
    roles = roster.of(operation_id)
    above = meaning.request_path
    listing = members.get(events[0]) if events is not None and not above else None
    items = listing.schema.get("items") if listing is not None else None
    allowed = items.get("enum", ()) if isinstance(items, dict) else listing.allowed if listing is not None else ()
    return Hook(
        operation_id,
        (*above, *url),
        (*above, *events) if events is not None and (listing is not None or above) else None,
        (*above, *secret) if secret is not None and (secret[0] in members or above) else None,
        listing is None or "array" in listing.types,
        tuple(allowed or ()),
        next(iter(roles.deletes), None) if roles is not None else None,
        roles,
        annotated,
    )
