"""Resources and the meaning of operations, guessed from the description, each guess with its reason.

Everything is lazy: a resource is worked out when the first operation on it is used, from the handful of operations
on its own paths.
"""

from __future__ import annotations

from collections.abc import Mapping

from mock_server.model.anatomy import EMPTY, Anatomy, name_of, words
from mock_server.model.inference.actions import action_effect
from mock_server.model.inference.bodies import (
    Part,
    choose_key,
    item_part,
    key_names,
    list_envelope,
    list_part,
    overlap,
    request_part,
    response_schema,
)
from mock_server.model.inference.fields import assigned_fields, hidden_fields, initial_states
from mock_server.model.inference.listing import read_listing
from mock_server.model.inference.structure import PathGroup, Structure, read_structure, shape_of
from mock_server.model.meaning import Envelope, Meaning, Parent, Reason, Resource
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation
from mock_server.openapi.schemas import Schema


class Inference:
    """Guesses for one API. ``namespace`` prefixes the names of its resources in the state."""

    def __init__(self, api: Api, *, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self.structure: Structure = read_structure(api.refs.values())
        self._shape_of = {
            operation_id: group.shape
            for group in self.structure.groups.values()
            for operation_id in group.methods.values()
        }
        self._resources: dict[str, Resource | None] = {}
        self._names = self._resource_names()

    def _resource_names(self) -> dict[str, str]:
        """A short, unique name for every shape that could be a collection or a singleton."""
        shapes = [*self.structure.items, *(s for s, g in self.structure.groups.items() if g.item_of is None)]
        taken: dict[str, str] = {}
        for shape in sorted(dict.fromkeys(shapes), key=lambda s: (s.count("/"), s)):
            literal = [segment for segment in shape.split("/") if segment and "{}" not in segment] or ["root"]
            for depth in range(1, len(literal) + 1):
                name = ".".join(literal[-depth:])
                if name not in taken.values():
                    break
            else:
                name = f"{'.'.join(literal)}~{len(taken)}"
            taken[shape] = name
        return taken

    def group_of(self, operation_id: str) -> PathGroup:
        """The path group an operation belongs to."""
        return self.structure.groups[self._shape_of[operation_id]]

    def resource_names(self) -> Mapping[str, str]:
        """Shapes of collections by their resource names."""
        return {name: shape for shape, name in self._names.items()}

    def resource_at(self, path: str) -> Resource | None:
        """The resource whose collection has this path template, or None."""
        return self.resource(shape_of(path))

    def meaning(self, operation_id: str) -> Meaning:
        """What an operation means; behaviour ``sample`` where nothing more can be told."""
        operation = self._api.operation(operation_id)
        group = self.group_of(operation_id)
        if group.item_of is not None:
            resource = self.resource(group.item_of)
            if resource is not None:
                return self._on_item(operation, group, resource)
            return self._sample(operation, "its path looks like an item's, but no object describes the item")
        return self._on_plain_path(operation, group)

    # Resources

    def resource(self, shape: str) -> Resource | None:
        """The resource whose collection has this shape, or None when its items are no objects."""
        if shape not in self._resources:
            self._resources[shape] = None  # breaks the circle between a resource and its parents
            self._resources[shape] = self._infer_resource(shape)
        return self._resources[shape]

    def _operations(self, group: PathGroup | None) -> dict[str, Operation]:
        if group is None:
            return {}
        return {method: self._api.operation(operation_id) for method, operation_id in group.methods.items()}

    def _infer_resource(self, shape: str) -> Resource | None:
        collection = self.structure.groups.get(shape)
        item = self.structure.item_group(shape)
        on_collection, on_item = self._operations(collection), self._operations(item)
        name = self._names[shape]
        called = name.rpartition(".")[2]
        parameter = item.parameters[-1] if item is not None else None
        found = _item_description(on_collection, on_item, name=called, parameter=parameter)
        if found is None:
            return None
        schema, part, source = found
        key = choose_key(part.anatomy, parameter, called)
        reasons = [
            Reason("resource", name, f"{source} describes an object"),
            _key_reason(key, parameter),
        ]
        creators = [
            f"{operation.method} {operation.path}"
            for operation in (*on_collection.values(), *on_item.values())
            if self._creates(operation, item)
        ]
        views = self._creating_views(shape, called)
        open_world = not creators and not views
        reasons.append(
            Reason("existence", "any key exists, sampled" if open_world else "what was created exists",
                   "no operation creates one" if open_world else f"created by {', '.join([*creators, *views])}")
        )  # fmt: skip
        path = (collection or item).path if collection or item else shape  # type: ignore[union-attr]
        scope_parameters = item.parameters[:-1] if item is not None else collection.parameters if collection else ()
        requests = _request_anatomies(on_collection, on_item, part.anatomy, called)
        parents = self._parents(shape, scope_parameters, part.anatomy)
        assigned, why = assigned_fields(part.anatomy, requests, key=key, parents=parents)
        return Resource(
            name=name,
            qualified=f"{self._namespace}/{name}",
            collection_path=collection.path if collection is not None else path.rpartition("/")[0],
            item_path=item.path if item is not None else None,
            key=key,
            key_parameter=parameter,
            parents=parents,
            schema=schema,
            anatomy=part.anatomy,
            open_world=open_world,
            assigned=assigned,
            hidden=hidden_fields(part.anatomy, requests),
            states=initial_states(part.anatomy),
            reasons=(*reasons, *why),
        )

    def _creates(self, operation: Operation, item: PathGroup | None) -> bool:
        on_item = item is not None and operation.id in item.methods.values()
        if operation.method == "POST":
            return not on_item
        return operation.method == "PUT" and on_item and (operation.describes(201) or not self._has_post(item))

    def _has_post(self, item: PathGroup | None) -> bool:
        collection = self.structure.groups.get(item.item_of or "") if item is not None else None
        return collection is not None and "POST" in collection.methods

    def _creating_views(self, shape: str, name: str) -> list[str]:
        """Paths below other collections that create this resource: POST /users/{id}/posts for /posts."""
        found = []
        for other in self.structure.names.get("".join(words(name)), ()):
            group = self.structure.groups[other]
            if other != shape and group.item_of is None and self.structure.item_group(other) is None:
                if "POST" in group.methods and self.structure.item_group(shape) is not None:
                    found.append(f"POST {group.path}")
        return found

    def _parents(self, shape: str, parameters: tuple[str, ...], anatomy: Anatomy) -> tuple[Parent, ...]:
        """The parents named by a path's parameters, outermost first."""
        parents = []
        segments = shape.split("/")
        places = [index for index, segment in enumerate(segments) if "{}" in segment]
        for parameter, index in zip(parameters, places, strict=False):
            ancestor = self.structure.groups.get("/".join(segments[: index + 1]))
            collection = ancestor.item_of if ancestor is not None else None
            resource = self.resource(collection) if collection is not None else None
            name = resource.name if resource is not None else None
            parents.append(Parent(parameter, name, _scope_property(anatomy, parameter)))
        return tuple(parents)

    # Operations

    def _on_item(self, operation: Operation, group: PathGroup, resource: Resource) -> Meaning:
        behaviour, why = {
            "GET": ("read", "GET on an item"),
            "HEAD": ("read", "HEAD on an item"),
            "PUT": ("replace", "PUT on an item"),
            "PATCH": ("update", "PATCH on an item"),
            "POST": ("update", "POST on an item, read as a change to it"),
            "DELETE": ("delete", "DELETE on an item"),
        }.get(operation.method, ("sample", f"{operation.method} has no meaning for an item"))
        if behaviour == "sample":
            return self._sample(operation, why)
        path, _ = request_part(operation, resource.anatomy, name=resource.name.rpartition(".")[2])
        return self._meaning(operation, behaviour, resource, why, group=group, request_path=path,
                             scope=group.parameters[:-1], key_parameter=group.parameters[-1])  # fmt: skip

    def _on_plain_path(self, operation: Operation, group: PathGroup) -> Meaning:
        if self.structure.item_group(group.shape) is not None:
            meaning = self._on_collection(operation, group)
            if meaning is not None:
                return meaning
        owner = self.structure.groups.get(group.parent_shape)
        listed = self._list_of(group)
        if listed is not None:
            return self._on_view(operation, group)
        if owner is not None and owner.item_of is not None:
            below = self._below_item(operation, group, owner)
            if below is not None:
                return below
        return self._on_lone_path(operation, group)

    def _list_of(self, group: PathGroup) -> Part | None:
        operation_id = group.methods.get("GET")
        if operation_id is None:
            return None
        _, response = self._api.operation(operation_id).success
        part = list_part(response_schema(response), name=group.name)
        return part if part is not None and part.anatomy.members else None

    def _on_collection(self, operation: Operation, group: PathGroup) -> Meaning | None:
        resource = self.resource(group.shape)
        if resource is None:
            return None
        called = resource.name.rpartition(".")[2]
        path, body = request_part(operation, resource.anatomy, name=called)
        scope = group.parameters
        if operation.method in {"GET", "HEAD"}:
            return self._list(operation, group, resource) or self._sample(
                operation, "it reads the collection's path but answers no list"
            )
        if operation.method == "POST":
            many = body.is_array
            return self._meaning(operation, "create-many" if many else "create", resource, "POST on a collection",
                                 group=group, request_path=path, scope=scope)  # fmt: skip
        if operation.method in {"PUT", "PATCH"} and resource.key is not None and resource.key in body.members:
            behaviour = "replace" if operation.method == "PUT" else "update"
            why = f"{operation.method} on a collection with the key in the body"
            return self._meaning(operation, behaviour, resource, why, group=group, request_path=path, scope=scope)
        if operation.method == "DELETE":
            return self._meaning(operation, "clear", resource, "DELETE on a collection", group=group, scope=scope)
        return self._sample(operation, f"{operation.method} on a collection has no usual meaning")

    def _list(self, operation: Operation, group: PathGroup, resource: Resource) -> Meaning | None:
        status, response = operation.success
        schema = response_schema(response)
        part = list_part(schema, name=resource.name.rpartition(".")[2], item_name=resource.anatomy.name)
        if part is None:
            return None
        listing, why = read_listing(operation, resource.anatomy)
        return Meaning(
            operation_id=operation.id,
            behaviour="list",
            resource=resource,
            status=status,
            response=response,
            scope=group.parameters,
            envelope=list_envelope(part),
            listing=listing,
            reasons=(
                Reason("behaviour", "list", f"its response holds an array at /{'/'.join(part.path)}"),
                *why,
            ),
        )

    def _on_view(self, operation: Operation, group: PathGroup) -> Meaning:
        """A list without items of its own: a view of a resource kept elsewhere, or a collection below an item."""
        resource = self._viewed(group) or self.resource(group.shape)
        if resource is None:
            return self._sample(operation, "its list holds no objects")
        if operation.method in {"GET", "HEAD"}:
            listed = self._list(operation, group, resource)
            if listed is not None:
                return listed
        if operation.method == "POST":
            path, body = request_part(operation, resource.anatomy, name=group.name)
            if overlap(body, resource.anatomy) > 0.3 or operation.describes(201):
                behaviour = "create-many" if body.is_array else "create"
                return self._meaning(operation, behaviour, resource, "POST on a path that lists the same things",
                                     group=group, request_path=path, scope=group.parameters)  # fmt: skip
        if operation.method == "DELETE":
            return self._meaning(operation, "clear", resource, "DELETE on a list", group=group,
                                 scope=group.parameters)  # fmt: skip
        return self._sample(operation, f"{operation.method} on a list has no usual meaning")

    def _viewed(self, group: PathGroup) -> Resource | None:
        """The resource with items of its own that this list shows part of, if any."""
        part = self._list_of(group)
        if part is None or not name_of(part.bundle, part.schema):
            return None
        candidates = [group.parent_shape, *self.structure.names.get("".join(words(group.name)), ())]
        for shape in candidates:
            if shape == group.shape or self.structure.item_group(shape) is None:
                continue
            resource = self.resource(shape)
            if resource is None or resource.anatomy.name != name_of(part.bundle, part.schema):
                continue
            extra = [p for p in group.parameters if p not in {parent.parameter for parent in resource.parents}]
            if all(_scope_property(resource.anatomy, parameter) for parameter in extra):
                return resource
        return None

    def _below_item(self, operation: Operation, group: PathGroup, owner: PathGroup) -> Meaning | None:
        """What hangs below an item: a part of it that is read and written whole, or an action on it."""
        if "GET" in group.methods or {"PUT", "DELETE"} <= set(group.methods):
            return self._singleton(operation, group)
        resource = self.resource(owner.item_of or "")
        if resource is None or operation.method not in {"POST", "PUT", "PATCH", "DELETE"}:
            return None
        effect, why = action_effect(resource, group.name, operation.method)
        path, _ = request_part(operation, resource.anatomy, name=resource.name.rpartition(".")[2])
        return self._meaning(operation, "act", resource, f"{operation.method} on /{group.name} below an item",
                             group=group, request_path=path, scope=owner.parameters[:-1],
                             key_parameter=owner.parameters[-1], effect=effect, more=why)  # fmt: skip

    def _on_lone_path(self, operation: Operation, group: PathGroup) -> Meaning:
        if {"PUT", "PATCH", "DELETE"} & set(group.methods):
            meaning = self._singleton(operation, group)
            if meaning is not None:
                return meaning
        if operation.method == "POST" and "GET" not in group.methods and operation.describes(201):
            resource = self.resource(group.shape)
            if resource is not None and resource.key is not None:
                path, _ = request_part(operation, resource.anatomy, name=group.name)
                return self._meaning(operation, "create", resource, "POST that answers 201 with a key", group=group,
                                     request_path=path, scope=group.parameters)  # fmt: skip
        return self._sample(operation, "its path and schemas suggest no state")

    def _singleton(self, operation: Operation, group: PathGroup) -> Meaning | None:
        behaviour = {
            "GET": "read", "HEAD": "read", "PUT": "replace", "PATCH": "update", "POST": "update", "DELETE": "delete",
        }.get(operation.method)  # fmt: skip
        if behaviour is None:
            return None
        operations = self._operations(group)
        found = _item_description({}, operations, name=group.name, parameter=None)
        schema, anatomy = (found[0], found[1].anatomy) if found is not None else (None, EMPTY)
        written = [operations[method] for method in ("PUT", "PATCH", "POST") if method in operations]
        flag = found is None
        if not written and not flag:
            return None  # only read (and perhaps deleted): nothing to remember
        resource = Resource(
            name=self._names[group.shape],
            qualified=f"{self._namespace}/{self._names[group.shape]}",
            collection_path=None,
            item_path=group.path,
            key=None,
            key_parameter=None,
            parents=self._parents(group.shape, group.parameters, anatomy),
            schema=schema,
            anatomy=anatomy,
            singleton=True,
            open_world=not flag,
            reasons=(Reason("resource", self._names[group.shape], "one thing, read and written on one path"),),
        )
        path, _ = request_part(operation, anatomy, name=group.name)
        return self._meaning(operation, behaviour, resource, f"{operation.method} on a thing without a key",
                             group=group, request_path=path, scope=group.parameters)  # fmt: skip

    def _meaning(
        self,
        operation: Operation,
        behaviour: str,
        resource: Resource,
        why: str,
        *,
        group: PathGroup,
        scope: tuple[str, ...] = (),
        key_parameter: str | None = None,
        request_path: tuple[str, ...] = (),
        effect: Mapping[str, object] | None = None,
        more: tuple[Reason, ...] = (),
    ) -> Meaning:
        status, response = operation.success
        schema = response_schema(response)
        keys = key_names(resource.key_parameter, resource.name)
        part = item_part(schema, name=group.name if resource.singleton else resource.name.rpartition(".")[2],
                         item_name=resource.anatomy.name, keys=keys)  # fmt: skip
        return Meaning(
            operation_id=operation.id,
            behaviour=behaviour,
            resource=resource,
            status=status,
            response=response,
            scope=scope,
            key_parameter=key_parameter,
            request_path=request_path,
            envelope=Envelope(part.path if part is not None else ()),
            set=effect or {},  # type: ignore[arg-type]
            reasons=(Reason("behaviour", behaviour, why), *more),
        )

    def _sample(self, operation: Operation, why: str) -> Meaning:
        status, response = operation.success
        return Meaning(
            operation_id=operation.id,
            behaviour="sample",
            resource=None,
            status=status,
            response=response,
            reasons=(Reason("behaviour", "sample", why),),
        )


def _item_description(
    on_collection: Mapping[str, Operation],
    on_item: Mapping[str, Operation],
    *,
    name: str,
    parameter: str | None,
) -> tuple[Schema, Part, str] | None:
    """The schema that best describes an item, the part of it that is the item, and which operation it is from."""
    keys = key_names(parameter, name)
    for method in ("GET", "PUT", "PATCH"):
        if method in on_item:
            found = _described_item(on_item[method], name=name, keys=keys)
            if found is not None:
                return found
    if "GET" in on_collection:
        schema = response_schema(on_collection["GET"].success[1])
        part = list_part(schema, name=name)
        if schema is not None and part is not None and part.anatomy.members:
            return schema, part, f"GET {on_collection['GET'].path}"
    if "POST" in on_collection:
        return _described_item(on_collection["POST"], name=name, keys=keys)
    return None


def _described_item(operation: Operation, *, name: str, keys: tuple[str, ...]) -> tuple[Schema, Part, str] | None:
    schema = response_schema(operation.success[1])
    part = item_part(schema, name=name, keys=keys)
    if schema is None or part is None or not part.anatomy.members:
        return None
    return schema, part, f"{operation.method} {operation.path}"


def _request_anatomies(
    on_collection: Mapping[str, Operation], on_item: Mapping[str, Operation], item: Anatomy, name: str
) -> tuple[Anatomy, ...]:
    written = [
        operation
        for operations in (on_collection, on_item)
        for method, operation in operations.items()
        if method in {"POST", "PUT", "PATCH"}
    ]
    return tuple(part for part in (request_part(operation, item, name=name)[1] for operation in written) if part.members)


def _key_reason(key: str | None, parameter: str | None) -> Reason:
    if key is None:
        return Reason("key", "none in the body", "no property is named like a key; it shows in the path only")
    why = f"path parameter {parameter!r}" if parameter else "its name"
    return Reason("key", key, f"matches {why}")


def _scope_property(anatomy: Anatomy, parameter: str) -> str | None:
    """The item's property that repeats a parent's key: ``userId`` for ``{user_id}``."""
    spelled = words(parameter)
    for name in anatomy.members:
        if words(name) == spelled and spelled != ("id",):
            return name
    return None
