"""The ``Prefer`` header (RFC 7240): which of the described answers a client wants, and why it is given."""

from __future__ import annotations

import re
from functools import lru_cache

from mock_server.dataclass import dataclass
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.undecodable import excerpt

# RFC 7240 §2 with RFC 9110 §5.6.2 token and §5.6.4 quoted-string. Names of examples often hold more than a
# token may, so values are read up to the next separator. Text of no such form is passed over.
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PREFERENCE = re.compile(rf'({_NAME})(?:[ \t]*=[ \t]*(?:([^\s,;"]+)|"((?:[^"\\]|\\.)*)"))?')
_WHOLE_NAME = re.compile(_NAME)
_ESCAPE = re.compile(r"\\(.)")
_STATUS = re.compile(r"[2-5][0-9]{2}", re.ASCII)
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a client prefers: a status, a named example, a generated sample, an explanation."""

    code: int | None = None
    example: str | None = None
    dynamic: bool = False
    explain: bool = False

    @property
    def overrides(self) -> bool:
        """Whether the answer is to come from the description alone, past the state."""
        return self.code is not None or self.example is not None or self.dynamic

    @property
    def applied(self) -> str:
        """The value of ``Preference-Applied``."""
        shown = []
        if self.code is not None:
            shown.append(f"code={self.code}")
        if self.example is not None:
            shown.append(f"example={_word(self.example)}")
        if self.dynamic:
            shown.append("dynamic=true")
        if self.explain:
            shown.append("explain")
        return ", ".join(shown)


def _word(text: str) -> str:
    """A token as it is, anything else as a quoted-string without controls."""
    if _WHOLE_NAME.fullmatch(text):
        return text
    printable = "".join(c for c in text if " " <= c <= "~")
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'


NO_PREFERENCES = Preferences()


@lru_cache(maxsize=256)
def read_preferences(header: str) -> Preferences | Problem:
    """The preferences in a header; unknown ones are ignored as RFC 7240 §2 asks.

    The first of two with one name counts. A semicolon may stand for the comma between them.
    """
    found: dict[str, str] = {}
    for match in _PREFERENCE.finditer(header[:_LONGEST]):
        name, plain, quoted = match.groups()
        found.setdefault(name.lower(), plain or _ESCAPE.sub(r"\1", quoted or ""))
    code = found.get("code")
    if code is not None and not _STATUS.fullmatch(code):
        detail = f"Prefer: code={excerpt(code)} is not the status of a final response (200 to 599)"
        return Problem(Kind.PREFERENCE, detail, status=400)
    return Preferences(
        code=int(code) if code is not None else None,
        example=found.get("example"),
        dynamic=found.get("dynamic", "").lower() in {"true", "1"},
        explain="explain" in found and found["explain"].lower() not in {"false", "0"},
    )
