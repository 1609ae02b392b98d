"""The double and the independent judge give the same verdict about the same message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.judge import Judge, Verdict
from mock_server.exchange.messages import RawResponse
from mock_server.openapi.values import Json
from tests.acceptance.lines import URL, Served, served
from tests.acceptance.rich_description import RICH

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEXT = {"Content-Type": "text/plain"}

INVALID = frozenset({400, 401, 404, 405, 415, 422})
"""Statuses that say that the request is not as described; 404 is one only where no path matched."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request of the corpus."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __str__(self) -> str:
        content_type = self.headers.get("Content-Type", "")
        return f"{self.method} {self.target} {content_type} {self.body.decode('latin-1')}"


DIFFERENCES: tuple[tuple[str, str], ...] = (
    ("* /points/*", "OAS 3.1 §4.8.12.4, style matrix; openapi-core looks for the value without `;matrix=`"),
    ("* /xml *", "openapi-core judges the parsed XML element itself, which is never an object"),
    (
        "GET /things?limit=1&limit=2*",
        "one integer was described, two came; openapi-core takes the last of them",
    ),
    ("*NaN*", "RFC 8259 §6 has no NaN; Python's json reads one"),
    ('*"name":"x","name"*', "RFC 8259 §4 wants distinct names; Python's json keeps the last"),
    ("*\\ud800*", "RFC 8259 §8.2: half a surrogate pair is no character; Python's json reads one"),
    ("GET /things?*=%201*", "JSON has no spaces in numbers; Python's int() takes them"),
    (
        "GET /things?name= *",
        "RFC 6570 §3.2.8 writes an empty text as `name=`; openapi-core takes it for none",
    ),
    ("GET /things?cursor= *", "the same; an empty cursor asks for the first page"),
    ("POST /text text/plain ", "an empty text is a text; openapi-core takes an empty body for none"),
)
"""Requests about which the two differ, and why ours is the right verdict."""


def expected_to_differ(sent: Sent) -> bool:
    return any(fnmatchcase(str(sent), pattern.replace("[", "[[]")) for pattern, _ in DIFFERENCES)


def things() -> Iterator[Sent]:
    """Bodies with every member right and wrong."""
    wrong_and_right: dict[str, list[Json]] = {
        "id": ["a", "", 1, None, "x" * 81],
        "name": ["b", 2, None, [], "x" * 81],
        "email": ["a@b.test", "nobody", 3],
        "size": [0, -1, 1.0, 1.5, "1", True],
        "ratio": [0.5, 1, "0.5", None],
        "tags": [[], ["a"], ["a"] * 6, [1], "a"],
        "extra": [None, {"a": [1]}],
    }
    good = {"id": "a", "name": "b"}
    for name, values in wrong_and_right.items():
        for value in values:
            yield Sent("POST", "/things", JSON, orjson.dumps(good | {name: value}))
    for body in (b"{}", b"[]", b"null", b"0", b'""', b"", b"{", b'{"id":"a"}', b'{"name":"b"}', b"true"):
        yield Sent("POST", "/things", JSON, body)
        yield Sent("POST", "/anything", JSON, body)
    for member in (b'"ratio":NaN', b'"name":"y"', b'"extra":"\\ud800"', b'"size":9223372036854775808'):
        yield Sent("POST", "/things", JSON, b'{"id":"x","name":"x",' + member + b"}")


def media_types() -> Iterator[Sent]:
    good = b'{"id":"a","name":"b"}'
    for content_type in (
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "text/plain",
        "application/xml",
    ):
        yield Sent("POST", "/things", {"Content-Type": content_type}, good)
    for content_type, body in product(("text/plain", "application/octet-stream"), (b"x", b"x" * 21, b"")):
        yield Sent("POST", "/text", {"Content-Type": content_type}, body)
    for body in (b"n=1", b"n=10", b"n=x", b"m=1", b"n=-1", b"n=1.5", b"n=true"):
        yield Sent("POST", "/form", FORM, body)
    for patch in (b"{}", b'{"name":"c"}', b"[]", b"1"):
        yield Sent("PATCH", "/things/known", {"Content-Type": "application/merge-patch+json"}, patch)
        yield Sent("PATCH", "/things/known", {"Content-Type": "application/json-patch+json"}, patch)
    for body in (b"<Note><text>a</text></Note>", b"<Note><n>1</n></Note>"):
        yield Sent("POST", "/xml", {"Content-Type": "application/xml"}, body)


