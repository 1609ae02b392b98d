"""What the description says of an operation or a resource beyond its meaning, worked out once and asked every
call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mock_server.dataclass import dataclass
from mock_server.model.anatomy import EMPTY, Anatomy, Member, dissect, flatten, words
from mock_server.model.filters import Condition, Predicate
from mock_server.model.inference.bodies import request_schema, response_schema, schema_at
from mock_server.model.inference.fields import start_rule
from mock_server.model.inference.resources import repeating
from mock_server.model.inference.roles import EXCHANGE_IDS
from mock_server.model.meaning import PLACED_IN, Meaning, Parent, Resource
from mock_server.model.outcome import Hole
from mock_server.model.tenants import parents_in
from mock_server.model.world import bears, deletion_marks
from mock_server.openapi.description import Operation
from mock_server.openapi.expressions import Context
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Mint

if TYPE_CHECKING:
    from mock_server.model.model import Model

_SERVERS_OWN = frozenset({"key", "created", "updated", "revision", "serial"})


@dataclass(frozen=True, slots=True)
class Ancestor:
    """An item that a path leads through: its resource, and the parameters with its scope and its key."""

    resource: Resource
    scope: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """What the description says of one operation.

    ``scope`` are the path parameters that index the state, in the order of the resource's parents;
    ``narrowing`` maps those that only narrow a view to the path of the member they select by. ``headers`` are
    the described ones of the success response by lower-case name. ``writable`` are the members that the
    request describes and does not mark readOnly, None when it names no member, so that any may be sent; ``ignored`` are
    those it marks.
    ``created`` is the status of a PUT that creates. ``exchange_ids`` are the members of the response's envelope that
    identify the exchange, by path, each with its hole.
    """

    scope: tuple[str, ...]
    narrowing: Mapping[str, tuple[str, ...]]
    ancestors: tuple[Ancestor, ...]
    headers: Mapping[str, str]
    uses_etags: bool
    wants_precondition: bool
    may_create: bool
    created: int
    takes_key: bool
    writable: frozenset[str] | None
    ignored: frozenset[str]
    defaults: Mapping[str, Json]
    exchange_ids: tuple[tuple[tuple[str, ...], Hole], ...]


@dataclass(frozen=True, slots=True)
class ResourceFacts:
    """What the description says of one resource.

    ``read_only`` are the members no request may set, ``own`` those that are always the server's (readOnly
    ones, key, parents' keys, times and revision). ``needed`` are the members that an item must have though
    callers may leave them out, each with the rule for its value then. ``mint`` makes keys; ``nested`` are the
    qualified names of what is kept below its items. ``listed`` is what an item must be to be shown in lists,
    ``counted`` to count towards the quota, None where all are; each is one object, by which indexes are known.
    """

    read_only: frozenset[str]
    own: frozenset[str]
    needed: Mapping[str, str]
    key_schema: Mapping[str, Json]
    mint: Mint
    nested: tuple[str, ...]
    listed: Condition | None
    counted: Predicate | None


def operation_facts(model: Model, meaning: Meaning) -> OperationFacts:
    """The facts of an operation."""
    operation = model.api.operation(meaning.operation_id)
    resource = meaning.resource
    headers = {h.name.lower(): h.name for h in meaning.response.headers} if meaning.response is not None else {}
    request = _request_anatomy(operation, meaning.request_path)
    writable = frozenset(name for name, member in request.members.items() if not member.read_only)
    if resource is not None and resource.intake is not None:
        writable = resource.intake.reaches(writable, resource.anatomy.members)
    scope = _scope(resource, meaning.scope) if resource is not None else ()
    ancestors = tuple(_ancestors(model, meaning))
    return OperationFacts(
        scope=scope,
        narrowing=_narrowing(resource, meaning, scope, ancestors) if resource is not None else {},
        ancestors=ancestors,
        headers=headers,
        uses_etags=_uses_etags(operation, headers),
        wants_precondition="428" in operation.responses,  # a class, 4XX, is not meant to ask for preconditions
        may_create=_may_create(model, operation, resource),
        created=201 if operation.describes(201) else meaning.status,
        takes_key=resource is not None and resource.key in writable,
        writable=writable if request.members else None,
        ignored=frozenset(name for name, member in request.members.items() if member.read_only),
        defaults={
            name: member.schema["default"]
            for name, member in request.members.items()
            if "default" in member.schema and not member.read_only
        },
        exchange_ids=tuple(_exchange_ids(meaning)),
    )


def _exchange_ids(meaning: Meaning) -> Iterable[tuple[tuple[str, ...], Hole]]:
    """Members beside the item, at the top or one object below, that go by a name for the id of a request."""
    schema = response_schema(meaning.response)
    if schema is None:
        return
    bundle = schema.bundle(Direction.RESPONSE)
    item = meaning.envelope.path[:1]
    of_item = meaning.resource.anatomy.members if meaning.resource is not None and not item else {}
    for name, member in dissect(bundle, bundle).members.items():
        if (name,) == item or name in of_item:
            continue
        if _names_exchange(name, member):
            yield (name,), _exchange_id(name, member)
        elif "object" in member.types:
            below = dissect(bundle, schema_at(bundle, (name,)))
            yield from (((name, n), _exchange_id(n, m)) for n, m in below.members.items() if _names_exchange(n, m))


def _names_exchange(name: str, member: Member) -> bool:
    return member.is_text and words(name) in EXCHANGE_IDS


def _exchange_id(name: str, member: Member) -> Hole:
    plain = "pattern" not in member.schema and "format" not in member.schema
    return Hole("exchange", name, member.schema, mint=None if plain else Mint(dict(member.schema), name=name))


def _scope(resource: Resource, parameters: tuple[str, ...]) -> tuple[str, ...]:
    """The parameters with the parents' keys: those named like them, else by position where an alias
    differs."""
    named = [parent.parameter for parent in resource.parents]
    if set(named) <= set(parameters):
        return tuple(named)
    return parameters[: len(named)]


def _narrowing(
    resource: Resource, meaning: Meaning, scope: tuple[str, ...], ancestors: Iterable[Ancestor]
) -> dict[str, tuple[str, ...]]:
    collections = {found.key: found.resource.name.rpartition(".")[2] for found in ancestors}
    found: dict[str, tuple[str, ...]] = {}
    for parameter in meaning.scope:
        if parameter in scope:
            continue
        name = repeating(resource.anatomy, parameter, collections.get(parameter, ""))
        if name is not None:
            found[parameter] = (name,)
        elif meaning.inferred and parameter in collections:
            # Nothing in the item says below which one it was created, so the state has to remember.
            found[parameter] = (PLACED_IN, parameter)
    return found


def _ancestors(model: Model, meaning: Meaning) -> Iterable[Ancestor]:
    """The resources that the operation's path leads through, its own item left out."""
    structure = model.inference.structure
    shape = structure.shapes[meaning.operation_id]
    parameters = model.api.refs[meaning.operation_id].template.parameters
    for found in structure.ancestors(shape, parameters):
        *scope, key = found.parameters
        if key == meaning.key_parameter or (
            meaning.resource is None and key == parameters[-1] and shape.endswith("{}")
        ):
            continue
        owner = model.resource_at(found.collection)
        if owner is not None:
            yield Ancestor(owner, tuple(scope[: len(owner.parents)]), key)


