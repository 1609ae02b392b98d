"""Redaction: credentials and signing secrets, wherever they stand in what a listing shows of a universe's traffic.

Headers and query parameters that carry credentials are known by their names (``exchange/journal.py``). A key that an
API has made stands in bodies, paths and payloads as well; there it is known by its value, since the state says what
counts as a credential now. What has been removed or rotated away opens nothing any more, and is shown. What
goes by a secret name is hidden by that, whoever made it (``secretnames.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from mock_server.dataclass import dataclass
from mock_server.openapi.values import Json

REDACTED = "(redacted)"

_SHORTEST = 8  # what is shorter is found in too many words to be hidden, and guards nothing anyway
# RFC 7519: a JSON header and JSON claims in base64. A run of its letters is looked at from its start only, and given up
# whole (possessively): tried from every "eyJ" in it, 100 kB of them would take ten seconds.
_TOKEN = re.compile(r"(?<![\w-])(?=([\w-]*?)\beyJ[\w-]{8})[\w-]++\.eyJ[\w-]{2,}+\.[\w-]*")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Texts that are not to be shown, the longest first, so that one which holds another goes whole."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str], *, shortest: int = _SHORTEST) -> Secrets:
        """The secrets among some texts, as they are and as they stand in URLs; not those that are too short."""
        plain = {text for text in texts if len(text) >= shortest}
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
        return _TOKEN.sub(rf"\1{REDACTED}", text) if "eyJ" in text else text
