"""Which properties a server sets by itself, in what state an item starts, and what never leaves."""

from __future__ import annotations

from mock_server.model.anatomy import Anatomy, Member, words
from mock_server.model.inference.roles import CREATED, REVISION, STATE, UPDATED, is_moment
from mock_server.model.meaning import Parent, Reason, States

_FIRST_STATES = (
    "new", "pending", "draft", "created", "open", "active", "queued", "todo", "available", "scheduled",
    "enabled",
)  # fmt: skip


def assigned_fields(
    item: Anatomy, requests: tuple[Anatomy, ...], *, key: str | None, parents: tuple[Parent, ...]
) -> tuple[dict[str, str], tuple[Reason, ...]]:
    """The properties the server assigns, each with its rule, and why.

    Rules: ``key`` (minted, unique), ``created`` and ``updated`` (the clock), ``revision`` (counts writes),
    ``parent:<parameter>`` (the parent's key), ``initial`` (a state's start),
    ``zero``/``false``/``empty``/``null`` (a start value) and ``sample`` (anything valid, because the item
    requires it and no request may set it).
    """
    writable = {name for request in requests for name, m in request.members.items() if not m.read_only}
    by_parent = {parent.property: parent.parameter for parent in parents if parent.property is not None}
    rules: dict[str, str] = {}
    for name, member in item.members.items():
        settable = name in writable and not member.read_only
        rule = _rule(member, key=key, by_parent=by_parent, settable=settable, required=name in item.required)
        if rule is not None:
            rules[name] = rule
    reasons = tuple(
        Reason(f"field {name}", rule, "readOnly" if item.members[name].read_only else _why(rule))
        for name, rule in rules.items()
    )
    return rules, reasons


def _rule(member: Member, *, key: str | None, by_parent: dict[str, str], settable: bool, required: bool) -> str | None:
    name, spelled = member.name, words(member.name)
    if name == key:
        return "key"
    if name in by_parent:
        return f"parent:{by_parent[name]}"
    if settable:
        return None
    if spelled in CREATED and is_moment(member):
        return "created"
    if spelled in UPDATED and is_moment(member):
        return "updated"
    if spelled in REVISION and member.is_integer:
        return "revision"
    if spelled in STATE and member.allowed:
        return "initial"
    return start_rule(member) if required or member.read_only else None


def start_rule(member: Member) -> str:
    """The rule for a member that a new item needs and nobody gave: its default, null, nothing, or a
    sample."""
    if "default" in member.schema:
        return "default"
    if "null" in member.types:
        return "null"
    if member.allowed or member.write_only:
        return "sample"
    counts = {"count", "counts", "total", "num", "number"} & set(words(member.name))
    if member.types == {"integer"} and counts and _admits(member, 0):
        return "zero"
    if member.types == {"boolean"}:
        return "false"
    if member.types == {"array"} and not member.schema.get("minItems"):
        return "empty"
    return "sample"


def _admits(member: Member, value: int) -> bool:
    minimum = member.schema.get("minimum")
    above = member.schema.get("exclusiveMinimum")
    return (minimum is None or minimum <= value) and (above is None or above is False or above < value)


def _why(rule: str) -> str:
    if rule == "key":
        return "the key is the server's to give"
    if rule.startswith("parent:"):
        return "named like a path parameter"
    return "no request may set it"


def hidden_fields(item: Anatomy, requests: tuple[Anatomy, ...]) -> frozenset[str]:
    """Properties that a request may carry and a response may not: writeOnly, or described in requests
    alone."""
    hidden = {name for name, member in item.members.items() if member.write_only}
    for request in requests:
        hidden |= {name for name, member in request.members.items() if member.write_only}
        if item.members:
            hidden |= set(request.members) - set(item.members)
    return frozenset(hidden)


def initial_states(item: Anatomy) -> States | None:
    """The property that holds a state, with the state an item starts in; None when there is no such
    property."""
    for name, member in item.members.items():
        allowed = [value for value in member.allowed if isinstance(value, str)]
        if words(name) in STATE and allowed:
            default = member.schema.get("default")
            usual = next((value for word in _FIRST_STATES for value in allowed if value.lower() == word), None)
            return States(name, default if default in allowed else usual or allowed[0], {})
    return None
