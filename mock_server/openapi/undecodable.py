"""How the wire decoders say that a text or a body cannot be read."""

from __future__ import annotations

from mock_server.openapi.values import Json

_SHOWN = 80


class Undecodable(Exception):
    """What a client sent cannot be turned into a value; the line makes a ``Violation`` of it.

    This exception never leaves the project: it is raised by the decoders of ``styles``, ``querystrings``,
    ``jsontext`` and ``bodies`` and caught by their one caller. It is therefore not part of the
    ``ApidoubleError`` tree, which is for wrong descriptions, wrong configuration and our own bugs. The fields
    are those of a ``Violation``; ``name`` is the parameter, where there is one.
    """

    def __init__(
        self,
        keyword: str,
        message: str,
        expected: Json,
        got: Json,
        pointer: str = "",
        *,
        name: str | None = None,
    ) -> None:
        self.keyword = keyword
        self.message = message
        self.expected = expected
        self.got = got
        self.pointer = pointer
        self.name = name
        super().__init__(message)

    def at(self, pointer: str, *, name: str | None = None) -> Undecodable:
        """The same failure seen from outside: below ``pointer``, and in the parameter ``name``."""
        return Undecodable(
            self.keyword,
            self.message,
            self.expected,
            self.got,
            pointer + self.pointer,
            name=self.name if name is None else name,
        )


def excerpt(text: str) -> str:
    """At most 80 characters of a received text, safe to show in a message or to write as UTF-8."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")
