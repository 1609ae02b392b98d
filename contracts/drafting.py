"""Drafts: requests that an operation describes, with keys and references of what is known to exist.

A draft is decided by a number alone (and by what is known), so a smaller number is as good a request as a larger one
and Hypothesis can shrink it. Drafts are valid by their schemas; whether the service can grant them is another matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from contracts.edges import edges
from contracts.pool import Item, Pool
from contracts.roster import Roster
from contracts.service import Caller
from contracts.wire import Values, WireRequest, written
from mock_server.dataclass import dataclass
from mock_server.exchange.authentication import covers
from mock_server.exchange.requests import value_schema
from mock_server.model.anatomy import anatomy_of
from mock_server.model.filters import value_at
from mock_server.model.inference.bodies import request_schema
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import NO_BODY
from mock_server.openapi.description import MediaType, Operation, Parameter, SecurityRequirement
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Sampler, Unsampleable

_EPOCH = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
_VARIANTS = 7

UNSET: Any = object()


@dataclass(frozen=True, slots=True)
class Draft:
    """A request before it is sent: ``values`` by location and name, ``body`` NO_BODY where there is none.

    ``item`` is the one that it is about, where it is about one that is known.
    """

    operation_id: str
    values: Values
    body: Json
    content_type: str | None
    caller: Caller | None
    request: WireRequest
    item: Item | None = None

    @property
    def path(self) -> dict[str, Json]:
        """The values of its path parameters by name."""
        return {name: value for (location, name), value in self.values.items() if location == "path"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a draft should be like.

    ``values`` and ``body`` stand as they are given. ``lean`` leaves out all that is optional, ``odd`` prefers the ends
    of what schemas admit. ``item`` is the one to be about, ``caller`` who asks (None: nobody).
    """

    values: Values = field(default_factory=dict)
    body: Json = UNSET
    content_type: str | None = None
    caller: Any = UNSET
    item: Item | None = None
    lean: bool = False
    odd: bool = False


