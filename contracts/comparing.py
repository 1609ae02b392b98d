"""Comparing what an item should be with what was shown of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from mock_server.model.outcome import Difference
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

_EPOCH_SECONDS = 1_000_000_000
_EPOCH_MILLISECONDS = 100_000_000_000


def item_differences(
    expected: Mapping[str, Json],
    shown: Mapping[str, Json],
    *,
    passed_over: frozenset[str] = frozenset(),
    slack: Callable[[str], float] = lambda _: 0.0,
) -> Iterator[tuple[str, Difference]]:
    """The members of an item that are shown otherwise than expected, by name.

    Members that were not expected are the description's business. A member that is null and one that is left out say
    the same. ``slack`` gives, for each member, by how many seconds moments may differ.
    """
    for name, value in expected.items():
        if name in passed_over or name.startswith("$"):
            continue
        pointer = pointers.join("", name)
        if name not in shown:
            if value is not None:
                yield name, Difference(pointer, value, None, f"{name} is missing")
            continue
        found = next(differences(value, shown[name], pointer, slack=slack(name)), None)
        if found is not None:
            yield name, found


def differences(expected: Json, got: Json, pointer: str = "", *, slack: float = 0.0) -> Iterator[Difference]:
    """Where a value is not the expected one; objects may have more members than expected."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name, member in expected.items():
            here = pointers.join(pointer, name)
            if name in got:
                yield from differences(member, got[name], here, slack=slack)
            elif member is not None:
                yield Difference(here, member, None, f"{name} is missing")
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            yield Difference(pointer, expected, got, f"has {len(got)} entries, not {len(expected)}")
            return
        for index, (left, right) in enumerate(zip(expected, got, strict=True)):
            yield from differences(left, right, pointers.join(pointer, index), slack=slack)
    elif not same_value(expected, got, slack=slack):
        yield Difference(pointer, expected, got, "is another value")


def same_value(left: Json, right: Json, *, slack: float = 0.0) -> bool:
    """Whether two plain values say the same: 1 and 1.0 do, and so do two spellings of one moment.

    Moments (RFC 3339, epoch seconds or milliseconds) may differ by ``slack`` seconds.
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right or math.isclose(left, right, rel_tol=1e-12) or _near(left, right, slack)
    if isinstance(left, str) and isinstance(right, str) and left != right:
        one, other = _moment(left), _moment(right)
        return one is not None and other is not None and abs((one - other).total_seconds()) <= slack
    return bool(left == right)


def _near(left: float, right: float, slack: float) -> bool:
    """Whether two numbers are moments of our days that lie near each other."""
    if not slack or min(left, right) < _EPOCH_SECONDS:
        return False
    in_milliseconds = min(left, right) > _EPOCH_MILLISECONDS
    return abs(left - right) <= slack * (1000 if in_milliseconds else 1)


def _moment(text: str) -> datetime | None:
    """The moment that a text in RFC 3339 names, None for any other text."""
    if len(text) < 19 or text[4:5] != "-" or text[10:11] not in {"T", "t", " "}:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