def parameters() -> Iterator[Sent]:
    values = ("1", "0", "-1", "abc", "1.5", "99999999999", "true", "%201", "")
    for name, value in product(("limit", "offset"), values):
        yield Sent("GET", f"/things?{name}={value}")
    yield Sent("GET", "/things?offset=9223372036854775808")
    yield Sent("GET", "/things?limit=1&limit=2")
    for query in ("unknown=1", "name=a", "name=", "cursor="):
        yield Sent("GET", f"/things?{query}")
    for value in ("1", "9", "10", "-1", "x", "%7B", "[]", "1.0", "null"):
        yield Sent("GET", f"/search?where={value}")
        yield Sent("GET", f"/search?filter[a]={value}")
        yield Sent("GET", "/search", {"X-Count": value})
    for word in ("a", "aaaa", "b", "ab"):
        yield Sent("GET", f"/search?word={word}")
    for tags in ("a", "a,b", "", ","):
        yield Sent("GET", f"/search?tags={tags}")
    for cookie in ("session=abcd", "session=ABCD", "session=abc", "other=1", "session=abcde; other=1"):
        yield Sent("GET", "/search", {"Cookie": cookie})
    for key in ("known", "x" * 80, "x" * 81, "%20", "a%2Cb", "%C3%A9"):
        yield Sent("GET", f"/things/{key}")
    for point in ("1,2/;matrix=1,2", "1,x/;matrix=1", "10/;matrix=1"):
        yield Sent("GET", f"/points/{point}")


def paths_and_callers() -> Iterator[Sent]:
    for method, target in (
        ("GET", "/nothing"),
        ("PUT", "/things"),
        ("DELETE", "/search"),
        ("GET", "/things/a/b"),
    ):
        yield Sent(method, target)
    for value in ("Bearer right", "bearer right", "Basic dTpw", "Digest x", "Bearer", "", "Nothing"):
        yield Sent("GET", "/guarded", {"Authorization": value} if value else {})
    for cookie in ("key=1", "lock=1"):
        yield Sent("GET", "/guarded", {"Cookie": cookie})


CORPUS = (*things(), *media_types(), *parameters(), *paths_and_callers())


@dataclass(frozen=True, slots=True)
class Court:
    """The double with a thing in it, and the judge."""

    double: Served
    judge: Judge

    def verdicts(self, sent: Sent) -> tuple[bool, Verdict, RawResponse]:
        """Ours, the judge's, and the answer; nothing that a request changes stays."""
        before = self.double.universe.state
        answer = self.double.send(sent.method, sent.target, headers=sent.headers, body=sent.body)
        self.double.universe.state = before
        missing = answer.status == 404 and b"does not exist" in answer.body
        ours = answer.status not in INVALID or missing
        return ours, self.judge.request(sent.method, URL + sent.target, sent.headers, sent.body), answer


@pytest.fixture(scope="module")
def court() -> Court:
    double = served(RICH)
    assert double.send("POST", "/things", headers=JSON, body=b'{"id":"known","name":"n"}').status == 201
    return Court(double, Judge(RICH))


@pytest.mark.parametrize("sent", [sent for sent in CORPUS if not expected_to_differ(sent)], ids=str)
def test_double_and_judge_agree(court: Court, sent: Sent) -> None:
    ours, theirs, answer = court.verdicts(sent)
    assert ours is theirs.valid, (theirs.reasons, answer.status, answer.body[:500])


@pytest.mark.parametrize("sent", CORPUS, ids=str)
def test_judge_accepts_what_the_double_answers(court: Court, sent: Sent) -> None:
    _, _, answer = court.verdicts(sent)
    problem = dict(answer.headers).get("Content-Type") == "application/problem+json"
    if not problem:
        url = URL + sent.target
        verdict = court.judge.response(sent.method, url, answer.status, answer.headers, answer.body)
        assert verdict.valid, verdict.reasons


def test_the_corpus_is_of_both_kinds(court: Court) -> None:
    counted = Counter(court.verdicts(sent)[0] for sent in CORPUS)
    assert len(CORPUS) >= 150  # and 300 made-up ones below
    assert counted[True] >= 50
    assert counted[False] >= 50


def test_every_difference_is_one(court: Court) -> None:
    differing = [str(sent) for sent in CORPUS if court.verdicts(sent)[0] is not court.verdicts(sent)[1].valid]
    idle = [p for p, _ in DIFFERENCES if not any(fnmatchcase(s, p.replace("[", "[[]")) for s in differing)]
    assert not idle


_NAMES = sorted(RICH["components"]["schemas"]["Thing"]["properties"])
_MEMBERS: st.SearchStrategy[Json] = (
    st.none() | st.booleans() | st.integers(-20, 20) | st.text("abé \U0001f600", max_size=6) | st.just([])
)
_TARGETS = st.one_of(
    st.builds("/things?limit={}&offset={}".format, st.integers(-3, 30), st.sampled_from(["0", "7", "x", "-1"])),
    st.builds("/search?tags=a,b&word={}".format, st.text("ab", min_size=1, max_size=6)),
    st.builds("/search?filter[a]={}&filter[b]={}".format, st.integers(-5, 15), st.text("xyz", max_size=3)),
)


@given(
    body=st.dictionaries(st.sampled_from(_NAMES), _MEMBERS),
    target=_TARGETS,
    count=st.integers(-5, 15),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_double_and_judge_agree_on_made_up_requests(
    court: Court, body: dict[str, object], target: str, count: int
) -> None:
    for sent in (
        Sent("POST", "/things", JSON, orjson.dumps(body)),
        Sent("GET", target, {"X-Count": str(count)}),
    ):
        ours, theirs, answer = court.verdicts(sent)
        assert ours is theirs.valid, (sent, theirs.reasons, answer.body[:500])
