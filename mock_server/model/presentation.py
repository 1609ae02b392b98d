"""How a stored resource is shown in a response: the envelope around it and the members that may be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.model.anatomy import Anatomy, dissect, flatten
from mock_server.model.inference.bodies import response_schema, schema_at
from mock_server.model.meaning import UNSHOWN, Meaning, Resource
from mock_server.openapi import pointers
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Sampler, Unsampleable

_MOST_REFERENCES = 32  # from one schema to the next, before one that says something


@dataclass(frozen=True)  # no slots: cached_property keeps its value in the instance's __dict__
class View:
    """The compiled way from stored values to a response body.

    ``framed`` makes the body without the resource (None when the body is the resource itself), ``path`` says where the
    resource goes. ``kept`` are the only members that may be shown (None for all), ``dropped`` those that may
    not, ``pruned`` the paths of members inside members that may not, ``lacking`` samples for members that the
    response requires and the resource has not. ``is_list`` says whether a list goes there; ``omitted`` are the fields
    beside it that are left out when there is nothing to say, since they may be absent but not null.
    """

    framed: Callable[[], Json]
    path: tuple[str, ...]
    kept: frozenset[str] | None = None
    dropped: frozenset[str] = UNSHOWN
    pruned: tuple[tuple[str, ...], ...] = ()
    lacking: Mapping[str, Json] = field(default_factory=dict)
    is_list: bool = False
    omitted: frozenset[tuple[str, ...]] = frozenset()

    @cached_property
    def frame(self) -> Json:
        """The envelope, drawn when it is first needed: a seed is judged without one."""
        return self.framed()

    def alone(self, content: Json) -> Json:
        """An item or list where it goes in a body that has nothing else."""
        body = content
        for name in reversed(self.path):
            body = {name: body}
        return body

    def item(self, value: Json) -> Json:
        """One stored value as this response shows it."""
        if not isinstance(value, dict):
            return value
        for path in self.pruned:
            value = _without(value, path)
        kept, dropped = self.kept, self.dropped
        if kept is None and not self.lacking and dropped.isdisjoint(value):
            return value
        shown = {n: m for n, m in value.items() if n not in dropped and (kept is None or n in kept)}
        for name, sample in self.lacking.items():
            shown.setdefault(name, sample)
        return shown

    def items(self, values: Iterable[Json]) -> list[Json]:
        """Stored values as this response shows them."""
        if not self._as_it_is:
            return [self.item(value) for value in values]
        absent = self.dropped.isdisjoint
        return [value if type(value) is dict and absent(value) else self.item(value) for value in values]

    def shown(self, value: Json) -> Json:
        """The whole body that shows one stored value."""
        if self._as_it_is and not self.path and type(value) is dict and self.dropped.isdisjoint(value):
            return value
        return self.body(self.item(value))

    @cached_property
    def _as_it_is(self) -> bool:
        """Whether a value is shown as it is stored, if it has no member that may not be shown."""
        return not (self.pruned or self.lacking) and self.kept is None

    def body(self, content: Json, extra: Mapping[tuple[str, ...], Json] | None = None) -> Json:
        """The whole body around an item or list that is already as it is to be shown."""
        if not self.path:
            return content
        body = _with(self.frame, self.path, content)
        for path, value in (extra or {}).items():
            omitted = value is None and path in self.omitted
            body = _without(body, path) if omitted else _with(body, path, value)
        return body


def _without(value: Any, path: tuple[str, ...]) -> Any:
    """A copy of nested objects without one member, of each entry where a list is on the way."""
    if isinstance(value, list):
        return [_without(entry, path) for entry in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {name: member for name, member in value.items() if name != path[0]}
    return {**value, path[0]: _without(value[path[0]], path[1:])}


def _with(body: Any, path: tuple[str, ...], value: Any) -> Any:
    """A copy of nested objects with one member set."""
    copied = dict(body) if isinstance(body, dict) else {}
    copied[path[0]] = value if len(path) == 1 else _with(copied.get(path[0]), path[1:], value)
    return copied


def without_hidden(item: Json, resource: Resource) -> Json:
    """An item as anybody outside may see it: without hidden and write-only members."""
    secret = {name for name, member in resource.anatomy.members.items() if member.write_only}
    for name in sorted(UNSHOWN | resource.hidden | secret):
        item = _without(item, pointers.split(name) if name.startswith("/") else (name,))
    return item


def view_of(meaning: Meaning, *, seed: int, now: datetime) -> View:
    """The view for an operation's success response."""
    schema = response_schema(meaning.response)
    path = meaning.envelope.path
    framed = partial(_frame, schema, meaning, seed=seed, now=now)
    resource = meaning.resource
    if schema is None or resource is None:
        return View(framed, path)
    bundle = schema.bundle(Direction.RESPONSE)
    omitted = frozenset(field for field in meaning.envelope.fields if _may_only_be_absent(bundle, field))
    found = dissect(bundle, schema_at(bundle, path))
    is_list = found.is_array
    shown = dissect(bundle, found.items) if is_list else found
    if not shown.members and not shown.closed:
        return View(framed, path, is_list=is_list, omitted=omitted)
    stored = resource.anatomy
    sampled = partial(sampled_body, schema, seed=seed, now=now, name=meaning.operation_id)
    described, known = frozenset(shown.members), frozenset(stored.members)
    # What a request alone describes may still be shown, by a response that describes it too: a new secret.
    inner = frozenset(name for name in resource.hidden if name.startswith("/"))
    hidden = resource.hidden - inner
    dropped = (hidden & known) | ((hidden | known | UNSHOWN) - described)
    return View(
        framed,
        path,
        kept=described if shown.closed else None,
        dropped=dropped,
        pruned=tuple(pointers.split(pointer) for pointer in sorted(inner)),
        lacking=_lacking(shown, stored, sampled, path),
        is_list=is_list,
        omitted=omitted,
    )


