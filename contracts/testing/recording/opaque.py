"""What nobody can know beforehand of a reply: ids, times, cursors, secrets; and what a description says of a member."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.model.anatomy import Anatomy, Member, dissect, flatten, singular, words
from mock_server.openapi.description import Operation, Response
from mock_server.openapi.media import matches
from mock_server.openapi.values import Direction, Json

DATE_TIME = r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d"
DATE = r"^\d{4}-\d\d-\d\d$"
HTTP_DATE = r"^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$"
TIMES = (DATE_TIME, DATE, HTTP_DATE)
"""The notations of times, as the patterns that stand for them in a recording."""

NOTHING: Any = object()
"""No value, where None would be JSON's null."""

ANY_TEXT = "^"
"""The pattern that stands for a text of which nothing else is known."""

UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"

_ALWAYS = frozenset({"cursor", "token", "etag", "nonce", "signature", "uuid", "guid", "ulid", "hash", "fingerprint"})
_IDS = frozenset({"id", "ids"})
_NUMBERED = frozenset({"key", "code", "number", "slug", "handle", "reference", "ref", "invoice"})
_GENERIC = _ALWAYS | _IDS | _NUMBERED
_FRAMES = frozenset({"data", "item", "items", "result", "results", "records", "rows", "content", "value", "values"})
_LOOKS = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w.~+/=:-]{12,}\Z")
_PREFIX = re.compile(r"((?:[a-z]{2,12}_)+|(?:[A-Z]{2,8}-)+)(?=\S*\d)")
_RUN = re.compile(r"(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[\w-]{12,}|\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?")
_SECRET_WORDS = frozenset({"password", "passwd", "passphrase", "pwd", "secret", "pin", "cvc", "cvv", "credential",
                           "credentials", "token", "apikey", "otp"})  # fmt: skip
_SECRET_KEYS = frozenset({"api", "access", "private", "secret", "signing", "encryption"})
_TIME_WORDS = frozenset({"at", "on", "time", "timestamp", "created", "updated", "modified", "expires", "date", "ts"})
_RESTLESS = frozenset({"elapsed", "took", "duration", "uptime", "latency", "age", "views", "hits", "remaining",
                       "expires", "ms", "runtime", "overdue"})  # fmt: skip
_EPOCH = 1_000_000_000


def json_of(body: bytes) -> Json:
    """A body as JSON, ``NOTHING`` for one that is none."""
    if body[:1] not in {b"{", b"["} and body.strip()[:1] not in {b"{", b"[", b'"'}:
        return NOTHING
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return NOTHING


def notation_of(text: str) -> str | None:
    """The pattern of the notation in which a text names a time; None for a text that names none."""
    return next((pattern for pattern in TIMES if re.match(pattern, text)), None)


def identifies(name: str, value: Json, *, error: bool) -> bool:
    """Whether a member says which thing is meant, by its name and the looks of its value.

    In the body of an error a code is a constant; a number that is no id is an amount.
    """
    last = words(name)[-1:]
    if isinstance(value, int):
        return bool(_IDS.intersection(last))
    if not isinstance(value, str) or not value:
        return False
    if _ALWAYS.intersection(last):
        return True
    numbered = any(character.isdigit() for character in value) and " " not in value
    return numbered and bool(_IDS.intersection(last) or (not error and _NUMBERED.intersection(last)))


def looks_made(text: str) -> bool:
    """Whether a text looks as if a machine had made it: long, without spaces, letters and digits mixed."""
    return _LOOKS.match(text) is not None and "://" not in text and notation_of(text) is None


def changes_by_itself(name: str, value: float) -> bool:
    """Whether a number is a time or a count that is another one whenever it is looked at."""
    spelled = set(words(name))
    return not spelled.isdisjoint(_RESTLESS) or (value >= _EPOCH and not spelled.isdisjoint(_TIME_WORDS))


def is_secret(name: str, member: Member | None) -> bool:
    """Whether the value of a member is nobody else's business, by its name and its description."""
    if member is not None and (member.write_only or member.format == "password"):
        return True
    spelled = words(name)
    return bool(_SECRET_WORDS.intersection(spelled[-1:])) or (
        spelled[-1:] == ("key",) and not _SECRET_KEYS.isdisjoint(spelled[:-1])
    )


def form_of(text: str, *, prefixed: bool) -> str:
    """The pattern that every other text of this kind fits, as far as one example tells."""
    if re.match(UUID, text):
        return UUID
    found = _PREFIX.match(text) if prefixed else None
    return f"^{found[1]}" if found is not None else ANY_TEXT


