"""Every exception that apidouble raises on purpose.

    ApidoubleError
    ├── DescriptionError         an API description cannot be used as it stands
    │   ├── SourceError          a file is missing, unreadable, hostile, or not YAML/JSON
    │   ├── UnresolvedReference  a $ref leads nowhere, in a circle, or where it may not
    │   ├── OverlayError         an overlay is malformed or its target matches nothing
    │   └── AnnotationError      an x-mock-* annotation breaks its schema or contradicts the description
    ├── FixtureError             a seed or an exchange file cannot be used
    ├── ConfigurationError       an option, a name or an argument is wrong
    │   └── UnknownCredential    a test names a credential that there is not; a KeyError, too (contracts/testing)
    ├── StateError               a control request names state that does not exist or would break its schema
    │   └── Absent               a test names state that is not there; a KeyError, too (contracts/testing)
    ├── Unreachable              a service under check gives no answer (contracts/service.py)
    ├── Unsendable               a request that was drawn cannot be put on the wire (contracts/service.py)
    ├── RequestRefused           an intercepted client asked for a URL that no double is behind (contracts/testing)
    ├── Spent                    why a service cannot be checked was told by another contract item (contracts/testing)
    └── NotWhileRecording        a test wants of a real service what only a double can do (contracts/testing)

What a client of a double does wrong is never an exception: it is a ``Problem`` value (see exchange/problem.py).
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Self

from mock_server.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the input something is: a file, a JSON pointer in it, and the line when it is known."""

    file: str
    pointer: str = ""
    line: int | None = None

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where} at {self.pointer}" if self.pointer else where


class ApidoubleError(Exception):
    """The base of every exception of apidouble; its facts stay readable as fields.

    ``problem`` says what is wrong, ``place`` where, ``got`` what was received, ``allowed`` what would have been
    accepted, and ``hint`` what to do next.
    """

    def __init__(
        self,
        problem: str,
        *,
        place: Place | None = None,
        got: object = None,
        allowed: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.problem = problem
        self.place = place
        self.got = got
        self.allowed = allowed
        self.hint = hint
        super().__init__(str(self))

    def at(self, place: Place) -> Self:
        """The same error, told of another place."""
        told = type(self).__new__(type(self))
        told.__dict__.update(self.__dict__)
        told.place = place
        told.args = (str(told),)
        return told

    def __str__(self) -> str:
        text = self.problem if self.place is None else f"{self.place}: {self.problem}"
        if self.got is not None:
            shown = self.got if isinstance(self.got, str) else repr(self.got)
            text += f"\n  got:     {shown if len(shown) <= 200 else shown[:197] + '...'}"
        if self.allowed is not None:
            text += f"\n  allowed: {self.allowed}"
        if self.hint is not None:
            text += f"\n  hint:    {self.hint}"
        return visible(text)


class DescriptionError(ApidoubleError):
    """An API description cannot be used as it stands."""


class SourceError(DescriptionError):
    """A file is missing, unreadable, hostile, or neither YAML nor JSON."""


class UnresolvedReference(DescriptionError):
    """A ``$ref`` leads nowhere, in a circle, or to a place it may not lead to."""


class OverlayError(DescriptionError):
    """An overlay is malformed, or one of its targets matches nothing."""


class AnnotationError(DescriptionError):
    """An ``x-mock-*`` annotation breaks its schema or contradicts the description."""


class FixtureError(ApidoubleError):
    """A seed or an exchange file cannot be used."""


class ConfigurationError(ApidoubleError):
    """An option, a name or an argument is wrong."""


class StateError(ApidoubleError):
    """A control request names state that does not exist, or would store what breaks its schema."""


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    """A text whose control characters are written out (``\\x1b``); line ends and tabs stay.

    Descriptions, requests and replies are other people's: what they hold must not reach a terminal as a command.
    """
    return _CONTROLS.sub(lambda match: _escaped(ord(match[0])), text.replace("\r\n", "\n"))


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to ``name``, ready for a "did you mean" hint, or None."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A complete hint sentence naming the closest known name, or None."""
    close = nearest(name, known)
    return None if close is None else f"did you mean {close!r}?"