class Drafter:
    """Drafts requests of one API. What is worked out of the description is kept."""

    def __init__(self, roster: Roster, callers: Sequence[Caller] = ()) -> None:
        self.roster = roster
        self.model = roster.model
        self.api = roster.model.api
        self.callers = tuple(callers)
        self._samplers: dict[int, Sampler] = {}
        # Where nothing says how tenants are kept apart, an attempt stays with those of one tenant.
        self._knows_tenants = any(roles.resource.tenancy is not None for roles in roster.resources.values())

    def draft(self, operation_id: str, pool: Pool, number: int, wishes: Wishes | None = None) -> Draft | None:
        """A request of an operation; None where something must exist for it and nothing of its kind is known."""
        wanted = wishes if wishes is not None else Wishes()
        rng = Random(number)  # noqa: S311 - repeatable, not secret
        operation = self.api.operation(operation_id)
        meaning = self.roster.meaning(operation_id)
        caller = wanted.caller
        if caller is UNSET:
            tenant = wanted.item.tenant if wanted.item is not None else ""
            caller = self.caller(operation, rng, tenant=tenant or None)
        located = self._path(operation, meaning, pool, rng, wanted, caller)
        if located is None:
            return None
        path, item = located
        values: dict[tuple[str, str], Json] = {("path", name): value for name, value in path.items()}
        for parameter in operation.parameters:
            place = (parameter.location, parameter.name)
            if parameter.location == "path" or place in wanted.values:
                continue
            if parameter.required or (parameter.location == "query" and not wanted.lean and rng.random() < 0.3):
                value = self._parameter(parameter, meaning, pool, rng, caller)
                if value is not UNSET:
                    values[place] = value
        values |= dict(wanted.values)
        body = wanted.body if wanted.body is not UNSET else self._body(operation, pool, rng, wanted, caller)
        content_type = wanted.content_type if body is not NO_BODY else None
        request = written(self.api, operation, values, body=body, content_type=content_type)
        return Draft(operation_id, values, body, content_type, caller, request, item)

    # Callers

    def callers_of(self, operation: Operation, *, valid: bool = True) -> list[Caller]:
        """The callers with which an operation's security can be met (or, not ``valid``, must not be)."""
        if not operation.security:
            return []
        return [caller for caller in self.callers if caller.valid is valid and may(caller, operation)]

    def caller(self, operation: Operation, rng: Random | None = None, *, tenant: str | None = None) -> Caller | None:
        """A caller who may call an operation, the first that was given unless ``rng`` chooses; None for nobody."""
        found = self.callers_of(operation)
        if tenant is None and not self._knows_tenants:
            tenant = self.callers[0].tenant if self.callers else None
        if tenant is not None:
            found = [caller for caller in found if caller.tenant == tenant] or found
        if not found:
            return None
        return found[0] if rng is None or rng.random() < 0.6 else rng.choice(found)

    # Parts

    def _path(
        self, operation: Operation, meaning: Meaning, pool: Pool, rng: Random, wishes: Wishes, caller: Caller | None
    ) -> tuple[dict[str, Json], Item | None] | None:
        """The path parameters, and the item that they name; None where a key is needed and none is known."""
        given = {name: value for (location, name), value in wishes.values.items() if location == "path"}
        parameters = {p.name: p for p in operation.parameters if p.location == "path"}
        found: dict[str, Json] = {}
        item = wishes.item
        resource = meaning.resource
        facts = self.model.facts(meaning)
        tenant = caller.tenant if caller is not None else None
        if item is None and resource is not None and meaning.key_parameter is not None:
            known = [i for i in pool.items(resource, tenant=tenant) if _lies_under(i, facts.scope, given)]
            item = rng.choice(known) if known and meaning.key_parameter not in given else None
        if item is not None:
            found |= dict(zip(facts.scope, item.parents, strict=False))
            if meaning.key_parameter is not None:
                found[meaning.key_parameter] = item.key
        if meaning.entrance is not None and tenant:
            found.setdefault(meaning.entrance.parameter, tenant)
        for ancestor in facts.ancestors:
            if ancestor.key in found or ancestor.key in given:
                continue
            above = {**found, **given}
            candidates = [i for i in pool.items(ancestor.resource, tenant=tenant)
                          if _lies_under(i, ancestor.scope, above)]  # fmt: skip
            if candidates:
                chosen = rng.choice(candidates)
                found |= dict(zip(ancestor.scope, chosen.parents, strict=False))
                found[ancestor.key] = chosen.key
            elif not ancestor.resource.open_world:
                return None
        found |= given
        for name in self.api.refs[operation.id].template.parameters:
            if name in found:
                continue
            about = resource is not None and name == meaning.key_parameter
            if about and resource is not None and not resource.open_world and meaning.behaviour != "replace":
                return None
            value = UNSET
            if not about:
                looked_up = self._key_places(meaning).get(f"$request.path.{name}")
                value = self._key_of([looked_up] if looked_up else [], pool, rng, caller)
                value = self._referenced(name, pool, rng, caller) if value is UNSET else value
            if value is UNSET and name in parameters:
                value = self._sampled(value_schema(parameters[name]), rng, name)
            found[name] = f"x{rng.randrange(1000)}" if value is UNSET else value
        return found, item

    def _parameter(
        self, parameter: Parameter, meaning: Meaning, pool: Pool, rng: Random, caller: Caller | None
    ) -> Json:
        if parameter.location == "query":
            value = self._queried(parameter.name, meaning, pool, rng, caller)
            schema = value_schema(parameter)
            if value is not UNSET and (schema is None or schema.accepts(value, Direction.REQUEST)):
                return value
        return self._sampled(value_schema(parameter), rng, parameter.name)

    def _queried(self, name: str, meaning: Meaning, pool: Pool, rng: Random, caller: Caller | None) -> Json:
        """A value with which a list has something to select: from an item that is there."""
        listing, resource = meaning.listing, meaning.resource
        if name in {listing.limit}:
            return rng.choice((1, 2, 3, 5, 10))
        if name in {listing.page}:
            return listing.first_page + rng.choice((0, 0, 1))
        if name in {listing.offset}:
            return rng.choice((0, 0, 1, 2))
        if name == listing.sort and listing.sortable:
            return rng.choice(sorted(listing.sortable))
        chosen = next((known for known in listing.filters if known.parameter == name), None)
        if chosen is not None and resource is not None:
            items = pool.items(resource, tenant=caller.tenant if caller is not None else None)
            held = [value_at(item.value, chosen.property) for item in items if isinstance(item.value, dict)]
            told = [value for value in held if value is not None and not isinstance(value, dict | list)]
            if told:
                return rng.choice(told)
        return self._referenced(name, pool, rng, caller)

    def _referenced(self, name: str, pool: Pool, rng: Random, caller: Caller | None) -> Json:
        """The key of an item that a name speaks of; UNSET where it speaks of none that is known."""
        qualified = self.roster.called(name)
        if qualified is None:
            return UNSET
        resource = self.roster.resources[qualified].resource
        items = pool.items(resource, tenant=caller.tenant if caller is not None else None)
        return rng.choice(items).typed_key if items else UNSET

    def _body(self, operation: Operation, pool: Pool, rng: Random, wishes: Wishes, caller: Caller | None) -> Json:
        media = _media(operation, wishes.content_type)
        if media is None or operation.request_body is None:
            return NO_BODY
        if not operation.request_body.required and wishes.lean and request_schema(operation) is None:
            return NO_BODY
        value = self._sampled(media.schema, rng, operation.id)
        if value is UNSET:
            return NO_BODY
        schema = media.schema
        if schema is None:
            return value
        return self.refined(schema, value, operation, pool, rng, lean=wishes.lean, odd=wishes.odd, caller=caller)

    def refined(
        self,
        schema: Schema,
        value: Json,
        operation: Operation,
        pool: Pool,
        rng: Random,
        *,
        lean: bool,
        odd: bool,
        caller: Caller | None,
    ) -> Json:
        """A sample made into a request: optional members left out, references to what exists, odd values."""
        anatomy = anatomy_of(schema, Direction.REQUEST)

        def keep(changed: Json) -> None:
            nonlocal value
            if schema.accepts(changed, Direction.REQUEST):
                value = changed

        if isinstance(value, dict):
            for name in [name for name in value if name not in anatomy.required]:
                if lean or rng.random() < 0.25:
                    keep({known: member for known, member in value.items() if known != name})
        bound = self._bound(operation, value, (), pool, rng, caller)
        if schema.accepts(bound, Direction.REQUEST):
            value = bound
        elif isinstance(value, dict) and isinstance(bound, dict):
            for name, member in bound.items():
                keep({**value, name: member})
        if odd and isinstance(value, dict):
            for name in tuple(value):
                member = anatomy.members.get(name)
                if member is not None and self.roster.called(name) is None and rng.random() < 0.5:
                    for candidate in _some(list(edges(member)), rng):
                        keep({**value, name: candidate})
        return value

    def _bound(
        self, operation: Operation, value: Any, path: tuple[str, ...], pool: Pool, rng: Random, caller: Caller | None
    ) -> Any:
        """A body in which what names another thing names one that exists."""
        if isinstance(value, list) and any(isinstance(entry, dict | list) for entry in value):
            return [self._bound(operation, entry, (*path, "0"), pool, rng, caller) for entry in value]
        if not isinstance(value, dict):
            return value
        found = {}
        for name, member in value.items():
            here = (*path, name)
            found[name] = member
            if isinstance(member, dict) or (isinstance(member, list) and member and isinstance(member[0], dict)):
                found[name] = self._bound(operation, member, here, pool, rng, caller)
            elif path or not self._own_key(operation, name):
                key = self._related(operation, here, pool, rng, caller)
                key = self._referenced(name, pool, rng, caller) if key is UNSET else key
                if key is not UNSET:
                    found[name] = [key] if isinstance(member, list) else key
        return found

    def _own_key(self, operation: Operation, name: str) -> bool:
        resource = self.roster.meaning(operation.id).resource
        return resource is not None and resource.key == name

    def _related(
        self, operation: Operation, path: tuple[str, ...], pool: Pool, rng: Random, caller: Caller | None
    ) -> Json:
        """The key that an annotation says belongs at a place of the body."""
        meaning = self.roster.meaning(operation.id)
        named = {self._key_places(meaning).get(f"$request.body#/{'/'.join(path)}", "")}
        if meaning.resource is not None and len(path) == 1:
            named |= {known.resource for known in meaning.resource.references if known.property == path[0]}
        return self._key_of(named - {""}, pool, rng, caller)

    def _key_of(self, names: Iterable[str], pool: Pool, rng: Random, caller: Caller | None) -> Json:
        """The key of an item of the first resource of some names that has any; UNSET where none has."""
        for name in names:
            resource = self.model.resource(name)
            items = pool.items(resource, tenant=caller.tenant if caller is not None else None) if resource else []
            if items:
                return rng.choice(items).typed_key
        return UNSET

    def _key_places(self, meaning: Meaning) -> dict[str, str]:
        """The resources whose keys an operation's annotations look for, by the expression that says where."""
        return {str(related.key.source): related.resource for related in meaning.related if related.key is not None}

    def _sampled(self, schema: Schema | None, rng: Random, name: str) -> Json:
        if schema is None:
            return UNSET
        sampler = self._samplers.get(id(schema))
        if sampler is None:
            bundle = schema.bundle(Direction.REQUEST)
            sampler = self._samplers[id(schema)] = Sampler(bundle, direction=Direction.REQUEST)
        try:
            return sampler.sample(seed=rng.randrange(1 << 30), now=_EPOCH, name=name, variant=rng.randrange(_VARIANTS))
        except Unsampleable:
            return UNSET


