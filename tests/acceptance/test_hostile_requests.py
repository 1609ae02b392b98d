"""Whatever a client sends, the double answers quickly, with a status and in words, and goes on as before."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.exchange.authentication import Credential
from mock_server.openapi import jsontext
from tests.acceptance.lines import Served, served
from tests.acceptance.rich_description import RICH


def typed(content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type}


JSON = typed("application/json")
FORM = typed("application/x-www-form-urlencoded")
XML = typed("application/xml")
TEXT = typed("text/plain")
MERGE = typed("application/merge-patch+json")
PATCH = typed("application/json-patch+json")
PARTS = typed("multipart/form-data; boundary=b")

SECONDS = 2.0
"""The most CPU time that any one answer may take."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One request; ``status`` is what it is answered with: a status, or the hundreds digit of its class."""

    name: str
    status: int
    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def get(name: str, status: int, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Hostile:
    return Hostile(name, status, "GET", target, headers or {}, body)


def post(name: str, status: int, target: str, headers: dict[str, str], body: bytes = b"") -> Hostile:
    return Hostile(name, status, "POST", target, headers, body)


def posted(name: str, status: int, body: bytes) -> Hostile:
    return post(name, status, "/things", JSON, body)


def anything(name: str, status: int, body: bytes) -> Hostile:
    return post(name, status, "/anything", JSON, body)


def patch(name: str, status: int, headers: dict[str, str], body: bytes) -> Hostile:
    return Hostile(name, status, "PATCH", "/things/known", headers, body)


def uploaded(name: str, status: int, body: bytes) -> Hostile:
    return post(name, status, "/upload", PARTS, body + END)


def part(head: bytes, content: bytes = b"x") -> bytes:
    return b"--b\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


FILE = b'Content-Disposition: form-data; name="file"; filename="f"'
NAME = b'Content-Disposition: form-data; name="n"'
END = b"--b--\r\n"
LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
BOMB = b"<!DOCTYPE x [<!ENTITY l0 'ha'>" + LAUGHS + b"]><Note>&l9;</Note>"
COPIES = b"[" + b",".join([b'{"op":"copy","from":"/tags","path":"/tags/-"}'] * 60) + b"]"


def thing(**members: object) -> bytes:
    return orjson.dumps({"id": "x", "name": "x"} | members)


HOSTILE = (
    # JSON texts
    posted("no JSON at all", 400, b"hello"),
    posted("cut off", 400, b'{"id": "x", "na'),
    posted("two values", 400, b"{} {}"),
    posted("trailing comma", 400, b'{"id":"x","name":"y",}'),
    posted("single quotes", 400, b"{'id':'x'}"),
    posted("white space alone", 400, b" \n\t"),
    posted("NaN", 400, b'{"id":"x","name":"x","ratio":NaN}'),
    anything("minus infinity", 400, b"-Infinity"),
    anything("a number beyond doubles", 400, b"1e999"),
    anything("an integer of 100,000 digits", 400, b"9" * 100_000),
    posted("an integer beyond int64", 422, thing()[:-1] + b',"size":9223372036854775808}'),
    anything("a fraction of 100,000 digits", 2, b"0." + b"1" * 100_000),
    posted("two members of one name", 400, b'{"id":"x","name":"x","name":"y"}'),
    posted("two equal members once escaped", 400, b'{"id":"x","name":"x","n\\u0061me":"y"}'),
    anything("100,000 arrays deep", 400, b"[" * 100_000 + b"]" * 100_000),
    anything("100,000 arrays deep, never closed", 400, b"[" * 100_000),
    anything("100,000 objects deep", 400, b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    posted("a lone surrogate", 400, b'{"id":"x","name":"\\ud800"}'),
    anything("a lone surrogate as a name", 400, b'{"\\udfff":1}'),
    posted("bytes that are no UTF-8", 400, b'{"id":"x","name":"\xff"}'),
    posted("an overlong UTF-8 slash", 400, b'{"id":"x","name":"\xc0\xaf"}'),
    posted("UTF-16", 400, '{"id":"x","name":"x"}'.encode("utf-16")),
    posted("a control character in a string", 400, b'{"id":"x","name":"\x00"}'),
    anything("100,000 members", 2, orjson.dumps({str(n): n for n in range(100_000)})),
    posted("a text of a million characters", 422, thing(name="x" * 1_000_000)),
    posted("100,000 wrong items", 422, thing(tags=[1] * 100_000)),
    get("a body where none is described", 2, "/things", JSON, b"{"),
    post("no body", 4, "/things", JSON),
    anything("a byte order mark", 2, b"\xef\xbb\xbf{}"),
    # keys that make addresses
    posted("a key with line breaks", 2, thing(id="a\r\nX-Injected: 1")),
    posted("a key with slashes", 2, thing(id="../../etc/passwd")),
    posted("a key of emoji", 2, thing(id="\U0001f600\U0001f1e9")),
    posted("a key that runs right to left", 2, thing(id="\u202eabc\u05d0")),
    posted("an empty key", 422, thing(id="")),
    posted("a key with a zero byte", 2, thing(id="a\x00b")),
    posted("a key that is a template", 2, thing(id="{thingId}")),
    posted("a key that is an expression", 2, thing(id="{$request.body#/name}")),
    # media types
    post("another content type", 415, "/things", TEXT, thing()),
    post("a content type that is none", 415, "/things", typed("json"), thing()),
    post("a content type of line noise", 415, "/things", typed(";;,=/\x01"), thing()),
    post("a content type of 100 kB", 415, "/things", typed("a/" + "b" * 100_000), thing()),
    post("two content types", 415, "/things", typed("application/json, text/plain"), thing()),
    post("an unknown charset", 4, "/text", typed("text/plain; charset=klingon"), b"x"),
    post("a charset that is a codec", 4, "/text", typed("text/plain; charset=zlib"), b"x"),
    post("text that is not of its charset", 400, "/text", TEXT, b"\xff\xfe"),
    post("a compressed body", 415, "/things", JSON | {"Content-Encoding": "gzip"}, b"\x1f\x8b"),
    post("a long binary body", 422, "/text", typed("application/octet-stream"), bytes(30)),
    post("a content length that lies", 2, "/anything", JSON | {"Content-Length": "99999"}, b"{}"),
    post("a negative content length", 2, "/anything", JSON | {"Content-Length": "-1"}, b"{}"),
    # multipart bodies
    post("multipart without boundary", 400, "/upload", typed("multipart/form-data"), END),
    post("multipart with another boundary", 400, "/upload", PARTS, b"--c\r\n\r\n--c--\r\n"),
    post("multipart never closed", 400, "/upload", PARTS, part(FILE)),
    uploaded("multipart part without a name", 400, part(b"X-A: b")),
    post("multipart head never closed", 400, "/upload", PARTS, b"--b\r\nContent-Disposition: form-data"),
    uploaded("multipart head of 1 MB", 400, part(FILE + b"\r\nX-A: " + b"a" * 1_000_000)),
    uploaded("multipart without its file", 422, part(NAME, b"1")),
    uploaded("multipart number that is none", 422, part(FILE) + part(NAME, b"one")),
    uploaded("multipart of 20,000 parts", 4, part(NAME, b"1") * 20_000),
    uploaded("multipart file name that climbs", 2, part(FILE + b'"; x="../../x')),
    post("multipart boundary of 1,000 characters", 400, "/upload",
         typed("multipart/form-data; boundary=" + "b" * 1000), END),
    # XML
    post("XML entity bomb", 400, "/xml", XML, BOMB),
    post("XML external entity", 400, "/xml", XML,
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Note><text>&e;</text></Note>'),
    post("XML external DTD", 400, "/xml", XML, b'<!DOCTYPE x SYSTEM "http://a.test/x.dtd"><Note/>'),
    post("XML never closed", 400, "/xml", XML, b"<Note><text>"),
    post("XML 100,000 deep", 400, "/xml", XML, b"<a>" * 100_000 + b"</a>" * 100_000),
    post("XML without what is required", 422, "/xml", XML, b"<Note><n>1</n></Note>"),
    # forms
    post("form of 10,000 brackets", 4, "/form", FORM, b"a" + b"[b]" * 10_000 + b"=1"),
    post("form of 20,000 fields", 400, "/form", FORM, b"&".join(b"a[%d]=1" % n for n in range(20_000))),
    post("form with a bad escape", 400, "/form", FORM, b"n=%zz"),
    post("form that is both text and object", 4, "/form", FORM, b"a=1&a[b]=2"),
    post("form of separators", 2, "/form", FORM, b"&" * 100_000),
    # patches
    patch("copies that double", 4, PATCH, COPIES),
    patch("patch of nothing", 4, PATCH, b'[{"op":"remove","path":"/no/such"}]'),
    patch("patch with an unknown op", 4, PATCH, b'[{"op":"explode","path":"/name"}]'),
    patch("patch with a bad pointer", 4, PATCH, b'[{"op":"add","path":"name~2","value":1}]'),
    patch("patch of the root away", 4, PATCH, b'[{"op":"remove","path":""}]'),
    patch("patch at a huge index", 4, PATCH,
            b'[{"op":"add","path":"/tags/99999999999999999999","value":"x"}]'),
    patch("merge patch that is null", 422, MERGE, b"null"),
    patch("merge patch that removes what is required", 4, MERGE, b'{"name":null}'),
    patch("merge patch of another type", 4, MERGE, b'{"name":{"a":{"b":1}}}'),
    # paths
    get("path that climbs", 404, "/../../etc/passwd"),
    get("path that climbs in disguise", 404, "/things/%2e%2e%2f%2e%2e%2fetc%2fshadow"),
    get("two slashes", 404, "//things"),
    get("an empty segment", 404, "/things//x"),
    get("no slash at all", 404, "things"),
    get("an absolute URL", 404, "http://a.test/things"),
    get("an empty path", 404, ""),
    get("asterisk", 4, "*"),
    get("zero byte in a path", 404, "/things/c%00d"),
    get("bad escape in a path", 400, "/things/%zz"),
    get("no UTF-8 in a path", 400, "/things/%ff%fe"),
    get("overlong slash in a path", 400, "/things/%c0%af"),
    get("surrogate in a path", 400, "/things/%ed%a0%80"),
    get("raw surrogate in a path", 4, "/things/\ud800"),
    get("a path of 1 MB", 404, "/" + "x" * 1_000_000),
    get("a path of 100,000 segments", 404, "/a" * 100_000),
    get("a key of 1 MB", 400, "/things/" + "x" * 1_000_000),
    get("a matrix that is none", 400, "/points/1,2/1,2"),
    get("a list of 100,000 points", 400, "/points/" + "1," * 100_000 + "x/;matrix=1"),
    # queries
    get("10,000 parameters", 400, "/things?" + "&".join(f"p{n}=1" for n in range(10_000))),
    get("a query of 1 MB", 2, "/things?name=" + "x" * 1_000_000),
    get("bad escape in a query", 400, "/things?name=%"),
    get("no UTF-8 in a query", 400, "/things?name=%c0%af"),
    get("line break in a query", 2, "/things?name=a%0d%0aX-Injected:%201"),
    get("negative limit", 400, "/things?limit=-1"),
    get("limit beyond int32", 400, "/things?limit=99999999999"),
    get("offset beyond int64", 400, "/things?offset=9223372036854775808"),
    get("offset of 10,000 digits", 400, "/things?offset=" + "9" * 10_000),
    get("offset as far as int64", 2, "/things?offset=9223372036854775807"),
    get("limit in other digits", 400, "/things?limit=%D9%A3"),
    get("limit twice", 400, "/things?limit=1&limit=2"),
    get("limit in scientific notation", 400, "/things?limit=1e400"),
    get("cursor of garbage", 4, "/things?cursor=%F0%9F%98%80%00%22"),
    get("cursor of base64 garbage", 4, "/things?cursor=AAAAAAAA"),
    get("deep object 1,000 deep", 400, "/search?filter" + "[a]" * 1000 + "=1"),
    get("deep object never closed", 2, "/search?filter[a=1"),
    get("JSON parameter that is none", 400, "/search?where=%7B"),
    get("JSON parameter 100,000 deep", 400, "/search?where=" + "%5B" * 100_000),
    get("pattern that could backtrack", 400, "/search?word=" + "a" * 40 + "!"),
    get("look-ahead that backtracks", 400, "/search?twin=" + "a" * 40 + "!"),
    # headers
    get("header number that is none", 400, "/search", {"X-Count": "many"}),
    get("header number of 10,000 digits", 400, "/search", {"X-Count": "9" * 10_000}),
    get("cookie of line noise", 2, "/search", {"Cookie": ";;=;\x00,=\xff"}),
    get("cookie that breaks its pattern", 400, "/search", {"Cookie": "session=SESSION"}),
    get("10,000 cookies", 2, "/search", {"Cookie": "; ".join(f"c{n}=1" for n in range(10_000))}),
    get("Accept of line noise", 2, "/things", {"Accept": ";;,=q/\x01"}),
    get("Accept of what there is not", 406, "/things", {"Accept": "image/png"}),
    get("Accept that refuses everything", 406, "/things", {"Accept": "*/*;q=0"}),
    get("Accept of 10,000 ranges", 2, "/things", {"Accept": "a/b;q=0.1, " * 10_000 + "application/json"}),
    get("Prefer of no status", 400, "/things", {"Prefer": "code=teapot"}),
    get("Prefer of an interim status", 400, "/things", {"Prefer": "code=101"}),
    get("Prefer of an undescribed status", 404, "/things", {"Prefer": "code=418"}),
    get("Prefer of an unknown example", 404, "/things", {"Prefer": 'example="' + "x" * 5000 + '"'}),
    get("Prefer of line noise", 2, "/things", {"Prefer": '=;,"\x00\\'}),
    Hostile("If-Match of line noise", 4, "PUT", "/things/known", JSON | {"If-Match": '"",,"\x00'}, thing()),
    get("If-None-Match of line noise", 2, "/things/known", {"If-None-Match": 'W/W/"",,'}),
    get("Authorization of nothing", 401, "/guarded", {"Authorization": ""}),
    get("Authorization of a scheme alone", 401, "/guarded", {"Authorization": "Bearer"}),
    get("Authorization that is no base64", 401, "/guarded", {"Authorization": "Basic %%%"}),
    get("Authorization without a colon", 401, "/guarded",
            {"Authorization": "Basic " + base64.b64encode(b"user").decode()}),
    get("Authorization of no UTF-8", 401, "/guarded",
            {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}),
    get("Authorization of 1 MB", 401, "/guarded", {"Authorization": "Bearer " + "x" * 1_000_000}),
    get("Origin with a line break", 2, "/things", {"Origin": "http://a\r\nX-Injected: 1"}),
    # methods
    Hostile("an unknown method", 405, "BREW", "/things"),
    Hostile("a method in lower case", 405, "get", "/things"),
    Hostile("TRACE", 405, "TRACE", "/things"),
    Hostile("CONNECT", 404, "CONNECT", "a.test:443"),
    Hostile("an empty method", 405, "", "/things"),
    Hostile("a method of 1 MB", 405, "X" * 1_000_000, "/things"),
)  # fmt: skip


@pytest.fixture(scope="module")
def double() -> Iterator[Served]:
    """One line for the whole module: what one request leaves behind, the next would meet."""
    made = served(RICH, credentials=[Credential("tester", "token", "right")])
    created = made.send("POST", "/things", headers=JSON, body=thing(id="known", tags=["a"]))
    assert created.status == 201
    yield made
    normal = made.send("GET", "/things/known")
    assert (normal.status, orjson.loads(normal.body)["name"]) == (200, "x")
    for entry in made.universe.journal:
        assert json.loads(jsontext.dumps(entry.as_json()))["id"] == entry.id


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_hostile_request_gets_a_plain_answer(double: Served, hostile: Hostile) -> None:
    before = double.universe.state
    began = time.thread_time()  # the CPU that it costs, whatever else the machine is doing
    answer = double.send(hostile.method, hostile.target, headers=hostile.headers, body=hostile.body)
    took = time.thread_time() - began
    assert took < SECONDS
    assert answer.status == hostile.status or answer.status // 100 == hostile.status, answer.body[:500]
    assert b"Traceback" not in answer.body
    assert len(answer.body) < 50_000
    assert not any({"\r", "\n"} & set(name + value) for name, value in answer.headers)
    if answer.status >= 400:
        assert double.universe.state == before
        told = orjson.loads(answer.body)
        assert told["status"] == answer.status
        assert told["detail"]


def test_every_hostile_request_has_a_name_of_its_own() -> None:
    assert len({hostile.name for hostile in HOSTILE}) == len(HOSTILE) >= 60


def test_created_key_with_line_breaks_is_escaped_in_location(double: Served) -> None:
    answer = double.send("POST", "/things", headers=JSON, body=thing(id="b\r\nX-Injected: 1"))
    assert dict(answer.headers)["Location"].endswith("/things/b%0D%0AX-Injected:%201")


_TARGETS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(sorted(RICH["paths"])).map(lambda path: path.replace("{", "").replace("}", "")),
    st.text(max_size=20).map(lambda text: "/things/" + text),
    st.text(max_size=20).map(lambda text: "/search?filter[a]=" + text),
    st.text(max_size=20).map(lambda text: "/things?" + text),
)
_HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Accept",
            "Authorization",
            "Content-Type",
            "Cookie",
            "If-Match",
            "If-None-Match",
            "Origin",
            "Prefer",
            "X-Count",
        ]
    ),
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(["application/json", "application/xml", "application/x-www-form-urlencoded", "text/plain"]),
        st.sampled_from(["multipart/form-data; boundary=b", "application/json-patch+json", "Bearer right", "explain"]),
    ),
    max_size=4,
)
_BODIES = st.one_of(
    st.binary(max_size=60),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5).map(
        lambda value: jsontext.dumps(value)
    ),
    st.dictionaries(st.sampled_from(["id", "name", "tags", "size", "op", "path"]), st.text(max_size=5)).map(
        lambda value: jsontext.dumps([value])
    ),
)


@given(
    method=st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS"]) | st.text(max_size=8),
    target=_TARGETS,
    headers=_HEADERS,
    body=_BODIES,
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_no_request_at_all_is_the_doubles_own_error(
    double: Served, method: str, target: str, headers: dict[str, str], body: bytes
) -> None:
    answer = double.send(method, target, headers=headers, body=body)
    assert 200 <= answer.status < 500, answer.body
    assert not any({"\r", "\n"} & set(name + value) for name, value in answer.headers)
