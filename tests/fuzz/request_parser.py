"""Fuzzing of the request parser: whatever a request holds, the line answers it, and never with a 5xx of its own.

    pip install atheris
    python -m tests.fuzz.request_parser -max_total_time=600

An input is read as the parts of a request to the description in ``tests/acceptance/rich_description.py``: a method, a
target, a few headers and a body. What requests leave behind is dropped after each.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mock_server.exchange.authentication import Credential
from tests.acceptance.lines import Served, served
from tests.acceptance.rich_description import RICH
from tests.fuzz.driving import drive
from tests.fuzz.mutations import Choices

CORPUS = Path(__file__).parent / "corpus" / "request_parser"

_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY", "get", "")
_TARGETS = (
    "/things", "/things?limit=", "/things?cursor=", "/things?offset=", "/things/", "/things/known", "/search?",
    "/search?filter[a]=", "/search?tags=", "/search?where=", "/search?word=", "/points/", "/points/1,2/;matrix=",
    "/form", "/upload", "/xml", "/text", "/anything", "/guarded", "/", "",
)  # fmt: skip
_HEADERS = (
    "accept", "authorization", "content-type", "cookie", "if-match", "if-none-match", "origin", "prefer", "x-count",
    "host", "content-length", "transfer-encoding", "idempotency-key", "access-control-request-method",
)  # fmt: skip
_HEADER_VALUES = (
    "application/json", "application/merge-patch+json", "application/json-patch+json",
    "application/x-www-form-urlencoded", "application/xml", "text/plain; charset=utf-16",
    "multipart/form-data; boundary=b", "multipart/form-data", "*/*;q=0", "Bearer right", "Basic dTpw", "code=404",
    "example=e, dynamic=true", "explain", "session=abcd", '"1"', "W/\"1\", *",
)  # fmt: skip
_BODIES = (
    b'{"id":"a","name":"b"}', b'[{"op":"add","path":"/tags/-","value":"x"}]',
    b"--b\r\nContent-Disposition: form-data; name=",
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n', b"a[b]=1&n=", b"<Note><text>",
    b"\xff\xfe{", b"",
)  # fmt: skip


@cache
def _double() -> Served:
    made = served(RICH, credentials=[Credential("tester", "token", "right")])
    created = made.send(
        "POST", "/things", headers={"Content-Type": "application/json"}, body=b'{"id":"known","name":"n","tags":["a"]}'
    )
    assert created.status == 201
    return made


def one_input(data: bytes) -> None:
    """Sends the request that some bytes stand for; raises where the answer is the double's own failure."""
    double, choices = _double(), Choices(data)
    before = double.universe.state
    method = choices.one_of(_METHODS) if choices.below(8) else choices.text(8)
    target = choices.one_of(_TARGETS) + choices.text(60)
    headers = {}
    for _ in range(choices.below(5)):
        name = choices.one_of(_HEADERS)
        headers[name] = choices.one_of(_HEADER_VALUES) if choices.below(2) == 0 else choices.text(60)
    body = choices.one_of(_BODIES) + choices.left
    answer = double.send(method, target, headers=headers, body=body)
    double.universe.state = before
    assert 200 <= answer.status < 500, (method, target, headers, body, answer)
    for name, value in answer.headers:
        assert not {"\r", "\n", "\0"} & set(name + value), (name, value)


if __name__ == "__main__":
    drive("tests.fuzz.request_parser", CORPUS)
