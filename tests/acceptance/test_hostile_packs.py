"""Whatever is sent to an operation of a pack, it answers, never with an error of the double's own.

Requests are valid ones in which something is odd: a value, a parameter, the body, its type, the method. By default a
few for every operation; ``APIDOUBLE_HOSTILE=300`` sends that many.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from random import Random
from urllib.parse import quote, urlencode

import pytest

from contracts.exchanges import carried
from mock_server import Options, Sandbox, pack, pack_names
from mock_server.exchange.authentication import Credential
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.exchange.universe import Universe
from mock_server.openapi import jsontext
from mock_server.openapi.description import MediaType, Operation
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Sampler, Unsampleable
from mock_server.sandbox import Served
from mock_server.webhooks.options import WebhookOptions
from tests.acceptance.schemathesis_runs import furnish, known_keys, settings

EACH = int(os.environ.get("APIDOUBLE_HOSTILE", "6"))
SECONDS = 2.0
"""The longest that any one answer may take."""

ODD_TEXTS = (
    "", " ", "\x00", "a\r\nX-Injected: 1", "../../etc/passwd", "{id}", "{$request.body#/name}", "$now", "null", "NaN",
    "-1", "1e999", "9" * 400, "٣", "\U0001f600", "\u202eabc", "é" * 300, "x" * 70_000, "0000-01-01", "9999-12-31",
    "2024-02-29", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59",
    "2024-06-30t23:59:60z", "http://[::1", "https://xn--/", "mailto:", "data:,x", "javascript:0",
    "http://169.254.169.254/", "a@b", "\"'<>&;--", "%", "%00", "%zz", "(((((", "[a-", "P9999999999999D", "-P1D",
    "UTC+99", "__proto__", "constructor", "*", "$ref",
)  # fmt: skip
ODD_NUMBERS = (
    0, -0.0, -1, 1, 0.1, 1e-320, 1e308, -1e308, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**30,
    10**400, 253402300800, 253402300800000, -62135596801, 99999999999999999,
)  # fmt: skip
ODD_VALUES: tuple[Json, ...] = (
    None, True, False, [], {}, [[]], [{}], [None], {"": ""}, {"a": {"b": {}}}, {"$ref": "#"}, {"$key": "x"},
    {"$in": {}}, {"type": "string", "pattern": "("}, ["x"] * 2_000, {str(n): n for n in range(500)}, {"__hole__": 1},
)  # fmt: skip
ODD_BODIES = (
    b"", b"{", b"[]", b"{}", b"null", b"0", b'""', b"\xff\xfe", b"\x00", b"NaN", b"1e999", b"9" * 10_000,
    b'{"a":1,"a":2}', b"[" * 5_000, b'{"a":' * 5_000, b"[" * 400 + b"]" * 400, b'{"a":' * 400 + b"1" + b"}" * 400,
    b'"\\ud800"', b'{"\\udfff":1}', b'{"id":"\\ud800"}', "{}".encode("utf-16"), b"\xef\xbb\xbf{}", b"a=1&a[b]=2",
    b"--b\r\n\r\n--b--\r\n", b"<a/>",
)  # fmt: skip
ODD_TYPES = (
    "", "json", "application/json", "text/plain", "application/xml", "multipart/form-data",
    "multipart/form-data; boundary=b", "application/merge-patch+json", "application/json-patch+json",
    "application/x-www-form-urlencoded", ";;,=/\x01", "application/octet-stream", "text/csv",
    "application/json; charset=klingon",
)  # fmt: skip
ODD_METHODS = ("BREW", "get", "TRACE", "CONNECT", "OPTIONS", "HEAD", "PROPFIND", "QUERY", "", "G\x00T", "X" * 1_000)
ODD_HEADERS = (
    ("accept", "image/png"), ("accept", ";;,=q/\x01"), ("prefer", "explain"), ("prefer", "dynamic=true"),
    ("prefer", '=;,"\x00'), ("if-match", '"",,\x00'), ("if-none-match", "*"), ("if-match", "*"), ("origin", "null"),
    ("cookie", ";;=;\x00,=\xff"), ("mock-session", "\x00"), ("range", "bytes=5-1"), ("content-encoding", "br"),
    ("authorization", "Bearer"), ("authorization", "Basic " + "x" * 5_000), ("x-http-method-override", "DELETE"),
    ("host", "a\x00b"),
)  # fmt: skip

_PART = "--b\r\nContent-Disposition: form-data; "
_FILE = '; filename="a.csv"\r\nContent-Type: text/csv'


@cache
def sandbox(name: str) -> Sandbox:
    options = Options(limits=False, webhooks=WebhookOptions(background=False))
    return Sandbox([pack(name)], options=options)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes odd requests to one operation of a double. ``keys`` are what each tenant has for its path parameters."""

    served: Served
    operation: Operation
    keys: Mapping[str, Mapping[str, Sequence[str]]]
    known: Mapping[str, Sequence[str]]
    random: Random

    @classmethod
    def of(cls, served: Served, operation: Operation, universe: Universe) -> Maker:
        known = settings(served.name).known
        keys = {
            tenant: known_keys(universe.state, served.model, operation.id, tenants={"", tenant}, known=known)
            for tenant in {credential.tenant or "" for credential in served.credentials} | {""}
        }
        return cls(served, operation, keys, known, Random(f"{served.name} {operation.id}"))

    def request(self) -> RawRequest:
        odd = self.random
        credential = self._credential()
        headers = dict(self._described("header"))
        if credential is not None:
            presented = carried(self.served.api.security_schemes[credential.scheme], credential.value)
            headers |= {name.lower(): value for name, value in presented.headers.items()}
        query = dict(self._described("query"))
        body, content_type = self._body()
        if content_type is not None:
            headers["content-type"] = content_type
        if odd.random() < 0.2:
            headers.update([odd.choice(ODD_HEADERS)])
        if odd.random() < 0.1:
            query[odd.choice(ODD_TEXTS)] = odd.choice(ODD_TEXTS)
        method = odd.choice(ODD_METHODS) if odd.random() < 0.06 else self.operation.method
        written = urlencode(query) if odd.random() < 0.9 else "&".join(f"{name}={held}" for name, held in query.items())
        path = self.served.api.base_paths[0] + self._path(credential.tenant or "" if credential is not None else "")
        return RawRequest(method, path, written, headers, body, "http://double.test")

    def _credential(self) -> Credential | None:
        """One that fits and has not expired, as a rule."""
        odd = self.random
        schemes = {scheme.name for requirement in self.operation.security for scheme, _ in requirement}
        fitting = [c for c in self.served.credentials if c.scheme in schemes]
        current = [c for c in fitting if c.expires is None]
        return odd.choice(current if current and odd.random() < 0.95 else [*fitting, None])

    def _path(self, tenant: str) -> str:
        path = self.operation.path
        for parameter in self.operation.parameters:
            if parameter.location == "path":
                known = self.known.get(f"path.{parameter.name}") or self.keys[tenant].get(parameter.name, ())
                chance = self.random.random()
                if known and chance < 0.8:
                    value = self.random.choice(known)
                elif chance < 0.9:
                    value = _written(self._sampled(parameter.schema))
                else:
                    value = self.random.choice(ODD_TEXTS)
                path = path.replace("{" + parameter.name + "}", quote(value, safe=""))
        return path

    def _described(self, location: str) -> Iterator[tuple[str, str]]:
        for parameter in self.operation.parameters:
            if parameter.location == location and self.random.random() < (0.95 if parameter.required else 0.4):
                name = parameter.name.lower() if location == "header" else parameter.name
                known = self.known.get(f"{location}.{parameter.name}")
                sampled = self.random.choice(known) if known else self._sampled(parameter.schema)
                value = sampled if self.random.random() < 0.7 else self._odd_like(sampled)
                text = _written(value)
                yield name, text.encode("latin-1", "replace").decode("latin-1") if location == "header" else text

    def _body(self) -> tuple[bytes, str | None]:
        odd = self.random
        described = self.operation.request_body
        if described is None:
            return (odd.choice(ODD_BODIES), odd.choice(ODD_TYPES)) if odd.random() < 0.2 else (b"", None)
        media = odd.choice(described.content)
        kind = odd.choice(ODD_TYPES) if odd.random() < 0.05 else media.name
        if odd.random() < 0.15:
            return odd.choice(ODD_BODIES), kind
        return self._encoded(media, kind)

    def _encoded(self, media: MediaType, kind: str) -> tuple[bytes, str]:
        odd = self.random
        value: Json = self._sampled(media.schema)
        if media.examples and odd.random() < 0.5:
            value = json.loads(json.dumps(odd.choice(media.examples).value, default=str))
        for _ in range(odd.choice((0, 1, 1, 2, 4))):
            value = self._spoiled(value)
        fields = value if isinstance(value, dict) else {"x": value}
        if media.name.startswith("multipart/"):
            parts = "".join(
                f'{_PART}name="{name}"{odd.choice(("", _FILE))}\r\n\r\n{_written(held)}\r\n'
                for name, held in fields.items()
            )
            return (parts + "--b--\r\n").encode("utf-8", "replace"), f"{kind}; boundary=b"
        if media.name == "application/x-www-form-urlencoded":
            return urlencode({_written(name): _written(held) for name, held in fields.items()}).encode(), kind
        return json.dumps(value, allow_nan=True).encode(), kind

    def _sampled(self, schema: Schema | None) -> Json:
        if schema is None:
            return "x"
        sampler = _sampler(schema)
        try:
            return sampler.sample(seed=self.random.randrange(5), now=self.served.model.epoch, name="odd")
        except Unsampleable:
            return "x"

    def _spoiled(self, value: Json) -> Json:
        """A value with something odd somewhere in it."""
        odd = self.random
        if isinstance(value, dict) and value and odd.random() < 0.9:
            name = odd.choice(list(value))
            chance = odd.random()
            if chance < 0.07:
                return {held: value[held] for held in value if held != name}
            if chance < 0.12:
                return {**value, odd.choice(ODD_TEXTS): odd.choice(ODD_VALUES)}
            return {**value, name: self._spoiled(value[name])}
        if isinstance(value, list) and value and odd.random() < 0.8:
            at = odd.randrange(len(value))
            return [*value[:at], self._spoiled(value[at]), *value[at + 1 :]]
        return self._odd_like(value)

    def _odd_like(self, value: Json) -> Json:
        """An odd value, mostly of the same type."""
        odd = self.random
        if isinstance(value, str) and odd.random() < 0.7:
            return odd.choice((*ODD_TEXTS, "\ud800", value + "\x00", value[:1], value * 2))
        if isinstance(value, int | float) and not isinstance(value, bool) and odd.random() < 0.7:
            return odd.choice((*ODD_NUMBERS, -value))
        return odd.choice((*ODD_VALUES, *ODD_NUMBERS, *ODD_TEXTS))


