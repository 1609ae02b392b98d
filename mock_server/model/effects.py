"""Effects: what writing an item changes elsewhere, whichever operation, timer or control request wrote it.

What the vocabulary cannot say is a Python function that a pack registers under a name:

    @effect("complete-import")
    def complete_import(work: Work, write: Write) -> Problem | None:
        for row in work.items("rows", import_id=write.key):
            work.create("contacts", row["contact"])
        return None

It changes things through the work it is given, or refuses the whole write by a ``Problem``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError
from mock_server.model.behaviours.updating import touched
from mock_server.model.clock import moments
from mock_server.model.collection import Entry
from mock_server.model.constraints import broken_constraint, cascade
from mock_server.model.filters import value_at
from mock_server.model.lenses import likely
from mock_server.model.meaning import Effect, Resource
from mock_server.model.members import Path, with_increases
from mock_server.model.minter import realize
from mock_server.model.outcome import Outcome, key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.seeding import stored_violations
from mock_server.model.settings import with_settings
from mock_server.model.state import Change, Partition, Put, Remove, State
from mock_server.model.tenants import parents_in, tenant_in
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.model.writes import Write
from mock_server.openapi.expressions import MISSING, Context, ValueTemplate
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.model import Model

Computation: TypeAlias = Callable[[Work, Write], Problem | None]

EFFECTS: dict[str, Computation] = {}
"""Registered effects by name."""


def effect(name: str) -> Callable[[Computation], Computation]:
    """Registers a function as the effect ``name``; the same name twice is an error unless it is reloaded."""

    def register(function: Computation) -> Computation:
        known = EFFECTS.get(name)
        if known is not None and (known.__module__, known.__qualname__) != (function.__module__, function.__qualname__):
            raise ConfigurationError(f"an effect named {name!r} is registered twice", got=function.__qualname__)
        EFFECTS[name] = function
        return function

    return register


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and by whom something is written, and what a double makes up values from.

    ``principal`` is what ``$principal`` names, None where nobody called: a timer, a control request.
    """

    now: datetime
    seed: int
    principal: Json = None
    tables: Mapping[str, Json] | None = None

    def context(self, write: Write) -> Context:
        """The context of expressions about a write."""
        bindings: dict[str, Json] = {"resource": write.item, "before": write.before, **moments(self.now)}
        if write.resource.parents:
            keys = parents_in(write.resource, write.partition.scope)
            bindings["parents"] = dict(zip((p.parameter for p in write.resource.parents), keys, strict=False))
        if self.principal is not None:
            bindings["principal"] = self.principal
        return Context(bindings=bindings)


def holds(rule: Effect, write: Write, context: Context) -> bool:
    """Whether an effect follows from a write."""
    return write.what in rule.on and (rule.when is None or rule.when.holds(context))


def applied(
    model: Model, rule: Effect, write: Write, state: State, circumstances: Circumstances
) -> tuple[Change, ...] | Problem:
    """The changes that one effect of a write makes to a state, or the problem that refuses the write as well."""
    world = World(model, state, circumstances.now, circumstances.tables or {})
    context = circumstances.context(write)
    tenant = _tenant(write, circumstances)
    if rule.action == "compute":
        work = Work(world, context=context, tenant=tenant)
        refusal = EFFECTS[rule.target](work, write)
        found = work.changes if refusal is None else refusal
    else:
        act = _Act(world, model.named_resource(rule.target), rule, write, context, tenant)
        found = act.created() if rule.action == "create" else act.changed()
    if isinstance(found, Problem):
        return found
    outcome = Outcome(0, changes=found, has_holes=True)
    changes = realize(outcome, state=state, seed=circumstances.seed, now=circumstances.now).changes
    return _broken(model, write, changes) or changes


def _broken(model: Model, write: Write, changes: tuple[Change, ...]) -> Problem | None:
    """The problem of the first item that breaks its schema, which is its annotation's fault and nobody else's."""
    for change in changes:
        if not isinstance(change, Put):
            continue
        resource = model.resource(change.partition.resource.removeprefix(model.namespace + "/"))
        if resource is None or change.partition.resource != resource.qualified:
            continue
        violations = stored_violations(model, resource, change.value)
        if violations:
            first = violations[0]
            detail = (
                f"an effect of {write} would store an item of {resource.name} that breaks its schema: "
                f"{first.pointer or 'it'} {first.message}"
            )
            return Problem(Kind.SELF_VIOLATION, detail, violations)
    return None


def _tenant(write: Write, circumstances: Circumstances) -> str:
    """Whose data a written item is: its partition says so where its resource is kept by tenant, else the caller."""
    tenant = tenant_in(write.resource, write.partition.scope)
    if tenant is not None:
        return tenant
    principal = circumstances.principal
    return str(principal.get("tenant") or "") if isinstance(principal, dict) else ""


