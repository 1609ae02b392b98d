"""OpenAPI Overlay 1.0 and 1.1: what a description means, laid over the description its vendor wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TypeAlias

from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathQuery
from jsonpath_rfc9535.selectors import NameSelector

from mock_server.dataclass import dataclass
from mock_server.errors import OverlayError, Place, did_you_mean, nearest
from mock_server.openapi import source
from mock_server.openapi.pointers import join
from mock_server.openapi.values import Json

_Location: TypeAlias = tuple[int | str, ...]  # the member names and indexes that lead to a node

_ENVIRONMENT = JSONPathEnvironment()
_VERSIONS = ("1.0.", "1.1.")
_OVERLAY_FIELDS = ("overlay", "info", "extends", "actions")
_INFO_FIELDS = ("title", "version", "description")  # description: Overlay 1.1
_ACTION_FIELDS = ("target", "description", "update", "remove", "copy")  # copy: Overlay 1.1
_CHANGES = ("update", "remove", "copy")


@dataclass(frozen=True, slots=True)
class Update:
    """Merge ``value`` into every node the target selects (Overlay 1.0 §4.4.3)."""

    value: Json


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete every node the target selects from the object or array that holds it."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Merge the one node that ``path`` selects into every node the target selects (Overlay 1.1)."""

    path: JSONPathQuery


@dataclass(frozen=True, slots=True)
class Action:
    """One change of an overlay; ``pointer`` is where it stands in the overlay."""

    target: JSONPathQuery
    change: Update | Remove | Copy
    pointer: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """An overlay whose structure and JSONPath expressions have been checked.

    ``name`` is what messages call it, ``version`` the Overlay Specification it follows, and ``extends`` the
    description it says it is for. ``text`` is what it was parsed from, for line numbers, and None for an
    overlay that came as a value.
    """

    name: str
    version: str
    title: str
    actions: tuple[Action, ...]
    extends: str | None = None
    text: bytes | None = field(default=None, repr=False)

    def place(self, pointer: str) -> Place:
        """Where ``pointer`` is in this overlay, for a message."""
        return _place(self.name, pointer, self.text)


def load_overlay(path: Path, *, limits: source.Limits = source.DEFAULT_LIMITS) -> Overlay:
    """The overlay in a YAML or JSON file; ``SourceError`` or ``OverlayError`` when it cannot be used."""
    name = str(path)
    text = source.read(path, name=name, limits=limits)
    return _Reader(name, text).overlay(source.parse(text, name=name, limits=limits))


def overlay_from(value: Json, *, name: str) -> Overlay:
    """The overlay that a value stands for; an ``OverlayError`` when it is none."""
    return _Reader(name, None).overlay(value)


def apply(document: Json, overlay: Overlay) -> Json:
    """The document as the overlay's actions, in their order, leave it; ``document`` itself stays as it was.

    An action whose target selects nothing is an ``OverlayError``: it would otherwise rot in silence.
    """
    draft = _Draft(document)
    for action in overlay.actions:
        selected = _selected(action.target, draft.root, action, overlay)
        if isinstance(action.change, Remove):
            if () in selected:
                raise _misapplied("the whole description cannot be removed", action, overlay)
            for location in sorted(selected, key=_removal_order, reverse=True):
                draft.remove(location)
        else:
            value = _new_value(action.change, draft.root, action, overlay)
            for location, node in selected.items():
                _check_kind(node, value, action, overlay)
                draft.update(location, value)
    return draft.root


def _place(name: str, pointer: str, text: bytes | None) -> Place:
    return Place(name, pointer, None if text is None else source.line_of(text, pointer))


def _removal_order(location: _Location) -> tuple[int, int]:
    """Children before parents and the back of an array first, so that the locations left still hold."""
    last = location[-1]
    return len(location), last if isinstance(last, int) else 0