def may(caller: Caller, operation: Operation) -> bool:
    """Whether a caller satisfies one alternative of an operation's security, as far as is known."""
    return any(_meets(caller, requirement) for requirement in operation.security)


def _meets(caller: Caller, requirement: SecurityRequirement) -> bool:
    held = caller.principal.scopes if caller.principal is not None else None
    needed = {scope for _, scopes in requirement for scope in scopes}
    known = {scheme.name for scheme, _ in requirement} <= caller.schemes
    return bool(requirement) and known and (held is None or all(covers(held, scope) for scope in needed))


def _media(operation: Operation, content_type: str | None) -> MediaType | None:
    content = operation.request_body.content if operation.request_body is not None else ()
    if content_type is not None:
        content = tuple(media for media in content if media.name == content_type)
    plain = (
        media for media in content if media.name.split(";")[0] in {"application/json", "application/merge-patch+json"}
    )
    return next(plain, content[0] if content else None)


def _lies_under(item: Item, parameters: Iterable[str], given: Mapping[str, Json]) -> bool:
    """Whether an item's parents are those that path parameters name already."""
    return all(str(given.get(name, key)) == key for name, key in zip(parameters, item.parents, strict=False))


def _some(values: list[Json], rng: Random) -> list[Json]:
    """Three of some values at most."""
    return rng.sample(values, k=min(3, len(values)))


def repinned(draft: Draft, drafter: Drafter, values: Values) -> Draft:
    """A draft with other values for some parameters."""
    together = {**draft.values, **values}
    operation = drafter.api.operation(draft.operation_id)
    request = written(drafter.api, operation, together, body=draft.body, content_type=draft.content_type)
    return replace(draft, values=together, request=request)