def _uses_etags(operation: Operation, headers: Mapping[str, str]) -> bool:
    """Whether the description declares entity tags or preconditions for the operation."""
    if "etag" in headers or any(operation.describes(status) for status in (304, 412, 428)):
        return True
    asked = {p.name.lower() for p in operation.parameters if p.location == "header"}
    return bool(asked & {"if-match", "if-none-match"})


def _may_create(model: Model, operation: Operation, resource: Resource | None) -> bool:
    """Whether a PUT creates what is not there: 201 is described, or nothing else creates the resource."""
    if operation.describes(201) or (resource is not None and resource.singleton):
        return True
    group = model.inference.structure.group_of(operation.id)
    collection = model.inference.structure.groups.get(group.item_of or "")
    return group.item_of is not None and (collection is None or "POST" not in collection.methods)


def _request_anatomy(operation: Operation, path: tuple[str, ...]) -> Anatomy:
    schema = request_schema(operation)
    if schema is None:
        return EMPTY
    bundle = schema.bundle(Direction.REQUEST)
    found = dissect(bundle, schema_at(bundle, path))
    return dissect(bundle, found.items) if found.is_array else found


def resource_facts(model: Model, resource: Resource) -> ResourceFacts:
    """The facts of a resource."""
    read_only = frozenset(name for name, member in resource.anatomy.members.items() if member.read_only)
    own = {
        name
        for name, rule in resource.assigned.items()
        if rule in _SERVERS_OWN or rule.startswith("parent:") or (name in resource.imposed and rule != "initial")
    }
    if resource.tenancy is not None and resource.tenancy.property is not None:
        own.add(resource.tenancy.property)
    schema = _key_schema(model, resource)
    listed = _listed(resource)
    return ResourceFacts(
        read_only=read_only,
        own=read_only | own,
        needed={
            name: start_rule(member)
            for name, member in resource.anatomy.members.items()
            if name in resource.anatomy.required and name not in resource.assigned and not member.write_only
        },
        key_schema=schema,
        mint=Mint(dict(schema), name=resource.key or "id", salt=resource.qualified + "/"),
        nested=model.nested_names(resource),
        listed=listed,
        counted=_counted(resource, listed),
    )


