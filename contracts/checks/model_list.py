"""A list shows what there is, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.agreeing import Deviation, certain, judges_answer, named
from contracts.checks.registry import Family, check
from contracts.findings import Difference, Side
from contracts.oracle import Answered, Oracle, Selected
from contracts.remedies import on_operation, on_resource
from contracts.showing import keyed
from mock_server.model.filters import predicates, value_at
from mock_server.model.meaning import Listing
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

CHECK = check(
    "model_list",
    Family.AGREEMENT,
    summary="A list shows the items that exist and that its query selects, each as it is: all in a closed world.",
    source="the description of the list; RFC 9110 §9.3.1",
    example="an item that was just created is not in the list (a stale list), a filter that selects nothing",
)

_MOST_SHOWN = 3


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
    for key, item in items.items():
        if key not in selected.entries:
            yield from _unexpected(answered, oracle, selected, key, item)
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
    return pointers.join("", *answered.meaning.envelope.path)


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
    if len(items) >= len(selected.entries) or len(selected.page) < len(selected.entries):
        return
    absent = [key for key in selected.entries if key not in items and oracle.knows((selected.partition, key))]
    for key in absent[:_MOST_SHOWN]:
        place = (selected.partition, key)
        what = named(selected.resource, key)
        difference = Difference(_pointer(answered), selected.entries[key], None, "is not listed")
        since = tuple(dict.fromkeys(answered.since.get(place, ())))
        moved = any(target == place for _, target in oracle.writes[oracle.made.get(place, 0) + 1 :])
        if since or moved or not certain(answered):
            sentence = f"the list leaves out {what}; what it shows may depend on more than is known"
            remedy = on_operation(answered, {"filters": {"…": {"property": "…", "operator": "…"}}})
            yield Deviation(CHECK, Side.DOUBLE, sentence, (difference,), remedy)
        else:
            yield Deviation(CHECK, Side.SERVICE, f"the list leaves out {what}, which exists", (difference,))
