"""Strings for a regular expression of ECMA-262, the dialect of JSON Schema (2020-12 core §6.4).

``rstr`` makes the strings, but it reads Python's dialect, draws from all of printable ASCII, and visits
sets in an order that differs between processes. So a pattern is first narrowed: every class becomes an
explicit, sorted list of likely characters, every unbounded repetition gets bounds, and what Python cannot
read is rewritten. A string of the narrowed pattern nearly always matches the original; look-arounds and
word boundaries are why it is checked.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

import jsonschema_rs
import rstr

from mock_server.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALNUM = string.ascii_lowercase + string.digits + string.ascii_uppercase
_PRINTABLE = _ALNUM + "-_. " + "".join(c for c in string.punctuation if c not in "-_.")
_BEYOND_ASCII = "\t\néßñЖд日本あ٣😀"  # for classes that leave all of printable ASCII out
_LOOK_AROUNDS = ("(?=", "(?!", "(?<=", "(?<!")
_LONGEST_REPEAT = 100  # rstr repeats at most this often at once
_ROUNDS = 4
_SOME = 12
_ESCAPED_CLASSES = {
    "d": string.digits,
    "D": string.ascii_lowercase + "-_ ",
    "w": string.ascii_lowercase + string.digits + string.ascii_uppercase + "_",
    "W": "-. ",
    "s": " ",
    "S": _ALNUM,
}
_UNICODE_CLASSES = {
    "Lu": string.ascii_uppercase,
    "Ll": string.ascii_lowercase,
    "L": string.ascii_lowercase + string.ascii_uppercase,
    "N": string.digits,
    "P": ".,!-",
    "S": "+=$",
    "Z": " ",
}
_UNICODE_NAMES = {
    "Letter": "L",
    "Uppercase_Letter": "Lu",
    "Lowercase_Letter": "Ll",
    "Number": "N",
    "Alphabetic": "L",
}
_CONTROL_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_COUNT = re.compile(r"\{(\d+)(,?)(\d*)\}")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """How to narrow a pattern: how often a repetition may go beyond its least count, and up to at least
    which count.

    With ``plain``, a repeated class that has letters or digits offers only those. Without ``look_around``,
    what a look-around asks for is not written into the string.
    """

    extra: int
    at_least: int = 0
    plain: bool = True
    look_around: bool = True

    def bounds(self, least: int, most: int | None) -> tuple[int, int]:
        """The counts to choose from for a repetition of ``least`` to ``most`` times."""
        low = max(least, self.at_least if most is None else min(self.at_least, most))
        high = low + self.extra
        return low, high if most is None else max(low, min(high, most))


@lru_cache(maxsize=4096)
def _validator(pattern: str) -> jsonschema_rs.Validator | None:
    try:
        return jsonschema_rs.validator_for({"pattern": pattern})
    except ValueError:
        return None


def matches(pattern: str, text: str) -> bool:
    """Whether ``text`` matches to the validator; a pattern that it cannot read matches nothing."""
    validator = _validator(pattern)
    return validator is not None and validator.is_valid(text)


def strings_matching(pattern: str, rng: Random, *, min_length: int = 0, max_length: int | None = None) -> Iterator[str]:
    """Candidate strings that match ``pattern``, the most natural first."""
    narrowings = _narrowings(min_length, max_length)
    for _round in range(_ROUNDS):
        for narrowing in narrowings:
            yield from _made(pattern, narrowing, rng, count=1)


@lru_cache(maxsize=2048)
def some_matching(pattern: str, *, min_length: int = 0, max_length: int | None = None) -> tuple[str, ...]:
    """A few natural strings that match ``pattern``, always the same ones: reading a pattern is costly."""
    rng = Random(pattern)  # noqa: S311 - repeatable, not secret
    for narrowing in _narrowings(min_length, max_length):
        fitting = tuple(
            text
            for text in _made(pattern, narrowing, rng, count=_SOME)
            if min_length <= len(text) and (max_length is None or len(text) <= max_length)
        )
        if fitting:
            return fitting
    return ()


def _narrowings(min_length: int, max_length: int | None) -> list[Narrowing]:
    """The ways to narrow a pattern for strings of these lengths, the most natural first."""
    usual = [
        Narrowing(5, at_least=3),
        Narrowing(2),
        Narrowing(0),
        Narrowing(8, look_around=False),
        Narrowing(8, plain=False),
        Narrowing(30, plain=False),
    ]
    if not min_length and max_length is None:
        return usual
    target = min_length or min(max_length or 0, 16)
    room = (max_length or target + 8) - target
    return [
        Narrowing(max(room, 0) // 2, at_least=target),
        Narrowing(0, at_least=target),
        *usual,
        Narrowing(0, at_least=max(target // 2, 1)),
        Narrowing(max_length or 2 * target, plain=False),
    ]


def _made(pattern: str, narrowing: Narrowing, rng: Random, *, count: int) -> Iterator[str]:
    narrowed = narrow(pattern, narrowing)
    if narrowed is None:
        return
    generator = rstr.Rstr(rng)
    for _ in range(count):
        try:
            text = generator.xeger(narrowed)
        except (re.error, KeyError, IndexError, ValueError, OverflowError):
            return  # a construct that rstr or Python does not know; another narrowing may leave it out
        if matches(pattern, text):
            yield text


@lru_cache(maxsize=4096)
def narrow(pattern: str, narrowing: Narrowing) -> str | None:
    """``pattern`` in Python's dialect, with explicit characters and bounds; None when it cannot be read."""
    try:
        return "".join(_Reader(pattern, narrowing).pieces())
    except (IndexError, ValueError):
        return None


