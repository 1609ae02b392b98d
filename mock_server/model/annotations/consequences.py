"""What annotations say about what happens by itself: timed moves, effects of writes, serial numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.errors import AnnotationError
from mock_server.model.anatomy import Anatomy
from mock_server.model.annotations.reader import OWN_ROOTS, AnnotationReader
from mock_server.model.meaning import Effect, States, Transition
from mock_server.model.serials import Serial, serial
from mock_server.openapi import pointers
from mock_server.openapi.expressions import ExpressionSyntaxError
from mock_server.openapi.values import Json

_PARENTS = frozenset({"parents"})
_CHOICE = frozenset({"key", "where"})
_ALLOWED: Mapping[str, frozenset[str]] = {
    "update": _CHOICE | {"scope", "set", "increase"},
    "create": frozenset({"scope", "set"}),
    "remove": _CHOICE | {"scope"},
    "compute": frozenset(),
}
"""What an effect may say beside what it does."""


def read_states(reader: AnnotationReader, value: Mapping[str, Json], pointer: str, anatomy: Anatomy) -> States:
    """The state machine of a resource."""
    states = States(
        value["property"],
        value.get("initial"),
        {
            name: _transition(reader, name, entry, pointers.join(pointer, "transitions", name))
            for name, entry in (value.get("transitions") or {}).items()
        },
    )
    _check_names(reader, states, value, pointer, anatomy)
    return states


def _transition(reader: AnnotationReader, name: str, entry: Mapping[str, Json], pointer: str) -> Transition:
    if "after" in entry and "at" in entry:
        raise AnnotationError("a move happens after a duration or at a moment, not both", place=reader.place(pointer))
    return Transition(
        name,
        tuple(entry.get("from") or ()),
        entry["to"],
        reader.criterion(entry["when"], pointer + "/when") if "when" in entry else None,
        entry.get("refusal", ""),
        reader.duration(entry["after"], pointer + "/after", at_once=True) if "after" in entry else None,
        reader.template(entry["at"], pointer + "/at") if "at" in entry else None,
        reader.members(entry.get("set") or {}, pointer + "/set"),
    )


def _check_names(
    reader: AnnotationReader, states: States, value: Mapping[str, Json], pointer: str, anatomy: Anatomy
) -> None:
    """Refuses a state that the schema of the state property does not have."""
    member = anatomy.members.get(states.property)
    known = [state for state in member.allowed if isinstance(state, str)] if member is not None else []
    if not known:
        return
    named: list[tuple[str, Json]] = [(pointer + "/initial", states.initial)] if states.initial is not None else []
    for name, entry in (value.get("transitions") or {}).items():
        place = pointers.join(pointer, "transitions", name)
        named += [(f"{place}/from/{at}", source) for at, source in enumerate(entry.get("from") or ())]
        named.append((place + "/to", entry["to"]))
    for place, state in named:
        reader.known(str(state), known, place, f"{states.property} has no such value")


def read_effects(reader: AnnotationReader, values: list[Mapping[str, Json]], pointer: str) -> Iterator[Effect]:
    """The effects of writing a resource's items."""
    for index, entry in enumerate(values):
        place = f"{pointer}/{index}"
        action = _action(reader, entry, place)
        on = entry["on"]
        yield Effect(
            frozenset(on if isinstance(on, list) else [on]),
            reader.criterion(entry["when"], place + "/when", roots=_PARENTS) if "when" in entry else None,
            action,
            entry[action],
            reader.template(entry["key"], place + "/key", roots=_PARENTS) if "key" in entry else None,
            reader.members(entry.get("where") or {}, place + "/where", roots=_PARENTS),
            tuple(reader.template(key, f"{place}/scope/{at}", roots=_PARENTS) for at, key in enumerate(entry["scope"]))
            if "scope" in entry
            else None,
            reader.members(entry.get("set") or {}, place + "/set", roots=_PARENTS),
            reader.members(entry.get("increase") or {}, place + "/increase", roots=_PARENTS),
            entry,
            place,
        )


def _action(reader: AnnotationReader, entry: Mapping[str, Json], pointer: str) -> str:
    """The one thing that an effect does; refused when it is none or more, or says too little or too much of it."""
    actions = [name for name in _ALLOWED if name in entry]
    if len(actions) != 1:
        raise AnnotationError(
            "an effect does one thing", place=reader.place(pointer), got=", ".join(actions) or "nothing",
            allowed=", ".join(_ALLOWED), hint="write one effect for each",
        )  # fmt: skip
    (action,) = actions
    parts = frozenset(entry) - {"on", "when", action}
    if not parts <= _ALLOWED[action]:
        raise AnnotationError(
            f"{action} has no use for this", place=reader.place(pointer),
            got=", ".join(sorted(parts - _ALLOWED[action])),
            allowed=", ".join(sorted(_ALLOWED[action])) or "only on and when",
        )  # fmt: skip
    if action in {"update", "remove"} and len(parts & _CHOICE) != 1:
        raise AnnotationError(
            f"{action} chooses its items by key or by where", place=reader.place(pointer),
            got=" and ".join(sorted(parts & _CHOICE)) or "neither",
        )  # fmt: skip
    if action in {"update", "create"} and not parts & {"set", "increase"}:
        raise AnnotationError(f"{action} says what the item gets", place=reader.place(pointer), got="nothing",
                              allowed=", ".join(sorted(_ALLOWED[action] & {"set", "increase"})))  # fmt: skip
    return action


def read_serials(
    reader: AnnotationReader, value: Mapping[str, Json], pointer: str, anatomy: Anatomy
) -> Iterator[Serial]:
    """The numbered members of a resource, whether they are said under ``assigned`` or ``serials``."""
    for name, rule in (value.get("assigned") or {}).items():
        if is_serial(rule):
            yield _serial(reader, (name,), rule["serial"], pointers.join(pointer, "assigned", name, "serial"), anatomy)
    for path, text in (value.get("serials") or {}).items():
        yield _serial(reader, pointers.split(path), text, pointers.join(pointer, "serials", path), anatomy)


def is_serial(rule: Any) -> bool:
    """Whether what ``assigned`` says of a member is a serial."""
    return isinstance(rule, dict) and set(rule) == {"serial"} and isinstance(rule["serial"], str)


def _serial(reader: AnnotationReader, path: tuple[str, ...], text: str, pointer: str, anatomy: Anatomy) -> Serial:
    member = anatomy.members.get(path[0]) if len(path) == 1 else None
    is_number = member is not None and bool(member.types & {"integer", "number"}) and "string" not in member.types
    try:
        return serial(path, text, roots=OWN_ROOTS, is_number=is_number)
    except ExpressionSyntaxError as error:
        raise AnnotationError(error.problem, place=reader.place(pointer), got=error.text, hint=error.hint) from None
