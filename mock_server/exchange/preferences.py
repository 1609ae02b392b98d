"""The ``Prefer`` header (RFC 7240): which of the described answers a client wants, and whether to explain it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from mock_server.model.problem import Kind, Problem


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
            shown.append(f"example={self.example}")
        if self.dynamic:
            shown.append("dynamic=true")
        if self.explain:
            shown.append("explain")
        return ", ".join(shown)


NO_PREFERENCES = Preferences()


@lru_cache(maxsize=256)
def read_preferences(header: str) -> Preferences | Problem:
    """The preferences in a header; unknown ones are ignored as RFC 7240 §2 asks."""
    found: dict[str, str] = {}
    for piece in header.replace(";", ",").split(","):
        name, _, value = piece.strip().partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    code = found.get("code")
    if code is not None and not (code.isascii() and code.isdigit() and 100 <= int(code[:4]) <= 599 and len(code) == 3):
        return Problem(Kind.PREFERENCE, f"Prefer: code={code} is not a status code", status=400)
    return Preferences(
        code=int(code) if code is not None else None,
        example=found.get("example"),
        dynamic=found.get("dynamic", "").lower() in {"true", "1"},
        explain="explain" in found and found["explain"].lower() not in {"false", "0"},
    )
