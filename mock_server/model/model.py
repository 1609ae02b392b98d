"""One API's model: what each operation means, worked out on first use and kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.model.annotations import Annotations, read_annotations
from mock_server.model.annotations.webhooks import read_webhooks
from mock_server.model.answers import Answers
from mock_server.model.facts import OperationFacts, ResourceFacts, operation_facts, resource_facts
from mock_server.model.inference import Inference
from mock_server.model.inference.bodies import response_schema
from mock_server.model.inference.structure import shape_of
from mock_server.model.meaning import Meaning, Reference, Resource
from mock_server.model.minter import moment
from mock_server.model.outcome import Hole
from mock_server.model.presentation import View
from mock_server.model.samples import Samples
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json, Violation


class Model:
    """What one API means. Safe to share: everything in it is a pure function of description, overlay and
    seed.

    ``epoch`` is the moment near which sampled times lie; ``seed`` decides every sampled value. ``samples``
    are the items that nobody created, ``answers`` how operations show what they did.
    """

    def __init__(self, api: Api, *, seed: int, epoch: datetime) -> None:
        self.api = api
        self.seed = seed
        self.epoch = epoch
        self.annotations: Annotations = read_annotations(api)
        self.namespace = self.annotations.namespace or api.name
        self.webhooks = read_webhooks(self.annotations.reader, api.extensions.get("x-mock-webhooks"), self.namespace)
        self.inference = Inference(api, namespace=self.namespace)
        self.samples = Samples(seed=seed, epoch=epoch)
        self.answers = Answers(seed=seed, epoch=epoch)
        self._meanings: dict[str, Meaning] = {}
        self._resources: dict[str, Resource | None] = {}
        self._operation_facts: dict[str, OperationFacts] = {}
        self._resource_facts: dict[str, ResourceFacts] = {}
        self._judges: dict[str, tuple[Schema, View] | None] = {}

    # Meanings

    def meaning(self, operation_id: str) -> Meaning:
        """What an operation means, annotations laid over what was inferred."""
        found = self._meanings.get(operation_id)
        if found is None:
            found = self._meanings[operation_id] = self.annotations.meaning(self, operation_id)
        return found

    def facts(self, meaning: Meaning) -> OperationFacts:
        """What the description says of an operation beyond its meaning."""
        found = self._operation_facts.get(meaning.operation_id)
        if found is None:
            found = self._operation_facts[meaning.operation_id] = operation_facts(self, meaning)
        return found

    # Resources

    def resource(self, name: str) -> Resource | None:
        """The resource of that name, or None."""
        if name not in self._resources:
            shape = self.inference.resource_names().get(name)
            inferred = self.inference.resource(shape) if shape is not None else None
            self._resources[name] = self.annotations.resource(self, name, inferred)
        return self._resources[name]

    def named_resource(self, name: str) -> Resource:
        """The resource of that name; a ``ConfigurationError`` when there is none."""
        found = self.resource(name)
        if found is None:
            raise ConfigurationError(
                f"{self.api.name} has no resource {name!r}", hint=did_you_mean(name, self.resource_names())
            )
        return found

    def resource_at(self, shape: str) -> Resource | None:
        """The resource kept at a path shape, under the name that an annotation gives it."""
        for name in self.annotations.resource_names:
            annotated = self.resource(name)
            if annotated is not None and self.shape_of(annotated) == shape:
                return annotated
        name = self.inference.resources.names.get(shape, "")
        return self.resource(name) if name else None

    def shape_of(self, resource: Resource) -> str | None:
        """The shape of the path that a resource is kept at, None for one that has no path."""
        path = resource.item_path if resource.singleton else resource.collection_path
        if resource.item_path is not None and not resource.singleton:
            return shape_of(resource.item_path).rpartition("/")[0]
        return shape_of(path) if path is not None else None

    def resource_names(self) -> tuple[str, ...]:
        """Every name that may be a resource's, annotated ones first."""
        return tuple(dict.fromkeys((*self.annotations.resource_names, *self.inference.resource_names())))

    def resources(self) -> Iterator[Resource]:
        """Every resource that operations work on, each once; compiles the whole description."""
        seen = set()
        for operation_id in self.api.refs:
            resource = self.meaning(operation_id).resource
            if resource is not None and resource.qualified not in seen:
                seen.add(resource.qualified)
                yield resource

    def resource_facts(self, resource: Resource) -> ResourceFacts:
        """What the description says of a resource beyond its meaning."""
        found = self._resource_facts.get(resource.qualified)
        if found is None:
            found = self._resource_facts[resource.qualified] = resource_facts(self, resource)
        return found

    def nested_names(self, resource: Resource) -> tuple[str, ...]:
        """The qualified names under which the state keeps what is nested below a resource's items."""
        shape = self.shape_of(resource)
        item = self.inference.structure.item_group(shape) if shape is not None else None
        if item is None:
            return ()
        below = item.shape + "/"
        inferred = [name for name, at in self.inference.resource_names().items() if at.startswith(below)]
        annotated = [
            name
            for name in self.annotations.resource_names
            if (other := self.resource(name)) is not None and (self.shape_of(other) or "").startswith(below)
        ]
        return tuple(f"{self.namespace}/{name}" for name in dict.fromkeys((*inferred, *annotated)))

    def referrers(self, resource: Resource) -> tuple[tuple[Resource, Reference], ...]:
        """The resources whose annotated references lead to a resource."""
        return tuple(
            (other, reference)
            for name in self.annotations.resource_names
            if (other := self.resource(name)) is not None
            for reference in other.references
            if reference.resource == resource.name
        )

    # Validity

    def item_violations(self, resource: Resource, value: Mapping[str, Json]) -> tuple[Violation, ...]:
        """How a stored value would break the schema that the resource is read by; pointers are into the value."""
        judge = self._judge(resource)
        if judge is None:
            return ()
        schema, view = judge
        if Hole in map(type, value.values()):
            value = {
                name: moment(member.schema, self.epoch, name) if isinstance(member, Hole) else member
                for name, member in value.items()
            }
        found = schema.violations(view.alone(view.item(value)), Direction.RESPONSE, where="body")
        if not found:
            return ()
        envelope = pointers.join("", *view.path)
        return tuple(
            replace(violation, pointer=violation.pointer.removeprefix(envelope))
            for violation in found
            if violation.pointer == envelope or violation.pointer.startswith(envelope + "/")
        )

    def _judge(self, resource: Resource) -> tuple[Schema, View] | None:
        """The schema that items of a resource are read by, and how they are shown in it; None where nothing says."""
        if resource.qualified not in self._judges:
            reader = self._reader(resource)
            schema = response_schema(reader.response) if reader is not None else None
            found = (schema, self.answers.view(reader)) if reader is not None and schema is not None else None
            self._judges[resource.qualified] = found
        return self._judges[resource.qualified]

    def _reader(self, resource: Resource) -> Meaning | None:
        """The meaning of the operation that shows an item of the resource, by reading or creating it; None without."""
        places = ((resource.item_path, "GET", "read"), (resource.collection_path, "POST", "create"))
        for path, method, behaviour in places:
            group = self.inference.structure.groups.get(shape_of(path)) if path is not None else None
            operation_id = group.methods.get(method) if group is not None else None
            meaning = self.meaning(operation_id) if operation_id is not None else None
            if meaning is not None and meaning.behaviour == behaviour and meaning.body is None:
                return meaning
        return None
