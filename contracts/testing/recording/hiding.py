"""Hiding: texts that must not get into a recording, found in every form in which they may be written."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from mock_server.openapi.values import Json

HIDDEN = "(redacted)"

_SHORTEST = 4
"""Secrets of fewer characters would be found in every word."""

_SHORTEST_INSIDE = 8
"""Only those of so many characters are looked for inside of Base64: shorter ones leave too few whole groups."""

_CREDENTIAL = re.compile(
    r"\beyJ[\w-]{8,}\.eyJ[\w-]{2,}\.[\w-]*"  # RFC 7519
    r"|\b(?:sk|pk|rk|whsec|shpat|npm|pat)_[A-Za-z0-9_]{12,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
    r"|\bxox[abprs]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}"
    r"|\b(?:Bearer|Basic|Digest) +[\w.~+/=-]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
)
"""What is a credential by its looks alone."""


class Hiding:
    """What of a text is secret: the given texts as they are, in URLs, JSON, Base64 and hexadecimal, and credentials.

    What looks like a credential (a JSON Web Token, a vendor's key) is secret whether it was given or not.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        kept = {text for text in texts if len(text) >= _SHORTEST and text != HIDDEN}
        forms = sorted({form for text in kept for form in forms_of(text)}, key=lambda form: (-len(form), form))
        self._given = re.compile("|".join(map(re.escape, forms))) if forms else None

    def holds(self, text: str) -> bool:
        """Whether there is a secret in a text."""
        return self.given_in(text) or _CREDENTIAL.search(text) is not None

    def given_in(self, text: str) -> bool:
        """Whether one of the given secrets is in a text."""
        return self._given is not None and self._given.search(text) is not None

    def hidden(self, text: str) -> str:
        """The text with ``(redacted)`` in place of every secret."""
        if self._given is not None:
            text = self._given.sub(HIDDEN, text)
        return _CREDENTIAL.sub(HIDDEN, text)

    def hidden_in(self, value: Json) -> Any:
        """A JSON value without secrets, in names of members as well."""
        if isinstance(value, str):
            return self.hidden(value)
        if isinstance(value, dict):
            return {self.hidden(name): self.hidden_in(inner) for name, inner in value.items()}
        return [self.hidden_in(entry) for entry in value] if isinstance(value, list) else value


def forms_of(text: str) -> set[str]:
    """How a text may be written inside of others."""
    data = text.encode("utf-8", "surrogateescape")
    found = {text, quote(text, safe=""), quote(text), quote_plus(text), quote(text, safe="").replace("%", "%25"),
             re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), quote(text, safe="")),
             json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}  # fmt: skip
    for encode in (b64encode, urlsafe_b64encode):
        whole = encode(data).decode()
        found |= {whole, whole.rstrip("="), quote(whole, safe="")}
    if len(data) >= _SHORTEST_INSIDE:
        found |= {data.hex(), data.hex().upper()}
        found |= set(_inside(data))
    return {form for form in found if len(form) >= _SHORTEST}


def _inside(data: bytes) -> Iterator[str]:
    """What Base64 makes of a text that stands inside of another one: the groups that hold nothing else.

    A name and a password are encoded together (RFC 7617 §2), so the password may begin at any bit of a group.
    """
    for skipped in range(3):
        rest = data[(3 - skipped) % 3 :]
        rest = rest[: len(rest) // 3 * 3]
        if len(rest) >= _SHORTEST_INSIDE - 3:
            yield b64encode(rest).decode()
            yield urlsafe_b64encode(rest).decode()
