"""A list that is sorted by a name comes in the order of that member, and is the same list."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

from contracts.checks.registry import Family, check
from contracts.drafting import repinned
from contracts.findings import Difference, Side
from contracts.paging import filled, shows_keys, whole
from contracts.relations import Subject, relation
from contracts.roster import Roster
from contracts.selecting import moment
from contracts.trial import Trial
from mock_server.exchange.requests import value_schema
from mock_server.model.filters import value_at
from mock_server.model.meaning import Meaning
from mock_server.model.sorting import sort_asked
from mock_server.openapi.description import Parameter
from mock_server.openapi.values import Direction, Json

CHECK = check(
    "sort_sorts",
    Family.RELATION,
    summary="A sorted list is in the order of the member that it is sorted by, and holds what the unsorted one holds.",
    source="the description's own query parameters",
    example="a sort parameter that is ignored",
)
_ASCENDING = ("asc", "ASC", "ascending", "Ascending", 1, "1", "+")
_DESCENDING = ("desc", "DESC", "descending", "Descending", "dsc", -1, "-1", "-")


def subjects(roster: Roster) -> Iterator[Subject]:
    """Every list that can be sorted."""
    for roles in roster.resources.values():
        for operation_id in (*roles.lists, *roles.views):
            if roster.meaning(operation_id).listing.sort is not None:
                yield Subject(operation_id, (*roles.creates, operation_id), roles)


@relation(CHECK, subjects)
def sorted_lists_are_in_order(trial: Trial, subject: Subject) -> None:
    """Asks for the list in one order, and compares with the list as it comes."""
    assert subject.roles is not None
    operation_id = subject.operations[-1]
    meaning = trial.roster.meaning(operation_id)
    listing = meaning.listing
    word = trial.choice(_words(trial, meaning))
    place = ("query", listing.sort or "")
    values: dict[tuple[str, str], Json] = {place: word}
    direction = trial.choice((None, *_directions(trial, meaning)))
    if direction is not None:
        values[("query", listing.order or "")] = direction
    item = filled(trial, subject.roles, 4)
    first = trial.beside(item, operation_id, large=False)
    before = whole(trial, first)
    if len(before.items) < 2 or not shows_keys(meaning, before.items):
        trial.give_up("the list shows fewer than two items")
    shown = whole(trial, repinned(first, trial.drafter, values))
    after = whole(trial, first)
    steady = set(before.keys) == set(after.keys)
    if steady and sorted(shown.keys) != sorted(before.keys):
        _tell(trial, meaning, word, "is not the same list as the unsorted one", "items")
        return
    query = {name: value for (_, name), value in values.items()}
    order = sort_asked(listing, query).order
    if order is None or len(order.keys) != 1:
        trial.give_up(f"{word} is no member that the list shows")
    path, descending = order.keys[0]
    said = direction is not None or descending
    held = [value_at(entry, path) for entry in shown.items]
    allowed = _allowed(meaning, path)
    if not in_order(held, descending=descending if said else None, allowed=allowed):
        _tell(trial, meaning, word, f"is not in the order of {'.'.join(path)}: {held}"[:300], "order")


def _words(trial: Trial, meaning: Meaning) -> list[Json]:
    """The ways to ask for an order: those that the description lists, else the members' own names."""
    parameter = _parameter(trial, meaning, meaning.listing.sort)
    schema = value_schema(parameter) if parameter is not None else None
    told = schema.bundle(Direction.REQUEST).get("enum") if schema is not None else None
    names: Sequence[Json] = told if isinstance(told, list) else [
        ".".join(path) for path in dict.fromkeys(meaning.listing.sortable.values())
    ]  # fmt: skip
    return [name for name in names if schema is None or schema.accepts(name, Direction.REQUEST)]


def _directions(trial: Trial, meaning: Meaning) -> list[Json]:
    parameter = _parameter(trial, meaning, meaning.listing.order)
    if parameter is None:
        return []
    schema = value_schema(parameter)
    both = [next((word for word in words if schema is None or schema.accepts(word, Direction.REQUEST)), None)
            for words in (_ASCENDING, _DESCENDING)]  # fmt: skip
    return [word for word in both if word is not None]


def _parameter(trial: Trial, meaning: Meaning, name: str | None) -> Parameter | None:
    parameters = trial.drafter.api.operation(meaning.operation_id).parameters
    return next((p for p in parameters if (p.location, p.name) == ("query", name)), None)


def _allowed(meaning: Meaning, path: tuple[str, ...]) -> tuple[Json, ...]:
    resource = meaning.resource
    member = resource.anatomy.members.get(path[0]) if resource is not None and len(path) == 1 else None
    return tuple(member.allowed) if member is not None else ()


def in_order(held: Sequence[Json], *, descending: bool | None, allowed: Sequence[Json] = ()) -> bool:
    """Whether values come in some order that a service may mean; either direction where ``descending`` is None.

    What is missing may be at either end. Texts go by code point, without case, without accents, as numbers, moments,
    or (an enumeration in a database) in the order in which the values are described.
    """
    values = [value for value in held if value is not None]
    gaps = [index for index, value in enumerate(held) if value is None]
    if gaps and gaps not in (list(range(len(gaps))), list(range(len(held) - len(gaps), len(held)))):
        return False
    if any(isinstance(value, list | dict) for value in values):
        return True
    directions = (False, True) if descending is None else (descending,)
    for ranked in _ranked(values, allowed):
        for backwards in directions:
            pairs = pairwise(ranked[::-1] if backwards else ranked)
            if all(left <= right for left, right in pairs):
                return True
    return False


def _ranked(values: Sequence[Json], allowed: Sequence[Json]) -> Iterator[list[Any]]:
    if all(isinstance(value, bool | int | float) for value in values):
        yield list(values)
        return
    texts = [value if isinstance(value, str) else str(value) for value in values]
    yield texts
    folds: tuple[Callable[[str], Any], ...] = (str.casefold, _bare, lambda text: text.encode("utf-16-be"))
    for fold in folds:
        yield [fold(text) for text in texts]
    moments = [moment(text) for text in texts]
    if None not in moments:
        yield moments
    with suppress(ValueError):
        yield [float(text) for text in texts]
    if allowed and all(value in allowed for value in values):
        yield [tuple(allowed).index(value) for value in values]


def _bare(text: str) -> str:
    """A text as collations of many languages see it first: letters and digits, no case, no accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def _known(trial: Trial, meaning: Meaning, word: Json) -> bool:
    """Whether the description itself names a word to sort by."""
    parameter = _parameter(trial, meaning, meaning.listing.sort)
    if parameter is None:
        return False
    schema = value_schema(parameter)
    bundle = schema.bundle(Direction.REQUEST) if schema is not None else {}
    told = str(word).lstrip("+-")
    return (
        "enum" in bundle
        or told in f"{parameter.description} {bundle.get('description', '')}"
        or any(told in str(example.value) for example in parameter.examples)
    )


def _tell(trial: Trial, meaning: Meaning, word: Json, what: str, kind: str) -> None:
    known = _known(trial, meaning, word)
    operation = trial.drafter.api.operation(meaning.operation_id)
    trial.broken(
        CHECK,
        f"the list sorted by {word} {what}",
        Difference(f"sort/{kind}", f"sorted by {word}", what, ""),
        side=Side.SERVICE if known else Side.DOUBLE,
        remedy=""
        if known
        else f"- target: $.paths['{operation.path}'].{operation.method.lower()}"
        f".parameters[?@.name=='{meaning.listing.sort}'].schema\n"
        f"  update: {{enum: [{word}]}}",
    )
