"""Metamorphic relations: what must hold between exchanges, whatever the answers are.

They know the structure of an API (which operation creates what) and never ask the model what it would answer, so a
mistake in the shared model cannot hide from them. Each is a module of ``contracts/checks``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import TypeAlias
from zlib import crc32

from hypothesis.strategies import DataObject

from contracts.bench import Bench, Held, Task
from contracts.checks.registry import Check
from contracts.conversation import Conversation
from contracts.hunting import Chase, attempts
from contracts.roster import Roles, Roster
from contracts.trial import Trial
from mock_server.dataclass import dataclass

EXAMPLES = 12
"""Attempts at each subject of a relation."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one relation is about: operations of one resource. ``label`` names it in reports."""

    label: str
    operations: tuple[str, ...]
    roles: Roles | None = None


Subjects: TypeAlias = Callable[[Roster], Iterable[Subject]]
Test: TypeAlias = Callable[[Trial, Subject], None]


Applies: TypeAlias = Callable[[Bench, Subject], bool]


def always(bench: Bench, subject: Subject) -> bool:
    """Everywhere."""
    return True


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation: its check, what it is about in an API, and one attempt at one subject.

    ``examples`` is how many attempts it takes at each subject. ``applies`` says at which of them there is anything to
    do on a bench: with its callers, in its world.
    """

    check: Check
    subjects: Subjects
    test: Test
    examples: int = EXAMPLES
    applies: Applies = always


RELATIONS: dict[str, Relation] = {}


def relation(
    check: Check, subjects: Subjects, *, examples: int = EXAMPLES, applies: Applies = always
) -> Callable[[Test], Test]:
    """Registers a relation."""

    def register(test: Test) -> Test:
        RELATIONS[check.name] = Relation(check, subjects, test, examples, applies)
        return test

    return register


def tasks(bench: Bench) -> Iterator[Task]:
    """One task for each relation and subject of an API. The relations take turns, so that a short run makes each."""
    for turn in zip_longest(*(_tasks(bench, name, found) for name, found in RELATIONS.items() if name in bench.checks)):
        yield from (task for task in turn if task is not None)


def _tasks(bench: Bench, name: str, found: Relation) -> Iterator[Task]:
    for subject in found.subjects(bench.roster):
        if found.applies(bench, subject):
            label = f"{name} {subject.label}"
            yield Task(found.check.family, label, name, subject.operations, _make(found, subject))


def _make(found: Relation, subject: Subject) -> Callable[[Bench], Held]:
    def make(bench: Bench) -> Held:
        def attempt(data: DataObject, chase: Chase) -> None:
            bench.service.reset()
            conversation = Conversation(bench.service, bench.known(), bench.judges, chase)
            # An open world keeps what earlier attempts and runs have made, so no two may make the same.
            name = f"{found.check.name} {subject.label} {bench.hunt.deadline} {chase.attempts}"
            salt = 0 if bench.service.resettable else crc32(name.encode())
            trial = Trial(data, bench.drafter, conversation, chase, operations=subject.operations, salt=salt)
            found.test(trial, subject)

        chase = attempts(bench.hunt, attempt, examples=bench.size(found.examples), until=bench.until())
        return Held.of(chase)

    return make
