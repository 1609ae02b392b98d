"""What an annotation says of a resource, laid over the resource that was inferred."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mock_server.errors import AnnotationError, did_you_mean
from mock_server.model.anatomy import anatomy_of
from mock_server.model.annotations.consequences import is_serial, read_effects, read_serials, read_states
from mock_server.model.annotations.limits import read_quota
from mock_server.model.annotations.reader import AnnotationReader
from mock_server.model.inference.bodies import choose_key
from mock_server.model.inference.fields import initial_states
from mock_server.model.intake import Intake
from mock_server.model.meaning import EventRule, Reason, Reference, Resource, SoftDelete
from mock_server.openapi import pointers
from mock_server.openapi.expressions import ValueTemplate
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

_WHY = "x-mock annotation"


def annotated_resource(
    reader: AnnotationReader, model: Model, name: str, value: Mapping[str, Json], inferred: Resource | None
) -> Resource:
    """The resource of a name with its annotation laid over what was inferred, if anything was."""
    pointer = pointers.join("/x-mock-resources", name)
    base = _base(reader, model, name, value, inferred, pointer)
    base = _with_schema(reader, base, value, pointer)
    intake = _intake(value)
    assigned, values = _assigned(reader, base, value, intake, pointer)
    serials = tuple(read_serials(reader, value, pointer, base.anatomy))
    assigned |= {entry.path[0]: "serial" for entry in serials if len(entry.path) == 1}
    existence = value.get("existence")
    return replace(
        base,
        assigned=assigned,
        imposed=base.imposed | (frozenset(value.get("assigned") or {}) & frozenset(assigned)),
        values=values,
        open_world=base.open_world if existence is None else existence == "any",
        defaults=reader.templates(value.get("defaults") or {}, pointer + "/defaults"),
        unique=tuple(tuple(names) for names in value.get("unique") or ()),
        hidden=base.hidden | frozenset(value.get("hidden") or ()),
        states=read_states(reader, value["states"], pointer + "/states", base.anatomy)
        if "states" in value
        else base.states,
        soft_delete=_soft_delete(reader, value, pointer),
        effects=tuple(read_effects(reader, value.get("effects") or [], pointer + "/effects")),
        serials=serials,
        events=tuple(_events(reader, value.get("events") or {}, pointer + "/events")),
        intake=intake,
        quota=read_quota(reader, value["quota"], pointer + "/quota") if "quota" in value else None,
        references=tuple(
            Reference(member, entry["resource"], bool(entry.get("mustExist", False)), entry.get("onDelete", "ignore"))
            for member, entry in (value.get("references") or {}).items()
        ),
        reasons=(*base.reasons, *(Reason(f"resource {part}", str(value[part])[:80], _WHY) for part in value)),
    )


def _assigned(
    reader: AnnotationReader, base: Resource, value: Mapping[str, Json], intake: Intake | None, pointer: str
) -> tuple[dict[str, str], dict[str, ValueTemplate]]:
    """The rules by which the server fills members, and the templates that fill others, each by the member's name."""
    assigned, values = dict(base.assigned), dict(base.values)
    if intake is not None:
        # No request names these members, so they look like the server's own; the intake says that callers fill them.
        for member in (*intake.rename.values(), intake.gather):
            assigned.pop(member or "", None)
    for member, rule in (value.get("assigned") or {}).items():
        assigned.pop(member, None)
        if is_serial(rule):
            assigned[member] = "serial"
        elif isinstance(rule, str) and rule in RULES:
            assigned[member] = rule
        elif rule != "none":
            values[member] = reader.template(rule, pointers.join(pointer, "assigned", member))
    return assigned, values


def _base(
    reader: AnnotationReader,
    model: Model,
    name: str,
    value: Mapping[str, Json],
    inferred: Resource | None,
    pointer: str,
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
            place=reader.place(pointer),
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
        parents=model.inference.resources.parents_of(value["collection"]) if "collection" in value else (),
        schema=None,
    )


def _with_schema(reader: AnnotationReader, base: Resource, value: Mapping[str, Json], pointer: str) -> Resource:
    if "schema" in value:
        located = reader.api.documents.resolve(value["schema"], reader.api.documents.root)
        schema = reader.api.schemas.at(located)
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
    if base.key is not None and base.anatomy.members:
        problem = "the key is no property of the resource's schema"
        reader.known(base.key, base.anatomy.members, pointer + "/key", problem)
    return base


def _intake(value: Mapping[str, Json]) -> Intake | None:
    entry = value.get("intake")
    if entry is None:
        return None
    return Intake(
        entry.get("rename") or {},
        tuple(entry.get("spread") or ()),
        frozenset(entry.get("drop") or ()),
        frozenset(entry["keep"]) if "keep" in entry else None,
        entry.get("gather"),
    )


def _soft_delete(reader: AnnotationReader, value: Mapping[str, Json], pointer: str) -> SoftDelete | None:
    if "softDelete" not in value:
        return None
    entry = value["softDelete"]
    return SoftDelete(reader.templates(entry["set"], pointer + "/softDelete/set"), bool(entry.get("hidden", True)))


def _events(reader: AnnotationReader, values: Mapping[str, Json], pointer: str) -> Iterator[EventRule]:
    for name, entry in values.items():
        place = pointers.join(pointer, name)
        when = reader.criterion(entry["when"], place + "/when") if "when" in entry else None
        yield EventRule(
            name, entry["on"], when, reader.template(entry["payload"], place + "/payload", roots=frozenset({"event"}))
        )