@dataclass(frozen=True, slots=True)
class _Act:
    """One effect on its target."""

    world: World
    target: Resource
    rule: Effect
    write: Write
    context: Context
    tenant: str

    def created(self) -> tuple[Change, ...] | Problem:
        work = Work(self.world, context=self.context, tenant=self.tenant)
        scope = self._parents()
        if scope is None:
            return ()
        made = work.create(self.target.name, with_settings(self.target, {}, self.rule.set, self.context), scope=scope)
        return made if isinstance(made, Problem) else work.changes

    def changed(self) -> tuple[Change, ...] | Problem:
        """The changes to every item that the effect is about; none where there is no such item."""
        changes: list[Change] = []
        settled: set[Partition] = set()
        for partition, entry in self._targets():
            made = self._removed(partition, entry) if self.rule.action == "remove" else self._updated(partition, entry)
            if isinstance(made, Problem):
                return made
            if made and partition not in settled:
                settled.add(partition)
                changes += self.world.settle(self.target, partition.scope)
            changes += made
        return tuple(changes)

    def _updated(self, partition: Partition, entry: Entry) -> tuple[Change, ...] | Problem:
        value: Any = with_settings(self.target, entry.value, self.rule.set, self.context)
        value = with_increases(value, self.rule.increase, self.context)
        if value == entry.value:
            return ()
        problem = broken_constraint(self.world, self.target, partition.scope, value, key=entry.key)
        if problem is not None:
            return problem
        return (Put(partition, entry.key, touched(self.target, value, entry)),)

    def _removed(self, partition: Partition, entry: Entry) -> tuple[Change, ...] | Problem:
        if self.target.soft_delete is not None:
            marks: dict[Path, ValueTemplate] = {
                (name,): template for name, template in self.target.soft_delete.set.items()
            }
            marked = with_settings(self.target, entry.value, marks, self.context)
            return (Put(partition, entry.key, touched(self.target, marked, entry)),)
        dependants = cascade(self.world, self.target, partition.scope, entry.key)
        return dependants if isinstance(dependants, Problem) else (Remove(partition, entry.key), *dependants)

    # Which items

    def _targets(self) -> Iterator[tuple[Partition, Entry]]:
        keys = self._keys()
        wanted = [(path, template.evaluate(self.context)) for path, template in self.rule.where.items()]
        if any(value is MISSING or value is None for _, value in wanted):
            return
        for partition in self._partitions():
            for key in keys if keys is not None else self._likely(partition, wanted):
                entry = self.world.entry(self.target, partition.scope, key)
                if entry is not None and all(_same(value_at(entry.value, path), value) for path, value in wanted):
                    yield partition, entry

    def _likely(self, partition: Partition, wanted: list[tuple[Path, Json]]) -> list[str]:
        """The keys of at least the items that hold what is wanted."""
        held = self.world.collection(self.target, partition.scope)
        return [entry.key for entry in (likely(held, *wanted[0]) if wanted else held)]

    def _keys(self) -> list[str] | None:
        """The keys that the effect names: none where its expression names nothing; None where it goes by members."""
        if self.target.singleton:
            return [""]
        if self.rule.key is None:
            return None
        named = self.rule.key.evaluate(self.context)
        return [
            key_text(key)
            for key in (named if isinstance(named, list) else [named])
            if key is not MISSING and key is not None and not isinstance(key, dict | list)
        ]

    def _partitions(self) -> Iterator[Partition]:
        """Where the target's items may be: below parents that are known, else anywhere in the tenant."""
        parents = self._parents()
        if parents is None and self.rule.scope is not None:
            return
        if parents is not None:
            scope = self.world.placed(self.target, parents, tenant=self.tenant)
            yield Partition(self.target.qualified, scope)
            return
        for partition, _ in self.world.state.partitions(self.target.qualified):
            own = parents_in(self.target, partition.scope)
            if partition.scope == self.world.placed(self.target, own, tenant=self.tenant):
                yield partition

    def _parents(self) -> tuple[str, ...] | None:
        """The keys of the target's parents: as annotated, or as they follow from where the written item is."""
        if self.rule.scope is not None:
            keys = [template.evaluate(self.context) for template in self.rule.scope]
            return None if any(key is MISSING or key is None for key in keys) else tuple(key_text(key) for key in keys)
        count = parents_of(self.write.resource, self.target)
        if count is None:
            return None
        own = parents_in(self.write.resource, self.write.partition.scope)
        return (*own, self.write.key)[:count]


def parents_of(resource: Resource, target: Resource) -> int | None:
    """How many of a written item's own place (its parents' keys and its key) are the target's parents' keys.

    None where they do not follow from it.
    """
    own = [*(parent.resource or parent.parameter for parent in resource.parents), resource.name]
    wanted = [parent.resource or parent.parameter for parent in target.parents]
    return len(wanted) if own[: len(wanted)] == wanted else None


def _same(held: Json, wanted: Json) -> bool:
    """Whether a member holds a value; a key may be a number in one place and a text in the other."""
    if held == wanted and isinstance(held, bool) == isinstance(wanted, bool):
        return True
    plain = isinstance(held, str | int | float) and isinstance(wanted, str | int | float)
    return plain and isinstance(held, str) != isinstance(wanted, str) and key_text(held) == key_text(wanted)
