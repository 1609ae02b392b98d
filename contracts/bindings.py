"""Bindings: which values of a request came from earlier replies, so that a sequence can be sent again elsewhere.

A fresh server hands out other ids. What a later request takes from an earlier reply (the id in its path, the cursor in
its query, the tag in its If-Match) is found by value, and named by where the reply had it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

from contracts.service import NOT_JSON, Recorded
from contracts.wire import WireRequest
from mock_server.dataclass import dataclass
from mock_server.model.anatomy import singular, words
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

ETAG = "header ETag"
LOCATION = "segment Location"
"""The last segment of the path that a Location header names."""

_IDENTITIES = frozenset(
    {"id", "ids", "key", "uuid", "guid", "code", "number", "slug", "handle", "cursor", "token", "etag"}
)
_OPAQUE = re.compile(r"(?=.*\d)\S{8,}\Z")
_LEAVES = 2000
"""How many values of one reply are looked at."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: the reply of a step (from 0), and the JSON pointer there (or ``ETAG``, ``LOCATION``)."""

    step: int
    at: str


@dataclass(frozen=True, slots=True)
class Bound:
    """What one request takes from earlier replies.

    ``path`` by the number of the segment, ``query`` by the number of the parameter, ``headers`` by name, ``body`` by
    JSON pointer.
    """

    path: Mapping[int, Origin] = field(default_factory=dict)
    query: Mapping[int, Origin] = field(default_factory=dict)
    headers: Mapping[str, Origin] = field(default_factory=dict)
    body: Mapping[str, Origin] = field(default_factory=dict)

    def origins(self) -> Iterator[Origin]:
        """Every origin, in the order of the request."""
        for some in (self.path, self.query, self.headers, self.body):
            yield from some.values()


@dataclass(frozen=True, slots=True)
class _Known:
    origin: Origin
    name: str
    collection: str


def bindings(sequence: Sequence[Recorded]) -> tuple[Bound, ...]:
    """For each exchange of a sequence, what its request takes from the replies before it."""
    known: dict[str, list[_Known]] = {}
    found: list[Bound] = []
    for step, recorded in enumerate(sequence):
        found.append(_bound(recorded.request, known))
        for text, entry in _shown(step, recorded):
            known.setdefault(text, []).append(entry)
    return tuple(found)


def json_of(recorded: Recorded) -> Json:
    """The reply's body as JSON; ``NOT_JSON`` when it is none, or is nested too deep to be read."""
    try:
        return recorded.json
    except RecursionError:
        return NOT_JSON


def value_of(origin: Origin, replies: Sequence[Recorded]) -> Json:
    """What a reply has where a value came from; ``NOT_JSON`` when it has nothing there."""
    reply = replies[origin.step]
    if origin.at == ETAG:
        return reply.header("etag") or NOT_JSON
    if origin.at == LOCATION:
        return _last_segment(reply.header("location")) or NOT_JSON
    return at(json_of(reply), origin.at)


def tokens_of(pointer: str) -> tuple[str, ...]:
    """The names that a pointer leads through; one that a check wrote without escaping is taken as it stands."""
    return tuple(pointers.unescape(token) for token in pointer.split("/")[1:])


def at(value: Json, pointer: str) -> Json:
    """The value at a JSON pointer, ``NOT_JSON`` where there is none."""
    here: Any = value
    for token in tokens_of(pointer):
        if isinstance(here, dict) and token in here:
            here = here[token]
        elif isinstance(here, list) and token.isdigit() and int(token) < len(here):
            here = here[int(token)]
        else:
            return NOT_JSON
    return here


def bound_request(request: WireRequest, bound: Bound, value: Callable[[Origin], Json]) -> WireRequest:
    """The request with other values in the places that were bound. A value of ``NOT_JSON`` leaves the old one."""

    def text(origin: Origin, old: str, *, encoded: bool) -> str:
        new = value(origin)
        if new is NOT_JSON:
            return old
        return quote(plain(new), safe="") if encoded else plain(new)

    segments, parameters = parts(request.target)
    for number, origin in bound.path.items():
        segments[number] = text(origin, segments[number], encoded=True)
    for number, origin in bound.query.items():
        name, _, old = parameters[number].partition("=")
        parameters[number] = f"{name}={text(origin, old, encoded=True)}"
    headers = dict(request.headers)
    for name, origin in bound.headers.items():
        headers[name] = text(origin, headers[name], encoded=False)
    body = request.body
    if bound.body:
        whole = json.loads(body)
        for pointer, origin in bound.body.items():
            new = value(origin)
            if new is not NOT_JSON:
                whole = placed(whole, pointer, new)
        body = json.dumps(whole).encode()
    joined = "/".join(segments) + ("?" + "&".join(parameters) if parameters else "")
    return WireRequest(request.method, joined, headers, body)


def parts(target: str) -> tuple[list[str], list[str]]:
    """The segments of a target's path and the parameters of its query, as they were sent."""
    path, mark, query = target.partition("?")
    return path.split("/"), query.split("&") if mark else []


def plain(value: Json) -> str:
    """A scalar as it stands in a path or a query."""
    return value if isinstance(value, str) else json.dumps(value)


