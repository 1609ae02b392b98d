"""A body comes in one of the media types that are described for it, and says which."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding
from contracts.judging import Exchange, judges_reply
from contracts.replies import described, is_judged
from mock_server.openapi.media import parse_media_type

CHECK = check(
    "reply_media_type",
    Family.CONFORMANCE,
    summary="A reply's Content-Type is one of those described for its status.",
    source="OAS 3.1 §4.8.17: content; RFC 9110 §8.3: Content-Type",
    fault=101,
    example="an error page in HTML where JSON is described",
)


@judges_reply(CHECK)
def has_described_media_type(exchange: Exchange) -> Iterator[Finding]:
    """A body with no Content-Type, with one that is none, or with another than those described."""
    response = exchange.response
    if response is None or not response.content or not is_judged(exchange) or described(exchange) is not None:
        return
    names = [media.name for media in response.content]
    if not any(map(parse_media_type, names)):
        return  # the description itself names no media type
    status = exchange.recorded.status
    content_type = exchange.recorded.header("content-type")
    if content_type is None:
        sentence, message = f"the reply with {status} does not say what its body is", "is missing beside a body"
    elif parse_media_type(content_type) is None:
        sentence, message = f"the Content-Type of the reply with {status} is none", "is no media type (RFC 9110 §8.3.1)"
    else:
        sentence = f"the reply with {status} is {content_type}, not {' or '.join(names)}"
        message = "is none of the described media types"
    difference = Difference("header Content-Type", ", ".join(names), content_type, message)
    yield exchange.finding(CHECK, sentence, difference, located=response.located)
