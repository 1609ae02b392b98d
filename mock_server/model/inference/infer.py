"""The meaning of operations, guessed from the description, each guess with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mock_server.model.inference.actions import action_effect
from mock_server.model.inference.bodies import (
    is_patch,
    item_part,
    key_names,
    list_envelope,
    list_part,
    overlap,
    request_part,
    response_schema,
)
from mock_server.model.inference.listing import read_listing
from mock_server.model.inference.resources import Resources, is_same, missing_parents, repeating
from mock_server.model.inference.structure import PathGroup, Structure, read_structure, shape_of
from mock_server.model.meaning import Envelope, Meaning, Reason, Resource
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation
from mock_server.openapi.expressions import ValueTemplate

_ON_ITEM = {
    "GET": ("read", "GET on an item"),
    "HEAD": ("read", "HEAD on an item"),
    "PUT": ("replace", "PUT on an item"),
    "PATCH": ("update", "PATCH on an item"),
    "POST": ("update", "POST on an item, read as a change to it"),
    "DELETE": ("delete", "DELETE on an item"),
}
_ON_SINGLETON = {
    "GET": "read", "HEAD": "read", "PUT": "replace", "PATCH": "update", "POST": "update", "DELETE": "delete",
}  # fmt: skip


class Inference:
    """Guesses for one API, each made when it is first asked for. ``namespace`` prefixes names in the
    state."""

    def __init__(self, api: Api, *, namespace: str) -> None:
        self._api = api
        self.structure: Structure = read_structure(api.refs.values())
        self.resources = Resources(api, self.structure, namespace=namespace)
        self._by_name = {name: shape for shape, name in self.resources.names.items()}

    def resource_names(self) -> Mapping[str, str]:
        """The shapes of paths that could hold a resource, by the resources' names."""
        return self._by_name

    def resource(self, shape: str) -> Resource | None:
        """The resource kept at a path shape, or None."""
        return self.resources.at(shape)

    def resource_at(self, path: str) -> Resource | None:
        """The resource whose collection has this path template, or None."""
        return self.resources.at(shape_of(path))

    def meaning(self, operation_id: str) -> Meaning:
        """What an operation means; behaviour ``sample`` where nothing more can be told."""
        operation = self._api.operation(operation_id)
        group = self.structure.group_of(operation_id)
        if group.item_of is not None:
            resource = self.resource(group.item_of)
            if resource is not None:
                return self._on_item(operation, resource)
            return self._sample(operation, "its path looks like an item's, but no object describes the item")
        if self.structure.item_group(group.shape) is not None:
            meaning = self._on_collection(operation, group)
            if meaning is not None:
                return meaning
        if self.resources.lists(group) is not None:
            return self._on_view(operation, group)
        return self._on_lone_path(operation, group)

    def _parameters(self, operation: Operation) -> tuple[str, ...]:
        """The names of the path parameters as this operation's own path has them, outermost first."""
        return self._api.refs[operation.id].template.parameters

    def _on_item(self, operation: Operation, resource: Resource) -> Meaning:
        behaviour, why = _ON_ITEM.get(operation.method, ("sample", f"{operation.method} has no meaning for an item"))
        if behaviour == "sample":
            return self._sample(operation, why)
        if behaviour == "update" and not is_patch(operation):
            return self._sample(operation, "its body is no object that could change the item")
        *scope, key = self._parameters(operation)
        return self._meaning(operation, behaviour, resource, why, scope=tuple(scope), key_parameter=key)

    def _on_collection(self, operation: Operation, group: PathGroup) -> Meaning | None:
        resource = self.resource(group.shape)
        if resource is None:
            return None
        scope = self._parameters(operation)
        _, body = request_part(operation, resource.anatomy, name=_called(resource))
        if operation.method in {"GET", "HEAD"}:
            return self._list(operation, resource) or self._sample(
                operation, "it reads the collection's path but answers no list"
            )
        if operation.method == "POST":
            behaviour = "create-many" if body.is_array else "create"
            return self._meaning(operation, behaviour, resource, "POST on a collection", scope=scope)
        if operation.method in {"PUT", "PATCH"} and resource.key is not None and resource.key in body.members:
            behaviour = "replace" if operation.method == "PUT" else "update"
            why = f"{operation.method} on a collection with the key in the body"
            return self._meaning(operation, behaviour, resource, why, scope=scope)
        if operation.method == "DELETE":
            return self._clear(operation, resource, "DELETE on a collection")
        return self._sample(operation, f"{operation.method} on a collection has no usual meaning")

    def _list(self, operation: Operation, resource: Resource) -> Meaning | None:
        status, response = operation.success
        part = list_part(response_schema(response), name=_called(resource), item_name=resource.anatomy.name)
        if part is None or (part.anatomy.types and not part.anatomy.is_object):
            return None  # a list of names, say
        listing, why = read_listing(operation, resource.anatomy)
        return Meaning(
            operation_id=operation.id,
            behaviour="list",
            resource=resource,
            status=status,
            response=response,
            scope=self._parameters(operation),
            envelope=list_envelope(part),
            listing=listing,
            reasons=(
                Reason("behaviour", "list", f"its response holds an array at /{'/'.join(part.path)}"),
                *why,
            ),
        )

    def _clear(self, operation: Operation, resource: Resource, why: str) -> Meaning:
        """DELETE of what a path lists: all of it, or what the query selects."""
        if operation.request_body is not None:
            return self._sample(operation, "DELETE on a list with a body says in its own way what to remove")
        listing, more = read_listing(operation, resource.anatomy)
        meaning = self._meaning(operation, "clear", resource, why, scope=self._parameters(operation), more=more)
        return replace(meaning, listing=listing)

    def _on_view(self, operation: Operation, group: PathGroup) -> Meaning:
        """A list without items of its own: a view of a resource kept elsewhere, or a collection below an
        item."""
        resource = self._viewed(group) or self.resource(group.shape)
        if resource is None:
            return self._sample(operation, "its list holds no objects")
        if operation.method in {"GET", "HEAD"}:
            listed = self._list(operation, resource)
            if listed is not None:
                return listed
        if operation.method == "POST":
            _, body = request_part(operation, resource.anatomy, name=group.name)
            if overlap(body, resource.anatomy) > 0.3 or operation.describes(201):
                behaviour = "create-many" if body.is_array else "create"
                why = "POST on a path that lists the same things"
                return self._meaning(operation, behaviour, resource, why, scope=self._parameters(operation))
        if operation.method == "DELETE":
            return self._clear(operation, resource, "DELETE on a list")
        return self._sample(operation, f"{operation.method} on a list has no usual meaning")

    def _viewed(self, group: PathGroup) -> Resource | None:
        """The resource with items of its own that this list shows part of, if any."""
        part = self.resources.lists(group)
        if part is None or not part.anatomy.name:
            return None
        for shape in (group.parent_shape, *self.structure.named_like(group)):
            if self.structure.item_group(shape) is None:
                continue
            resource = self.resource(shape)
            if resource is None or not is_same(part.anatomy, resource.anatomy):
                continue
            if missing_parents(resource.parents, group.parameters):
                continue
            if "POST" in group.methods or self._narrows(group, resource):
                return resource
        return None

    def _narrows(self, group: PathGroup, resource: Resource) -> bool:
        """Whether every further parameter of a view's path is repeated by a property of what it lists."""
        own = {parent.parameter for parent in resource.parents}
        return all(
            repeating(resource.anatomy, found.parameters[-1], found.collection.rpartition("/")[2])
            for found in self.structure.ancestors(group.shape, group.parameters)
            if found.parameters[-1] not in own
        )

    def _on_lone_path(self, operation: Operation, group: PathGroup) -> Meaning:
        """A path without items and without a list: an action, a thing without a key, or nothing that is
        kept."""
        owner = self.structure.groups.get(group.parent_shape)
        below_item = owner is not None and owner.item_of is not None
        if below_item and "GET" not in group.methods:
            acted = self._action(operation, group)
            if acted is not None:
                return acted
        if self.resources.is_singleton(group):
            resource = self.resource(group.shape)
            behaviour = _ON_SINGLETON.get(operation.method)
            if resource is not None and behaviour is not None:
                if operation.method == "POST" and not resource.open_world:
                    behaviour = "replace"
                if behaviour == "update" and not is_patch(operation):
                    return self._sample(operation, "its body is no object that could change what is there")
                why = f"{operation.method} on a thing without a key"
                return self._meaning(operation, behaviour, resource, why, scope=self._parameters(operation))
        if operation.method == "POST" and "GET" not in group.methods and operation.describes(201):
            resource = self.resource(group.shape)
            if resource is not None and resource.key is not None:
                why = "POST that answers 201 with a key"
                return self._meaning(operation, "create", resource, why, scope=self._parameters(operation))
        return self._sample(operation, "its path and schemas suggest no state")

    def _action(self, operation: Operation, group: PathGroup) -> Meaning | None:
        """What a verb below an item does to the item; None when the path is rather a flag of its own."""
        resource = self.resource(self.structure.groups[group.parent_shape].item_of or "")
        if resource is None or resource.singleton or operation.method not in {"POST", "PUT", "PATCH", "DELETE"}:
            return None
        effect, why = action_effect(resource, group.name, operation.method)
        if not effect and self.resources.is_singleton(group):
            return None
        *scope, key = self._parameters(operation)
        return self._meaning(operation, "act", resource, f"{operation.method} on /{group.name} below an item",
                             scope=tuple(scope), key_parameter=key, effect=effect, more=why)  # fmt: skip

    def _meaning(
        self,
        operation: Operation,
        behaviour: str,
        resource: Resource,
        why: str,
        *,
        scope: tuple[str, ...],
        key_parameter: str | None = None,
        effect: Mapping[str, ValueTemplate] | None = None,
        more: tuple[Reason, ...] = (),
    ) -> Meaning:
        status, response = operation.success
        called = _called(resource)
        schema = response_schema(response)
        keys = key_names(resource.key_parameter, called)
        if behaviour in {"create-many", "clear"}:
            listed = list_part(schema, name=called, item_name=resource.anatomy.name)
            part = listed or item_part(schema, name=called, item_name=resource.anatomy.name, keys=keys)
        else:
            part = item_part(schema, name=called, item_name=resource.anatomy.name, keys=keys)
        request_path, _ = request_part(operation, resource.anatomy, name=called)
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
            set={(name,): template for name, template in (effect or {}).items()},
            reasons=(Reason("behaviour", behaviour, why), *more),
        )

    def _sample(self, operation: Operation, why: str) -> Meaning:
        status, response = operation.success
        if response is None and operation.responses:
            # Nothing but failures is described; the first of them is what the description lets this answer.
            status = min((int(code) for code in operation.responses if code.isdigit()), default=status)
            response = operation.response_for(status)
        return Meaning(
            operation_id=operation.id,
            behaviour="sample",
            resource=None,
            status=status,
            response=response,
            scope=self._parameters(operation),
            reasons=(Reason("behaviour", "sample", why),),
        )


def _called(resource: Resource) -> str:
    """A resource's own word: ``tasks`` of ``projects.tasks``."""
    return resource.name.rpartition(".")[2]
