"""How a described error schema is filled in: decided once for each schema, by the roles of its members."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

import jsonschema_rs

from mock_server.dataclass import dataclass
from mock_server.exchange.errorfacts import Subject
from mock_server.exchange.errorroles import Role, candidates, role_of
from mock_server.model.anatomy import Anatomy, dissect, flatten, words
from mock_server.openapi import pointers
from mock_server.openapi.formats import STRING_FORMATS
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Sampler, Unsampleable

ABSENT: Final[Any] = object()
"""What a plan gives when it has nothing to say."""

Plan: TypeAlias = Callable[[Subject], Any]
"""From what there is to tell to the value that tells it, or ``ABSENT``."""

_DEEPEST = 5
_PAYLOADS = frozenset(map(words, ("data", "result", "results", "payload", "items", "meta", "pagination", "links")))
_ENVELOPES = frozenset(map(words, ("error", "errors", "fault", "problem")))


@dataclass(frozen=True, slots=True)
class _Place:
    """A member about to be planned. ``told_beside`` says that a member next to it tells the message."""

    name: str
    role: Role | None
    required: bool
    told_beside: bool
    in_violation: bool
    depth: int


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    required: bool
    fill: Plan
    sample: Plan
    tells: bool


@lru_cache(maxsize=1024)
def error_plan(schema: Schema, *, lean: bool) -> Plan:
    """A function from a problem to a body for an error schema; the body has still to be judged as a whole.

    ``lean`` leaves out what is not required, for schemas whose optional members exclude each other.
    """
    bundle = schema.bundle(Direction.RESPONSE)
    place = _Place("error", Role.EACH, required=True, told_beside=False, in_violation=False, depth=0)
    return _Planner(bundle, lean=lean).node(bundle, place)


class _Planner:
    """Plans the schemas of one bundle."""

    def __init__(self, bundle: Mapping[str, Json], *, lean: bool) -> None:
        self._bundle = bundle
        self._lean = lean
        self._shared = {key: bundle[key] for key in ("$schema", "$defs") if key in bundle}

    def node(self, schema: Json, place: _Place) -> Plan:
        """The plan for a schema: that of its first branch which can tell something valid."""
        branches = self._branches(schema)
        if len(branches) == 1:
            return self._branch(branches[0], place)
        ordered = sorted(branches, key=lambda branch: _rank(dissect(self._bundle, branch)))
        plans = [self._branch(branch, place) for branch in ordered]
        accepts = self._judge(schema)

        def fill(subject: Subject) -> Any:
            # Lists and objects say more than a text, but only where there are several things to say.
            fitting = plans if subject.facts.each else reversed(plans)
            values = (plan(subject) for plan in fitting)
            return next((value for value in values if value is not ABSENT and accepts(value)), ABSENT)

        return fill

    def _branch(self, schema: Json, place: _Place) -> Plan:
        if place.depth > _DEEPEST:
            return _nothing
        found = dissect(self._bundle, schema)
        flat = flatten(self._bundle, schema)
        if "const" in flat:
            return lambda _: flat["const"]
        types = found.types - {"null"}
        if types == {"object"} and found.members:
            return self._object(flat, found, place)
        if place.role is Role.EACH and (types == {"object"} or not types):
            return self._map(flat, place)
        if types == {"array"} and place.role in {Role.EACH, Role.TEXT}:
            return self._array(schema, found, place)
        if place.depth == 0 and types == {"string"}:
            return _sentence
        return self._leaf(schema, flat, place)

    # Objects

    def _object(self, flat: Mapping[str, Json], found: Anatomy, place: _Place) -> Plan:
        types = {name: member.types - {"null"} for name, member in found.members.items()}
        roles = {name: role_of(name, types, in_violation=place.in_violation) for name in types}
        told = place.told_beside or any(
            role in {Role.TEXT, Role.OAUTH_CODE} and types[name] <= {"string"} for name, role in roles.items()
        )
        members = []
        for name, schema in flat["properties"].items():
            required = name in found.required
            inner = _Place(name, roles[name], required, told, place.in_violation, place.depth + 1)
            if not required and (self._lean or _is_beside_the_point(inner, types[name])):
                continue
            tells = "const" not in found.members[name].schema and roles[name] not in {
                Role.PASSED,
                Role.FAILED,
            }
            members.append(_Member(name, required, self.node(schema, inner), self._sample(schema, name), tells))
        return lambda subject: _filled(members, subject)

    # Lists

    def _array(self, schema: Json, found: Anatomy, place: _Place) -> Plan:
        whole = self._entry(found.items, place, in_violation=False)
        entry = self._entry(found.items, place, in_violation=True)
        limit = flatten(self._bundle, schema).get("maxItems")
        accepts = self._judge(schema)

        def fill(subject: Subject) -> Any:
            each = subject.facts.each if subject.is_whole else ()
            entries = [entry(violation) for violation in each[: limit if isinstance(limit, int) else None]]
            if not entries and not place.told_beside:
                entries = [whole(subject)]
            listed = [value for value in entries if value is not ABSENT]
            if not listed and not place.required:
                return ABSENT
            return listed if accepts(listed) else ABSENT

        return fill

    def _entry(self, items: Json, place: _Place, *, in_violation: bool) -> Plan:
        """One entry of a list: an object, or a sentence."""
        inner = _Place(place.name, Role.TEXT, required=True, told_beside=False, in_violation=in_violation,
                       depth=place.depth + 1)  # fmt: skip
        if dissect(self._bundle, items).types - {"null"} == {"string"}:
            return _sentence
        return self.node(items, inner)

    def _map(self, flat: Mapping[str, Json], place: _Place) -> Plan:
        """Violations by field: to messages, to one text, or to whatever the schema of the members wants."""
        values = flat.get("additionalProperties", True)
        types = dissect(self._bundle, values).types - {"null"}
        entry = self._entry(values, place, in_violation=True)
        entries = self._entry(flatten(self._bundle, values).get("items", True), place, in_violation=True)
        as_text = types == {"string"}
        as_object = types == {"object"}
        of_texts = types != {"array"} or dissect(self._bundle, dissect(self._bundle, values).items).types <= {"string"}

        def fill(subject: Subject) -> Any:
            by_field: dict[str, list[Subject]] = {}
            for violation in subject.facts.each if subject.is_whole else ():
                by_field.setdefault(violation.field or violation.where, []).append(violation)
            if not by_field and not place.told_beside:
                by_field["request"] = [subject]
            if not by_field:
                return {} if place.required else ABSENT
            if as_text:
                return {field: "; ".join(told.message for told in group) for field, group in by_field.items()}
            if as_object:
                return {field: entry(group[0]) for field, group in by_field.items()}
            if of_texts:
                return {field: [told.message for told in group] for field, group in by_field.items()}
            return {field: [entries(told) for told in group] for field, group in by_field.items()}

        accepts = self._judge(dict(flat))
        return lambda subject: value if (value := fill(subject)) is ABSENT or accepts(value) else ABSENT

    # Single values

    def _leaf(self, schema: Json, flat: Mapping[str, Json], place: _Place) -> Plan:
        role = place.role
        if role is None:
            return _nothing
        accepts = self._judge(schema)
        return lambda subject: next(filter(accepts, candidates(role, place.name, flat, subject)), ABSENT)

    def _sample(self, schema: Json, name: str) -> Plan:
        """Made up, for what must be there and of which the problem says nothing."""

        def fill(subject: Subject) -> Any:
            facts = subject.facts
            try:
                return Sampler(self._bound(schema)).sample(seed=facts.seed, now=facts.now, name=name)
            except Unsampleable:
                return ABSENT

        return fill

    # Schemas

    def _bound(self, schema: Json) -> Json:
        return {**self._shared, **schema} if isinstance(schema, dict) else schema

    def _judge(self, schema: Json) -> Callable[[Json], bool]:
        validator = jsonschema_rs.Draft202012Validator(
            self._bound(schema), validate_formats=True, formats=dict(STRING_FORMATS), offline=True
        )
        return validator.is_valid

    def _branches(self, schema: Json) -> list[Json]:
        """The alternatives of a schema, each with what holds for all of them; null is none."""
        for _ in range(_DEEPEST):
            if not isinstance(schema, dict) or set(schema) - {"$schema", "$defs"} != {"$ref"}:
                break
            schema = pointers.lookup(self._bundle, schema["$ref"][1:])
        if not isinstance(schema, dict):
            return [schema]
        for keyword in ("oneOf", "anyOf"):
            listed = [b for b in schema.get(keyword) or () if dissect(self._bundle, b).types != {"null"}]
            if len(listed) > 1:
                common = {key: value for key, value in schema.items() if key not in {keyword, "$defs", "$schema"}}
                return [{"allOf": [common, branch]} for branch in listed]
        return [schema]


def _is_beside_the_point(place: _Place, types: frozenset[str]) -> bool:
    """Whether an optional member is no part of an error, or would only say again what is said beside it."""
    if words(place.name) in _PAYLOADS:
        return True
    if types != {"object"} or place.role in {Role.EACH, Role.FIELD}:
        return False
    return place.told_beside and not (place.depth == 1 and words(place.name) in _ENVELOPES)


def _rank(found: Anatomy) -> int:
    """Lists first, then objects, then single values."""
    return 0 if "array" in found.types else 1 if found.members else 2


def _filled(members: list[_Member], subject: Subject) -> Any:
    """The object, or ``ABSENT`` when nothing in it would tell anything."""
    body = {}
    told = False
    for member in members:
        value = member.fill(subject)
        told |= member.tells and value is not ABSENT
        if value is ABSENT and member.required:
            value = member.sample(subject)
        if value is not ABSENT:
            body[member.name] = value
    return body if told else ABSENT


def _sentence(subject: Subject) -> Any:
    field = "" if subject.is_whole else subject.field
    return f"{field}: {subject.message}" if field else subject.message


def _nothing(_: Subject) -> Any:
    return ABSENT
