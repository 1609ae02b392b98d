"""Hypothesis spoils requests: valid ones a little, so that the deep code is reached, and makes blind ones up."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import quote

from hypothesis import strategies as st

from mock_server.openapi.values import Json
from tests.acceptance.test_hostile_packs import ODD_BODIES, ODD_METHODS, ODD_NUMBERS, ODD_TEXTS, ODD_TYPES, ODD_VALUES
from tests.hostile.sent import Sent

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
Spoil: TypeAlias = "Callable[[Draw, Sent], Sent]"

TOKENS = (
    b"\x00", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b'"', b"'", b"{", b"}", b"[", b"]", b",",
    b":", b"-", b"1e999", b"-0", b"NaN", b"null", b"true", b"9" * 40, b"\r\n", b"--", b"&", b"=", b"%00", b"%", b";",
    b"<", b"<!DOCTYPE a>", b"&lt;", b"\xef\xbb\xbf", b"e+", b".", b"*", b"eyJ",
)  # fmt: skip
_HEADERS = {
    "Accept": ("*/*", "image/png", "application/json;q=0", "text/csv, */*;q=0.1", ";;,=q/\x01", "a/b", "*/*;q=0",
               "application/xml", "text/event-stream", "application/json; profile=\"x\"", "x" * 5000),
    "Prefer": ("code=200", "code=404", "code=500", "code=99", "example=x", "dynamic=true", "explain",
               "explain, code=201", '=;,"\x00', "respond-async", "code=204; dynamic=true"),
    "Mock-Session": ("other", "default", "\x00", "a b", "x" * 129, "../x", "", "é", "attacked "),
    "If-Match": ("*", '"x"', "W/\"1\"", '"",,\x00', "x" * 3000, '"1", "2"'),
    "If-None-Match": ("*", '"x"', "W/\"1\"", 'W/W/"",,'),
    "If-Modified-Since": ("Thu, 01 Jan 1970 00:00:00 GMT", "never", "Sat, 31 Feb 9999 25:61:61 GMT"),
    "If-Unmodified-Since": ("Thu, 01 Jan 1970 00:00:00 GMT", "never"),
    "Range": ("bytes=0-1", "bytes=5-1", "bytes=-99999999999999999999", "items=0-", "bytes=0-1,0-1,0-1,0-1", "x"),
    "Authorization": ("", "Bearer", "Bearer x", "Basic %%%", "Basic eDp5", "Bearer a.b.c", "bearer \xff", "Digest a=\"",
                      "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "x" * 3000),
    "Cookie": (";;=;\x00,=\xff", "a=1; a=2", "session", "=" * 500),
    "Idempotency-Key": ("k", "k", "", "x" * 3000, "\xff\x00"),
    "X-HTTP-Method-Override": ("DELETE", "PATCH"),
    "Content-Encoding": ("gzip", "br", "identity", "gzip, gzip", "IDENTITY", "\x00"),
    "Content-Length": ("0", "5", "-1"),
    "Transfer-Encoding": ("gzip", "identity", "chunked, chunked"),
    "Expect": ("100-continue", "200-ok"),
    "Origin": ("null", "https://app.test", "\xff", "a\tb"),
    "Access-Control-Request-Method": ("POST", "\x7f", "x" * 500),
    "Host": ("", "a b", "[::1", "\xff", "a:99999999", "x" * 3000, "double.test, other.test"),
    "X-Forwarded-Host": ("evil.test",),
    "Content-Type": (*ODD_TYPES, "application/json; charset=utf-16", "application/json; charset=\"",
                     "text/plain; charset=utf-7", "multipart/form-data; boundary=\"\"",
                     "multipart/form-data; boundary=" + "b" * 80, "application/json; a=1; a=2",
                     "application/vnd.x+json", "application/json-seq", "text/plain; charset=idna",
                     "text/plain; charset=unicode_escape", "text/plain; charset=undefined",
                     "text/plain; charset=\xff"),
}  # fmt: skip
_PARAMETERS = (
    "limit", "offset", "page", "cursor", "sort", "q", "filter", "fields", "include", "tenant", "id", "session",
)  # fmt: skip
_DEPTHS = (1, 30, 98, 99, 100, 101, 400)

_odd_values = st.one_of(st.sampled_from(ODD_VALUES), st.sampled_from(ODD_NUMBERS), st.sampled_from(ODD_TEXTS),
                        st.text(max_size=8), st.integers(), st.floats())  # fmt: skip
_odd_texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=8))
_latin = st.text(st.characters(max_codepoint=255), max_size=12)


def _bytes(draw: Draw, sent: Sent) -> Sent:
    """A byte changed, a piece left out or repeated, a token put in."""
    body = sent.body
    at = draw(st.integers(0, max(0, len(body) - 1)))
    end = min(len(body), at + draw(st.integers(1, 30)))
    match draw(st.sampled_from(("change", "cut", "leave", "repeat", "token"))):
        case "change":
            body = body[:at] + bytes([draw(st.integers(0, 255))]) + body[at + 1 :]
        case "cut":
            body = body[:at]
        case "leave":
            body = body[:at] + body[end:]
        case "repeat":
            body = body[:at] + body[at:end] * draw(st.sampled_from((2, 3, 50))) + body[end:]
        case _:
            body = body[:at] + draw(st.sampled_from(TOKENS)) + body[at:]
    return replace(sent, body=body)


def _value(draw: Draw, sent: Sent) -> Sent:
    """A JSON body in which one value is another, missing, doubled or nested."""
    try:
        value = json.loads(sent.body)
    except (ValueError, RecursionError):
        return _bytes(draw, sent)
    spoiled = _spoiled(draw, value)
    return replace(sent, body=json.dumps(spoiled).encode())


def _spoiled(draw: Draw, value: Json) -> Json:
    if isinstance(value, dict) and value and draw(st.integers(0, 7)):
        name = draw(st.sampled_from(sorted(value)))
        match draw(st.integers(0, 9)):
            case 0:
                return {held: value[held] for held in value if held != name}
            case 1:
                return {**value, draw(_odd_texts): draw(_odd_values)}
            case _:
                return {**value, name: _spoiled(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        at = draw(st.integers(0, len(value) - 1))
        if not draw(st.integers(0, 5)):
            return value * draw(st.sampled_from((2, 20)))
        return [*value[:at], _spoiled(draw, value[at]), *value[at + 1 :]]
    match draw(st.integers(0, 9)):
        case 0:
            return _nested(value, draw(st.sampled_from(_DEPTHS)), draw(st.booleans()))
        case 1 if isinstance(value, str):
            return value + draw(_odd_texts)
        case 2 if isinstance(value, int | float):
            return -value
        case 3:
            return [value]
        case _:
            return draw(_odd_values)


def _nested(value: Json, depth: int, in_lists: bool) -> Json:
    for _ in range(depth):
        value = [value] if in_lists else {"a": value}
    return value


def _twice(draw: Draw, sent: Sent) -> Sent:
    """A member that an object has already, once more."""
    at = sent.body.find(b"{")
    end = sent.body.find(b":", at)
    if at < 0 or end < 0:
        return replace(sent, body=sent.body * 2)
    member = sent.body[at + 1 : end] + b":" + draw(st.sampled_from((b"null,", b'"x",', b"1,")))
    return replace(sent, body=sent.body[: at + 1] + member + sent.body[at + 1 :])


def _whole(draw: Draw, sent: Sent) -> Sent:
    return replace(sent, body=draw(st.one_of(st.sampled_from(ODD_BODIES), st.binary(max_size=40))))


def _header(draw: Draw, sent: Sent) -> Sent:
    """A header set, sent twice, or left out."""
    name = draw(st.sampled_from(sorted(_HEADERS)))
    value = draw(st.one_of(st.sampled_from(_HEADERS[name]), _latin))
    others = tuple((known, held) for known, held in sent.headers if known.lower() != name.lower())
    match draw(st.integers(0, 7)):
        case 0:
            return replace(sent, headers=others)
        case 1:
            return replace(sent, headers=(*sent.headers, (name, value)))
        case _:
            return replace(sent, headers=(*others, (name, value)))


def _method(draw: Draw, sent: Sent) -> Sent:
    chosen = draw(st.sampled_from((*ODD_METHODS, "GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS")))
    return replace(sent, method=chosen)


def _path(draw: Draw, sent: Sent) -> Sent:
    """One segment of the path another, or something put in front."""
    path, sign, query = sent.target.partition("?")
    segments = path.split("/")
    at = draw(st.integers(0, len(segments) - 1))
    odd = draw(_odd_texts)
    match draw(st.integers(0, 8)):
        case 0:
            path = "/__session__/" + quote(draw(st.sampled_from(("other", "attacked", "a b", "", odd)))) + path
        case 1:
            path = draw(st.sampled_from(("/", "//", "/.", "/%2e%2e", "http://a.test", "*", "?", "/__session__"))) + path
        case 2:
            path += draw(st.sampled_from(("/", "//", ";a=b", "%2F", "/.", "%00", "%", "%c0%af", "#x", ".json")))
        case 3:
            segments[at] = "".join(f"%{byte:02x}" for byte in segments[at].encode())
            path = "/".join(segments)
        case _:
            written = quote(odd[:2000], safe="") if draw(st.integers(0, 3)) else odd.encode().decode("latin-1")
            segments[at] = written.replace("?", "%3F")
            path = "/".join(segments)
    return replace(sent, target=path + sign + query)


def _query(draw: Draw, sent: Sent) -> Sent:
    path, _, query = sent.target.partition("?")
    pairs = query.split("&") if query else []
    known = [pair.partition("=")[0] for pair in pairs]
    name = draw(st.sampled_from((*known, *_PARAMETERS)))
    odd = draw(_odd_texts)
    written = quote(odd, safe="") if draw(st.booleans()) else odd.encode().decode("latin-1")
    match draw(st.integers(0, 6)):
        case 0:
            pairs = pairs * 2
        case 1:
            pairs.append(f"{name}{draw(st.sampled_from(('[]', '[a]', '[a][b]', '[', '[0]', '.a', '~')))}={written}")
        case 2:
            pairs = [pair for pair in pairs if not pair.startswith(name)]
        case 3:
            pairs.append(written)
        case _:
            pairs = [pair for pair in pairs if pair.partition("=")[0] != name] + [f"{name}={written}"]
    return replace(sent, target=f"{path}?{'&'.join(pairs)}")


def _framing(draw: Draw, sent: Sent) -> Sent:
    """The length a lie, left out, or the body in chunks."""
    lengths = (None, "", "0", "1", "-1", "+5", "x", "\u0661", "99999999999999999999", "1e3", "5, 5")
    length = draw(st.sampled_from(lengths))
    return replace(sent, length=length, chunked=draw(st.booleans()), raw=draw(st.booleans()))


_SPOILING: Sequence[Spoil] = (
    _value, _value, _value, _value, _bytes, _bytes, _twice, _whole, _header, _header, _header, _method, _path, _path,
    _query, _query, _framing,
)  # fmt: skip


@st.composite
def spoiled(draw: Draw, valid: Callable[[str, int], Sent | None], operations: Sequence[str]) -> Sent:
    """A valid request with up to three things wrong with it; a blind one where there is no valid one."""
    base = valid(draw(st.sampled_from(operations)), draw(st.integers(0, 3)))
    if base is None:
        made: Sent = draw(blind())
        return made
    for _ in range(draw(st.integers(0, 3))):
        base = draw(st.sampled_from(_SPOILING))(draw, base)
    return base


@st.composite
def blind(draw: Draw) -> Sent:
    """Anything that a server could hand on, made of nothing that the description says."""
    method = draw(st.one_of(st.sampled_from(ODD_METHODS), _latin))
    begins = ("/", "*", "", "//", "/?", "http://a", "/__mock__", "/__session__/")
    target = draw(st.one_of(st.just("/"), st.sampled_from(begins)))
    names = st.one_of(st.sampled_from(sorted(_HEADERS)), st.text("abcXYZ-_0", min_size=1, max_size=8))
    headers = tuple(draw(st.lists(st.tuples(names, _latin), max_size=4)))
    body = draw(st.binary(max_size=60))
    return _framing(draw, Sent(method, target + draw(_latin), headers, body))
