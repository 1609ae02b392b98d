"""The two patch formats of HTTP PATCH: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902).

Both functions return a new value and leave their arguments as they were. What a client did wrong is a value
too, a ``PatchFailure``, with the status that RFC 5789 §2.2 gives it:

    400  the patch document is malformed
    409  the patch assumes a state that the resource is not in: a missing target, a failed ``test``
    422  the patch is understood but cannot be carried out: too large, too deep, or nothing would be left
"""

from __future__ import annotations

import copy
from typing import Final

import jsonpatch

from mock_server.dataclass import dataclass
from mock_server.openapi import pointers
from mock_server.openapi.jsontext import MAX_DEPTH
from mock_server.openapi.values import Json

MOST_HANDLED: Final = 100_000
"""How many JSON values one JSON Patch may handle in all; stops a patch that copies its own copies."""

_MEMBERS: Final = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "from"),
    "copy": ("path", "from"),
    "test": ("path", "value"),
}
_LONGEST_SHOWN = 80

# The library has two exceptions of its own and lets some built-in ones of a failed look-up through.
_NOT_APPLICABLE: Final = (
    jsonpatch.JsonPatchException,
    jsonpatch.JsonPointerException,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class PatchFailure:
    """Why a JSON Patch was not applied.

    ``status`` is the HTTP status (400, 409 or 422), ``keyword`` the member or operation of RFC 6902 that was
    broken (or ``maxSize``, ``maxDepth``), ``pointer`` a JSON pointer into the patch document, ``message`` one
    sentence.
    """

    status: int
    keyword: str
    pointer: str
    message: str


def merge_patch(target: Json, patch: Json) -> Json:
    """What ``target`` becomes when ``patch`` is merged into it (RFC 7396 §2); null removes a member.

    Parts that do not change are shared with ``target``. Any depth is fine.
    """
    if not isinstance(patch, dict):
        return patch
    merged: dict[str, Json] = dict(target) if isinstance(target, dict) else {}
    pending = [(merged, patch)]
    while pending:
        into, changes = pending.pop()
        for name, change in changes.items():
            if change is None:
                into.pop(name, None)
            elif isinstance(change, dict):
                held = into.get(name)
                into[name] = dict(held) if isinstance(held, dict) else {}
                pending.append((into[name], change))
            else:
                into[name] = change
    return merged


def json_patch(target: Json, operations: Json) -> Json | PatchFailure:
    """What ``target`` becomes when the operations of a JSON Patch are applied in turn, or why they cannot be.

    All operations take effect or none does (RFC 5789 §2).
    """
    malformed = _malformed(operations)
    if malformed is not None:
        return malformed
    if _measure(target, most=None) is None:
        return PatchFailure(422, "maxDepth", "", f"the resource is nested deeper than {MAX_DEPTH}")
    patched = copy.deepcopy(target)
    budget = MOST_HANDLED
    for index, operation in enumerate(operations):
        size = _handled(patched, operation, f"/{index}", budget)
        if isinstance(size, PatchFailure):
            return size
        budget -= size
        patched = _apply(patched, operation, f"/{index}")
        if isinstance(patched, PatchFailure):
            return patched
    return patched


def _malformed(operations: Json) -> PatchFailure | None:
    if not isinstance(operations, list):
        return PatchFailure(400, "type", "", "a JSON Patch is an array of operations (RFC 6902 §3)")
    for index, operation in enumerate(operations):
        failure = _malformed_operation(operation, f"/{index}")
        if failure is not None:
            return failure
    return None


def _malformed_operation(operation: Json, pointer: str) -> PatchFailure | None:
    if not isinstance(operation, dict):
        return PatchFailure(400, "type", pointer, "an operation is an object with 'op' and 'path' (RFC 6902 §4)")
    name = operation.get("op")
    if not isinstance(name, str) or name not in _MEMBERS:
        allowed = ", ".join(_MEMBERS)
        return PatchFailure(400, "op", f"{pointer}/op", f"'op' is one of {allowed}; got {_brief(name)}")
    for member in _MEMBERS[name]:
        if member not in operation:
            return PatchFailure(400, member, pointer, f"the operation {name!r} needs the member {member!r}")
        if member == "value":
            continue
        if not _is_pointer(operation[member]):
            message = f"{member!r} is a JSON pointer such as '/name' or ''; got {_brief(operation[member])}"
            return PatchFailure(400, member, f"{pointer}/{member}", message)
    if name == "move" and operation["path"].startswith(operation["from"] + "/"):
        message = "a value cannot be moved into itself: 'from' is the beginning of 'path' (RFC 6902 §4.4)"
        return PatchFailure(400, "from", f"{pointer}/from", message)
    return None


def _is_pointer(written: Json) -> bool:
    if not isinstance(written, str):
        return False
    try:
        pointers.split(written)
    except ValueError:
        return False
    return True


def _handled(document: Json, operation: Json, pointer: str, budget: int) -> int | PatchFailure:
    """How many JSON values the operation writes or compares; a failure when they are too many or too deep."""
    name = operation["op"]
    if name == "remove":
        return 0
    value = operation["value"] if "value" in _MEMBERS[name] else _resolved(document, operation["from"])
    size = _measure(value, most=budget, above=operation["path"].count("/"))
    if size is None:
        message = f"the operation {name!r} reaches deeper than {MAX_DEPTH} levels"
        return PatchFailure(422, "maxDepth", pointer, message)
    if size > budget:
        return PatchFailure(422, "maxSize", pointer, f"the patch would handle more than {MOST_HANDLED:,} values")
    return size


def _resolved(document: Json, pointer: str) -> Json:
    """What ``pointer`` names; None when it names nothing, which the operation itself then reports."""
    try:
        return pointers.lookup(document, pointer)
    except LookupError:
        return None


def _measure(value: Json, *, most: int | None, above: int = 0) -> int | None:
    """How many JSON values are in ``value``, itself included, counted until above ``most``.

    None when arrays and objects are nested deeper than ``MAX_DEPTH``, with ``value`` ``above`` levels down.
    """
    counted = 0
    pending = [(value, above)]
    while pending:
        inner, depth = pending.pop()
        counted += 1
        if most is not None and counted > most:
            return counted
        if not isinstance(inner, dict | list):
            continue
        if depth >= MAX_DEPTH:
            return None
        pending.extend((held, depth + 1) for held in (inner.values() if isinstance(inner, dict) else inner))
    return counted


def _apply(document: Json, operation: Json, pointer: str) -> Json | PatchFailure:
    """The document after one operation, which may change it in place: it is this module's own copy."""
    name, path = operation["op"], operation["path"]
    if name == "remove" and not path:
        return PatchFailure(422, name, pointer, "removing the whole document would leave nothing")
    try:
        # Only the members that count (RFC 6902 §4: others are ignored), and copies of them: some
        # releases of the library insert the patch's own values, which a later operation would then change.
        known = {member: copy.deepcopy(operation[member]) for member in ("op", *_MEMBERS[name])}
        return jsonpatch.JsonPatch([known]).apply(document, in_place=True)
    except jsonpatch.JsonPatchTestFailed:
        message = f"the value at {_brief(path)} is not the one that the operation 'test' expects"
        return PatchFailure(409, name, pointer, message)
    except _NOT_APPLICABLE:
        places = _brief(path)
        if "from" in _MEMBERS[name]:
            places = f"{_brief(operation['from'])} and {_brief(path)}"
        message = f"the operation {name!r} does not find what it needs at {places} in the resource"
        return PatchFailure(409, name, pointer, message)


def _brief(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."
