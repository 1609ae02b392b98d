"""What an annotation says of an operation, laid over the meaning that was inferred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mock_server.errors import AnnotationError
from mock_server.model.annotations.reader import OWN_ROOTS, AnnotationReader
from mock_server.model.computed import COMPUTED
from mock_server.model.inference.bodies import list_envelope, list_part, response_schema
from mock_server.model.inference.listing import USUAL_LIMIT, read_listing
from mock_server.model.meaning import Absence, Envelope, Filter, Guard, Listing, Meaning, Reason, Related, TestEvent
from mock_server.openapi import pointers
from mock_server.openapi.expressions import ValueTemplate
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.model import Model

_WHY = "x-mock annotation"


def annotated_meaning(reader: AnnotationReader, model: Model, operation_id: str, annotated: frozenset[str]) -> Meaning:
    """An operation's meaning: inferred, then what its annotation says. ``annotated`` names the annotated resources."""
    inferred = model.inference.meaning(operation_id)
    operation = reader.api.operation(operation_id)
    reader.refuse_unknown(operation.extensions, operation.located)
    value = operation.extensions.get("x-mock-operation")
    if value is None:
        return _with_annotated_resource(model, inferred, annotated)
    pointer = operation.located.pointer + "/x-mock-operation"
    reader.check(value, "operation", pointer)
    meaning = _with_annotated_resource(model, _retargeted(reader, model, inferred, value, pointer), annotated)
    meaning = _reread(model, meaning, value)
    related = tuple(_related(reader, model, value, pointer))
    roots = frozenset(entry.name for entry in related)

    def by_path(part: str) -> dict[tuple[str, ...], ValueTemplate]:
        return reader.members(value.get(part) or {}, f"{pointer}/{part}", roots=roots)

    return replace(
        meaning,
        inferred=False,
        body=reader.template(value["body"], pointer + "/body", roots=roots) if "body" in value else meaning.body,
        # A named transition says what the verb does to the state, so what the verb's name suggests is no more.
        set=by_path("set") if "set" in value or "transition" in value else meaning.set,
        increase=by_path("increase"),
        renews=_renewed(reader, meaning, value, pointer),
        stores=by_path("stores"),
        adds=by_path("adds"),
        related=related,
        guards=tuple(_guards(reader, value, pointer, roots)),
        transition=_transition(reader, meaning, value, pointer),
        compute=_computation(reader, meaning, value, pointer),
        event=_test_event(reader, meaning, value, pointer),
        listing=_listing(meaning.listing, value),
        reasons=(*meaning.reasons, *(Reason(part, str(value[part])[:80], _WHY) for part in value)),
    )


def _renewed(reader: AnnotationReader, meaning: Meaning, value: Mapping[str, Json], pointer: str) -> tuple[str, ...]:
    members = meaning.resource.anatomy.members if meaning.resource is not None else {}
    for index, name in enumerate(value.get("renews") or ()):
        reader.known(name, members, f"{pointer}/renews/{index}", "the resource has no such member")
    return tuple(value.get("renews") or ())


def _with_annotated_resource(model: Model, meaning: Meaning, annotated: frozenset[str]) -> Meaning:
    if meaning.resource is None or meaning.resource.name not in annotated:
        return meaning
    return replace(meaning, resource=model.resource(meaning.resource.name))


def _retargeted(
    reader: AnnotationReader, model: Model, meaning: Meaning, value: Mapping[str, Json], pointer: str
) -> Meaning:
    if "resource" in value:
        reader.known(value["resource"], model.resource_names(), pointer + "/resource", "no such resource")
        meaning = replace(meaning, resource=model.resource(value["resource"]))
    behaviour = value.get("behavior", meaning.behaviour)
    if behaviour not in {"sample", "compute"} and meaning.resource is None:
        raise AnnotationError(
            f"{behaviour} needs a resource",
            place=reader.place(pointer),
            hint="name one of x-mock-resources",
        )
    operation = reader.api.operation(meaning.operation_id)
    status = value.get("status", meaning.status)
    response = operation.response_for(status)
    scope, key_parameter = meaning.scope, value.get("keyParameter", meaning.key_parameter)
    path_names = reader.api.refs[meaning.operation_id].template.parameters
    if (
        behaviour in {"read", "replace", "update", "delete", "act", "deliver-test"}
        and key_parameter is None
        and path_names
    ):
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


