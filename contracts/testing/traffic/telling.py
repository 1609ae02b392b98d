"""Requests, values and differences as short texts for a failed test, without secrets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote_plus

from contracts.testing.traffic.exchange import Exchange
from contracts.testing.traffic.expecting import ABSENT, Difference, Place, Wanted
from mock_server.dataclass import dataclass
from mock_server.errors import visible
from mock_server.model.redaction import REDACTED, Secrets
from mock_server.model.secretnames import is_secret_name
from mock_server.openapi.undecodable import excerpt

MOST_LINES = 10
"""So many requests, and so many differences, are listed; the rest are counted."""

_LONGEST = 160  # characters of a value
_AROUND = 40  # characters shown on each side of where two long texts part
_SECRET_ROOTS = frozenset({"header", "query"})


@dataclass(frozen=True, slots=True)
class Teller:
    """Writes texts about one API's traffic; ``secrets`` are not shown, wherever they stand.

    ``names`` are the lower-case names of headers and query parameters whose values are not shown, whatever they are.
    """

    secrets: Secrets
    names: frozenset[str]

    def value(self, value: object) -> str:
        """A value as Python writes it, cut to some 160 characters."""
        return shortened(self.hide(repr(self.hide(value) if isinstance(value, str) else value)))

    def hide(self, text: str) -> str:
        """A text without the secrets in it."""
        hidden = self.secrets.hidden_in(text)
        assert isinstance(hidden, str)
        return hidden

    def wish(self, expected: object) -> str:
        """What an expected value asks for."""
        if isinstance(expected, re.Pattern):
            return f"a text with {self.value(expected.pattern)} in it"
        if isinstance(expected, type) and type(expected).__eq__ is type.__eq__:
            return f"a value of type {expected.__name__}"
        if callable(expected) and not isinstance(expected, type):
            return f"what {getattr(expected, '__name__', type(expected).__name__)} accepts"
        return self.value(expected)

    def wanted(self, wanted: Wanted) -> str:
        """One expectation: ``body/name 'Jane'``."""
        if wanted.value is ABSENT:
            return f"no {wanted.place}"
        return f"{wanted.place} {self._at(wanted.place, wanted.value)}"

    def difference(self, difference: Difference) -> str:
        """One difference: ``body/name: expected 'Jane', got 'Jan'``."""
        place, expected, got = difference.place, difference.expected, difference.got
        if got is ABSENT:
            return f"{place}: expected {self._at(place, expected)}, but it was not sent"
        if expected is ABSENT:
            return f"{place}: expected not to be sent, got {self._at(place, got)}"
        if self._is_secret(place):
            return f"{place}: expected another value than was sent, {REDACTED}"
        if isinstance(expected, str) and isinstance(got, str) and max(len(expected), len(got)) > _LONGEST:
            return f"{place}: {self._parting(expected, got)}"
        return f"{place}: expected {self._at(place, expected)}, got {self._at(place, got)}"

    def hides(self, root: str, name: str) -> bool:
        """Whether a header, a query parameter or a cookie holds a credential, by its name."""
        if root == "cookie":
            return "cookie" in self.names
        spelled = (unquote_plus(name) if root == "query" else name).lower()
        known = spelled in self.names or spelled.replace("_", "-") in self.names
        return root in _SECRET_ROOTS and (known or is_secret_name(spelled))

    def _is_secret(self, place: Place) -> bool:
        return bool(place.steps) and self.hides(place.root, place.steps[0])

    def _at(self, place: Place, value: object) -> str:
        """What a place should or does have, without what its name hides: there, or in one of its members."""
        if self._is_secret(place):
            return REDACTED
        if not place.steps and isinstance(value, Mapping):
            value = {name: REDACTED if self.hides(place.root, str(name)) else each for name, each in value.items()}
        return self.wish(value)

    def _parting(self, expected: str, got: str) -> str:
        """Two long texts around the first character in which they differ."""
        one, other = self.hide(expected), self.hide(got)
        pairs = enumerate(zip(one, other, strict=False))
        at = next((i for i, (left, right) in pairs if left != right), min(len(one), len(other)))
        if one == other:
            return f"the texts differ in what is not shown, {REDACTED}"
        return f"the texts part at character {at + 1}: expected {_around(one, at)}, got {_around(other, at)}"

    def exchange(self, exchange: Exchange) -> str:
        """One request in a line: ``r3 createCustomer POST /v1/customers?limit=1 -> 201``."""
        name = exchange.operation_id or "(no operation)"
        path, query = excerpt(self.hide(exchange.path)), self._query(exchange)
        return visible(f"{exchange.id} {name} {excerpt(exchange.method)} {path}{query} -> {exchange.outcome}")

    def _query(self, exchange: Exchange) -> str:
        if not exchange.query:
            return ""
        pairs = [pair.partition("=") for pair in exchange.query.split("&")]
        shown = "&".join(
            name + sign + (REDACTED if self.hides("query", name) else value) for name, sign, value in pairs
        )
        return "?" + excerpt(self.hide(shown))

    def exchanges(self, exchanges: Sequence[Exchange]) -> Iterator[str]:
        """The newest requests in a line each, oldest first; how many older ones there were."""
        newest = exchanges[-MOST_LINES:]
        if len(exchanges) > len(newest):
            yield f"({len(exchanges) - len(newest)} older ones)"
        yield from map(self.exchange, newest)

    def differences(self, differences: Sequence[Difference]) -> Iterator[str]:
        """A line for each difference, and one that counts the rest."""
        for difference in differences[:MOST_LINES]:
            yield visible(self.difference(difference))
        if len(differences) > MOST_LINES:
            yield f"and {len(differences) - MOST_LINES} more differences"


def counted(names: Iterable[str | None]) -> str:
    """The operations that were called, and how often: ``getCustomer (3 times), createCustomer (once)``."""
    counts = Counter(name or "no operation" for name in names)
    listed = [f"{name} ({often(count)})" for name, count in counts.most_common(MOST_LINES)]
    more = len(counts) - len(listed)
    return ", ".join(listed) + (f" and {more} others" if more else "")


def often(count: int) -> str:
    """A number of times in words."""
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"


def shortened(text: str, *, longest: int = _LONGEST) -> str:
    """A text, its end cut off where it is long."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def indented(lines: Iterable[str], *, by: int = 2) -> Iterator[str]:
    """Lines further to the right; those of a text with line breaks, too."""
    for line in lines:
        yield "\n".join(" " * by + part for part in line.split("\n"))


def _around(text: str, at: int) -> str:
    start, end = max(0, at - _AROUND), at + _AROUND
    return ("…" if start else "") + repr(text[start:end]) + ("…" if end < len(text) else "")
