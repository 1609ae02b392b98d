"""A list shows what there is, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.agreeing import Deviation, judges_answer, named, visible
from contracts.checks.model_content import unread
from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.oracle import Answered, Oracle, Selected
from contracts.remedies import on_operation, on_resource
from mock_server.model.filters import predicates, value_at
from mock_server.model.meaning import Listing
from mock_server.model.outcome import key_text
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

CHECK = check(
    "model_list",
    Family.AGREEMENT,
    summary="A list shows the items that exist and that its query selects, each as it is: all in a closed world.",
    source="the description of the list; RFC 9110 §9.3.1",
    example="an item that was just created is not in the list (a stale list), a filter that selects nothing",
)

PAGE = check(
    "model_page",
    Family.AGREEMENT,
    summary="A page has as many items as it should, and says the right total.",
    source="the description's paging parameters and envelope",
    example="a total that counts one too many, a page of eleven items where ten were asked for",
)

_MOST_SHOWN = 3


def keyed(selected: Selected, shown: list[Json]) -> dict[str, Json] | None:
    """The shown items by their keys; None where they do not carry one."""
    name = selected.resource.key
    found = {
        key_text(item[name]): item for item in shown if isinstance(item, dict) and name is not None and name in item
    }
    return found if len(found) == len(shown) else None


@judges_answer(CHECK)
def shows_what_there_is(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """The items of a list, beside those that the model selects."""
    selected, shown = answered.selected, answered.shown
    if selected is None or not answered.recorded.ok or answered.refused is not None or not isinstance(shown, list):
        return
    if selected.resource.qualified in oracle.loose:
        return
    items = keyed(selected, shown)
    if items is None:
        return
    place_of = selected.partition
    for key, item in items.items():
        known = selected.entries.get(key)
        if known is None:
            yield from _unexpected(answered, oracle, selected, key, item)
        elif isinstance(known, dict) and isinstance(item, dict) and oracle.knows((place_of, key)):
            expected = visible(answered, oracle, known)
            yield from unread(answered, oracle, selected.resource, (place_of, key), expected, item, where="is listed")
    yield from _missing(answered, oracle, selected, items)


def _unexpected(answered: Answered, oracle: Oracle, selected: Selected, key: str, item: Json) -> Iterator[Deviation]:
    what = named(selected.resource, key)
    difference = Difference(_pointer(answered), None, item, "is listed")
    stored = oracle.state.collection(selected.partition)
    exists = stored is not None and key in stored
    if exists and (oracle.closed or _contradicts(answered, item)):
        yield Deviation(CHECK, Side.SERVICE, f"the list shows {what}, which its query does not select", (difference,))
    elif not exists and key in oracle.gone.get(selected.partition, ()):
        yield Deviation(CHECK, Side.SERVICE, f"the list shows {what}, which was deleted", (difference,))
    elif not exists and oracle.closed and not oracle.writes:
        sentence = f"the list shows {what}, and nothing was created yet"
        note = "in a closed world the service begins with the seed alone; is it reset before each attempt?"
        yield Deviation(CHECK, Side.SERVICE, sentence, (difference,), notes=(note,))
    elif not exists and oracle.closed:
        sentence = f"the list shows {what}, which no request made that is known to make one"
        remedy = on_resource(selected.resource, {"effects": [{"on": "…", "create": "…"}]})
        yield Deviation(CHECK, Side.DOUBLE, sentence, (difference,), remedy)


def _pointer(answered: Answered) -> str:
    """Where the list is in the body."""
    return pointers.join("", *answered.meaning.envelope.path) if answered.meaning.envelope.path else ""


def _contradicts(answered: Answered, item: Json) -> bool:
    """Whether a filter of the query passes over an item by what the item itself shows."""
    call = answered.prediction.call
    for known in answered.meaning.listing.filters if call is not None else ():
        if call is None or known.parameter not in call.query or value_at(item, known.property) is None:
            continue
        narrowed = predicates(Listing(filters=(known,)), call.query)
        if isinstance(narrowed, list) and not all(holds(item) for holds in narrowed):
            return True
    return False


def _missing(answered: Answered, oracle: Oracle, selected: Selected, items: dict[str, Json]) -> Iterator[Deviation]:
    if len(items) >= len(selected.entries) or not _whole(answered, selected):
        return
    absent = [key for key in selected.entries if key not in items and oracle.knows((selected.partition, key))]
    for key in absent[:_MOST_SHOWN]:
        place = (selected.partition, key)
        what = named(selected.resource, key)
        difference = Difference(_pointer(answered), selected.entries[key], None, "is not listed")
        since = tuple(dict.fromkeys(answered.since.get(place, ())))
        moved = any(target == place for _, target in oracle.writes[oracle.made.get(place, 0) + 1 :])
        if since or moved or not _certain(answered, selected):
            sentence = f"the list leaves out {what}; what it shows may depend on more than is known"
            remedy = on_operation(answered, {"filters": {"…": {"property": "…", "operator": "…"}}})
            yield Deviation(CHECK, Side.DOUBLE, sentence, (difference,), remedy)
        else:
            yield Deviation(CHECK, Side.SERVICE, f"the list leaves out {what}, which exists", (difference,))


def _certain(answered: Answered, selected: Selected) -> bool:
    """Whether it is certain which items a query selects: nothing is searched, and filters compare for equality."""
    meaning = answered.meaning
    query = answered.prediction.call.query if answered.prediction.call is not None else {}
    if meaning.inferred and meaning.listing.search is not None and meaning.listing.search in query:
        return False
    used = [known for known in meaning.listing.filters if known.parameter in query]
    plain = all(known.operator in {"eq", "in"} for known in used)
    described = {known.parameter for known in meaning.listing.filters} | {meaning.listing.limit, meaning.listing.offset,
                meaning.listing.page, meaning.listing.sort, meaning.listing.order, meaning.listing.search}  # fmt: skip
    return (plain or not meaning.inferred) and set(query) <= described


def _whole(answered: Answered, selected: Selected) -> bool:
    """Whether the page that was asked for should show everything that is selected."""
    return len(selected.page) == len(selected.entries)


@judges_answer(PAGE)
def pages_are_as_long_as_they_should_be(answered: Answered, oracle: Oracle) -> Iterator[Deviation]:
    """The length of a page and the totals beside it; only where everything that exists is known."""
    selected, shown = answered.selected, answered.shown
    if selected is None or not answered.recorded.ok or answered.refused is not None or not isinstance(shown, list):
        return
    listing, call = answered.meaning.listing, answered.prediction.call
    assert call is not None
    limit = call.query.get(listing.limit or "")
    name = answered.recorded.operation_id
    if isinstance(limit, int) and not isinstance(limit, bool) and 0 < limit < len(shown):
        difference = Difference("", limit, len(shown), "more items than were asked for")
        yield Deviation(PAGE, Side.SERVICE, f"{name} shows {len(shown)} items where at most {limit} were asked for",
                        (difference,))  # fmt: skip
    if not oracle.closed or selected.resource.qualified in oracle.loose or not _certain(answered, selected):
        return
    if len(shown) != len(selected.page) and not answered.since and len(shown) < len(selected.page):
        difference = Difference("", len(selected.page), len(shown), "fewer items than there are")
        yield Deviation(PAGE, Side.SERVICE if isinstance(limit, int) else Side.DOUBLE,
                        f"{name} shows {len(shown)} items where {len(selected.page)} exist for this page",
                        (difference,))  # fmt: skip
    yield from _totals(answered, oracle, selected)


def _totals(answered: Answered, oracle: Oracle, selected: Selected) -> Iterator[Deviation]:
    for path, role in answered.meaning.envelope.fields.items():
        if role != "total":
            continue
        told = answered.recorded.json
        for step in path:
            told = told.get(step) if isinstance(told, dict) else None
        if isinstance(told, int) and told != selected.total:
            pointer = "/" + "/".join(path)
            difference = Difference(pointer, selected.total, told, "is another number")
            side = Side.SERVICE if not any(answered.since.values()) else Side.DOUBLE
            yield Deviation(PAGE, side, f"{answered.recorded.operation_id} counts {told} where there are "
                            f"{selected.total}", (difference,))  # fmt: skip
