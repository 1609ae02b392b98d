"""What annotations say of tenants: whose data a call is about, and which resources each tenant has of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mock_server.dataclass import dataclass
from mock_server.errors import AnnotationError
from mock_server.model.annotations.reader import AnnotationReader
from mock_server.model.inference.structure import collections_above, shape_of
from mock_server.model.meaning import Entrance, Meaning, Reason, Resource, Tenancy
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.model import Model

CALLERS = "$principal#/tenant"
_WHY = "x-mock-tenants"
_ABOUT = "resource tenants"
_ANY = "any"


@dataclass(frozen=True, slots=True)
class _Said:
    """A resource's own ``tenant`` annotation: by its name, and where it is kept."""

    name: str
    value: Json


class Tenants:
    """The tenants of one description. ``default`` gives the tenant of a call where nothing more special does."""

    def __init__(self, reader: AnnotationReader, root: Mapping[str, Json]) -> None:
        value: Mapping[str, Json] = root.get("x-mock-tenants") or {}
        self._reader = reader
        self._resources: Mapping[str, Mapping[str, Json]] = root.get("x-mock-resources") or {}
        self._by_shape: dict[str, _Said] | None = None
        self.default = self._tenancy(value, "/x-mock-tenants")
        self._parameter: str | None = value.get("parameter")
        self._everything = "x-mock-tenants" in root and self._parameter is None
        self.in_use = "x-mock-tenants" in root or any("tenant" in entry for entry in self._resources.values())
        if self._parameter is not None:
            self._check_parameter(self._parameter)

    def resource(self, model: Model, resource: Resource) -> Resource:
        """The resource with its tenancy."""
        if not self.in_use:
            return resource
        tenancy = self._of(model, resource)
        place = 0 if tenancy is not None else _place(resource, self._parameter)
        why = f"the tenant is {tenancy.value.source}" if tenancy is not None else "all tenants share it"
        reason = Reason(_ABOUT, "each its own" if tenancy is not None else "shared", f"{_WHY}: {why}")
        others = [each for each in resource.reasons if each.about != _ABOUT]
        return replace(resource, tenancy=tenancy, tenant_at=place, reasons=(*others, reason))

    def meaning(self, model: Model, meaning: Meaning) -> Meaning:
        """The meaning with a tenancy of its own, and with the entrance that its path has."""
        meaning = self._said_of_operation(meaning)
        if not self.in_use:
            return meaning
        if self._parameter in model.api.refs[meaning.operation_id].template.parameters:
            assert self._parameter is not None
            meaning = replace(meaning, entrance=Entrance(self._parameter, self.default))
        return meaning

    def _said_of_operation(self, meaning: Meaning) -> Meaning:
        operation = self._reader.api.operation(meaning.operation_id)
        said = (operation.extensions.get("x-mock-operation") or {}).get("tenant")
        if said is None:
            return meaning
        pointer = operation.located.pointer + "/x-mock-operation/tenant"
        if not self.in_use:
            raise AnnotationError(
                "this description has no tenants",
                place=self._reader.place(pointer),
                got=said,
                hint="x-mock-tenants at the root gives it some",
            )
        if said == _ANY:
            return replace(meaning, among_all=True)
        return replace(meaning, tenancy=Tenancy(self._reader.template(said, pointer), None, said == CALLERS))

    def _of(self, model: Model, resource: Resource) -> Tenancy | None:
        """What the resource says itself, else what the nearest of its parents says, else what the root says."""
        said = (self._resources.get(resource.name) or {}).get("tenant")
        pointer = pointers.join("/x-mock-resources", resource.name, "tenant")
        above = self._above(model, resource)
        if said is None:
            return self._fitting(above, resource)
        if said is False:
            if above is not None and resource.parents:
                raise AnnotationError(
                    "its parents are each tenant's own, so it cannot be shared",
                    place=self._reader.place(pointer),
                    got=said,
                    hint="leave it out, or give the parent tenant: false as well",
                )
            return None
        own = self._tenancy({} if said is True else said, pointer, default=above or self.default)
        if above is not None and resource.parents and own.value.source != above.value.source:
            raise AnnotationError(
                "a nested resource has the tenants of its parents",
                place=self._reader.place(pointer + "/value"),
                got=own.value.source,
                allowed=str(above.value.source),
            )
        if said is not True and "property" in said:
            self._check_property(said["property"], resource, pointer + "/property")
            return own
        return self._fitting(own, resource)

    def _above(self, model: Model, resource: Resource) -> Tenancy | None:
        """The tenancy of the nearest parent that says so, else the one for every resource."""
        shape = model.shape_of(resource)
        if shape is not None:
            said = self._said(model)
            for collection in reversed(collections_above(shape)):
                found = said.get(collection)
                if found is None:
                    continue
                if found.value is False:
                    return None
                pointer = pointers.join("/x-mock-resources", found.name, "tenant")
                return self._tenancy({} if found.value is True else found.value, pointer, default=self.default)
        return self.default if self._everything else None

    def _said(self, model: Model) -> Mapping[str, _Said]:
        """The resources' own annotations by the shape of the path that each is kept at."""
        if self._by_shape is None:
            inferred = model.inference.resource_names()
            found: dict[str, _Said] = {}
            for name, entry in self._resources.items():
                shape = shape_of(entry["collection"]) if "collection" in entry else inferred.get(name)
                if "tenant" in entry and shape is not None:
                    found[shape] = _Said(name, entry["tenant"])
            self._by_shape = found
        return self._by_shape

    def _tenancy(self, value: Mapping[str, Json], pointer: str, *, default: Tenancy | None = None) -> Tenancy:
        if "value" not in value and default is not None:
            return replace(default, property=value.get("property", default.property))
        source = value.get("value", CALLERS)
        template = self._reader.template(source, pointer + "/value")
        return Tenancy(template, value.get("property"), source == CALLERS)

    def _fitting(self, tenancy: Tenancy | None, resource: Resource) -> Tenancy | None:
        """The tenancy without the property that is said for every resource, where this one has no such member."""
        if tenancy is None or tenancy.property is None or tenancy.property in resource.anatomy.members:
            return tenancy
        return replace(tenancy, property=None)

    def _check_property(self, name: str, resource: Resource, pointer: str) -> None:
        members = resource.anatomy.members
        if members:
            self._reader.known(name, members, pointer, "the tenant's property is none of the resource's schema")

    def _check_parameter(self, name: str) -> None:
        known = dict.fromkeys(p for ref in self._reader.api.refs.values() for p in ref.template.parameters)
        self._reader.known(name, known, "/x-mock-tenants/parameter", "no path has a parameter of this name")


def check_agreement(models: Sequence[Model]) -> None:
    """Refuses APIs that share a state and do not agree on whose the items of a resource are; the first is compared."""
    first, *others = models
    if not any(model.annotations.tenants.in_use for model in models):
        return
    for other in others:
        for name in set(first.resource_names()) & set(other.resource_names()):
            here, there = first.resource(name), other.resource(name)
            if here is not None and there is not None and _way(here) != _way(there):
                reader = other.annotations.reader
                raise AnnotationError(
                    f"{first.api.name} and {other.api.name} share their state, and keep {name} for other tenants",
                    place=reader.place("/x-mock-tenants" if "x-mock-tenants" in reader.api.extensions else ""),
                    got=_way(there),
                    allowed=_way(here),
                    hint="give both the same x-mock-tenants, and the resource the same tenant annotation",
                )


def _way(resource: Resource) -> str:
    return "shared by all tenants" if resource.tenancy is None else str(resource.tenancy.value.source)


def _place(resource: Resource, parameter: str | None) -> int | None:
    """Where in a scope the tenant that the path names is."""
    named = [parent.parameter for parent in resource.parents]
    return named.index(parameter) if parameter in named else None
