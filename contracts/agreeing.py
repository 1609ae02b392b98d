"""Agreeing: a reply beside what the model predicted, judged by the checks of that family."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from contracts.checks.registry import Check
from contracts.findings import Difference, Side
from contracts.oracle import Answered, Oracle, Place
from mock_server.dataclass import dataclass
from mock_server.model.meaning import Resource
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Deviation:
    """One way in which a reply is not what was predicted."""

    check: Check
    side: Side
    sentence: str
    differences: tuple[Difference, ...] = ()
    remedy: str = ""
    notes: tuple[str, ...] = ()


AnswerCheck: TypeAlias = Callable[[Answered, Oracle], Iterator[Deviation]]

ANSWER_CHECKS: dict[str, AnswerCheck] = {}
"""What judges an answer, by the name of its check."""


def judges_answer(check: Check) -> Callable[[AnswerCheck], AnswerCheck]:
    """Registers what judges an answer for a check."""

    def register(judged: AnswerCheck) -> AnswerCheck:
        ANSWER_CHECKS[check.name] = judged
        return judged

    return register


def volatile(resource: Resource, oracle: Oracle) -> frozenset[str]:
    """The members that may change at any moment: by timed moves, and times of the last change."""
    found = {name for name, rule in resource.assigned.items() if rule in {"updated", "revision"}}
    if resource.states is not None and not oracle.stands_still:
        for transition in resource.states.transitions.values():
            if transition.timed:
                found |= {resource.states.property, *(path[0] for path in transition.set)}
    return frozenset(found)


def passed_over(resource: Resource, place: Place, oracle: Oracle) -> frozenset[str]:
    """The members of an item of which nothing is known for certain, or that may change at any moment."""
    return volatile(resource, oracle) | resource.hidden | frozenset(oracle.unsure.get(place, ()))


def visible(answered: Answered, oracle: Oracle, value: Mapping[str, Json]) -> dict[str, Json]:
    """The members of an item that an operation's answer should show; what the model only sampled is left out."""
    shown = oracle.model.answers.view(answered.meaning).item(dict(value))
    return {name: member for name, member in shown.items() if name in value} if isinstance(shown, dict) else {}


def named(resource: Resource, key: str) -> str:
    """How a sentence calls an item."""
    return f"{resource.name} {key!r}" if key else f"the {resource.name}"


def certain(answered: Answered) -> bool:
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
