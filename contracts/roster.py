"""Which operation does what to which resource: the structure of an API as checks ask for it.

It comes from the meanings of operations alone, so from the description, what was inferred and what annotations say;
nothing here predicts an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from types import MappingProxyType

from mock_server.dataclass import dataclass
from mock_server.model.anatomy import dissect, singular, words
from mock_server.model.inference.bodies import request_schema
from mock_server.model.meaning import Meaning, Resource
from mock_server.model.model import Model
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json

_DEPTH = 3
"""How deep in a body references to other things are looked for."""

WRITING = frozenset({"create", "create-many", "replace", "update", "delete", "clear", "act"})
"""Behaviours that change what is stored."""


@dataclass(slots=True)
class Roles:
    """The operations on one resource, by what they do. ``views`` are lists that show only a part (a parent's)."""

    resource: Resource
    creates: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    updates: list[str] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def operations(self) -> Iterator[str]:
        """Every operation on the resource."""
        for some in (self.creates, self.reads, self.lists, self.views, self.replaces, self.updates, self.deletes,
                     self.acts, self.others):  # fmt: skip
            yield from some


_ROLES = {
    "create": "creates",
    "read": "reads",
    "replace": "replaces",
    "update": "updates",
    "delete": "deletes",
    "act": "acts",
}


class Roster:
    """The structure of one API. ``operations`` are the ids that a run may call; None is all of them."""

    def __init__(self, model: Model, *, operations: Iterable[str] | None = None) -> None:
        self.model = model
        self.operations = tuple(model.api.refs if operations is None else operations)
        found: dict[str, Roles] = {}
        for operation_id in self.operations:
            meaning = model.meaning(operation_id)
            if meaning.resource is not None:
                roles = found.setdefault(meaning.resource.qualified, Roles(meaning.resource))
                _place(roles, meaning, model)
        self.resources: Mapping[str, Roles] = MappingProxyType(found)
        self._needs: dict[str, tuple[Roles, ...]] = {}
        self._by_name = {tuple(_named(roles.resource)): name for name, roles in found.items()}

    def meaning(self, operation_id: str) -> Meaning:
        """What an operation means."""
        return self.model.meaning(operation_id)

    def of(self, operation_id: str) -> Roles | None:
        """The operations on the resource that an operation works on, None for one without a resource."""
        resource = self.model.meaning(operation_id).resource
        return self.resources.get(resource.qualified) if resource is not None else None

    def needs(self, operation_id: str) -> tuple[Roles, ...]:
        """What must exist before an operation can be called: what its path leads through, and what its body names."""
        found = self._needs.get(operation_id)
        if found is None:
            names = dict.fromkeys(self._needed(operation_id))
            found = tuple(self.resources[name] for name in names if name in self.resources)
            self._needs[operation_id] = found
        return found

    def _needed(self, operation_id: str) -> Iterator[str]:
        meaning, model = self.model.meaning(operation_id), self.model
        own = meaning.resource.qualified if meaning.resource is not None else ""
        yield from (ancestor.resource.qualified for ancestor in model.facts(meaning).ancestors)
        if meaning.behaviour not in {"create", "create-many", "compute", "replace"}:
            return
        referred = [reference.resource for reference in meaning.resource.references] if meaning.resource else []
        for name in (*referred, *(related.resource for related in meaning.related)):
            resource = model.resource(name)
            if resource is not None and resource.qualified != own:
                yield resource.qualified
        schema = request_schema(model.api.operation(operation_id))
        key = meaning.resource.key if meaning.resource is not None else None
        for name in _member_names(schema) if schema is not None else ():
            spoken = self.called(name)
            if spoken is not None and spoken != own and name != key:
                yield spoken

    def called(self, name: str) -> str | None:
        """The qualified name of the resource whose key goes by a name: ``customer_id``, ``customerId``."""
        spelled = words(name)
        for ending in (("id",), ("key",), ("ids",), ("uuid",), ("code",), ()):
            if spelled[-len(ending) :] == ending or not ending:
                stem = spelled[: len(spelled) - len(ending)]
                if stem and (found := self._by_name.get((*stem[:-1], singular(stem[-1])))) is not None:
                    return found
        return None


def _member_names(schema: Schema) -> Iterator[str]:
    """The names of a request's members, of those inside them and inside their lists, too."""
    bundle = schema.bundle(Direction.REQUEST)
    waiting: list[tuple[Json, int]] = [(bundle, 0)]
    while waiting:
        at, depth = waiting.pop()
        anatomy = dissect(bundle, at)
        if anatomy.items is not None and depth < _DEPTH:
            waiting.append((anatomy.items, depth + 1))
        for name, member in anatomy.members.items():
            yield name
            if depth < _DEPTH and not member.types.isdisjoint({"object", "array"}):
                waiting.append((dict(member.schema), depth + 1))


def _place(roles: Roles, meaning: Meaning, model: Model) -> None:
    behaviour = behaviour_of(meaning, model)
    if behaviour == "list":
        # A view shows what lies under a parent that is not part of where its resource is kept.
        narrowed = bool(model.facts(meaning).narrowing)
        (roles.views if narrowed else roles.lists).append(meaning.operation_id)
    else:
        role: list[str] = getattr(roles, _ROLES.get(behaviour, "others"))
        role.append(meaning.operation_id)


def behaviour_of(meaning: Meaning, model: Model) -> str:
    """What an operation does; where an annotation computes the answer, what its path and method say that it does."""
    if meaning.behaviour != "compute":
        return meaning.behaviour
    inferred = model.inference.meaning(meaning.operation_id)
    same = (
        inferred.resource is not None
        and meaning.resource is not None
        and (inferred.resource.collection_path, inferred.resource.item_path)
        == (meaning.resource.collection_path, meaning.resource.item_path)
    )
    return inferred.behaviour if same and inferred.behaviour in {"create", "read", "delete"} else "compute"


def _named(resource: Resource) -> Iterator[str]:
    last = words(resource.name.rpartition(".")[2])
    yield from last[:-1]
    if last:
        yield singular(last[-1])
