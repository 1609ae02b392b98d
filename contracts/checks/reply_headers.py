"""A reply's headers are those that the description says it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding
from contracts.judging import Exchange, judges_reply
from contracts.replies import is_answer
from mock_server.dataclass import dataclass
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Header, Response
from mock_server.openapi.shapes import ANYTHING, Shape, shape_of
from mock_server.openapi.styles import ParameterSpec, TextDecoder, header_decoder
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Direction, Violation

CHECK = check(
    "reply_headers",
    Family.CONFORMANCE,
    summary="A reply has the headers that are required of it, and described headers satisfy their schemas.",
    source="OAS 3.1 §4.8.21: Header Object",
    fault=101,
    example="a list without the X-Total-Count that its description requires",
)

REPEATED = frozenset({"set-cookie"})
"""Headers that cannot be joined by commas (RFC 9110 §5.3)."""


@dataclass(frozen=True, slots=True)
class HeaderReader:
    """A described header, with what it takes to read its values."""

    header: Header
    shape: Shape
    decode: TextDecoder

    @classmethod
    def of(cls, header: Header) -> HeaderReader:
        """The reader of a header's values."""
        bundle: Any = header.schema.bundle(Direction.RESPONSE) if header.schema is not None else None
        shape = shape_of(bundle, bundle) if bundle is not None else ANYTHING
        spec = ParameterSpec(header.name, "header", "simple", header.explode, shape=shape)
        return cls(header, shape, header_decoder(spec))

    def violations(self, text: str) -> tuple[Violation, ...]:
        """How a value breaks the header's schema."""
        schema = self.header.schema
        if schema is None:
            return ()
        try:
            value = self.decode(text)
        except Undecodable as fault:
            return (Violation("response-header", fault.pointer, fault.keyword, text, fault.expected, fault.message,
                              self.header.name),)  # fmt: skip
        if schema.accepts(value, Direction.RESPONSE):
            return ()
        return schema.violations(value, Direction.RESPONSE, where="response-header", name=self.header.name)


_READERS: WeakKeyDictionary[Api, dict[tuple[str, str], tuple[HeaderReader, ...]]] = WeakKeyDictionary()


def readers(exchange: Exchange, response: Response) -> tuple[HeaderReader, ...]:
    """The described headers of a response, each with its reader, made once."""
    known = _READERS.setdefault(exchange.api, {})
    key = (exchange.operation.id, response.status)
    found = known.get(key)
    if found is None:
        found = known.setdefault(key, tuple(map(HeaderReader.of, response.headers)))
    return found


@judges_reply(CHECK)
def has_described_headers(exchange: Exchange) -> Iterator[Finding]:
    """A required header that is missing, and each value that breaks its header's schema."""
    response = exchange.response
    if response is None or not response.headers or not is_answer(exchange):
        return
    for reader in readers(exchange, response):
        for violation in header_violations(exchange, reader):
            name, status = reader.header.name, exchange.recorded.status
            sentence = f"the header {name} of the reply with {status} is not as described: {violation.message}"
            difference = Difference(f"header {name}", violation.expected, violation.got, violation.message)
            yield exchange.finding(CHECK, sentence, difference, located=reader.header.located)
            break  # the first tells enough of one header


def header_violations(exchange: Exchange, reader: HeaderReader) -> Iterator[Violation]:
    """How a reply breaks what is said of one header."""
    name = reader.header.name
    values = [value for known, value in exchange.recorded.reply.headers if known.lower() == name.lower()]
    if not values:
        if reader.header.required:
            yield Violation("response-header", "", "required", None, "the header", "is required and missing", name)
        return
    for text in values if name.lower() in REPEATED else [", ".join(values)]:
        for violation in reader.violations(text):
            got = text if not violation.pointer else violation.got
            yield Violation("response-header", violation.pointer, violation.keyword, got, violation.expected,
                            violation.message, name)  # fmt: skip
