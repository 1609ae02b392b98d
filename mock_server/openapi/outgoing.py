"""The requests that a described service sends by itself: webhooks (OAS 3.1 §4.8.1) and callbacks (§4.8.18).

An event is described by the webhook or callback of its own name, or by the one whose request carries ``x-mock-event``
with the event's type. Descriptions before 3.1 write webhooks as ``x-webhooks``.
"""

from __future__ import annotations

from collections.abc import Iterator

from mock_server.dataclass import dataclass
from mock_server.errors import DescriptionError
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.contents import ContentReader
from mock_server.openapi.documents import Located
from mock_server.openapi.expressions import ExpressionSyntaxError, Template, template
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.schemas import Schema
from mock_server.openapi.skeleton import check, part


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A described request to somebody else. ``schema`` is its JSON body's; None says nothing about it.

    ``url`` is where a callback goes, an expression over the request and response that asked for it; None for webhooks.
    """

    event: str
    schema: Schema | None
    pointer: str
    url: Template | None = None


def webhooks(api: Api) -> tuple[Outgoing, ...]:
    """The described webhooks."""
    documents = api.documents
    root = documents.value(documents.root)
    name = api.dialect.webhooks
    place = Located(documents.root, pointers.join("", name), root.get(name) or {})
    return tuple(outgoing for name in place.value for outgoing in _requests(api, _below(place, name), name))


def callbacks(api: Api) -> dict[str, tuple[Outgoing, ...]]:
    """The described callbacks by the id of the operation that registers them."""
    found = {}
    for ref in api.refs.values():
        if ref.operation.value.get("callbacks"):
            check(api.documents, ref.operation, "an operation")
            place = _below(ref.operation, "callbacks")
            found[ref.id] = tuple(one for name in place.value for one in _callback(api, _below(place, name), name))
    return found


def _callback(api: Api, located: Located, name: str) -> Iterator[Outgoing]:
    callback = part(api.documents, located, "a callback")
    for text in callback.value:
        if text.startswith("x-"):
            continue
        try:
            url = template(text)
        except ExpressionSyntaxError as error:
            raise DescriptionError(
                f"the URL of this callback cannot be read: {error.problem}",
                place=api.documents.place(callback.uri, callback.pointer),
                got=text,
                hint=error.hint,
            ) from None
        for outgoing in _requests(api, _below(callback, text), name):
            yield Outgoing(outgoing.event, outgoing.schema, outgoing.pointer, url)


def _requests(api: Api, located: Located, name: str) -> Iterator[Outgoing]:
    """The requests of a path item: one, as a rule."""
    item = part(api.documents, located, "a path item")
    reader = ContentReader(api.documents, api.schemas, api.dialect)
    for method in api.dialect.methods:
        if isinstance(item.value.get(method), dict):
            operation = _below(item, method)
            check(api.documents, operation, "an operation")
            body = reader.request_body(operation, ())
            schemas = [media.schema for media in body.content if _is_json(media.name)] if body is not None else []
            yield Outgoing(
                str(operation.value.get("x-mock-event") or item.value.get("x-mock-event") or name),
                schemas[0] if schemas else None,
                operation.pointer,
            )


def _is_json(name: str) -> bool:
    media = parse_media_type(name)
    return media is not None and media.suffix == "json"


def _below(located: Located, token: str) -> Located:
    return Located(located.uri, pointers.join(located.pointer, token), located.value[token])
