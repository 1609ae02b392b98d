"""What the service calls a new item is a name that no other item has or had."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.agreeing import Deviation, judges_answer, named
from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.oracle import Answered, Oracle

CHECK = check(
    "model_identity",
    Family.AGREEMENT,
    summary="The key of a new item is fresh: no item has it, and none that was deleted had it.",
    source="RFC 9110 §9.3.3: POST creates resources, each identified by a URI of its own (RFC 3986 §1)",
    example="the keys of deleted items are given out again",
)


@judges_answer(CHECK)
def keys_are_fresh(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """The key of what a create made."""
    if answered.meaning.behaviour not in {"create", "create-many"} or not answered.recorded.ok:
        return
    for written in answered.written:
        partition, key = written.place
        if written.resource.key is not None and written.resource.key in written.sent:
            continue
        what = named(written.resource, key)
        difference = Difference(f"/{written.resource.key or ''}", "a key that is not in use", key, "is in use")
        if written.before is not None:
            yield Deviation(CHECK, Side.SERVICE, f"a new item is called like one that exists: {what}", (difference,))
        elif key in oracle.gone.get(partition, ()):
            yield Deviation(
                CHECK, Side.SERVICE, f"a new item is called like one that was deleted: {what}", (difference,)
            )
