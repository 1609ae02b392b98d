"""The error for a schema that no sampled value satisfies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_server.errors import DescriptionError, Place

if TYPE_CHECKING:
    from mock_server.openapi.values import Json


class Unsampleable(DescriptionError):
    """No valid value was found for a schema.

    ``pointer`` is the JSON pointer, inside the sampled bundle, of the schema that could not be satisfied, and
    ``tried`` the last values that were made and rejected there (at most three).
    """

    def __init__(self, pointer: str, *, reason: str, tried: tuple[Json, ...] = ()) -> None:
        self.pointer = pointer
        self.tried = tried
        super().__init__(
            f"no valid sample value: {reason}",
            place=Place("schema", f"#{pointer}"),
            got=f"tried {', '.join(repr(value)[:60] for value in tried)}" if tried else None,
            hint="give this schema an `example` that satisfies it, or loosen what contradicts itself",
        )


class Blocked(Exception):  # a signal between the stages of one sample, never seen by a caller
    """A value could not be made: where, why, and the last candidates."""

    def __init__(self, pointer: str, reason: str, *, tried: tuple[Json, ...] = ()) -> None:
        super().__init__(reason)
        self.pointer = pointer
        self.reason = reason
        self.tried = tried


class NoValue(Blocked):
    """No value was found at one place; the places around it may still do without it."""


class Exhausted(Blocked):
    """A limit on the whole sample was reached."""
