"""Mistakes in the shared model: they are in the served double and in the oracle alike, so agreement cannot see them.

What finds each is a witness that knows nothing of the model: a transcript of the vendor's document. It is named, as
pack and file, or a relation of exchanges against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import pytest

from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Problem
from mock_server.model.sorting import Sort
from mock_server.model.state import Remove

Wrong = Callable[[Any], Any]
"""Makes the mistaken function of the right one."""


@dataclass(frozen=True, slots=True)
class ModelMutant:
    """A mistake in the model: ``wrong`` takes the place of ``name`` in each of ``modules``.

    ``fixtures`` and ``transcript`` are one witness; ``relation`` is another, where there is one: a check, and the
    operations of the same pack at which it is made.
    """

    name: str
    does: str
    modules: tuple[str, ...]
    function: str
    wrong: Wrong
    fixtures: str
    transcript: str
    relation: tuple[str, tuple[str, ...]] | None = None

    def __str__(self) -> str:
        return self.name

    def plant(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Puts the mistake in place."""
        for module in self.modules:
            where = import_module(f"mock_server.model.{module}")
            holder, _, member = self.function.rpartition(".")
            target: Any = getattr(where, holder) if holder else where
            if isinstance(target, dict):
                monkeypatch.setitem(target, member, self.wrong(target[member]))
            else:
                monkeypatch.setattr(target, member, self.wrong(getattr(target, member)))


def _deletes_nothing(right: Any) -> Any:
    def delete(world: Any, meaning: Meaning, call: Any) -> Any:
        found = right(world, meaning, call)
        if isinstance(found, Outcome):
            kept = tuple(change for change in found.changes if not isinstance(change, Remove))
            return replace(found, changes=kept)
        return found

    return delete


def _patches_wholly(_: Any) -> Any:
    return lambda target, patch: {**dict.fromkeys(target, None), **patch} if isinstance(target, dict) else patch


def _selects_everything(_: Any) -> Any:
    return lambda listing, query: []


def _sorts_nothing(_: Any) -> Any:
    return lambda listing, query: Sort(None)


def _loses_the_last(right: Any) -> Any:
    def select(*given: Any, **named: Any) -> Any:
        page = right(*given, **named)
        return replace(page, entries=page.entries[:-1]) if hasattr(page, "entries") else page

    return select


def _repeats_the_page(right: Any) -> Any:
    def place(given: Any, collection: Any, order: Any) -> Any:
        found = right(given, collection, order)
        return replace(found, sequence=found.sequence - 1) if found is not None else None

    return place


def _refuses_nothing(_: Any) -> Any:
    return lambda *given, **named: None


def _knows_no_tenant(_: Any) -> Any:
    return lambda tenancy, call, context: ""


def _touches_nothing(_: Any) -> Any:
    return lambda resource, value, entry: value


def _finds_everything(right: Any) -> Any:
    def existing(world: Any, meaning: Meaning, call: Any) -> Any:
        found = right(world, meaning, call)
        if isinstance(found, Problem) and meaning.resource is not None:
            for _, collection in world.state.partitions(meaning.resource.qualified):
                for entry in collection:
                    return meaning.resource, (), entry.key, entry
        return found

    return existing


_UPDATING = "behaviours.updating"

MODEL_MUTANTS = (
    ModelMutant("deletes_nothing", "DELETE leaves the item", ("behaviours",), "BEHAVIOURS.delete", _deletes_nothing,
                "kirimdev", "labels", ("delete_is_final", ("createLabel", "getLabel", "deleteLabel"))),
    ModelMutant("patches_wholly", "PATCH sets to null what it does not name", (_UPDATING,), "merge_patch",
                _patches_wholly, "kirimdev", "contacts"),
    ModelMutant("selects_everything", "filters select nothing", ("queries",), "predicates", _selects_everything,
                "kirimdev", "conversations"),
    ModelMutant("sorts_nothing", "lists are in the order of creation", ("queries",), "sort_asked", _sorts_nothing,
                "kirimdev", "send-messages"),
    ModelMutant("loses_the_last", "pages lose their last item", ("behaviours.reading",), "select", _loses_the_last,
                "kirimdev", "accounts", ("list_shows_created", ("createLabel", "listLabels"))),
    ModelMutant("repeats_the_page", "a cursor leads to the last item of the page before", ("queries",), "_place",
                _repeats_the_page, "kirimdev", "customer-pages",
                ("pages_partition_the_list", ("listLabels", "createLabel"))),
    ModelMutant("allows_every_move", "every state may follow every other",
                ("states", "behaviours.acting", _UPDATING), "refused_move", _refuses_nothing, "layercake", "events"),
    ModelMutant("knows_no_tenant", "everybody is one tenant", ("world",), "tenant_of", _knows_no_tenant,
                "kirimdev", "contacts"),
    ModelMutant("touches_nothing", "times of change stand still",
                (_UPDATING, "behaviours.acting", "behaviours.deleting"), "touched", _touches_nothing,
                "kirimdev", "customers"),
    ModelMutant("finds_everything", "another item is shown for one that is not there",
                ("behaviours.reading", "behaviours.deleting", _UPDATING), "existing", _finds_everything,
                "kirimdev", "labels"),
    ModelMutant("no_quota", "plans have no limits", ("behaviours.creating", _UPDATING), "refused_quota",
                _refuses_nothing, "kirimdev", "plans"),
)  # fmt: skip
