"""Items that an operation looks at beside its own: what ``related`` annotations bind names to."""

from __future__ import annotations

from typing import Any

from mock_server.dataclass import dataclass
from mock_server.model.call import Call
from mock_server.model.filters import value_at
from mock_server.model.lenses import likely
from mock_server.model.meaning import Reason, Related
from mock_server.model.outcome import Hole, key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.world import World
from mock_server.openapi.expressions import MISSING, Context
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class _Look:
    world: World
    tenant: str


def related_items(
    world: World, related: tuple[Related, ...], call: Call, *, resource: Json
) -> dict[str, Json] | Problem:
    """The values of an operation's related names, or the problem of one that must be there and is not.

    A name's own key and conditions may refer to names before it. A name whose item is missing is left out, so that
    expressions about it name nothing.
    """
    look = _Look(world, world.tenant(call))
    found: dict[str, Json] = {}
    for entry in related:
        context = world.context(call, resource=resource)
        context = Context(context.url, context.method, context.status_code, context.request, context.response,
                          {**context.bindings, **found})  # fmt: skip
        value = _many(look, entry, context) if entry.key is None else _one(look, entry, context)
        if value is not MISSING:
            found[entry.name] = value
        elif entry.missing is not None:
            missing = entry.missing
            why = Reason("related", entry.name, f"no such item of {entry.resource} is there")
            return Problem(Kind(missing.kind), missing.detail, status=missing.status, code=missing.code, reasons=(why,))
    return found


def _one(look: _Look, entry: Related, context: Context) -> Any:
    assert entry.key is not None
    key = entry.key.evaluate(context)
    if key is MISSING or key is None or isinstance(key, Hole | dict | list):
        return MISSING
    resource = look.world.model.named_resource(entry.resource)
    held = look.world.entry(resource, _scope(look, entry, context), key_text(key))
    return held.value if held is not None else MISSING


def _many(look: _Look, entry: Related, context: Context) -> Json:
    resource = look.world.model.named_resource(entry.resource)
    scope = _scope(look, entry, context)
    wanted = [(path, template.evaluate(context)) for path, template in entry.where.items()]
    collection = look.world.collection(resource, scope)
    found = [
        item.value
        for item in (likely(collection, *wanted[0]) if wanted else collection)
        if all(value_at(item.value, path) == value for path, value in wanted)
        and look.world.entry(resource, scope, item.key) is not None
    ]
    return len(found) if entry.count else found


def _scope(look: _Look, entry: Related, context: Context) -> tuple[str, ...]:
    resource = look.world.model.named_resource(entry.resource)
    parents = tuple(key_text(template.evaluate(context)) for template in entry.scope)
    return look.world.placed(resource, parents, tenant=look.tenant)
