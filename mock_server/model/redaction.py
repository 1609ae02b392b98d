"""Redaction: credentials and signing secrets, wherever they stand in what a listing shows of a universe's traffic.

Headers and query parameters that carry credentials are known by their names (``exchange/journal.py``). A key that an
API has made stands in bodies, paths and payloads as well; there it is known by its value, since the state says what
counts as a credential now. What has been removed or rotated away opens nothing any more, and is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from mock_server.openapi.values import Json

REDACTED = "(redacted)"

_SHORTEST = 8  # what is shorter is found in too many words to be hidden, and guards nothing anyway
_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{2,}\.[\w-]*")  # RFC 7519: a JSON header and JSON claims in base64


@dataclass(frozen=True, slots=True)
class Secrets:
    """Texts that are not to be shown, the longest first, so that one which holds another goes whole."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Secrets:
        """The secrets among some texts, as they are and as they stand in URLs."""
        plain = {text for text in texts if len(text) >= _SHORTEST}
        found = plain | {quote(text, safe="", errors="replace") for text in plain}
        return cls(tuple(sorted(found, key=lambda text: (-len(text), text))))

    def hidden_in(self, value: Json) -> Json:
        """A copy of a value with none of them in its texts, nor any JSON Web Token."""
        if isinstance(value, str):
            return self._hidden(value)
        if isinstance(value, dict):
            return {self._hidden(name): self.hidden_in(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.hidden_in(entry) for entry in value]
        return value

    def _hidden(self, text: str) -> str:
        for secret in self.texts:
            if secret in text:
                text = text.replace(secret, REDACTED)
        return _TOKEN.sub(REDACTED, text) if "eyJ" in text else text
