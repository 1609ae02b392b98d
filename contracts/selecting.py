"""What a filter's operator says of a value, with care: a verdict only where nobody can read it otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

from mock_server.model.clock import moment_of
from mock_server.openapi.values import Json

_DAY = len("2026-01-31")


def selects(operator: str, held: Json, wanted: Json) -> bool | None:
    """Whether an item that holds a value is selected by a filter; None where implementations may differ."""
    if operator == "in":
        return _any([_equal(one, wanted) for one in held] if isinstance(held, list) else [_equal(held, wanted)])
    if operator == "contains":
        return _contains(held, wanted)
    if isinstance(held, list | dict):
        return None
    if operator == "eq":
        return False if held is None else _equal(held, wanted)
    if held is None:
        # What is missing is not comparable; SQL and documents stores part over "not equal" here.
        return None if operator == "ne" else False
    if operator == "ne":
        equal = _equal(held, wanted)
        return None if equal is None else not equal
    return _ordered(operator, held, wanted)


def _any(found: list[bool | None]) -> bool | None:
    if True in found:
        return True
    return None if None in found else False


def _equal(held: Json, wanted: Json) -> bool | None:
    if held is None or isinstance(held, list | dict):
        return None
    if isinstance(held, bool) or isinstance(wanted, bool):
        return held is wanted if isinstance(held, bool) and isinstance(wanted, bool) else None
    if isinstance(held, str) != isinstance(wanted, str):
        return None
    if held == wanted:
        return True
    if isinstance(held, str) and isinstance(wanted, str):
        # Some compare without case, trimmed, or by the moment that a text names.
        alike = held.casefold().strip() == wanted.casefold().strip()
        moments = moment(held), moment(wanted)
        return None if alike or None not in moments else False
    return False


def _contains(held: Json, wanted: Json) -> bool | None:
    if isinstance(held, list):
        return _any([_equal(one, wanted) for one in held])
    if not isinstance(held, str) or not isinstance(wanted, str):
        return None
    if wanted in held:
        return True
    return None if wanted.casefold() in held.casefold() else False


def _ordered(operator: str, held: Json, wanted: Json) -> bool | None:
    sign = _compared(held, wanted)
    if sign is None:
        return None
    return {"gt": sign > 0, "gte": sign >= 0, "lt": sign < 0, "lte": sign <= 0}.get(operator)


def _compared(held: Json, wanted: Json) -> int | None:
    if isinstance(held, bool) or isinstance(wanted, bool):
        return None
    if isinstance(held, int | float) and isinstance(wanted, int | float):
        return (held > wanted) - (held < wanted)
    first, second = moment(held), moment(wanted)
    if first is None or second is None or len(str(held)) != len(str(wanted)):
        return None
    return (first > second) - (first < second)


def moment(value: Json) -> datetime | None:
    """The moment that a text names (ISO 8601), None for anything else."""
    if not isinstance(value, str) or len(value) < _DAY or value[4:5] != "-" or value[7:8] != "-":
        return None
    try:
        found = moment_of(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
