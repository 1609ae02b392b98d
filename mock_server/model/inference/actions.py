"""What ``POST /orders/{id}/cancel`` changes: the property and value that a verb stands for."""

from __future__ import annotations

from mock_server.model.anatomy import Member, words
from mock_server.model.inference.roles import OPPOSITES, STATE, STATE_WORDS, is_moment
from mock_server.model.meaning import Reason, Resource
from mock_server.openapi.expressions import ValueTemplate, template_value

_UNTOUCHED = object()


def action_effect(
    resource: Resource, verb_segment: str, method: str
) -> tuple[dict[str, ValueTemplate], tuple[Reason, ...]]:
    """The properties an action sets, and why; nothing when no property goes with the verb."""
    spelled = words(verb_segment)
    if not spelled:
        return {}, ()
    verb = spelled[0]
    undone = verb in OPPOSITES or method == "DELETE"
    base = OPPOSITES.get(verb, verb)
    effect: dict[str, ValueTemplate] = {}
    reasons = []
    for name, member in resource.anatomy.members.items():
        is_state = words(name) in STATE and method != "DELETE"
        value: object = _state_value(member, verb) if is_state else None
        if value is None:
            value = _flag_value(member, base, undone=undone)
        if value is not _UNTOUCHED:
            effect[name] = template_value(value)
            reasons.append(Reason(f"sets {name}", str(value), f"the verb {verb!r} names it"))
    return effect, tuple(reasons)


def participles(verb: str) -> tuple[str, ...]:
    """The spellings of a verb's past participle: cancel → cancelled, canceled; publish → published."""
    if verb.endswith("e"):
        return (verb + "d",)
    if verb.endswith("y") and len(verb) > 2 and verb[-2] not in "aeiou":
        return (verb[:-1] + "ied",)
    return (verb + verb[-1] + "ed", verb + "ed")


def _state_value(member: Member, verb: str) -> str | None:
    allowed = {str(value).lower(): str(value) for value in member.allowed if isinstance(value, str)}
    for candidate in (*STATE_WORDS.get(verb, ()), *participles(verb), verb, verb + "ing"):
        if candidate in allowed:
            return allowed[candidate]
    return None


def _flag_value(member: Member, verb: str, *, undone: bool) -> object:
    """What the verb sets a flag or a time to; ``_UNTOUCHED`` when the member is not about the verb."""
    done = {*participles(verb), verb, *STATE_WORDS.get(verb, ())}
    if member.types == {"boolean"} and _says(member.name, done):
        return not undone
    if is_moment(member) and _says(member.name, done, tail={"at", "on", "date", "time"}) and "created" not in done:
        if not undone:
            return "$now"
        return None if "null" in member.types else _UNTOUCHED
    return _UNTOUCHED


def _says(name: str, done: set[str], *, tail: set[str] | None = None) -> bool:
    spelled = [word for word in words(name) if word not in {"is", "has", "was"}]
    if tail is None:
        return len(spelled) == 1 and spelled[0] in done
    return len(spelled) == 2 and spelled[0] in done and spelled[1] in tail
