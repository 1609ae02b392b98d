"""The small values that every layer passes on: JSON, directions, violations."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

from mock_server.dataclass import dataclass

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, list of Json, or dict of str to Json. Never changed in place."""


class Direction(StrEnum):
    """Which way a message travels; readOnly and writeOnly mean different things each way (OAS 3.1 §4.8.24)."""

    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a message breaks its description.

    ``where`` is the part of the message (path, query, header, cookie, body, status, response-header,
    response-body), ``name`` the parameter or header when there is one, ``pointer`` a JSON pointer into the value,
    ``keyword`` the JSON Schema keyword or protocol rule that was broken, ``got`` the offending value, ``expected``
    what the keyword allows, and ``message`` one sentence for a person.
    """

    where: str
    pointer: str
    keyword: str
    got: Json
    expected: Json
    message: str
    name: str | None = None

    def as_json(self) -> dict[str, Json]:
        """The shape of one member of ``errors`` in a problem document."""
        shown: dict[str, Json] = {"in": self.where}
        if self.name is not None:
            shown["name"] = self.name
        return shown | {
            "pointer": self.pointer,
            "keyword": self.keyword,
            "got": self.got,
            "expected": self.expected,
            "message": self.message,
        }
