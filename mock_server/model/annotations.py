"""The ``x-mock-*`` vocabulary: what an overlay says over what was inferred.

The vocabulary's JSON Schema is ``vocabulary.schema.json`` beside this module; every annotation is checked against it
when the description is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import jsonschema_rs
import orjson

from mock_server.errors import AnnotationError, Place, did_you_mean
from mock_server.model.anatomy import anatomy_of
from mock_server.model.computed import COMPUTED
from mock_server.model.inference.bodies import choose_key, list_envelope, list_part, response_schema
from mock_server.model.inference.fields import initial_states
from mock_server.model.inference.listing import USUAL_LIMIT, read_listing
from mock_server.model.meaning import (
    Envelope,
    EventRule,
    Filter,
    Guard,
    Listing,
    Meaning,
    Reason,
    Reference,
    Resource,
    SoftDelete,
    States,
    Transition,
)
from mock_server.model.problem import Kind
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.criteria import Criterion, parse_criterion
from mock_server.openapi.expressions import ROOTS, ExpressionSyntaxError, ValueTemplate, template_value
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.model import Model

RULES = frozenset(
    {
        "key",
        "created",
        "updated",
        "revision",
        "initial",
        "zero",
        "false",
        "empty",
        "null",
        "sample",
        "default",
    }
)
"""The rules that ``assigned`` may name; any other text is a template."""

_ROOT_KEYS = ("x-mock-namespace", "x-mock-resources", "x-mock-errors")
_OWN_ROOTS = ROOTS | {"problem", "before"}
_WHY = "x-mock annotation"

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class ErrorMapping:
    """How one kind of problem is answered; None leaves a part to the description."""

    status: int | None
    code: str | None
    message: str | None
    body: ValueTemplate | None


@cache
def vocabulary() -> dict[str, Json]:
    """The JSON Schema of the vocabulary."""
    text = resources.files("mock_server.model").joinpath("vocabulary.schema.json").read_bytes()
    loaded: dict[str, Json] = orjson.loads(text)
    return loaded


@cache
def _validator(definition: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"$ref": f"#/$defs/{definition}"} if definition else {"$ref": "#"}
    whole = vocabulary()
    return jsonschema_rs.Draft202012Validator({**schema, "$defs": whole["$defs"]} if definition else whole)


class Annotations:
    """The annotations of one description."""

    def __init__(self, api: Api) -> None:
        self._api = api
        root = api.extensions
        _check({key: root[key] for key in _ROOT_KEYS if key in root}, "", self._place, "")
        _refuse_unknown(root, lambda: self._place(""))
        self.namespace: str | None = root.get("x-mock-namespace")
        self._resources: Mapping[str, Mapping[str, Json]] = root.get("x-mock-resources") or {}
        self.resource_names = tuple(self._resources)
        self.errors: Mapping[Kind | str, ErrorMapping] = MappingProxyType(
            {
                (kind if kind == "default" else Kind(kind)): self._error(kind, value)
                for kind, value in (root.get("x-mock-errors") or {}).items()
            }
        )

    def _place(self, pointer: str) -> Place:
        return self._api.documents.place(self._api.documents.root, pointer)

    def _parsed(self, parse: Callable[[], Parsed], pointer: str) -> Parsed:
        try:
            return parse()
        except ExpressionSyntaxError as error:
            raise AnnotationError(
                error.problem, place=self._place(pointer + error.pointer), got=error.text, hint=error.hint
            ) from None

    def _template(self, value: Json, pointer: str) -> ValueTemplate:
        return self._parsed(lambda: template_value(value, roots=_OWN_ROOTS), pointer)

    def _templates(self, values: Mapping[str, Json], pointer: str) -> dict[str, ValueTemplate]:
        return {name: self._template(v, pointers.join(pointer, name)) for name, v in values.items()}

    def _criterion(self, text: str, pointer: str) -> Criterion:
        return self._parsed(lambda: parse_criterion(text, roots=_OWN_ROOTS), pointer)

    def _error(self, kind: str, value: Mapping[str, Json]) -> ErrorMapping:
        pointer = pointers.join("/x-mock-errors", kind)
        body = self._template(value["body"], pointer + "/body") if "body" in value else None
        return ErrorMapping(value.get("status"), value.get("code"), value.get("message"), body)

    # Resources

    def resource(self, model: Model, name: str, inferred: Resource | None) -> Resource | None:
        """The resource of a name with its annotation, if it has one, laid over it."""
        value = self._resources.get(name)
        if value is None:
            return inferred
        pointer = pointers.join("/x-mock-resources", name)
        base = self._base(model, name, value, inferred, pointer)
        base = self._with_schema(base, value, pointer)
        assigned, values = dict(base.assigned), dict(base.values)
        for member, rule in (value.get("assigned") or {}).items():
            assigned.pop(member, None)
            if rule in RULES:
                assigned[member] = rule
            elif rule != "none":
                values[member] = self._template(rule, pointers.join(pointer, "assigned", member))
        existence = value.get("existence")
        return replace(
            base,
            assigned=assigned,
            imposed=base.imposed | (frozenset(value.get("assigned") or {}) & frozenset(assigned)),
            values=values,
            open_world=base.open_world if existence is None else existence == "any",
            defaults=self._templates(value.get("defaults") or {}, pointer + "/defaults"),
            unique=tuple(tuple(names) for names in value.get("unique") or ()),
            hidden=base.hidden | frozenset(value.get("hidden") or ()),
            states=self._states(value["states"], pointer + "/states") if "states" in value else base.states,
            soft_delete=self._soft_delete(value, pointer),
            events=tuple(self._events(value.get("events") or {}, pointer + "/events")),
            references=tuple(
                Reference(
                    member,
                    entry["resource"],
                    bool(entry.get("mustExist", False)),
                    entry.get("onDelete", "ignore"),
                )
                for member, entry in (value.get("references") or {}).items()
            ),
            reasons=(
                *base.reasons,
                *(Reason(f"resource {part}", str(value[part])[:80], _WHY) for part in value),
            ),
        )

    def _base(
        self, model: Model, name: str, value: Mapping[str, Json], inferred: Resource | None, pointer: str
    ) -> Resource:
        if inferred is not None:
            return inferred
        if "collection" in value:
            found = model.inference.resource_at(value["collection"])
            if found is not None:
                return replace(found, name=name, qualified=f"{model.namespace}/{name}")
        if "schema" not in value:
            raise AnnotationError(
                f"nothing in the description is a resource called {name!r}",
                place=self._place(pointer),
                allowed=", ".join(sorted(model.inference.resource_names())),
                hint=did_you_mean(name, model.inference.resource_names())
                or "give the new resource a schema, or the path of its collection",
            )
        return Resource(
            name=name,
            qualified=f"{model.namespace}/{name}",
            collection_path=value.get("collection"),
            item_path=None,
            key=value.get("key"),
            key_parameter=None,
            parents=(),
            schema=None,
        )

    def _with_schema(self, base: Resource, value: Mapping[str, Json], pointer: str) -> Resource:
        if "schema" in value:
            located = self._api.documents.resolve(value["schema"], self._api.documents.root)
            schema = self._api.schemas.at(located)
            anatomy = anatomy_of(schema)
            key = value.get("key") or base.key or choose_key(anatomy, None, base.name)
            assigned = dict(base.assigned)
            if key is not None:
                assigned[key] = "key"
            base = replace(
                base,
                schema=schema,
                item=None,
                anatomy=anatomy,
                key=key,
                assigned=assigned,
                states=initial_states(anatomy),
                stored_whole=True,
            )
        elif "key" in value:
            assigned = {n: r for n, r in base.assigned.items() if r != "key"}
            base = replace(base, key=value["key"], assigned={**assigned, value["key"]: "key"})
        if "keySchema" in value:
            base = replace(base, key_schema=value["keySchema"])
        if base.key is not None and base.anatomy.members and base.key not in base.anatomy.members:
            raise AnnotationError(
                "the key is no property of the resource's schema",
                place=self._place(pointer + "/key"),
                got=base.key,
                allowed=", ".join(base.anatomy.members),
                hint=did_you_mean(base.key, base.anatomy.members),
            )
        return base

    def _states(self, value: Mapping[str, Json], pointer: str) -> States:
        transitions = {}
        for name, entry in (value.get("transitions") or {}).items():
            place = pointers.join(pointer, "transitions", name)
            guard = self._criterion(entry["when"], place + "/when") if "when" in entry else None
            transitions[name] = Transition(
                name, tuple(entry.get("from") or ()), entry["to"], guard, entry.get("refusal", "")
            )
        return States(value["property"], value.get("initial"), transitions)

    def _soft_delete(self, value: Mapping[str, Json], pointer: str) -> SoftDelete | None:
        if "softDelete" not in value:
            return None
        entry = value["softDelete"]
        return SoftDelete(self._templates(entry["set"], pointer + "/softDelete/set"), bool(entry.get("hidden", True)))

    def _events(self, values: Mapping[str, Json], pointer: str) -> Iterator[EventRule]:
        for name, entry in values.items():
            place = pointers.join(pointer, name)
            when = self._criterion(entry["when"], place + "/when") if "when" in entry else None
            yield EventRule(name, entry["on"], when, self._template(entry["payload"], place + "/payload"))

    # Operations

    def meaning(self, model: Model, operation_id: str) -> Meaning:
        """An operation's meaning: inferred, then what its annotation says."""
        inferred = model.inference.meaning(operation_id)
        operation = self._api.operation(operation_id)
        located = operation.located
        _refuse_unknown(operation.extensions, lambda: self._api.documents.place(located.uri, located.pointer))
        value = operation.extensions.get("x-mock-operation")
        if value is None:
            return self._with_annotated_resource(model, inferred)
        pointer = operation.located.pointer + "/x-mock-operation"
        _check(value, "operation", self._place, pointer)
        meaning = self._with_annotated_resource(model, self._retargeted(model, inferred, value, pointer))
        meaning = self._reread(model, meaning, value)
        return replace(
            meaning,
            inferred=False,
            body=self._template(value["body"], pointer + "/body") if "body" in value else meaning.body,
            set=self._templates(value["set"], pointer + "/set") if "set" in value else meaning.set,
            guards=tuple(self._guards(value, pointer)),
            transition=self._transition(meaning, value, pointer),
            compute=self._computation(meaning, value, pointer),
            listing=self._listing(meaning.listing, value),
            reasons=(*meaning.reasons, *(Reason(part, str(value[part])[:80], _WHY) for part in value)),
        )

    def _with_annotated_resource(self, model: Model, meaning: Meaning) -> Meaning:
        if meaning.resource is None or meaning.resource.name not in self._resources:
            return meaning
        return replace(meaning, resource=model.resource(meaning.resource.name))

    def _retargeted(self, model: Model, meaning: Meaning, value: Mapping[str, Json], pointer: str) -> Meaning:
        if "resource" in value:
            resource = model.resource(value["resource"])
            if resource is None:
                raise AnnotationError(
                    "no such resource",
                    place=self._place(pointer + "/resource"),
                    got=value["resource"],
                    allowed=", ".join(model.resource_names()),
                    hint=did_you_mean(value["resource"], model.resource_names()),
                )
            meaning = replace(meaning, resource=resource)
        behaviour = value.get("behavior", meaning.behaviour)
        if behaviour not in {"sample", "compute"} and meaning.resource is None:
            raise AnnotationError(
                f"{behaviour} needs a resource",
                place=self._place(pointer),
                hint="name one of x-mock-resources",
            )
        operation = self._api.operation(meaning.operation_id)
        status = value.get("status", meaning.status)
        response = operation.response_for(status)
        scope, key_parameter = meaning.scope, value.get("keyParameter", meaning.key_parameter)
        path_names = self._api.refs[meaning.operation_id].template.parameters
        if behaviour in {"read", "replace", "update", "delete", "act"} and key_parameter is None and path_names:
            key_parameter = path_names[-1]
        if "resource" in value or "behavior" in value:
            scope = tuple(name for name in path_names if name != key_parameter)
        return replace(
            meaning,
            behaviour=behaviour,
            status=status,
            response=response,
            scope=scope,
            key_parameter=key_parameter,
        )

    def _reread(self, model: Model, meaning: Meaning, value: Mapping[str, Json]) -> Meaning:
        """Envelope and query parameters, read again for what the operation is now said to do."""
        if meaning.behaviour == "list" and meaning.resource is not None:
            resource = meaning.resource
            part = list_part(response_schema(meaning.response), name=resource.name, item_name=resource.anatomy.name)
            listing, reasons = read_listing(self._api.operation(meaning.operation_id), resource.anatomy)
            envelope = list_envelope(part) if part is not None else Envelope()
            meaning = replace(meaning, envelope=envelope, listing=listing, reasons=(*meaning.reasons, *reasons))
        if "item" in value:
            meaning = replace(meaning, envelope=replace(meaning.envelope, path=pointers.split(value["item"])))
        if "fields" in value:
            fields = {pointers.split(path): role for path, role in value["fields"].items()}
            meaning = replace(meaning, envelope=replace(meaning.envelope, fields=fields))
        if "requestPath" in value:
            meaning = replace(meaning, request_path=pointers.split(value["requestPath"]))
        return meaning

    def _guards(self, value: Mapping[str, Json], pointer: str) -> Iterator[Guard]:
        for index, entry in enumerate(value.get("guards") or ()):
            criterion = self._criterion(entry["when"], f"{pointer}/guards/{index}/when")
            yield Guard(
                criterion,
                entry.get("problem", "invalid"),
                entry["detail"],
                entry.get("status"),
                entry.get("code"),
            )

    def _transition(self, meaning: Meaning, value: Mapping[str, Json], pointer: str) -> str | None:
        name: str | None = value.get("transition")
        known = meaning.resource.states.transitions if meaning.resource and meaning.resource.states else {}
        if name is not None and name not in known:
            raise AnnotationError(
                "the resource has no such transition",
                place=self._place(pointer + "/transition"),
                got=name,
                allowed=", ".join(known) or "none is declared",
                hint=did_you_mean(name, known),
            )
        return name

    def _computation(self, meaning: Meaning, value: Mapping[str, Json], pointer: str) -> str | None:
        name: str | None = value.get("compute")
        if name is None and meaning.behaviour == "compute":
            raise AnnotationError(
                "an operation that computes its answer names the computation",
                place=self._place(pointer),
                allowed=", ".join(sorted(COMPUTED)) or "none is registered",
                hint="give it compute: <name>, as registered by @computed(<name>)",
            )
        if name is not None and name not in COMPUTED:
            raise AnnotationError(
                "no computed answer is registered under this name",
                place=self._place(pointer + "/compute"),
                got=name,
                allowed=", ".join(sorted(COMPUTED)) or "none is registered",
                hint=did_you_mean(name, COMPUTED),
            )
        return name

    def _listing(self, listing: Listing, value: Mapping[str, Json]) -> Listing:
        roles: dict[str, Any] = dict(value.get("parameters") or {})
        if "filters" in value:
            named = {
                parameter: Filter(parameter, pointers.split(entry["property"]), entry.get("operator", "eq"))
                for parameter, entry in value["filters"].items()
            }
            kept = [narrowing for narrowing in listing.filters if narrowing.parameter not in named]
            roles["filters"] = (*kept, *named.values())
        if "searchIn" in value:
            roles["search_in"] = tuple(value["searchIn"])
        if "defaultLimit" in value:
            roles["default_limit"] = value["defaultLimit"]
        if "defaultSort" in value:
            roles["default_sort"] = value["defaultSort"]
        listing = replace(listing, **roles)
        if listing.style == "none" and listing.limit is not None:
            style = "page" if listing.page else "cursor" if listing.after else "offset"
            listing = replace(listing, style=style, default_limit=listing.default_limit or USUAL_LIMIT)
        return listing


def read_annotations(api: Api) -> Annotations:
    """The annotations of a description; an ``AnnotationError`` for one that breaks the vocabulary."""
    return Annotations(api)


def _check(value: Json, definition: str, place: Callable[[str], Place], pointer: str) -> None:
    for error in _validator(definition).iter_errors(value):
        where = pointer + "".join("/" + pointers.escape(str(step)) for step in error.instance_path)
        raise AnnotationError(
            f"this annotation breaks the vocabulary: {error.message}",
            place=place(where),
            got=error.instance,
            hint="docs/vocabulary.md lists every annotation",
        )


def _refuse_unknown(extensions: Mapping[str, Json], place: Callable[[], Place]) -> None:
    known = vocabulary()["properties"]
    for name in extensions:
        if name.startswith("x-mock-") and name not in known:
            raise AnnotationError(
                "this annotation is not in the vocabulary",
                place=place(),
                got=name,
                allowed=", ".join(known),
                hint=did_you_mean(name, known),
            )
