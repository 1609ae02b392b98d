"""A page is as long as it should be, and counts right."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.agreeing import Deviation, certain, judges_answer
from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.oracle import Answered, Oracle, Selected
from mock_server.model.filters import value_at
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

CHECK = check(
    "model_page",
    Family.AGREEMENT,
    summary="A page has as many items as it should, and says the right total.",
    source="the description's paging parameters and envelope",
    example="a total that counts one too many, a page of eleven items where ten were asked for",
)


@judges_answer(CHECK)
def pages_are_as_long_as_they_should_be(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """The length of a page, and in a closed world, where everything that exists is known, the totals beside it."""
    selected, shown = answered.selected, answered.shown
    if selected is None or not answered.recorded.ok or answered.refused is not None or not isinstance(shown, list):
        return
    yield from _length(answered, selected, shown, everything=oracle.closed)
    if oracle.closed and selected.resource.qualified not in oracle.loose and certain(answered):
        yield from _totals(answered, selected)


def _length(answered: Answered, selected: Selected, shown: list[Json], *, everything: bool) -> Iterator[Deviation]:
    call, name = answered.prediction.call, answered.recorded.operation_id
    assert call is not None
    limit = call.query.get(answered.meaning.listing.limit or "")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        return
    if len(shown) > limit:
        difference = Difference("", limit, len(shown), "more items than were asked for")
        sentence = f"{name} shows {len(shown)} items where at most {limit} were asked for"
        yield Deviation(CHECK, Side.SERVICE, sentence, (difference,))
    elif everything and certain(answered) and not answered.since and len(shown) < len(selected.page):
        difference = Difference("", len(selected.page), len(shown), "fewer items than there are")
        sentence = f"{name} shows {len(shown)} items where {len(selected.page)} exist for this page"
        yield Deviation(CHECK, Side.SERVICE, sentence, (difference,))


def _totals(answered: Answered, selected: Selected) -> Iterator[Deviation]:
    side = Side.DOUBLE if any(answered.since.values()) else Side.SERVICE
    for path, role in answered.meaning.envelope.fields.items():
        told = value_at(answered.recorded.json, path)
        if role == "total" and isinstance(told, int) and told != selected.total:
            difference = Difference(pointers.join("", *path), selected.total, told, "is another number")
            sentence = f"{answered.recorded.operation_id} counts {told} where there are {selected.total}"
            yield Deviation(CHECK, side, sentence, (difference,))
