"""Members of nested objects by path, changed by making copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.model.outcome import Hole
from mock_server.openapi.expressions import MISSING, Context, ValueTemplate
from mock_server.openapi.values import Json

Path = tuple[str, ...]


def with_member(value: Any, path: Path, member: Any) -> Any:
    """A copy of nested objects with one member set; what is no object on the way becomes one."""
    copied = dict(value) if isinstance(value, dict) else {}
    copied[path[0]] = member if len(path) == 1 else with_member(copied.get(path[0]), path[1:], member)
    return copied


def with_templates(value: Json, templates: Mapping[Path, ValueTemplate], context: Context) -> Any:
    """A copy with the members that templates give; one that names nothing is left as it is."""
    for path, template in templates.items():
        member = template.evaluate(context)
        if member is not MISSING:
            value = with_member(value, path, member)
    return value


def evaluated(templates: Mapping[str, ValueTemplate], context: Context) -> dict[str, Any]:
    """The members that templates give, by name; without those that name nothing."""
    found = {name: template.evaluate(context) for name, template in templates.items()}
    return {name: member for name, member in found.items() if member is not MISSING}


def with_increases(value: Json, amounts: Mapping[Path, ValueTemplate], context: Context) -> Any:
    """A copy in which numbers are raised by what templates give; what is no number yet counts as 0."""
    for path, template in amounts.items():
        held: Any = value
        for name in path:
            held = held.get(name) if isinstance(held, dict) else None
        amount = template.evaluate(context)
        if isinstance(amount, int | float) and not isinstance(held, Hole):
            value = with_member(value, path, (held if isinstance(held, int | float) else 0) + amount)
    return value