def _reread(model: Model, meaning: Meaning, value: Mapping[str, Json]) -> Meaning:
    """Envelope and query parameters, read again for what the operation is now said to do."""
    if meaning.behaviour == "list" and meaning.resource is not None:
        resource = meaning.resource
        part = list_part(response_schema(meaning.response), name=resource.name, item_name=resource.anatomy.name)
        listing, reasons = read_listing(model.api.operation(meaning.operation_id), resource.anatomy)
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


def _related(reader: AnnotationReader, model: Model, value: Mapping[str, Json], pointer: str) -> Iterator[Related]:
    """The related items, in order: each may refer to those before it."""
    known: frozenset[str] = frozenset()
    for name, entry in (value.get("related") or {}).items():
        place = pointers.join(pointer, "related", name)
        if name in OWN_ROOTS:
            raise AnnotationError("this name is taken", place=reader.place(place), got=name,
                                  hint="expressions that begin with it mean something else already")  # fmt: skip
        reader.known(entry["resource"], model.resource_names(), place + "/resource", "no such resource")
        missing = entry.get("missing")
        yield Related(
            name,
            entry["resource"],
            reader.template(entry["key"], place + "/key", roots=known) if "key" in entry else None,
            tuple(
                reader.template(key, f"{place}/scope/{at}", roots=known)
                for at, key in enumerate(entry.get("scope") or ())
            ),
            reader.members(entry.get("where") or {}, place + "/where", roots=known),
            bool(entry.get("count", False)),
            Absence(missing.get("problem", "not-found"), missing["detail"], missing.get("status"), missing.get("code"))
            if missing is not None
            else None,
        )
        known |= {name}


def _guards(
    reader: AnnotationReader, value: Mapping[str, Json], pointer: str, roots: frozenset[str]
) -> Iterator[Guard]:
    for index, entry in enumerate(value.get("guards") or ()):
        criterion = reader.criterion(entry["when"], f"{pointer}/guards/{index}/when", roots=roots)
        yield Guard(
            criterion,
            entry.get("problem", "invalid"),
            entry["detail"],
            entry.get("status"),
            entry.get("code"),
        )


def _transition(reader: AnnotationReader, meaning: Meaning, value: Mapping[str, Json], pointer: str) -> str | None:
    name: str | None = value.get("transition")
    known = meaning.resource.states.transitions if meaning.resource and meaning.resource.states else {}
    if name is not None:
        reader.known(name, known, pointer + "/transition", "the resource has no such transition")
    return name


def _computation(reader: AnnotationReader, meaning: Meaning, value: Mapping[str, Json], pointer: str) -> str | None:
    name: str | None = value.get("compute")
    if name is None and meaning.behaviour == "compute":
        raise AnnotationError(
            "an operation that computes its answer names the computation",
            place=reader.place(pointer),
            allowed=", ".join(sorted(COMPUTED)) or "none is registered",
            hint="give it compute: <name>, as registered by @computed(<name>)",
        )
    if name is not None:
        problem = "no computed answer is registered under this name"
        reader.known(name, sorted(COMPUTED), pointer + "/compute", problem)
    return name


def _test_event(
    reader: AnnotationReader, meaning: Meaning, value: Mapping[str, Json], pointer: str
) -> TestEvent | None:
    entry = value.get("event")
    if entry is None:
        if meaning.behaviour == "deliver-test":
            raise AnnotationError(
                "a test delivery names the event that it brings",
                place=reader.place(pointer),
                hint="give it event: {type: ..., payload: ...}",
            )
        return None
    roots = frozenset({"event"})
    return TestEvent(
        reader.template(entry["type"], pointer + "/event/type"),
        reader.template(entry["payload"], pointer + "/event/payload", roots=roots),
    )


def _listing(listing: Listing, value: Mapping[str, Json]) -> Listing:
    roles: dict[str, Any] = dict(value.get("parameters") or {})
    if isinstance(roles.get("sort"), list):
        roles["sort"], *others = roles["sort"]
        roles["sort_else"] = tuple(others)
    if "filters" in value:
        named = {
            parameter: Filter(parameter, pointers.split(entry.get("property", "")), entry.get("operator", "eq"))
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