def merged(value: Json, update: Json) -> Json:
    """``value`` with ``update`` merged in: objects recursively, arrays concatenated, others replaced."""
    if isinstance(value, dict) and isinstance(update, dict):
        return value | {key: merged(value[key], member) if key in value else member for key, member in update.items()}
    if isinstance(value, list) and isinstance(update, list):
        return [*value, *update]
    return update


class _Draft:
    """A document that is being changed; containers of the original are copied before their first change."""

    def __init__(self, document: Json) -> None:
        self.root = document
        self._own: dict[int, Json] = {}  # by identity; the reference keeps the identity from being reused

    def update(self, location: _Location, value: Json) -> None:
        """Merge ``value`` into an object at ``location``, append it to an array, or replace anything else."""
        if not location:
            self.root = self._changed(self.root, value)
            return
        parent = self._editable(location[:-1])
        parent[location[-1]] = self._changed(parent[location[-1]], value)

    def remove(self, location: _Location) -> None:
        """Delete the value at ``location`` from what holds it."""
        del self._editable(location[:-1])[location[-1]]

    def _changed(self, old: Json, value: Json) -> Json:
        return [*old, value] if isinstance(old, list) else merged(old, value)

    def _editable(self, location: _Location) -> Json:
        """The container at ``location``, it and those around it copied if they are still the original's."""
        self.root = here = self._owned(self.root)
        for token in location:
            here[token] = self._owned(here[token])
            here = here[token]
        return here

    def _owned(self, container: Json) -> Json:
        if id(container) in self._own:
            return container
        copied = container.copy()
        self._own[id(copied)] = copied
        return copied


def _selected(query: JSONPathQuery, root: Json, action: Action, overlay: Overlay) -> dict[_Location, Json]:
    """The nodes that a query selects, by location, each once (RFC 9535 §2.3.1.2 allows duplicates)."""
    try:
        nodes = {node.location: node.value for node in query.find(root)}
    except JSONPathError as error:
        raise _misapplied(f"the JSONPath cannot be evaluated: {error}", action, overlay) from error
    if not nodes:
        raise _misapplied("the JSONPath selects nothing", action, overlay, query, hint=_nearest(query, root))
    return nodes


def _nearest(query: JSONPathQuery, root: Json) -> str:
    """What does exist on the way to nothing."""
    length = next(n for n in range(len(query.segments) - 1, -1, -1) if _prefix(query, n).find(root))
    nodes = _prefix(query, length).find(root)
    names = [key for node in nodes if isinstance(node.value, dict) for key in node.value]
    for selector in query.segments[length].selectors:
        if isinstance(selector, NameSelector) and (close := nearest(selector.name, names)):
            return f"{_prefix(query, length)} exists; did you mean {close!r} in it?"
    return f"{_prefix(query, length)} exists, but nothing in it matches {query.segments[length]}"


def _prefix(query: JSONPathQuery, length: int) -> JSONPathQuery:
    return JSONPathQuery(env=query.env, segments=query.segments[:length])


def _new_value(change: Update | Copy, root: Json, action: Action, overlay: Overlay) -> Json:
    if isinstance(change, Update):
        return change.value
    sources = _selected(change.path, root, action, overlay)
    if len(sources) > 1:
        raise _misapplied(
            "copy selects more than one value",
            action,
            overlay,
            change.path,
            allowed="a JSONPath to one value",
        )
    return next(iter(sources.values()))


def _check_kind(node: Json, value: Json, action: Action, overlay: Overlay) -> None:
    """Overlay 1.0 §4.4.3 updates objects and arrays; 1.1 replaces primitive values as well."""
    if isinstance(node, list) or (isinstance(node, dict) and isinstance(value, dict)):
        return
    if isinstance(node, dict):
        raise _misapplied("an object is updated with an object", action, overlay)
    if overlay.version.startswith("1.0."):
        raise _misapplied(
            "the target is neither an object nor an array",
            action,
            overlay,
            allowed="objects and arrays in Overlay 1.0",
            hint="target the object around it, or declare overlay: 1.1.0",
        )


