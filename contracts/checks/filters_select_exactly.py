"""A filter shows exactly those items of the whole list that it is described to select."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contracts.checks.registry import Family, check
from contracts.drafting import Draft, repinned
from contracts.findings import Difference, Side
from contracts.hunting import Inapplicable
from contracts.paging import Walk, filled, shows_keys, whole
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.selecting import selects
from contracts.trial import Trial
from mock_server.exchange.requests import value_schema
from mock_server.model.anatomy import words
from mock_server.model.filters import value_at
from mock_server.model.meaning import Filter, Meaning
from mock_server.openapi import pointers
from mock_server.openapi.description import Operation
from mock_server.openapi.values import Direction, Json

CHECK = check(
    "filters_select_exactly",
    Family.RELATION,
    summary="A list narrowed by a filter shows exactly the items of the whole list that the filter selects.",
    source="the description's own query parameters",
    example="a filter by status that is ignored",
)
_OPERATORS = frozenset({"eq", "in", "ne", "gt", "gte", "lt", "lte", "contains"})


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every list with filters."""
    for roles in roster.resources.values():
        for operation_id in (*roles.lists, *roles.views):
            for narrowing in roster.meaning(operation_id).listing.filters:
                if narrowing.operator in _OPERATORS:
                    label = f"{operation_id} {narrowing.parameter}"
                    yield Subject(label, (*roles.creates, operation_id), roles)


@relation(CHECK, subjects, examples=6)
def what_is_asked_for_is_shown(trial: Trial, subject: Subject) -> None:
    """Takes a value from an item of the list, asks for it, and compares with the whole list before and after."""
    assert subject.roles is not None
    operation_id = subject.operations[-1]
    meaning = trial.roster.meaning(operation_id)
    name = subject.label.partition(" ")[2]
    narrowing = next(known for known in meaning.listing.filters if known.parameter == name)
    item = filled(trial, subject.roles, 3)
    first = trial.beside(item, operation_id, large=False)
    before = whole(trial, first)
    if not before.items or not shows_keys(meaning, before.items):
        trial.give_up("the list shows no items with keys")
    wanted = trial.choice(_values(trial, operation_id, narrowing, before))
    narrowed = whole(trial, _asking(trial, first, narrowing, wanted))
    path, operator = narrowing.property, narrowing.operator
    for key, shown in zip(narrowed.keys, narrowed.items, strict=True):
        if _shows(shown, path) and selects(operator, value_at(shown, path), wanted) is False:
            _tell(
                trial, meaning, narrowing, f"shows {key}, whose {'.'.join(path)} is {value_at(shown, path)!r}", "extra"
            )
            return
    after = whole(trial, first)
    at_first = dict(zip(before.keys, before.items, strict=True))
    for key, shown in zip(after.keys, after.items, strict=True):
        same = key in at_first and value_at(at_first[key], path) == value_at(shown, path)
        if same and key not in narrowed.keys and selects(operator, value_at(shown, path), wanted) is True:
            _tell(
                trial,
                meaning,
                narrowing,
                f"leaves out {key}, whose {'.'.join(path)} is {value_at(shown, path)!r}",
                "lost",
            )
            return


def _shows(item: Json, path: tuple[str, ...]) -> bool:
    above = value_at(item, path[:-1])
    return isinstance(above, dict) and path[-1] in above


def _values(trial: Trial, operation_id: str, narrowing: Filter, before: Walk) -> list[Json]:
    """The values that can be asked for: those of items that the list shows."""
    held = [value_at(item, narrowing.property) for item in before.items]
    plain = [value[0] if isinstance(value, list) and value else value for value in held]
    found: list[Json] = []
    for value in plain:
        # A comma in a value is where lists of values are parted.
        if isinstance(value, str | int | float) and value not in found and value != "" and "," not in str(value):
            found.append(value)
    if not found:
        trial.give_up(f"no item of the list shows {'.'.join(narrowing.property)}")
    # What no item has shows whether the filter narrows anything at all.
    resource = trial.roster.meaning(operation_id).resource
    member = resource.anatomy.members.get(narrowing.property[0]) if resource is not None else None
    other = member.allowed if member is not None and len(narrowing.property) == 1 else ()
    return [*found[:6], *(value for value in other if isinstance(value, str | int) and value not in found)][:9]


def _asking(trial: Trial, first: Draft, narrowing: Filter, wanted: Json) -> Draft:
    """The list with the filter; ``Inapplicable`` where the parameter does not admit the value."""
    name, _, member = narrowing.parameter.partition("/")
    if ("query", name) in first.values and first.values[("query", name)] != wanted:
        trial.give_up(f"{name} is needed to list anything at all")
    operation = trial.drafter.api.operation(first.operation_id)
    schema = next((value_schema(p) for p in operation.parameters if p.name == name and p.location == "query"), None)
    for value in (wanted, [wanted], str(wanted)):
        sent = {member: value} if member else value
        if schema is None or schema.accepts(sent, Direction.REQUEST):
            asked = repinned(first, trial.drafter, {("query", name): sent})
            return replace(asked, item=None)
    raise Inapplicable(f"{name} does not admit {wanted!r}")


def annotated(operation: Operation, narrowing: Filter) -> bool:
    """Whether an annotation says what a filter compares with."""
    said = operation.extensions.get("x-mock-operation")
    filters = said.get("filters") if isinstance(said, dict) else None
    return isinstance(filters, dict) and narrowing.parameter in filters


def _tell(trial: Trial, meaning: Meaning, narrowing: Filter, what: str, kind: str) -> None:
    operation = trial.drafter.api.operation(meaning.operation_id)
    named = words(narrowing.parameter.rpartition("/")[2]) == words(narrowing.property[-1])
    plain = narrowing.operator == "eq" and named and len(narrowing.property) == 1
    known = plain or annotated(operation, narrowing)
    remedy = (
        f"- target: $.paths['{operation.path}'].{operation.method.lower()}\n"
        f"  update: {{x-mock-operation: {{filters: {{{narrowing.parameter}: "
        f"{{property: {pointers.join('', *narrowing.property)}, operator: {narrowing.operator}}}}}}}}}"
    )
    trial.broken(
        CHECK,
        f"{narrowing.parameter} {what}",
        Difference(f"{narrowing.parameter}/{kind}", narrowing.operator, kind, what),
        side=Side.SERVICE if known else Side.DOUBLE,
        remedy="" if known else remedy,
    )
