"""Rules: what follows from writing an item, in one place for all the descriptions that share a state.

A rule that one description declares holds for writes through any of them; one that several declare alike holds once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from mock_server.dataclass import dataclass
from mock_server.errors import AnnotationError
from mock_server.model.effects import EFFECTS, parents_of
from mock_server.model.meaning import Effect, EventRule, Resource, Transition
from mock_server.model.model import Model


@dataclass(frozen=True, slots=True)
class Ruled:
    """One resource with what its writes bring about; each event rule and effect with who declares it.

    ``timed`` are its moves that happen by themselves, as ``model`` declares them.
    """

    resource: Resource
    model: Model
    events: tuple[tuple[str, EventRule], ...] = ()
    effects: tuple[tuple[Model, Effect], ...] = ()
    timed: Mapping[str, Transition] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of some models by the qualified names of the resources they are about."""

    by_resource: Mapping[str, Ruled]
    resources: Mapping[str, Resource]


def rules_of(models: Iterable[Model]) -> Rules:
    """The rules that models declare; an ``AnnotationError`` for an effect on a resource that does not exist."""
    found: dict[str, Ruled] = {}
    for model in models:
        for name in model.annotations.resource_names:
            resource = model.resource(name)
            if resource is None:
                continue
            for effect in resource.effects:
                _check(model, resource, effect)
            timed = {n: t for n, t in resource.states.transitions.items() if t.timed} if resource.states else {}
            if not (resource.events or resource.effects or timed or resource.serials):
                continue
            known = found.get(resource.qualified)
            found[resource.qualified] = _joined(known, Ruled(
                resource,
                model,
                tuple((model.api.name, rule) for rule in resource.events),
                tuple((model, effect) for effect in resource.effects),
                timed,
            ))  # fmt: skip
    return Rules(found, {name: ruled.resource for name, ruled in found.items()})


def _joined(known: Ruled | None, more: Ruled) -> Ruled:
    if known is None:
        return more
    types = {rule.type for _, rule in known.events}
    sources = [effect.source for _, effect in known.effects]
    joined = replace(
        known,
        events=(*known.events, *(entry for entry in more.events if entry[1].type not in types)),
        effects=(*known.effects, *(entry for entry in more.effects if entry[1].source not in sources)),
    )
    if known.timed or not more.timed:
        return joined
    return replace(joined, resource=more.resource, model=more.model, timed=more.timed)


def _check(model: Model, resource: Resource, effect: Effect) -> None:
    reader = model.annotations.reader
    if effect.action == "compute":
        reader.known(
            effect.target, sorted(EFFECTS), effect.pointer + "/compute", "no effect is registered under this name",
            hint="register it with @effect(<name>) in the pack's compute.py",
        )  # fmt: skip
        return
    place = f"{effect.pointer}/{effect.action}"
    reader.known(effect.target, model.resource_names(), place, "no such resource")
    target = model.named_resource(effect.target)
    if effect.scope is not None and len(effect.scope) != len(target.parents):
        raise AnnotationError(
            "a scope gives the key of each parent, outermost first",
            place=reader.place(effect.pointer + "/scope"),
            got=f"{len(effect.scope)} keys",
            allowed=", ".join(parent.parameter for parent in target.parents) or f"none: {target.name} has no parents",
        )
    if effect.action == "create" and effect.scope is None and parents_of(resource, target) is None:
        raise AnnotationError(
            f"in which {target.parents[-1].parameter} the new item of {target.name} is does not follow",
            place=reader.place(effect.pointer),
            hint="give it scope: [<the key of each parent>]",
        )
