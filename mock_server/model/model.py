"""One API's model: what each operation means, worked out on first use and kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.model.anatomy import Anatomy, anatomy_of, dissect, flatten, words
from mock_server.model.annotations import Annotations, read_annotations
from mock_server.model.call import Call
from mock_server.model.collection import Collection
from mock_server.model.inference import Inference
from mock_server.model.inference.bodies import json_media, request_schema, response_schema
from mock_server.model.meaning import Meaning, Reference, Resource
from mock_server.model.minter import moment
from mock_server.model.outcome import NO_BODY, Hole, key_text
from mock_server.model.presentation import View, sampled_body, view_of
from mock_server.openapi.compile import Api
from mock_server.openapi.values import Direction, Json, Violation
from mock_server.sampling import Sampler, Unsampleable, mint

SAMPLED_ITEMS = 3
"""How many items a collection shows that no operation creates."""


class Model:
    """What one API means. Safe to share: everything in it is a pure function of description, overlay and seed.

    ``epoch`` is the moment near which sampled times lie; ``seed`` decides every sampled value.
    """

    def __init__(self, api: Api, *, seed: int, epoch: datetime) -> None:
        self.api = api
        self.seed = seed
        self.epoch = epoch
        self.annotations: Annotations = read_annotations(api)
        self.namespace = self.annotations.namespace or api.name
        self.inference = Inference(api, namespace=self.namespace)
        self._shapes = self.inference.resource_names()
        self._meanings: dict[str, Meaning] = {}
        self._resources: dict[str, Resource | None] = {}
        self._views: dict[str, View] = {}
        self._samples: dict[tuple[str, tuple[str, ...]], Collection] = {}
        self._samplers: dict[tuple[str, str], Sampler] = {}
        self._facts: dict[tuple[str, str], Any] = {}

    # Meanings and resources

    def meaning(self, operation_id: str) -> Meaning:
        """What an operation means, annotations laid over what was inferred."""
        found = self._meanings.get(operation_id)
        if found is None:
            found = self.annotations.meaning(self, operation_id)
            self._meanings[operation_id] = found
        return found

    def resource(self, name: str) -> Resource | None:
        """The resource of that name, or None."""
        if name not in self._resources:
            shape = self._shapes.get(name)
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

    def resource_names(self) -> tuple[str, ...]:
        """Every name that may be a resource's, annotated ones first."""
        return tuple(dict.fromkeys((*self.annotations.resource_names, *self._shapes)))

    def resources(self) -> Iterator[Resource]:
        """Every resource that operations work on, each once; compiles the whole description."""
        seen = set()
        for operation_id in self.api.refs:
            resource = self.meaning(operation_id).resource
            if resource is not None and resource.qualified not in seen:
                seen.add(resource.qualified)
                yield resource

    def children(self, resource: Resource) -> tuple[Resource, ...]:
        """The resources nested below a resource's items."""
        return self._fact("children", resource.name, lambda: tuple(self._find_children(resource)))  # type: ignore[no-any-return]

    def _find_children(self, resource: Resource) -> Iterator[Resource]:
        shape = self._shapes.get(resource.name)
        item = self.inference.structure.item_group(shape) if shape is not None else None
        if item is None:
            return
        for name, below in self._shapes.items():
            if below.startswith(item.shape + "/"):
                child = self.resource(name)
                if child is not None and len(child.parents) > len(resource.parents):
                    yield child

    def referrers(self, resource: Resource) -> tuple[tuple[Resource, Reference], ...]:
        """The resources whose annotated references lead to a resource."""
        return tuple(
            (other, reference)
            for name in self.annotations.resource_names
            if (other := self.resource(name)) is not None
            for reference in other.references
            if reference.resource == resource.name
        )

    def _fact(self, kind: str, name: str, make: Any) -> Any:
        key = (kind, name)
        if key not in self._facts:
            self._facts[key] = make()
        return self._facts[key]

    # What the description says of an operation

    def described_headers(self, operation_id: str) -> Mapping[str, str]:
        """The headers that the success response describes, by lower-case name."""
        return self._fact("headers", operation_id, lambda: self._headers(operation_id))  # type: ignore[no-any-return]

    def _headers(self, operation_id: str) -> dict[str, str]:
        response = self.meaning(operation_id).response
        return {header.name.lower(): header.name for header in response.headers} if response is not None else {}

    def uses_etags(self, operation_id: str) -> bool:
        """Whether the description declares entity tags or preconditions for the operation."""
        return bool(self._fact("etags", operation_id, lambda: self._declares_etags(operation_id)))

    def _declares_etags(self, operation_id: str) -> bool:
        operation = self.api.operation(operation_id)
        if "etag" in self.described_headers(operation_id):
            return True
        if any(operation.describes(status) for status in (304, 412, 428)):
            return True
        asked = {p.name.lower() for p in operation.parameters if p.location == "header"}
        return bool(asked & {"if-match", "if-none-match"})

    def wants_preconditions(self, operation_id: str) -> bool:
        """Whether the description says that a write without a precondition is refused."""
        return self.api.operation(operation_id).describes(428)

    def may_create(self, meaning: Meaning) -> bool:
        """Whether a PUT creates what is not there: 201 is described, or nothing else creates the resource."""
        operation = self.api.operation(meaning.operation_id)
        resource = meaning.resource
        if operation.describes(201) or (resource is not None and resource.singleton):
            return True
        group = self.inference.group_of(meaning.operation_id)
        collection = self.inference.structure.groups.get(group.item_of or "")
        return group.item_of is not None and (collection is None or "POST" not in collection.methods)

    def key_is_given(self, meaning: Meaning) -> bool:
        """Whether callers may choose the key: the request schema has it, not readOnly."""
        return bool(self._fact("given-key", meaning.operation_id, lambda: self._takes_key(meaning)))

    def _takes_key(self, meaning: Meaning) -> bool:
        resource = meaning.resource
        part = self._request_anatomy(meaning)
        member = part.members.get(resource.key) if resource is not None and resource.key is not None else None
        return member is not None and not member.read_only

    def _request_anatomy(self, meaning: Meaning) -> Anatomy:
        schema = request_schema(self.api.operation(meaning.operation_id))
        if schema is None:
            return anatomy_of(None)
        bundle = schema.bundle(Direction.REQUEST)
        inner: Json = bundle
        for name in meaning.request_path:
            inner = (flatten(bundle, inner).get("properties") or {}).get(name, {})
        found = dissect(bundle, inner)
        return dissect(bundle, found.items) if found.is_array else found

    def defaulted(self, operation_id: str) -> tuple[str, ...]:
        """The members whose schema in the request documents a default."""
        return tuple(self._defaults(operation_id))

    def default_of(self, operation_id: str, name: str) -> Json:
        """A member's documented default."""
        return self._defaults(operation_id)[name]

    def _defaults(self, operation_id: str) -> dict[str, Json]:
        return self._fact("defaults", operation_id, lambda: {  # type: ignore[no-any-return]
            name: member.schema["default"]
            for name, member in self._request_anatomy(self.meaning(operation_id)).members.items()
            if "default" in member.schema and not member.read_only
        })  # fmt: skip

    # Schemas of members

    def read_only(self, resource: Resource) -> frozenset[str]:
        """The members that no request may set."""
        return self._fact("read-only", resource.qualified, lambda: frozenset(  # type: ignore[no-any-return]
            name for name, member in resource.anatomy.members.items() if member.read_only
        ))  # fmt: skip

    def member_schema(self, resource: Resource, name: str | None) -> Mapping[str, Json]:
        """A member's schema, references followed; a plain string's when the member is not described."""
        member = resource.anatomy.members.get(name or "")
        return member.schema if member is not None else {"type": "string"}

    def key_schema(self, resource: Resource) -> Mapping[str, Json]:
        """What a minted key satisfies: the annotation, the key property, or the path parameter that carries it."""
        if resource.key_schema is not None:
            return resource.key_schema
        if resource.key is not None:
            return self.member_schema(resource, resource.key)
        return self._fact("key-schema", resource.qualified, lambda: self._parameter_schema(resource))  # type: ignore[no-any-return]

    def _parameter_schema(self, resource: Resource) -> Mapping[str, Json]:
        shape = self._shapes.get(resource.name)
        item = self.inference.structure.item_group(shape) if shape is not None else None
        for operation_id in item.methods.values() if item is not None else ():
            for parameter in self.api.operation(operation_id).parameters:
                if parameter.location == "path" and parameter.name == resource.key_parameter and parameter.schema:
                    bundle = parameter.schema.bundle(Direction.REQUEST)
                    return flatten(bundle, bundle)
        return {"type": "string", "format": "uuid"}

    def time_hole(self, resource: Resource, name: str) -> Hole:
        """A hole for the time of a write."""
        return Hole("time", name, self.member_schema(resource, name))

    def sample_hole(self, resource: Resource, name: str) -> Hole:
        """A hole for a member that the server fills with anything valid."""
        counter = f"{resource.qualified}#made"
        return Hole("sample", name, {}, counter=counter, draw=self._drawer(resource, name))

    def _drawer(self, resource: Resource, name: str) -> Any:
        sampler = self._member_sampler(resource, name)
        return lambda seed, now: sampler.sample(seed=seed, now=now, name=name)

    def _member_sampler(self, resource: Resource, name: str) -> Sampler:
        found = self._samplers.get((resource.qualified, name))
        if found is None:
            bundle = resource.schema.bundle(Direction.RESPONSE) if resource.schema is not None else {}
            member = resource.anatomy.members[name]
            shared = {key: bundle[key] for key in ("$schema", "$defs", "definitions") if key in bundle}
            found = self._samplers[(resource.qualified, name)] = Sampler({**shared, **member.schema})
        return found

    def item_violations(self, resource: Resource, value: Mapping[str, Json]) -> tuple[Violation, ...]:
        """How a stored value would break the schema that the resource is read by."""
        if resource.schema is None:
            return ()
        reader = self._reader(resource)
        if reader is None:
            return ()
        view = self.view(reader)
        filled = {
            name: moment(member.schema, self.epoch, name) if isinstance(member, Hole) else member
            for name, member in value.items()
        }
        schema = response_schema(reader.response)
        body = view.body(view.item(filled))
        if schema is None or schema.accepts(body, Direction.RESPONSE):
            return ()
        return schema.violations(body, Direction.RESPONSE, where="body")

    def _reader(self, resource: Resource) -> Meaning | None:
        return self._fact("reader", resource.qualified, lambda: self._find_reader(resource))  # type: ignore[no-any-return]

    def _find_reader(self, resource: Resource) -> Meaning | None:
        for path in (resource.item_path,):
            for ref in self.api.refs.values():
                if ref.template.text == path and ref.method == "GET":
                    meaning = self.meaning(ref.id)
                    return meaning if meaning.behaviour == "read" else None
        return None

    # Samples

    def samples(self, resource: Resource, scope: tuple[str, ...]) -> Collection:
        """The items that stand for a collection which no operation fills."""
        found = self._samples.get((resource.qualified, scope))
        if found is None:
            if len(self._samples) > 10_000:
                self._samples.clear()
            found = Collection.of(self._sampled_items(resource, scope))
            self._samples[(resource.qualified, scope)] = found
        return found

    def _sampled_items(self, resource: Resource, scope: tuple[str, ...]) -> Iterator[tuple[str, Json]]:
        if resource.singleton or resource.schema is None:
            return
        schema = self.key_schema(resource)
        for ordinal in range(1, SAMPLED_ITEMS + 1):
            key = mint(dict(schema), ordinal=ordinal, seed=self.seed, name=resource.key or "id", now=self.epoch)
            yield key_text(key), self.sample_item(resource, scope, key_text(key))

    def sample_item(self, resource: Resource, scope: tuple[str, ...], key: str) -> Json:
        """The item that stands for a key, the same one each time; its key and parents' keys are its own."""
        if resource.schema is None:
            return {}
        sampler = self._samplers.get((resource.qualified, ""))
        if sampler is None:
            sampler = self._samplers[(resource.qualified, "")] = Sampler(resource.schema.bundle(Direction.RESPONSE))
        text = "/".join((*scope, key))
        number = self.seed + sum(ord(character) * 31**index for index, character in enumerate(text[:16]))
        try:
            sampled = sampler.sample(seed=number, now=self.epoch, name=resource.name, variant=number % 7)
        except Unsampleable:
            return {}
        value = self._item_within(resource, sampled)
        if not isinstance(value, dict):
            return {}
        if resource.key is not None:
            value = {**value, resource.key: self._typed(resource, resource.key, key)}
        for parent, parent_key in zip(resource.parents, scope, strict=False):
            if parent.property is not None:
                value = {**value, parent.property: self._typed(resource, parent.property, parent_key)}
        return value

    def _item_within(self, resource: Resource, sampled: Json) -> Json:
        """The item inside a sampled message: its envelope is that of the operation the schema came from."""
        members = set(resource.anatomy.members)
        waiting = [sampled]
        while waiting:
            value = waiting.pop(0)
            if isinstance(value, dict):
                if members & set(value) and set(value) <= members:
                    return value
                waiting += list(value.values())
            elif isinstance(value, list):
                waiting += value[:1]
        return sampled if isinstance(sampled, dict) else None

    def _typed(self, resource: Resource, name: str, text: str) -> Json:
        member = resource.anatomy.members.get(name)
        if member is not None and "string" not in member.types and member.types & {"integer", "number"}:
            return int(text) if text.lstrip("-").isdigit() else text
        return text

    # Answers

    def view(self, meaning: Meaning) -> View:
        """How the operation's success response shows a stored value."""
        found = self._views.get(meaning.operation_id)
        if found is None:
            found = self._views[meaning.operation_id] = view_of(meaning, seed=self.seed, now=self.epoch)
        return found

    def answers_array(self, meaning: Meaning) -> bool:
        """Whether the success response is a list."""
        anatomy = anatomy_of(response_schema(meaning.response))
        return anatomy.is_array or bool(meaning.envelope.path)

    def documented_answer(self, meaning: Meaning, call: Call) -> tuple[Json, tuple[str, str]]:
        """The documented example that fits its schema, else a sample that repeats the call's path parameters."""
        media = json_media(meaning.response.content) if meaning.response is not None else None
        if media is None:
            return NO_BODY, ("none", "the response describes no content")
        for example in media.examples:
            if media.schema is None or media.schema.accepts(example.value, Direction.RESPONSE):
                return example.value, (f"example {example.name}".strip(), "documented, and valid for its schema")
        return self.sampled_answer(meaning, call), ("sample", "no documented example is valid")

    def sampled_answer(self, meaning: Meaning, call: Call) -> Json:
        """A sample of the success response for a call."""
        schema = response_schema(meaning.response)
        if schema is None:
            return ""
        body = self._fact("answer", meaning.operation_id, lambda: sampled_body(
            schema, seed=self.seed, now=self.epoch, name=meaning.operation_id
        ))  # fmt: skip
        if not isinstance(body, dict):
            return body
        by_words = {words(name): value for name, value in (*call.query.items(), *call.path.items())}
        bound = {**body, **{name: by_words[words(name)] for name in body if words(name) in by_words}}
        return bound if schema.accepts(bound, Direction.RESPONSE) else body

    def answer_about(self, meaning: Meaning, call: Call, value: Json) -> Json:
        """The body of an operation that acted on an item: the item, or a sample that agrees with it."""
        if meaning.response is None or not meaning.response.content:
            return NO_BODY
        if meaning.body is not None:
            return meaning.body.evaluate(call.context({"resource": value}))
        resource = meaning.resource
        schema = response_schema(meaning.response)
        if schema is None or resource is None:
            return value
        shown = anatomy_of(schema)
        for name in meaning.envelope.path:
            inner = shown.members.get(name)
            bundle = schema.bundle(Direction.RESPONSE)
            shown = dissect(bundle, inner.schema) if inner is not None else shown
        same = bool(shown.members) and set(shown.required) <= set(resource.anatomy.members)
        if same and len(set(shown.members) & set(resource.anatomy.members)) * 2 >= len(shown.members):
            view = self.view(meaning)
            return view.body(view.item(value))
        sampled = self.sampled_answer(meaning, call)
        if isinstance(sampled, dict) and isinstance(value, dict):
            done = {"deleted", "success", "ok", "removed", "archived", "acknowledged"}
            told = {name: True for name in sampled if name.lower() in done and isinstance(sampled[name], bool)}
            return {**sampled, **{n: value[n] for n in sampled if n in value}, **told}
        return sampled
