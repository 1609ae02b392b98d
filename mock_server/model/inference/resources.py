"""The resources of an API: what is kept, under which key, inside what, and who creates it.

A resource is worked out when the first operation on it is used, from the handful of operations on its own
paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mock_server.dataclass import dataclass
from mock_server.model.anatomy import EMPTY, Anatomy, anatomy_of, singular, words
from mock_server.model.inference.bodies import (
    Part,
    alone,
    choose_key,
    has_content,
    item_part,
    key_names,
    list_part,
    overlap,
    request_part,
    response_schema,
)
from mock_server.model.inference.fields import assigned_fields, hidden_fields, initial_states
from mock_server.model.inference.structure import PARAMETER, PathGroup, Structure, resource_names, shape_of
from mock_server.model.meaning import Parent, Reason, Resource
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction

_WRITES = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class Described:
    """The message that best describes an item: its schema, the part of it that is the item, and whose it
    is."""

    schema: Schema
    part: Part
    source: str


class Resources:
    """The resources that the paths and schemas of one API suggest. ``namespace`` prefixes their names in the
    state."""

    def __init__(self, api: Api, structure: Structure, *, namespace: str) -> None:
        self._api = api
        self._structure = structure
        self._namespace = namespace
        self.names: Mapping[str, str] = resource_names(structure)
        self._known: dict[str, Resource | None] = {}

    def at(self, shape: str) -> Resource | None:
        """The resource kept at a path shape (a collection's, or that of a thing without a key), or None."""
        if shape not in self._known:
            self._known[shape] = None  # breaks the circle between a resource and its parents
            self._known[shape] = self._infer(shape)
        return self._known[shape]

    def operations(self, group: PathGroup | None) -> dict[str, Operation]:
        """The operations of a path group by method."""
        if group is None:
            return {}
        return {method: self._api.operation(operation_id) for method, operation_id in group.methods.items()}

    def lists(self, group: PathGroup) -> Part | None:
        """The items that GET on a path lists, or None when it lists no objects."""
        operation_id = group.methods.get("GET")
        if operation_id is None:
            return None
        part = list_part(response_schema(self._api.operation(operation_id).success[1]), name=group.name)
        return part if part is not None and part.anatomy.members else None

    def is_singleton(self, group: PathGroup) -> bool:
        """Whether a path holds one thing without a key that can be written, or a flag that can be set."""
        if self._structure.item_group(group.shape) is not None or group.item_of is not None:
            return False
        methods = set(group.methods)
        if self.lists(group) is not None:
            return False
        is_flag = {"PUT", "DELETE"} <= methods or {"GET", "PUT"} <= methods or {"GET", "DELETE"} <= methods
        described = "GET" in methods and self._described(group, {}, self.operations(group), None) is not None
        owner = self._structure.groups.get(group.parent_shape)
        below_item = owner is not None and owner.item_of is not None
        if described:
            return bool(methods & {"PUT", "PATCH"}) or ("POST" in methods and below_item)
        return is_flag or "PATCH" in methods or ("PUT" in methods and not below_item)

    # One resource

    def _infer(self, shape: str) -> Resource | None:
        group = self._structure.groups.get(shape)
        if group is not None and self.is_singleton(group):
            return self._singleton(group)
        return self._keyed(shape, group, self._structure.item_group(shape))

    def _keyed(self, shape: str, collection: PathGroup | None, item: PathGroup | None) -> Resource | None:
        on_collection, on_item = self.operations(collection), self.operations(item)
        place = item or collection
        if place is None:
            return None
        name = self.names[shape]
        parameter = item.parameters[-1] if item is not None else None
        found = self._described(place, on_collection, on_item, parameter, name=name)
        if found is None:
            return self._flags(shape, item, on_item) if item is not None else None
        anatomy = found.part.anatomy
        called = _last(name)
        key = choose_key(anatomy, parameter, called, types=_parameter_types(on_item, parameter))
        scope = item.parameters[:-1] if item is not None else place.parameters
        parents = self._parents(shape, scope, anatomy)
        requests = _request_anatomies((*on_collection.items(), *on_item.items()), anatomy, called)
        assigned, why = assigned_fields(anatomy, requests, key=key, parents=parents)
        creators = [
            *self._creators(on_collection, on_item),
            *self._creating_views(place, called, found.part, parents),
        ]
        return Resource(
            name=name,
            qualified=f"{self._namespace}/{name}",
            collection_path=collection.path if collection is not None else place.path.rpartition("/")[0],
            item_path=item.path if item is not None else None,
            key=key,
            key_parameter=parameter,
            parents=parents,
            schema=found.schema,
            anatomy=anatomy,
            item=alone(found.part),
            open_world=not creators,
            assigned=assigned,
            hidden=hidden_fields(anatomy, requests),
            states=initial_states(anatomy),
            reasons=(
                Reason("resource", name, f"{found.source} describes an object"),
                _key_reason(key, parameter),
                _existence_reason(creators),
                *why,
            ),
        )

    def _flags(self, shape: str, item: PathGroup, on_item: Mapping[str, Operation]) -> Resource | None:
        """Keys that are put and deleted and have nothing to show: what is starred, who is blocked."""
        read = on_item.get("GET")
        if "PUT" not in on_item or (read is not None and has_content(read.success[1])):
            return None
        name = self.names[shape]
        return Resource(
            name=name,
            qualified=f"{self._namespace}/{name}",
            collection_path=item.path.rpartition("/")[0],
            item_path=item.path,
            key=None,
            key_parameter=item.parameters[-1],
            parents=self._parents(shape, item.parameters[:-1], EMPTY),
            schema=None,
            reasons=(Reason("resource", name, "keys that are put and deleted; no message describes more"),),
        )

    def _singleton(self, group: PathGroup) -> Resource:
        name = self.names[group.shape]
        operations = self.operations(group)
        found = self._described(group, {}, operations, None)
        anatomy = found.part.anatomy if found is not None else EMPTY
        parents = self._parents(group.shape, group.parameters, anatomy)
        requests = _request_anatomies(operations.items(), anatomy, group.name)
        assigned, why = assigned_fields(anatomy, requests, key=None, parents=parents)
        kept = "one thing, read and written on one path" if found is not None else "set and unset on one path"
        return Resource(
            name=name,
            qualified=f"{self._namespace}/{name}",
            collection_path=None,
            item_path=group.path,
            key=None,
            key_parameter=None,
            parents=parents,
            schema=found.schema if found is not None else None,
            anatomy=anatomy,
            item=alone(found.part) if found is not None else None,
            singleton=True,
            open_world=found is not None or not {"PUT", "POST"} & set(group.methods),
            assigned=assigned,
            hidden=hidden_fields(anatomy, requests),
            states=initial_states(anatomy),
            reasons=(Reason("resource", name, kept), *why),
        )

    def _described(
        self,
        group: PathGroup,
        on_collection: Mapping[str, Operation],
        on_item: Mapping[str, Operation],
        parameter: str | None,
        *,
        name: str = "",
    ) -> Described | None:
        """The message that best describes an item of a collection, or the one thing on a path."""
        called = _last(name) or group.name
        keys = key_names(parameter, called)
        for method in ("GET", "PUT", "PATCH"):
            found = _described_item(on_item.get(method), name=called, keys=keys)
            if found is not None:
                return found
        if "GET" in on_collection:
            schema = response_schema(on_collection["GET"].success[1])
            part = list_part(schema, name=called)
            if schema is not None and part is not None and part.anatomy.members:
                return Described(schema, part, f"GET {on_collection['GET'].path}")
        return _described_item(on_collection.get("POST"), name=called, keys=keys)

    def parents_of(self, path: str) -> tuple[Parent, ...]:
        """The parents that the parameters of a collection's path name, whether or not the description has the path."""
        parameters = tuple(name.strip("{}") for name in PARAMETER.findall(path))
        return self._parents(shape_of(path), parameters, EMPTY)

    def _parents(self, shape: str, parameters: tuple[str, ...], anatomy: Anatomy) -> tuple[Parent, ...]:
        """The parents named by a path's parameters, outermost first."""
        kept = {found.parameters[-1]: found for found in self._structure.ancestors(shape, parameters)}
        parents = []
        for parameter in parameters:
            ancestor = kept.get(parameter)
            resource = self.at(ancestor.collection) if ancestor is not None else None
            repeated = repeating(anatomy, parameter, _last(resource.name) if resource is not None else "")
            parents.append(Parent(parameter, resource.name if resource is not None else None, repeated))
        return tuple(parents)

    def _creators(self, on_collection: Mapping[str, Operation], on_item: Mapping[str, Operation]) -> Iterator[str]:
        """The operations that create an item: POST on the collection, or a PUT that may."""
        if "POST" in on_collection:
            yield f"POST {on_collection['POST'].path}"
        put = on_item.get("PUT")
        if put is not None and (put.describes(201) or "POST" not in on_collection):
            yield f"PUT {put.path}"

    def _creating_views(self, place: PathGroup, name: str, part: Part, parents: tuple[Parent, ...]) -> Iterator[str]:
        """Paths below other collections that create this resource: POST /users/{id}/posts for /posts."""
        if place.item_of is None:
            return
        for shape in self._structure.names.get(words(name), ()):
            group = self._structure.groups[shape]
            if group.item_of is not None or "POST" not in group.methods or shape == place.item_of:
                continue
            if self._structure.item_group(shape) is None and not missing_parents(parents, group.parameters):
                operation = self._api.operation(group.methods["POST"])
                made = item_part(response_schema(operation.success[1]), name=name)
                if made is not None and is_same(made.anatomy, part.anatomy):
                    yield f"POST {group.path}"


def is_same(left: Anatomy, right: Anatomy) -> bool:
    """Whether two schemas describe one kind of thing: by their component's name, else by what they have in
    common."""
    if left.name and right.name:
        return left.name == right.name
    return overlap(left, right) > 0.5 and overlap(right, left) > 0.5


def missing_parents(parents: tuple[Parent, ...], parameters: tuple[str, ...]) -> bool:
    """Whether a path lacks a parameter that a resource's place in the state depends on."""
    return bool({parent.parameter for parent in parents} - set(parameters))


def repeating(anatomy: Anatomy, parameter: str, collection: str) -> str | None:
    """The item's property that repeats a parent's key: ``userId`` for ``{user_id}``, or for
    ``/users/{id}``."""
    wanted = [words(parameter)] if words(parameter) != ("id",) else []
    if collection:
        wanted.append((*(singular(word) for word in words(collection)), "id"))
    for spelled in wanted:
        for name, member in anatomy.members.items():
            if words(name) == spelled and not member.types & {"object", "array"}:
                return name
    return None


def _last(name: str) -> str:
    """A resource's own word: ``tasks`` of ``projects.tasks``."""
    return name.rpartition(".")[2]


def _described_item(operation: Operation | None, *, name: str, keys: tuple[str, ...]) -> Described | None:
    if operation is None:
        return None
    schema = response_schema(operation.success[1])
    part = item_part(schema, name=name, keys=keys)
    if schema is None or part is None or not part.anatomy.members:
        return None
    return Described(schema, part, f"{operation.method} {operation.path}")


def _request_anatomies(operations: Iterable[tuple[str, Operation]], item: Anatomy, name: str) -> tuple[Anatomy, ...]:
    written = (operation for method, operation in operations if method in _WRITES)
    parts = (request_part(operation, item, name=name)[1] for operation in written)
    return tuple(part for part in parts if part.members)


def _parameter_types(operations: Mapping[str, Operation], parameter: str | None) -> frozenset[str]:
    """The types that a path parameter's schema names."""
    for operation in operations.values():
        for described in operation.parameters:
            if described.location == "path" and described.name == parameter:
                return anatomy_of(described.schema, Direction.REQUEST).types
    return frozenset()


def _key_reason(key: str | None, parameter: str | None) -> Reason:
    if key is None:
        return Reason("key", "none in the body", "no property is named like a key; it shows in the path only")
    return Reason("key", key, f"matches path parameter {parameter!r}" if parameter else "its name")


def _existence_reason(creators: list[str]) -> Reason:
    if creators:
        return Reason("existence", "what was created exists", f"created by {', '.join(creators)}")
    return Reason("existence", "any key exists, sampled", "no operation creates one")