@cache
def _sampler(schema: Schema) -> Sampler:
    return Sampler(schema.bundle(Direction.REQUEST), direction=Direction.REQUEST)


def _written(value: Json) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace").decode()


def answered(served: Served, universe: Universe, request: RawRequest) -> RawResponse:
    """The answer, once it has been found to be one that a client may be given."""
    began = time.perf_counter()
    answer = served.line.answer(request, universe)
    assert time.perf_counter() - began < SECONDS, request
    assert 200 <= answer.status < 500, (request, answer.body[:2000])
    assert b"Traceback" not in answer.body, request
    assert not any({"\r", "\n", "\x00"} & set(name + value) for name, value in answer.headers), request
    return answer


@pytest.mark.parametrize("name", pack_names())
def test_no_operation_of_a_pack_fails_whatever_it_is_sent(name: str) -> None:
    box = sandbox(name)
    served = box.api(name)
    furnished = box.universes.get("furnished")
    furnish(served, furnished, settings(name))
    for operation in served.api.operations():
        universe = box.universes.get(f"hostile-{operation.id}")
        universe.state = furnished.state
        maker = Maker.of(served, operation, universe)
        for _ in range(EACH):
            answered(served, universe, maker.request())
        # What is in the state now must not harm anybody later: a timer, a reader, the journal.
        universe.clock = universe.clock.advanced(timedelta(days=400))
        answered(served, universe, maker.request())
        for entry in universe.journal:
            assert json.loads(jsontext.dumps(entry.as_json()))["id"] == entry.id