def _may_only_be_absent(bundle: Json, path: tuple[str, ...]) -> bool:
    """Whether a field of an envelope may be left out and may not be null."""
    around = dissect(bundle, schema_at(bundle, path[:-1]))
    member = around.members.get(path[-1])
    if member is None or path[-1] in around.required:
        return False
    return bool(member.types) and "null" not in member.types and member.schema.get("nullable") is not True


def _lacking(shown: Anatomy, stored: Anatomy, sample: Callable[[], Json], path: tuple[str, ...]) -> dict[str, Json]:
    """Samples for members that the response requires and the stored resource can never have."""
    missing = [name for name in shown.required if name not in stored.members]
    if not missing:
        return {}
    sampled = sample()
    for name in path:
        sampled = sampled.get(name) if isinstance(sampled, dict) else None
    if isinstance(sampled, list):
        sampled = sampled[0] if sampled else None
    return {name: sampled[name] for name in missing if name in sampled} if isinstance(sampled, dict) else {}


def _frame(schema: Schema | None, meaning: Meaning, *, seed: int, now: datetime) -> Json:
    """The envelope with everything it requires beside the resource, roles left to be filled per response."""
    if schema is None:
        return {}
    bundle = schema.bundle(Direction.RESPONSE)
    around = _emptied(bundle, meaning.envelope.path, bundle) if meaning.envelope.path else bundle
    shared = {name: bundle[name] for name in ("$schema", "$defs") if name in bundle}
    sampled = _sampled({**shared, **around}, seed=seed, now=now, name=meaning.operation_id)
    frame = _required_only(bundle, bundle, sampled, meaning.envelope.path)
    for name, member in (dissect(bundle, bundle).members).items():
        if member.types == {"boolean"} and name.lower() in {"success", "ok"}:
            frame = _with(frame, (name,), True)
        if member.types == {"boolean"} and name.lower() in {"error", "errors", "failed"}:
            frame = _with(frame, (name,), False)
    return frame


def _emptied(schema: Json, path: tuple[str, ...], bundle: Json) -> Json:
    """A schema that leaves open what is at a path: an answer puts its own there, which takes long to make up."""
    if not path:
        return True
    for _ in range(_MOST_REFERENCES):
        if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
            break
        if schema.keys() - {"$ref", "$schema", "$defs"}:
            return schema
        schema = pointers.lookup(bundle, schema["$ref"][1:])
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or path[0] not in properties:
        return schema
    return {**schema, "properties": {**properties, path[0]: _emptied(properties[path[0]], path[1:], bundle)}}


def _required_only(bundle: Json, schema: Json, value: Json, path: tuple[str, ...]) -> Json:
    if not isinstance(value, dict):
        return {}
    flat = flatten(bundle, schema)
    wanted = set(flat.get("required") or ()) | ({path[0]} if path else set())
    properties = flat.get("properties") or {}
    return {
        name: _required_only(bundle, properties.get(name, {}), member, path[1:])
        if path and name == path[0] and isinstance(member, dict)
        else member
        for name, member in value.items()
        if name in wanted
    }


def sampled_body(schema: Schema, *, seed: int, now: datetime, name: str) -> Json:
    """A sample for a schema, None when it admits none that could be found."""
    return _sampled(schema.bundle(Direction.RESPONSE), seed=seed, now=now, name=name)


def _sampled(bundle: Json, *, seed: int, now: datetime, name: str) -> Json:
    try:
        return Sampler(bundle).sample(seed=seed, now=now, name=name)
    except Unsampleable:
        return None