class _Reader:
    """Reads a pattern from left to right and writes the narrowed one, piece by piece."""

    def __init__(self, pattern: str, narrowing: Narrowing) -> None:
        self.pattern = pattern
        self.narrowing = narrowing
        self.at = 0

    def pieces(self) -> Iterator[str]:
        pending: list[
            tuple[str, bool]
        ] = []  # the pieces of open groups, and whether they are longer than they had to be
        starts: list[int] = []
        while self.at < len(self.pattern):
            if self.pattern[self.at] == "(":
                starts.append(len(pending))
                pending.append((self._opening(), False))
                continue
            if self.pattern[self.at] == ")":
                self.at += 1
                start = starts.pop() if starts else 0
                atom = "".join(piece for piece, _ in pending[start:]) + ")"
                is_long = any(is_long for _, is_long in pending[start:])
                del pending[start:]
                if atom.startswith(_LOOK_AROUNDS) and not self.narrowing.look_around:
                    continue
                capturing = not atom.startswith("(?") or atom.startswith("(?P<")
                pending.append(self._repeated(atom, capturing=capturing, is_long=is_long))
                continue
            atom = self._atom()
            pending.append(self._repeated(atom) if atom not in ("^", "$", "|", "") else (atom, False))
        yield from (piece for piece, _ in pending)

    def _take(self, count: int = 1) -> str:
        taken = self.pattern[self.at : self.at + count]
        if len(taken) < count:
            raise ValueError("the pattern ends early")
        self.at += count
        return taken

    def _opening(self) -> str:
        self._take()
        for marker in ("?:", *(opening[1:] for opening in _LOOK_AROUNDS)):
            if self.pattern.startswith(marker, self.at):
                return "(" + self._take(len(marker))
        if self.pattern.startswith("?<", self.at):
            self._take(2)
            name = self._take(self.pattern.index(">", self.at) - self.at)
            self._take()
            return f"(?P<{name}>"
        return "("

    def _atom(self) -> str:
        character = self._take()
        if character == "[":
            return _class_of(self._members(), narrowing=self.narrowing, repeated=self._repeats())
        if character == "\\":
            return self._escape()
        if character == ".":
            return _class_of(_PRINTABLE, narrowing=self.narrowing, repeated=True)
        return character if character in "^$|" else re.escape(character)

    def _escape(self) -> str:
        following = self.pattern[self.at]
        if following in "bB":
            self._take()
            return ""
        if following in "123456789":
            return "\\" + self._take()
        if following == "k":
            self._take(2)
            name = self._take(self.pattern.index(">", self.at) - self.at)
            self._take()
            return f"(?P={name})"
        if following in "AZz":  # not ECMA-262, but written in descriptions all the same
            self._take()
            return "^" if following == "A" else "$"
        return _class_of(self._escaped_characters(), narrowing=self.narrowing, repeated=self._repeats(after=1))

    def _escaped_characters(self) -> str:
        """The characters that the escape sequence after a backslash stands for."""
        kind = self._take()
        if kind in _ESCAPED_CLASSES:
            return _ESCAPED_CLASSES[kind]
        if kind in "pP":
            return self._unicode_class(negated=kind == "P")
        if kind == "x":
            return chr(int(self._take(2), 16))
        if kind == "u" and self.pattern[self.at] == "{":
            digits = self._take(self.pattern.index("}", self.at) + 1 - self.at)
            return chr(int(digits[1:-1], 16))
        if kind == "u":
            unit = int(self._take(4), 16)
            if 0xD800 <= unit < 0xDC00 and self.pattern.startswith("\\u", self.at):
                low = int(self._take(6)[2:], 16)
                return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
            return chr(unit)
        if kind == "c":
            return chr(ord(self._take()) % 32)
        return _CONTROL_ESCAPES.get(kind, kind)

    def _unicode_class(self, *, negated: bool) -> str:
        name = self._take()
        if name == "{":
            name = self._take(self.pattern.index("}", self.at) - self.at)
            self._take()
        name = name.rpartition("=")[2]
        name = _UNICODE_NAMES.get(name, name)
        inside = _UNICODE_CLASSES.get(name) or _UNICODE_CLASSES.get(name[:1]) or _ALNUM
        original = f"^\\p{{{name}}}$"
        if not any(matches(original, character) for character in inside):
            inside = "".join(c for c in _PRINTABLE + _BEYOND_ASCII if matches(original, c)) or inside
        return "".join(c for c in _PRINTABLE if c not in inside) if negated else inside

    def _members(self) -> str:
        """The characters of a bracket class; at most 100 of each range."""
        negated = self.pattern[self.at] == "^"
        if negated:
            self._take()
        found: list[str] = []
        while self.pattern[self.at] != "]":
            first = self._member()
            if len(first) == 1 and self._is_range():
                self._take()
                last = self._member()
                found.extend(chr(code) for code in range(ord(first), min(ord(last), ord(first) + 99) + 1))
            else:
                found.extend(first)
        self._take()
        if negated:
            excluded = set(found) | ({"\n", "\t"} if " " in found else set())
            return "".join(c for c in _PRINTABLE + _BEYOND_ASCII if c not in excluded)
        return "".join(dict.fromkeys(found))

    def _is_range(self) -> bool:
        return self.pattern[self.at] == "-" and self.pattern[self.at + 1] != "]"

    def _member(self) -> str:
        character = self._take()
        if character != "\\":
            return character
        if self.pattern[self.at] == "b":
            self._take()
            return "\b"
        return self._escaped_characters()

    def _repeats(self, *, after: int = 0) -> bool:
        return self.pattern[self.at + after : self.at + after + 1] in ("*", "+", "{")

    def _repeated(self, atom: str, *, capturing: bool = False, is_long: bool = False) -> tuple[str, bool]:
        """``atom`` with the repetition that follows it, if any, in explicit and narrow bounds, and whether that is
        longer than need be.

        What ``is_long`` already is not repeated further: repetitions within repetitions would multiply.
        """
        least: int
        most: int | None
        sign = self.pattern[self.at : self.at + 1]
        counted = _COUNT.match(self.pattern, self.at) if sign == "{" else None
        if sign and sign in "*+?":
            self._take()
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif counted is not None:
            self.at = counted.end()
            least = int(counted[1])
            most = least if not counted[2] else int(counted[3]) if counted[3] else None
        else:
            return atom, is_long
        if self.pattern[self.at : self.at + 1] == "?":
            self._take()  # lazy or greedy: the same strings
        low, high = (least, max(least, 1)) if is_long else self.narrowing.bounds(least, most)
        # A capturing group is repeated as it is: wrapped copies of it would be numbered anew.
        repeated = f"{atom}{{{low},{high}}}" if capturing else _within_repeat_limit(atom, low, high)
        return repeated, is_long or low > max(least, 1)


def _within_repeat_limit(atom: str, low: int, high: int) -> str:
    if high <= _LONGEST_REPEAT:
        return f"{atom}{{{low},{high}}}"
    blocks, rest = divmod(low, _LONGEST_REPEAT)
    whole = f"(?:{atom}{{{_LONGEST_REPEAT}}})" * blocks
    return f"{whole}{atom}{{{rest},{min(_LONGEST_REPEAT, rest + high - low)}}}"


def _class_of(characters: str, *, narrowing: Narrowing, repeated: bool) -> str:
    """A bracket class of ``characters``, with letters and digits only where that is plainer and possible."""
    likely = [c for c in characters if c in _ALNUM] if narrowing.plain and repeated else []
    chosen = likely or [c for c in characters if c in _PRINTABLE] or list(characters)
    if narrowing.plain and repeated and characters == _PRINTABLE:
        chosen = list(string.ascii_lowercase + string.digits)
    if not chosen:
        raise ValueError("the class is empty")
    return "[" + "".join("\\" + c if c in "\\]^-[&~|" else c for c in sorted(chosen)) + "]"
