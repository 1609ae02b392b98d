"""Our ``dataclass`` is quicker to define a class and otherwise the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, replace
from typing import Any, Generic, TypeVar

import pytest

from mock_server.dataclass import dataclass

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Money:
    amount: int
    currency: str = "EUR"
    notes: list[str] = field(default_factory=list, compare=False)
    secret: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class Counter:
    """Counts."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class Pair(Generic[Item]):
    """Two of a kind."""

    left: Item
    right: Item


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """Only itself."""

    name: str


def _standard(cls: type) -> Any:
    """The same class by the standard library's decorator."""
    annotations = dict(cls.__annotations__)
    entries = [(each.name, annotations[each.name], _same(each)) for each in dataclasses.fields(cls)]
    return dataclasses.make_dataclass(cls.__name__, entries, frozen=True, slots=True)


def _same(each: dataclasses.Field[Any]) -> Any:
    if each.default_factory is not dataclasses.MISSING:
        return field(default_factory=each.default_factory, compare=each.compare, repr=each.repr)
    return field(default=each.default, compare=each.compare, repr=each.repr)


ASPECTS: dict[str, Callable[[Any], Any]] = {
    "repr": lambda cls: repr(cls(5, secret="x")).replace(cls.__qualname__, "Money"),
    "equality": lambda cls: (cls(5) == cls(5), cls(5) == cls(6), cls(5) == 5, cls(5, notes=["a"]) == cls(5)),
    "hash": lambda cls: (hash(cls(5)) == hash(cls(5, notes=["a"])), hash(cls(5)) == hash((5, "EUR", None))),
    "parameters": lambda cls: list(inspect.signature(cls).parameters),
    "fields": lambda cls: [each.name for each in dataclasses.fields(cls)],
    "matching": lambda cls: cls.__match_args__,
    "replacing": lambda cls: dataclasses.astuple(replace(cls(5), amount=7)),
    "slots": lambda cls: hasattr(cls(5), "__dict__"),
}


@pytest.mark.parametrize("aspect", ASPECTS)
def test_class_behaves_as_the_standard_librarys(aspect: str) -> None:
    look = ASPECTS[aspect]
    assert look(Money) == look(_standard(Money))


def test_default_factory_is_called_for_each_instance() -> None:
    Money(1).notes.append("mine")
    assert Money(1).notes == []


def test_frozen_instance_refuses_assignment_and_deletion() -> None:
    money = Money(1)
    with pytest.raises(FrozenInstanceError, match="amount"):
        money.amount = 2  # type: ignore[misc]  # the point of it
    with pytest.raises(FrozenInstanceError, match="amount"):
        del money.amount
    assert money.amount == 1


def test_instance_survives_pickle_and_copy() -> None:
    money = Money(3, "USD", ["a"], "s")
    for again in (pickle.loads(pickle.dumps(money)), copy.copy(money), copy.deepcopy(money)):
        assert dataclasses.astuple(again) == (3, "USD", ["a"], "s")


def test_unfrozen_instance_changes_and_has_no_hash() -> None:
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)


def test_missing_argument_is_a_type_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="amount"):
        Money()  # type: ignore[call-arg]  # the point of it


def test_generic_class_compares_by_its_fields() -> None:
    assert Pair(1, 2) == Pair(1, 2)
    assert Pair[int](1, 2) != Pair[int](2, 1)


def test_class_without_equality_is_only_itself() -> None:
    token = Token("a")
    assert token == token
    assert token != Token("a")
    assert len({token, Token("a")}) == 2


def test_own_methods_are_kept() -> None:
    @dataclass(frozen=True, slots=True)
    class Shouting:
        """Prints itself."""

        word: str

        def __repr__(self) -> str:
            return self.word.upper()

    assert repr(Shouting("hey")) == "HEY"
