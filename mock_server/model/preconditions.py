"""Entity tags and the conditional requests that use them (RFC 9110 §8.8.3 and §13)."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.collection import Entry
from mock_server.model.problem import Kind, Problem


def etag_of(entry: Entry) -> str:
    """A strong entity tag; the pair of sequence and revision names one written value for ever."""
    return f'"{entry.sequence:x}-{entry.revision:x}"'


def not_modified(call: Call, etag: str) -> bool:
    """Whether If-None-Match holds the tag (weak comparison, RFC 9110 §13.1.2)."""
    asked = call.headers.get("if-none-match")
    return asked is not None and (asked.strip() == "*" or _opaque(etag) in map(_opaque, _tags(asked)))


def unmet(call: Call, etag: str | None, *, required: bool) -> Problem | None:
    """A 412 or 428 when a write's precondition does not hold; ``etag`` None means that there is no item yet.

    ``required`` says that the description knows status 428, so that a blind write is refused (RFC 6585 §3).
    """
    if_match = call.headers.get("if-match")
    if_none_match = call.headers.get("if-none-match")
    if if_match is None and if_none_match is None:
        if required and etag is not None:
            return Problem(Kind.PRECONDITION_REQUIRED, "this operation wants an If-Match header with the entity tag")
        return None
    if if_match is not None:
        # Strong comparison: a weak tag never matches (RFC 9110 §13.1.1).
        if etag is None or (if_match.strip() != "*" and etag not in _tags(if_match)):
            return Problem(Kind.PRECONDITION_FAILED, f"If-Match is {if_match}, the current entity tag is {etag or 'none'}")
    if if_none_match is not None and etag is not None:
        if if_none_match.strip() == "*" or _opaque(etag) in map(_opaque, _tags(if_none_match)):
            return Problem(Kind.PRECONDITION_FAILED, f"If-None-Match is {if_none_match}, and that is the current entity tag")
    return None


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",") if tag.strip()]


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")