def placed(value: Json, pointer: str, new: Json) -> Json:
    """The value with another one at a JSON pointer that leads somewhere in it."""
    tokens = tokens_of(pointer)
    if not tokens:
        return new
    parent = at(value, pointer.rpartition("/")[0])
    parent[int(tokens[-1]) if isinstance(parent, list) else tokens[-1]] = new
    return value


def leaves(value: Json, pointer: str = "") -> Iterator[tuple[str, str, Json]]:
    """Every scalar in a value: its pointer, the name of the member it is (the nearest one), itself."""
    waiting: list[tuple[str, str, Json]] = [(pointer, "", value)]
    for _ in range(_LEAVES):
        if not waiting:
            return
        where, name, found = waiting.pop()
        if isinstance(found, dict):
            waiting += [(pointers.join(where, key), key, entry) for key, entry in reversed(found.items())]
        elif isinstance(found, list):
            waiting += [(pointers.join(where, i), name, entry) for i, entry in reversed(list(enumerate(found)))]
        else:
            yield where, name, found


def identifies(name: str) -> bool:
    """Whether a member of that name says which thing is meant: ``id``, ``customer_id``, ``invoiceNumber``."""
    spelled = words(name)
    return bool(spelled) and spelled[-1] in _IDENTITIES


def said(request: WireRequest) -> set[str]:
    """Every value that a request says itself: in its path, its query and its body."""
    return _said(request)[0]


def _shown(step: int, recorded: Recorded) -> Iterator[tuple[str, _Known]]:
    """What a reply shows that its own request did not say: the values that a server chose."""
    collection = _collection(recorded.request.target)
    said_before, named = _said(recorded.request)
    tag, segment = recorded.header("etag"), _last_segment(recorded.header("location"))
    body = json_of(recorded)
    for pointer, name, value in leaves(body) if body is not NOT_JSON else ():
        text = _telling(name, value)
        if text is not None and (name, text) not in named and (identifies(name) or text not in said_before):
            yield text, _Known(Origin(step, pointer), name, collection)
    if tag:
        yield tag, _Known(Origin(step, ETAG), "etag", collection)
    if segment and segment not in said_before:
        yield segment, _Known(Origin(step, LOCATION), "id", collection)


def _telling(name: str, value: Json) -> str | None:
    """A scalar as text where it can be recognized: an identity, or a text that nobody writes by chance."""
    if isinstance(value, bool) or value is None or value == "":
        return None
    if identifies(name) and isinstance(value, str | int):
        return plain(value)
    return value if isinstance(value, str) and _OPAQUE.match(value) else None


def _said(request: WireRequest) -> tuple[set[str], set[tuple[str, str]]]:
    segments, parameters = parts(request.target)
    texts = {unquote(segment) for segment in segments}
    named: set[tuple[str, str]] = set()
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        named.add((unquote_plus(name), unquote_plus(value)))
    for _, name, value in _body_leaves(request.body):
        if not isinstance(value, bool) and value is not None:
            named.add((name, plain(value)))
    named |= {("id", text) for text in texts}
    return texts | {text for _, text in named}, named


def _body_leaves(body: bytes) -> Iterator[tuple[str, str, Json]]:
    if body[:1] in {b"{", b"["}:
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            return
        yield from leaves(value)


def _bound(request: WireRequest, known: Mapping[str, list[_Known]]) -> Bound:
    if not known:
        return Bound()
    segments, parameters = parts(request.target)
    path = {
        number: _best(known[text], segments[number - 1])
        for number, text in enumerate(map(unquote, segments))
        if number and text in known
    }
    query: dict[int, Origin] = {}
    for number, parameter in enumerate(parameters):
        name, _, value = (unquote_plus(part) for part in parameter.partition("="))
        if value in known and _telling(name, value) is not None:
            query[number] = _best(known[value], name)
    tags = {"if-match", "if-none-match"}
    headers = {name: _best(known[value], name) for name, value in request.headers.items()
               if value in known and (_OPAQUE.match(value) or name.lower() in tags)}  # fmt: skip
    body = {pointer: _best(known[text], name) for pointer, name, value in _body_leaves(request.body)
            if (text := _telling(name, value)) is not None and text in known}  # fmt: skip
    return Bound(path, query, headers, body)


def _best(candidates: Sequence[_Known], name: str) -> Origin:
    """The first origin that a name speaks of (``/products/`` or ``product_id``), else the first of all."""
    stem = [singular(word) for word in words(name) if word not in _IDENTITIES]

    def speaks(candidate: _Known) -> bool:
        called = [singular(word) for word in words(candidate.name) if word not in _IDENTITIES]
        kept = [singular(word) for word in words(candidate.collection)]
        return bool(stem) and (called == stem or (not called and kept[-len(stem) :] == stem))

    return next((found.origin for found in candidates if speaks(found)), candidates[0].origin)


def _collection(target: str) -> str:
    """The name in a path that says what it is about: its last segment that is a word and no key."""
    segments = [segment for segment in parts(target)[0] if segment and not any(mark.isdigit() for mark in segment)]
    return segments[-1] if segments else ""


def _last_segment(location: str | None) -> str:
    return unquote(location.partition("?")[0].rstrip("/").rpartition("/")[2]) if location else ""
