"""Who can be told of events: the operation that subscribes, and where its request has the parts of a subscription."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from contracts.roster import Roles, Roster
from mock_server.model.anatomy import Member, anatomy_of, words
from mock_server.model.inference.bodies import request_schema
from mock_server.model.meaning import Meaning
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
    that an annotation tells all this, and not names alone.
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


def hooks(roster: Roster) -> Iterator[Hook]:
    """The ways to subscribe that an API has, as annotated; else those that look like one."""
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