def _listed(resource: Resource) -> Condition | None:
    """That an item is not deleted softly, where that hides it."""
    soft = resource.soft_delete
    if soft is None or not soft.hidden:
        return None
    marks = deletion_marks(soft)
    return Condition(lambda value: not bears(marks, value), lasting=True)


def _counted(resource: Resource, listed: Condition | None) -> Predicate | None:
    """That an item counts towards its resource's quota."""
    where = resource.quota.where if resource.quota is not None else None
    if where is None:
        return listed
    return lambda value: (listed is None or listed(value)) and where.holds(Context(bindings={"resource": value}))


def member_schema(resource: Resource, name: str) -> Mapping[str, Json]:
    """A member's schema, references followed; a plain string's when the member is not described."""
    member = resource.anatomy.members.get(name)
    return member.schema if member is not None else {"type": "string"}


def _key_schema(model: Model, resource: Resource) -> Mapping[str, Json]:
    """What a minted key satisfies: the annotation, the key property, or the path parameter that carries
    it."""
    if resource.key_schema is not None:
        return resource.key_schema
    carried = _carrying_schema(model, resource)
    if resource.key is None:
        return carried or {"type": "string", "format": "uuid"}
    held = member_schema(resource, resource.key)
    return {**{name: carried[name] for name in _FORM if name in carried and _FORM.isdisjoint(held)}, **held}


_FORM = frozenset({"pattern", "format", "enum", "const"})
"""What says how a key is spelled. Where only the path parameter does, a key has to be spelled so for the path."""


def _carrying_schema(model: Model, resource: Resource) -> Mapping[str, Json]:
    """The schema of the path parameter that carries a resource's key; {} where none is described."""
    item = model.inference.structure.item_group(model.shape_of(resource) or "")
    for operation_id in item.methods.values() if item is not None else ():
        for parameter in model.api.operation(operation_id).parameters:
            if parameter.location == "path" and parameter.name == resource.key_parameter and parameter.schema:
                bundle = parameter.schema.bundle(Direction.REQUEST)
                return flatten(bundle, bundle)
    return {}


def typed(resource: Resource, name: str, text: Json) -> Json:
    """A key from a path as the property that repeats it holds it: ``"7"`` is 7 where that is a number."""
    member = resource.anatomy.members.get(name)
    if member is None or not isinstance(text, str):
        return str(text) if member is not None and member.types == {"string"} else text
    if "string" not in member.types and member.types & {"integer", "number"}:
        return int(text) if text.lstrip("-").isdigit() and text.isascii() else text
    return text


def repeated_parents(resource: Resource, scope: tuple[str, ...]) -> dict[str, Json]:
    """The members of an item that repeat its parents' keys and its tenant."""
    pairs: Iterable[tuple[Parent, str]] = zip(resource.parents, parents_in(resource, scope), strict=False)
    keys = {parent.property: typed(resource, parent.property, key) for parent, key in pairs if parent.property}
    return {**keys, **repeated_tenant(resource, scope)}


def repeated_tenant(resource: Resource, scope: tuple[str, ...]) -> dict[str, Json]:
    """The member of an item that repeats its tenant, if it has one; null, if it may be, for nobody's."""
    name = resource.tenancy.property if resource.tenancy is not None else None
    if name is None:
        return {}
    if scope[0]:
        return {name: typed(resource, name, scope[0])}
    member = resource.anatomy.members.get(name)
    return {name: None} if member is not None and "null" in member.types else {}
