"""What is wrong with a delivery by itself, and which ones came before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.checks.reply_headers import HeaderReader
from contracts.findings import Difference
from contracts.receiving.events import id_of
from contracts.receiving.receiver import Delivery
from contracts.service import NOT_JSON
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.contents import ContentReader
from mock_server.openapi.description import Header
from mock_server.openapi.documents import Located
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.outgoing import Outgoing
from mock_server.openapi.parameters import ParameterReader
from mock_server.openapi.values import Direction


def broken(api: Api, delivery: Delivery, described: tuple[Outgoing, ...]) -> tuple[Difference, ...]:
    """How a delivery breaks every description of its event; nothing where one of them fits, or there is none."""
    found = [(*_broken_body(delivery, one), *_broken_headers(api, delivery, one)) for one in described]
    return found[0] if found and all(found) else ()


def _broken_body(delivery: Delivery, described: Outgoing) -> Iterator[Difference]:
    if described.schema is None:
        return
    media = parse_media_type(delivery.media_type)
    if media is None or media.suffix != "json":
        yield Difference("header content-type", "application/json", delivery.headers.get("content-type"),
                         "is not the described media type")  # fmt: skip
    body = delivery.json
    if body is NOT_JSON:
        yield Difference("", "JSON", delivery.body[:200].decode("utf-8", "replace"), "is no JSON")
        return
    for each in described.schema.violations(body, Direction.RESPONSE, where="body")[:5]:
        yield Difference(each.pointer, each.expected, each.got, each.message)


def _broken_headers(api: Api, delivery: Delivery, described: Outgoing) -> Iterator[Difference]:
    for header in headers_of(api, described):
        text = delivery.headers.get(header.name.lower())
        if text is not None:
            for each in HeaderReader.of(header).violations(text)[:1]:
                yield Difference(f"header {header.name.lower()}", each.expected, text, each.message)
        elif header.required:
            yield Difference(f"header {header.name.lower()}", "a value", None, "is required and missing")


def headers_of(api: Api, described: Outgoing) -> tuple[Header, ...]:
    """The header parameters of a described webhook or callback; none where it is written in another file."""
    documents = api.documents
    root = documents.value(documents.root)
    above = pointers.join("", *pointers.split(described.pointer)[:-1])
    try:
        item, operation = pointers.lookup(root, above), pointers.lookup(root, described.pointer)
    except pointers.PointerError:
        return ()
    reader = ParameterReader(documents, api.schemas, api.dialect, ContentReader(documents, api.schemas, api.dialect))
    parameters, _ = reader.read(
        Located(documents.root, above, item), Located(documents.root, described.pointer, operation)
    )
    return tuple(Header(one.name, one.required, one.schema, one.explode, None, one.located)
                 for one in parameters if one.location == "header")  # fmt: skip


def repeated(came: Iterable[Delivery]) -> Iterator[Delivery]:
    """The deliveries of an event that had come before: by their id, else to the last byte."""
    seen: set[tuple[str | None, bytes]] = set()
    for delivery in came:
        name = id_of(delivery)
        known = (name, b"" if name is not None else delivery.body)
        if known in seen:
            yield delivery
        seen.add(known)