def escaped(text: str) -> str:
    """A text as a regular expression that is still good to read: only what means something is escaped."""
    return re.sub(r"[\\.^$*+?{}\[\]|()]", lambda found: f"\\{found[0]}", text)


def pattern_around(text: str, known: Iterator[str], *, root: str) -> str | None:
    """The pattern of a text with something made up inside of it, None for a text without.

    ``known`` are texts that stand for themselves elsewhere; ``root`` is the URL of the service, which another one has
    not.
    """
    spans = [match.span() for match in _RUN.finditer(text)]
    for value in (*known, *([root] if root else [])):
        spans += [match.span() for match in re.finditer(re.escape(value), text)]
    if not spans:
        return None
    pattern, end = "^", 0
    for begin, stop in sorted(spans):
        if stop <= end:
            continue
        if begin >= end:
            pattern += escaped(text[end:begin]) + r"\S+"
        end = stop
    return pattern + escaped(text[end:]) + "$"


class Names:
    """The names of values that a service has made up: equal values have equal names, through one recording."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._numbers: dict[int, tuple[str, str]] = {}
        self._taken: dict[str, int] = {}

    def texts(self) -> Iterator[str]:
        """The texts that have a name, the longest first, and which are long enough to be found inside of others."""
        return iter(sorted((text for text in self._texts if len(text) > 5), key=len, reverse=True))

    def of(self, value: Json) -> str | None:
        """The name of a value, None for one that has none."""
        if isinstance(value, str):
            return self._texts.get(value)
        found = self._numbers.get(value) if isinstance(value, int) else None
        return found[0] if found is not None else None

    def of_segment(self, text: str) -> str | None:
        """The name of a value by its text, as it stands in a path or a query."""
        named = self._texts.get(text)
        return named or (self.of(int(text)) if text.isdecimal() else None)

    def bind(self, value: Json, stem: str) -> str | None:
        """A name for a value; None for a number that is the id of something else already."""
        known = self.of(value)
        if isinstance(value, str):
            if known is None:
                known = self._texts[value] = self._next(stem)
            return known
        held = self._numbers.get(value)
        if held is None:
            held = self._numbers[value] = (self._next(stem), stem)
        return held[0] if held[1] == stem else None

    def _next(self, stem: str) -> str:
        self._taken[stem] = self._taken.get(stem, 0) + 1
        return f"{stem}_{self._taken[stem]}"


def stem_of(path: tuple[str, ...], about: str) -> str:
    """What a value is called by where it stands: ``customer_id``, or the thing's own name before a mere ``id``."""
    named = [token for token in path if not token.isdigit()]
    own = words(named[-1]) if named else ("value",)
    if len(own) == 1 and own[0] in _GENERIC:
        owner = words(named[-2]) if len(named) > 1 and named[-2].lower() not in _FRAMES else words(about)
        own = (*owner[:-1], *(singular(word) for word in owner[-1:]), *own)
    return re.sub(r"\W+", "", "_".join(own), flags=re.ASCII) or "value"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a description says at one place of a body. ``schema`` stands in ``bundle``; None: it says nothing."""

    bundle: Json = None
    schema: Json = None

    @property
    def anatomy(self) -> Anatomy:
        """The members here."""
        return dissect(self.bundle, self.schema)

    def member(self, name: str) -> Sight:
        """The place of a member."""
        inner = (self._flat().get("properties") or {}).get(name)
        return Sight(self.bundle, inner) if inner is not None else NOWHERE

    def item(self) -> Sight:
        """The place of a list's items."""
        items = self._flat().get("items")
        return Sight(self.bundle, items) if isinstance(items, dict) else NOWHERE

    def _flat(self) -> Mapping[str, Json]:
        return flatten(self.bundle, self.schema) if isinstance(self.schema, dict) else {}


NOWHERE = Sight()


def sight_of(response: Response | None, content_type: str) -> Sight:
    """What is described of the body of a response in a media type."""
    if response is None or not response.content:
        return NOWHERE
    name = matches(content_type, tuple(media.name for media in response.content))
    media = next((media for media in response.content if media.name == name), None)
    if media is None or media.schema is None:
        return NOWHERE
    bundle = media.schema.bundle(Direction.RESPONSE)
    return Sight(bundle, bundle)


def request_sight(operation: Operation | None, content_type: str) -> Sight:
    """What is described of the body of a request in a media type."""
    body = operation.request_body if operation is not None else None
    if body is None:
        return NOWHERE
    name = matches(content_type, tuple(media.name for media in body.content))
    media = next((media for media in body.content if media.name == name), None)
    if media is None or media.schema is None:
        return NOWHERE
    bundle = media.schema.bundle(Direction.REQUEST)
    return Sight(bundle, bundle)
