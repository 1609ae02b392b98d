"""Media types: reading Content-Type and Accept, choosing among the described (RFC 9110 §8.3, §12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

from mock_server.dataclass import dataclass

# RFC 9110 §5.6.2 token, §5.6.4 quoted-string, §5.6.6 parameters. No alternative can match what another can at
# the same place, so a hostile header costs linear time.
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"\s*({_NAME})/({_NAME})\s*", re.ASCII)
_PARAMETER = re.compile(rf';\s*(?:({_NAME})=(?:({_NAME})|"((?:[^"\\]|\\.)*)")\s*)?', re.ASCII | re.DOTALL)
_ELEMENT = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LONGEST = 4096  # characters of a header that is still worth reading, and keeping in a cache
_CACHED = 1024  # clients send few distinct values

ANY_BYTES = "application/octet-stream"
"""What is sent where nothing tells the type (RFC 9110 §8.3)."""
_USUAL = {
    "text": "text/plain", "image": "image/png", "audio": "audio/mpeg", "video": "video/mp4", "font": "font/woff2",
}  # fmt: skip
"""What is sent for a range of types that is described, ``image/*``."""


@dataclass(frozen=True, slots=True)
class MediaTypeName:
    """A media type or media range, lower-cased; ``parameters`` in order, values as sent, ``q`` included."""

    type: str
    subtype: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def essence(self) -> str:
        """``type/subtype`` without parameters."""
        return f"{self.type}/{self.subtype}"

    @property
    def suffix(self) -> str:
        """The structured syntax (RFC 6839): ``json`` for application/json and ``+json``, else the subtype."""
        return self.subtype.rpartition("+")[2]

    @property
    def is_range(self) -> bool:
        """Whether it stands for several types: ``*/*``, ``text/*``, ``application/*+json``."""
        return self.type == "*" or self.subtype.startswith("*")

    def parameter(self, name: str) -> str | None:
        """The first value of a parameter, or None."""
        return next((value for key, value in self.parameters if key == name), None)

    def covers(self, other: MediaTypeName) -> bool:
        """Whether ``other`` lies in this range, parameters left aside."""
        if self.type != "*" and self.type != other.type:
            return False
        if self.subtype in {"*", other.subtype}:
            return True
        return self.subtype.startswith("*+") and other.subtype.endswith(self.subtype[1:])


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One element of an Accept header: what is asked for and how much (``quality`` 0 to 1)."""

    name: MediaTypeName
    quality: float = 1.0

    @property
    def specificity(self) -> tuple[int, int]:
        """Greater for closer names (RFC 9110 §12.5.1): ``*/*`` < ``text/*`` < ``text/html``."""
        if self.name.type == "*":
            return 0, 0
        level = 1 if self.name.subtype == "*" else 2 if self.name.is_range else 3
        return level, len(_distinctive(self.name))


class Choice(StrEnum):
    """Why a described media type was chosen for an answer."""

    DEFAULT = "default"  # nothing usable was asked for: the first described one
    EXACT = "exact"  # asked for by name
    RANGE = "range"  # asked for by a range such as */*, or described by one
    SUFFIX = "suffix"  # only the structured syntax agrees, as application/vnd.x+json and application/json


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The outcome of content negotiation.

    ``media_type`` is the described key, ``content_type`` what to send in the header (they differ where a
    range is described), ``choice`` the reason; ``mismatch`` tells that strictly nothing described was
    acceptable.
    """

    media_type: str
    content_type: str
    choice: Choice

    @property
    def mismatch(self) -> bool:
        """Whether a strict server would have refused with 406."""
        return self.choice is Choice.SUFFIX


def parse_media_type(text: str) -> MediaTypeName | None:
    """The media type a text names, or None when it names none."""
    return _parse_media_type(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=_CACHED)
def _parse_media_type(text: str) -> MediaTypeName | None:
    found = _TYPE.match(text)
    if found is None:
        return None
    parameters = []
    end = found.end()
    while end < len(text):
        parameter = _PARAMETER.match(text, end)
        if parameter is None:
            return None
        name, token, quoted = parameter.groups()
        if name is not None:
            value = token if quoted is None else _ESCAPE.sub(r"\1", quoted)
            parameters.append((name.lower(), value))
        end = parameter.end()
    return MediaTypeName(found[1].lower(), found[2].lower(), tuple(parameters))


def parse_accept(header: str) -> tuple[MediaRange, ...]:
    """The media ranges of an Accept header in the order sent; elements that are none are left out."""
    return _parse_accept(header) if len(header) <= _LONGEST else ()


@lru_cache(maxsize=_CACHED)
def _parse_accept(header: str) -> tuple[MediaRange, ...]:
    ranges = []
    for element in _ELEMENT.findall(header):
        name = parse_media_type(element.strip())
        if name is None:
            continue
        weight = name.parameter("q")
        if weight is not None and not _QUALITY.fullmatch(weight):
            continue
        ranges.append(MediaRange(name, 1.0 if weight is None else float(weight)))
    return tuple(ranges)


def negotiate(accept: str | None, offered: Sequence[str]) -> Negotiated | None:
    """The described media type to answer with, or None when none will do (406).

    ``accept`` is the header's value, None when it was not sent; ``offered`` the described keys in the order
    of the description, which also breaks ties. Where nothing fits, a type of the same structured syntax is
    taken and marked as a mismatch: clients ask for ``application/vnd.x.v3+json`` where only
    ``application/json`` is described.
    """
    if accept is not None and len(accept) > _LONGEST:
        accept = None
    return _negotiate(accept, tuple(offered))


@lru_cache(maxsize=_CACHED)
def _negotiate(accept: str | None, offered: tuple[str, ...]) -> Negotiated | None:
    names = [(key, name) for key in offered if (name := parse_media_type(key)) is not None]
    if not names:
        # What is described is no type at all ("json"); it is all the same what this answers with.
        spelled = next((key for key in offered if key.isascii() and key.isprintable()), None)
        return None if spelled is None else Negotiated(spelled, spelled, Choice.DEFAULT)
    ranges = parse_accept(accept) if accept is not None else ()
    if not ranges:
        key, name = names[0]
        return Negotiated(key, _concrete(name, key), Choice.DEFAULT)
    best: tuple[tuple[float, bool], Negotiated] | None = None
    for key, name in names:
        weighed = _weigh(key, name, ranges)
        if weighed is None or weighed[0] == 0:
            continue
        rank = weighed[0], not name.is_range  # a type of its own is described better than by ``*/*``
        if best is None or rank > best[0]:
            best = rank, weighed[1]
    return best[1] if best is not None else _by_suffix(names, ranges)


def _weigh(key: str, name: MediaTypeName, ranges: tuple[MediaRange, ...]) -> tuple[float, Negotiated] | None:
    """The quality of one described type, given by the most specific range that fits it."""
    if name.is_range:
        inside = [asked for asked in ranges if not asked.name.is_range and name.covers(asked.name)]
        if inside:
            asked = max(inside, key=lambda candidate: candidate.quality)
            return asked.quality, Negotiated(key, asked.name.essence, Choice.RANGE)
    fitting = [asked for asked in ranges if _accepts(asked.name, name)]
    if not fitting:
        return None
    asked = max(fitting, key=lambda candidate: candidate.specificity)
    choice = Choice.RANGE if asked.name.is_range else Choice.EXACT
    return asked.quality, Negotiated(key, _concrete(name, key), choice)


def _by_suffix(names: list[tuple[str, MediaTypeName]], ranges: tuple[MediaRange, ...]) -> Negotiated | None:
    for asked in sorted(ranges, key=lambda candidate: -candidate.quality):
        if asked.quality == 0 or asked.name.is_range or asked.name.suffix not in {"json", "xml"}:
            continue
        for key, name in names:
            weighed = _weigh(key, name, ranges)
            refused = weighed is not None and weighed[0] == 0
            if name.suffix == asked.name.suffix and not name.is_range and not refused:
                return Negotiated(key, key, Choice.SUFFIX)
    return None


def _distinctive(name: MediaTypeName) -> set[tuple[str, str]]:
    """The parameters that tell types apart; charset and the weight do not."""
    return {(key, value) for key, value in name.parameters if key not in {"q", "charset"}}


def _accepts(asked: MediaTypeName, described: MediaTypeName) -> bool:
    return asked.covers(described) and _distinctive(asked) <= _distinctive(described)


def _concrete(name: MediaTypeName, key: str) -> str:
    if not name.is_range:
        return key
    if name.subtype.startswith("*+"):
        return f"{'application' if name.type == '*' else name.type}/{name.subtype[2:]}"
    return _USUAL.get(name.type, ANY_BYTES)


def matches(content_type: str, described: Sequence[str]) -> str | None:
    """The described key that a body of this Content-Type belongs to, or None.

    The most specific key wins: equal with parameters, equal without, ``application/*+json``,
    ``application/*``, ``*/*`` (OAS 3.1 §4.8.13: "more specific definitions"). Parameters of a key must have
    been sent; ``charset`` does not count.
    """
    return _match(content_type, tuple(described)) if len(content_type) <= _LONGEST else None


@lru_cache(maxsize=_CACHED)
def _match(content_type: str, described: tuple[str, ...]) -> str | None:
    sent = parse_media_type(content_type)
    if sent is None:
        # Descriptions misspell types, too (``text/plain; utf-8``); who sends the same word has done what they ask.
        return next((key for key in described if key.lower() == content_type.strip().lower()), None)
    best: tuple[tuple[int, int], str] | None = None
    for key in described:
        name = parse_media_type(key)
        if name is None or not name.covers(sent) or not _distinctive(name) <= _distinctive(sent):
            continue
        rank = MediaRange(name).specificity
        if best is None or rank > best[0]:
            best = rank, key
    return None if best is None else best[1]


def charset_of(content_type: str) -> str | None:
    """The ``charset`` parameter of a Content-Type in lower case, or None."""
    name = parse_media_type(content_type)
    charset = None if name is None else name.parameter("charset")
    return None if charset is None else charset.lower()
