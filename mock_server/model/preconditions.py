"""Entity tags and the conditional requests that use them (RFC 9110 §8.8.3 and §13)."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.collection import Entry
from mock_server.model.facts import OperationFacts
from mock_server.model.meaning import Meaning
from mock_server.model.problem import Kind, Problem
from mock_server.model.world import World


def tag(sequence: int, revision: int) -> str:
    """A strong entity tag; the pair of sequence and revision names one written value for ever."""
    return f'"{sequence:x}-{revision:x}"'


def etag_of(world: World, meaning: Meaning, entry: Entry) -> str | None:
    """The entity tag of a stored item, None where the operation is not described to send one."""
    described = "etag" in world.model.facts(meaning).headers
    return tag(entry.sequence, entry.revision) if described else None


def etag_after(world: World, meaning: Meaning, scope: tuple[str, ...], entry: Entry | None) -> str | None:
    """The entity tag an item will have once it is written; None where none is described.

    ``entry`` is what the item was, None for a new one. What was only taken to exist becomes an entry by the
    write.
    """
    resource = meaning.resource
    if resource is None or "etag" not in world.model.facts(meaning).headers:
        return None
    if entry is not None and entry.revision > 0:
        return tag(entry.sequence, entry.revision + 1)
    return tag(world.collection(resource, scope).next_sequence, 1)


def refused_precondition(facts: OperationFacts, call: Call, entry: Entry | None) -> Problem | None:
    """A 412 or 428 when a write's precondition does not hold; None where the operation knows no
    preconditions."""
    if not facts.uses_etags:
        return None
    current = tag(entry.sequence, entry.revision) if entry is not None else None
    return unmet(call, current, required=facts.wants_precondition)


def not_modified(call: Call, etag: str) -> bool:
    """Whether If-None-Match holds the tag (weak comparison, RFC 9110 §13.1.2)."""
    asked = call.headers.get("if-none-match")
    return asked is not None and _names(asked, etag, weakly=True)


def unmet(call: Call, etag: str | None, *, required: bool) -> Problem | None:
    """A 412 or 428 when a write's precondition does not hold; ``etag`` None means that there is no item yet.

    ``required`` says that the description knows status 428, so that a blind write is refused (RFC 6585 §3).
    """
    if_match = call.headers.get("if-match")
    if_none_match = call.headers.get("if-none-match")
    if if_match is None and if_none_match is None:
        detail = "this operation wants an If-Match header with the entity tag"
        return Problem(Kind.PRECONDITION_REQUIRED, detail) if required and etag is not None else None
    # Strong comparison: a weak tag never matches (RFC 9110 §13.1.1).
    if if_match is not None and (etag is None or not _names(if_match, etag)):
        detail = f"If-Match is {if_match}, the current entity tag is {etag or 'none'}"
        return Problem(Kind.PRECONDITION_FAILED, detail)
    if if_none_match is not None and etag is not None and _names(if_none_match, etag, weakly=True):
        detail = f"If-None-Match is {if_none_match}, and that is the current entity tag"
        return Problem(Kind.PRECONDITION_FAILED, detail)
    return None


def _names(header: str, etag: str, *, weakly: bool = False) -> bool:
    """Whether a list of entity tags has this one, or is the ``*`` that stands for any."""
    if header.strip() == "*":
        return True
    tags = _tags(header)
    return _opaque(etag) in map(_opaque, tags) if weakly else etag in tags


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",") if tag.strip()]


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")