def _misapplied(
    problem: str,
    action: Action,
    overlay: Overlay,
    query: JSONPathQuery | None = None,
    *,
    allowed: str | None = None,
    hint: str | None = None,
) -> OverlayError:
    return OverlayError(
        problem,
        place=overlay.place(action.pointer),
        got=str(query or action.target),
        allowed=allowed,
        hint=hint,
    )


class _Reader:
    """Turns the value of an overlay into an ``Overlay``, refusing what the specification does not allow."""

    def __init__(self, name: str, text: bytes | None) -> None:
        self._name = name
        self._text = text

    def overlay(self, value: Json) -> Overlay:
        fields = self._object(value, "", _OVERLAY_FIELDS, required=("overlay", "info", "actions"))
        version = self._string(fields, "overlay", "")
        if not version.startswith(_VERSIONS):
            raise self._wrong("this overlay version is not known here", "/overlay", version, "1.0.x or 1.1.x")
        info = self._object(fields["info"], "/info", _INFO_FIELDS, required=("title", "version"))
        actions = fields["actions"]
        if not isinstance(actions, list) or not actions:
            raise self._wrong("an overlay has at least one action", "/actions", actions, "a non-empty list")
        return Overlay(
            name=self._name,
            version=version,
            title=self._string(info, "title", "/info"),
            actions=tuple(self._action(each, join("/actions", i)) for i, each in enumerate(actions)),
            extends=self._string(fields, "extends", "") if "extends" in fields else None,
            text=self._text,
        )

    def _action(self, value: Json, pointer: str) -> Action:
        fields = self._object(value, pointer, _ACTION_FIELDS, required=("target",))
        if not isinstance(fields.get("remove", False), bool):
            raise self._wrong("remove is a boolean", join(pointer, "remove"), fields["remove"], "true or false")
        asked = [name for name in _CHANGES if name in fields and (name != "remove" or fields[name])]
        if len(asked) != 1:
            raise self._wrong("an action does exactly one thing", pointer, asked, "one of update, remove: true, copy")
        change: Update | Remove | Copy
        match asked:
            case ["update"]:
                change = Update(fields["update"])
            case ["remove"]:
                change = Remove()
            case _:
                change = Copy(self._path(fields, "copy", pointer))
        return Action(self._path(fields, "target", pointer), change, pointer)

    def _path(self, fields: Mapping[str, Json], name: str, pointer: str) -> JSONPathQuery:
        text = self._string(fields, name, pointer)
        try:
            return _ENVIRONMENT.compile(text)
        except JSONPathError as error:
            problem = f"{name} is not a JSONPath: {error}"
            raise self._wrong(problem, join(pointer, name), text, "a JSONPath (RFC 9535), such as $.info") from error

    def _object(
        self, value: Json, pointer: str, allowed: tuple[str, ...], *, required: tuple[str, ...]
    ) -> Mapping[str, Json]:
        if not isinstance(value, dict):
            raise self._wrong("this is a mapping in an overlay", pointer, value, f"a mapping of {', '.join(allowed)}")
        for name in value:
            if name not in allowed and not name.startswith("x-"):
                hint = did_you_mean(name, allowed)
                problem = f"an overlay has no field {name!r} here"
                raise self._wrong(problem, join(pointer, name), name, f"{', '.join(allowed)}, x-*", hint=hint)
        for name in required:
            if name not in value:
                raise self._wrong(f"the field {name!r} is missing", pointer, list(value), ", ".join(required))
        return value

    def _string(self, fields: Mapping[str, Json], name: str, pointer: str) -> str:
        value = fields[name]
        if not isinstance(value, str):
            raise self._wrong(f"{name} is a string", join(pointer, name), value, "a string")
        return value

    def _wrong(self, problem: str, pointer: str, got: Json, allowed: str, *, hint: str | None = None) -> OverlayError:
        place = _place(self._name, pointer, self._text)
        return OverlayError(problem, place=place, got=got, allowed=allowed, hint=hint)
