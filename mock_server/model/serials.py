"""Serial numbers: texts such as ``INV-2026-017`` that count up without a gap and without a repeat.

A format holds ``{number}`` or ``{number:03}`` (padded with zeros) once, and as often as it likes ``{year}``,
``{month}`` and ``{day}`` of the moment of creation and runtime expressions such as ``{$resource#/series}``. A
collection counts on its own for each text that is left when the number is taken out, so ``INV-{year}-{number}``
begins again every year.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from mock_server.dataclass import dataclass
from mock_server.errors import did_you_mean
from mock_server.model.state import Advance, Partition
from mock_server.openapi.expressions import Context, Expression, ExpressionSyntaxError, json_text, parse
from mock_server.openapi.values import Json

NUMBER: Final = "number"
_DIGITS: Final[Mapping[str, str]] = {"year": "[0-9]{4}", "month": "[0-9]{2}", "day": "[0-9]{2}"}
_BRACES = re.compile(r"\{([^{}]*)\}")
_WIDTH = re.compile(r"(\w+)(?::([0-9]{1,2}))?")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a format that is filled when an item is made: the number, or a part of the date."""

    name: str
    width: int = 0


@dataclass(frozen=True, slots=True)
class Serial:
    """A member that is numbered: its path in the item, the format as it was written, and the format's parts.

    ``numeric`` says that the member is a number in JSON, which it can be where the format is nothing else.
    """

    path: tuple[str, ...]
    format: str
    parts: tuple[str | Slot | Expression, ...]
    numeric: bool = False

    def about(self, context: Context) -> Serial:
        """The format with its expressions replaced by what they name for one item; nothing is the empty text."""
        if not any(isinstance(part, Expression) for part in self.parts):
            return self
        return replace(self, parts=tuple(_text(p, context) if isinstance(p, Expression) else p for p in self.parts))

    def rest(self, now: datetime) -> str:
        """What is left of a serial of this moment when its number is taken out: each such text counts on its own."""
        return "".join(_filled(part, now) for part in self.parts)

    def value(self, number: int, now: datetime) -> Json:
        """The serial of a number."""
        if self.numeric:
            return number
        return "".join(
            str(number).zfill(part.width) if isinstance(part, Slot) and part.name == NUMBER else _filled(part, now)
            for part in self.parts
        )

    def read(self, value: Json) -> tuple[str, int] | None:
        """What is beside the number, and the number, of a serial that may have been made elsewhere; else None."""
        if self.numeric:
            return ("{number}", value) if isinstance(value, int) and not isinstance(value, bool) else None
        found = re.fullmatch("".join(map(_pattern, self.parts)), value) if isinstance(value, str) else None
        if found is None:
            return None
        begin, end = found.span(NUMBER)
        return found.string[:begin] + "{number}" + found.string[end:], int(found[NUMBER])

    def counter(self, partition: Partition, rest: str) -> str:
        """The name of the counter of a collection's items with this text around the number."""
        return f"{partition}#serial:{'/'.join(self.path)}:{rest}"

    def reached(self, partition: Partition, value: Json) -> Advance | None:
        """How far a value, whoever gave it, takes its counter; None for one that is no serial of this format."""
        read = self.read(value)
        return Advance(self.counter(partition, read[0]), read[1]) if read is not None else None


def _filled(part: str | Slot | Expression, now: datetime) -> str:
    if not isinstance(part, Slot):
        return part if isinstance(part, str) else ""
    if part.name == NUMBER:
        return "{number}"
    return f"{getattr(now, part.name):0{4 if part.name == 'year' else 2}}"


def _pattern(part: str | Slot | Expression) -> str:
    if isinstance(part, str):
        return re.escape(part)
    if isinstance(part, Expression):
        return ".*?"
    return f"(?P<number>[0-9]{{{max(part.width, 1)},}})" if part.name == NUMBER else _DIGITS[part.name]


def _text(expression: Expression, context: Context) -> str:
    value = expression.evaluate(context)
    if isinstance(value, str):
        return value
    return json_text(value) if isinstance(value, int | float) else ""


def serial(path: tuple[str, ...], text: str, *, roots: frozenset[str], is_number: bool = False) -> Serial:
    """The serial of a format; an ``ExpressionSyntaxError`` for one that cannot count.

    ``is_number`` says that the member's schema wants a number.
    """
    parts: list[str | Slot | Expression] = []
    at = 0
    for found in _BRACES.finditer(text):
        if found.start() > at:
            parts.append(text[at : found.start()])
        parts.append(_part(text, found, roots))
        at = found.end()
    if at < len(text):
        parts.append(text[at:])
    numbers = sum(isinstance(part, Slot) and part.name == NUMBER for part in parts)
    if numbers != 1:
        raise ExpressionSyntaxError(f"a serial has its number once, this one {numbers} times", text, 0,
                                    hint="write {number}, or {number:03} for 001")  # fmt: skip
    if is_number and parts != [Slot(NUMBER)]:
        raise ExpressionSyntaxError("the member is a number, so the serial can be nothing else", text, 0,
                                    hint="write {number} alone")  # fmt: skip
    return Serial(path, text, tuple(parts), is_number)


def _part(text: str, found: re.Match[str], roots: frozenset[str]) -> Slot | Expression:
    inner = found[1]
    if inner.startswith("$"):
        try:
            return parse(inner, roots=roots)
        except ExpressionSyntaxError as error:
            raise error.within(text, found.start(1)) from None
    named = _WIDTH.fullmatch(inner)
    if named is not None and (named[1] == NUMBER or (named[1] in _DIGITS and named[2] is None)):
        return Slot(named[1], int(named[2] or 0))
    known = (NUMBER, *_DIGITS)
    raise ExpressionSyntaxError(
        f"a serial has no part {{{inner}}}",
        text,
        found.start(),
        hint=did_you_mean(inner.partition(":")[0], known)
        or "the parts are {number}, {number:03}, {year}, {month}, {day}",
    )
