"""Mistakes for any pack: what a wrong service would do to requests, to answers, or behind both, in its state."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

from contracts.service import Caller, Reply, Transport
from contracts.transports import into_universe
from mock_server.exchange.universe import Universe
from mock_server.model.anatomy import dissect
from mock_server.model.filters import value_at
from mock_server.model.inference.bodies import request_schema, schema_at
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import key_text
from mock_server.model.state import Change, Partition, Put, Remove, State, commit
from mock_server.openapi.compile import Api
from mock_server.openapi.templates import Fit
from mock_server.openapi.values import Direction
from mock_server.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Sent:
    """A request on its way into a pack's universe, and what it means there (None: nothing that is described)."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    operation_id: str
    meaning: Meaning | None

    @property
    def behaviour(self) -> str:
        """What the operation does, "" for none."""
        return self.meaning.behaviour if self.meaning is not None else ""

    @property
    def json(self) -> Any:
        """The body as JSON, None for one that is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def without(self, names: set[str]) -> Sent:
        """The request without some query parameters."""
        path, mark, query = self.target.partition("?")
        kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in names]
        return replace(self, target=path + (mark + urlencode(kept) if kept else ""))


@dataclass(slots=True)
class Scene:
    """Where a mistake happens: the universe, who may call, and what the mistake remembers until the next reset.

    ``optional`` gives the members that an operation's request may leave out.
    """

    universe: Universe
    callers: tuple[Caller, ...]
    answer: Callable[[Sent], Reply]
    optional: Callable[[str], frozenset[str]]
    memory: dict[str, Any] = field(default_factory=dict)


Mistake: TypeAlias = Callable[[Scene, Sent], Reply]
"""Answers a request as the mistaken service does; ``scene.answer`` is what the correct one would."""


@dataclass(frozen=True, slots=True)
class Tampered:
    """A pack with a mistake: how it is called, and how it is reset."""

    transport: Transport
    reset: Callable[[], None]


def tampered(sandbox: Sandbox, api: Api, universe: Universe, made: Mistake, callers: tuple[Caller, ...]) -> Tampered:
    """One universe of a sandbox with a mistake in front of it."""
    transport = into_universe(sandbox, api.name, universe)
    model = sandbox.api(api.name).model

    def correct(sent: Sent) -> Reply:
        return transport(sent.method, sent.target, sent.headers, sent.body)

    def optional(operation_id: str) -> frozenset[str]:
        schema = request_schema(api.operation(operation_id))
        bundle = schema.bundle(Direction.REQUEST) if schema is not None else {}
        members = dissect(bundle, schema_at(bundle, model.meaning(operation_id).request_path))
        return frozenset(members.members) - frozenset(members.required)

    scene = Scene(universe, callers, correct, optional)

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        match = api.match(method, _below(api, target.partition("?")[0]))
        operation_id = match.target if match.fit is Fit.FULL and match.target is not None else ""
        meaning = model.meaning(operation_id) if operation_id else None
        return made(scene, Sent(method, target, headers, body, operation_id, meaning))

    def reset() -> None:
        universe.reset()
        scene.memory.clear()

    return Tampered(send, reset)


def _below(api: Api, path: str) -> str:
    base = next((base for base in api.base_paths if base and path.startswith(base + "/")), "")
    return path.removeprefix(base)


# What mistakes are made of


def with_json(reply: Reply, change: Callable[[Any], Any]) -> Reply:
    """A reply whose JSON body is changed."""
    try:
        body = json.loads(reply.body)
    except ValueError:
        return reply
    return replace(reply, body=json.dumps(change(body)).encode())


def succeeded(reply: Reply) -> bool:
    """Whether a reply is a success."""
    return 200 <= reply.status < 300


def on_items(reply: Reply, meaning: Meaning, change: Callable[[Any], Any]) -> Reply:
    """A success whose item, or each of whose items, is changed."""

    def changed(body: Any) -> Any:
        path = meaning.envelope.path
        shown = value_at(body, path) if path else body
        new = [change(item) for item in shown] if isinstance(shown, list) else change(shown)
        return _placed(body, path, new)

    return with_json(reply, changed) if succeeded(reply) else reply


def on_list(reply: Reply, meaning: Meaning, change: Callable[[list[Any]], list[Any]]) -> Reply:
    """A success whose list is changed."""

    def changed(body: Any) -> Any:
        path = meaning.envelope.path
        shown = value_at(body, path) if path else body
        return _placed(body, path, change(shown)) if isinstance(shown, list) else body

    return with_json(reply, changed) if succeeded(reply) else reply


def _placed(body: Any, path: tuple[str, ...], value: Any) -> Any:
    if not path:
        return value
    if not isinstance(body, dict) or path[0] not in body:
        return body
    return {**body, path[0]: _placed(body[path[0]], path[1:], value)}


def on_stored(scene: Scene, sent: Sent, before: State, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Changes the items of the operation's resource that a request has just written."""
    if sent.meaning is None or sent.meaning.resource is None:
        return
    universe = scene.universe
    for partition, collection in universe.state.partitions(sent.meaning.resource.qualified):
        old = before.collection(partition)
        for entry in collection:
            known = old.get(entry.key) if old is not None else None
            if (known is None or known.revision != entry.revision) and isinstance(entry.value, dict):
                universe.state = commit(universe.state, [Put(partition, entry.key, change(dict(entry.value)))])


def lacking(value: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """An item without some members, wherever in it they are kept."""
    return {
        name: lacking(member, names) if isinstance(member, dict) else member
        for name, member in value.items()
        if name not in names
    }


def optional_members(sent: Sent) -> set[str]:
    """The members of the operation's resource that its schema does not require."""
    assert sent.meaning is not None
    assert sent.meaning.resource is not None
    anatomy = sent.meaning.resource.anatomy
    return set(anatomy.members) - set(anatomy.required) - {sent.meaning.resource.key or ""}


def without_headers(reply: Reply, *names: str) -> Reply:
    """A reply without some headers."""
    return replace(reply, headers=tuple(pair for pair in reply.headers if pair[0].lower() not in names))


def media_typed(reply: Reply, media_type: str) -> Reply:
    """A reply of another media type."""
    return replace(reply, headers=(*without_headers(reply, "content-type").headers, ("Content-Type", media_type)))


def rekeyed(scene: Scene, sent: Sent, before: State, old_key: str) -> str | None:
    """Gives what a request has created another key; the one that it had, None where nothing was created."""
    assert sent.meaning is not None
    resource = sent.meaning.resource
    assert resource is not None
    universe = scene.universe
    for partition, collection in universe.state.partitions(resource.qualified):
        known = before.collection(partition)
        for entry in collection:
            if (known is None or known.get(entry.key) is None) and isinstance(entry.value, dict):
                value = {**entry.value, resource.key: old_key} if resource.key is not None else entry.value
                changes: list[Change] = [Remove(partition, entry.key), Put(partition, key_text(old_key), value)]
                universe.state = commit(universe.state, changes)
                return entry.key
    return None


def keys_of(state: State, resource: str) -> set[tuple[Partition, str]]:
    """The keys of every item of a resource."""
    return {(partition, entry.key) for partition, collection in state.partitions(resource) for entry in collection}
