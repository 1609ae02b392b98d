"""Remedies: the overlay action that would settle a question, written as far as the exchange itself tells it.

An action goes under ``actions:`` of an overlay; ``apidouble infer FILE --write overlay.yaml`` writes one to begin with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from contracts.oracle import Answered, Oracle
from contracts.roster import Roster
from mock_server.model.meaning import Resource
from mock_server.model.outcome import NO_BODY, key_text


def on_operation(answered: Answered, annotation: Mapping[str, Any]) -> str:
    """An action that annotates the operation of an answer."""
    operation = answered.prediction.operation
    assert operation is not None
    return _action(f"$.paths['{operation.path}'].{operation.method.lower()}", {"x-mock-operation": dict(annotation)})


def on_resource(resource: Resource, annotation: Mapping[str, Any]) -> str:
    """An action that annotates a resource."""
    return _action("$", {"x-mock-resources": {resource.name: dict(annotation)}})


def _action(target: str, update: Mapping[str, Any]) -> str:
    return yaml.safe_dump([{"target": target, "update": update}], sort_keys=False, width=110).rstrip()


def for_refusal(answered: Answered, oracle: Oracle) -> str:
    """What would make the model refuse as the service did: a unique member, a reference, a state, else a guard."""
    status = answered.recorded.status
    for found in (
        _state(answered),
        *_clashes(answered, oracle),
        *_held(answered, oracle),
        *_dangling(answered, oracle),
    ):
        if found:
            return found
    problem = "wrong-state" if status == 409 else "conflict" if status == 412 else "invalid"
    guard = {"when": "$request.body#/… == …", "problem": problem, "status": status, "detail": "…"}
    return on_operation(answered, {"guards": [guard]})


def _state(answered: Answered) -> str:
    """A guard on the state that the item is in."""
    resource = answered.meaning.resource
    if resource is None or resource.states is None or answered.item is None or answered.meaning.behaviour == "delete":
        return ""
    value = answered.item[1]
    held = value.get(resource.states.property) if isinstance(value, dict) else None
    if not isinstance(held, str):
        return ""
    guard = {"when": f"$resource#/{resource.states.property} != '{held}'", "problem": "wrong-state",
             "status": answered.recorded.status, "detail": f"not while it is {held}"}  # fmt: skip
    return on_operation(answered, {"guards": [guard]})


def _clashes(answered: Answered, oracle: Oracle) -> Iterator[str]:
    """A unique member: one that the request gives a value for which another item has already."""
    resource = answered.meaning.resource
    sent = answered.draft.body
    if resource is None or sent is NO_BODY or not isinstance(sent, dict) or answered.recorded.status not in {409, 422}:
        return
    for _, collection in oracle.state.partitions(resource.qualified):
        for entry in collection:
            held = entry.value if isinstance(entry.value, dict) else {}
            same = [name for name, value in sent.items() if held.get(name) == value and _telling(resource, name, value)]
            if same and (answered.item is None or entry.key != answered.item[0][1]):
                yield on_resource(resource, {"unique": [[_likeliest(same)]]})
                return


def _telling(resource: Resource, name: str, value: object) -> bool:
    """Whether a value can tell items apart: a text of which there are many."""
    member = resource.anatomy.members.get(name)
    return isinstance(value, str) and len(value) > 2 and (member is None or not member.allowed)


def _likeliest(names: list[str]) -> str:
    """The name that identifies most: an address, a number, a name, else the first."""
    for telling in ("email", "slug", "code", "number", "sku", "username", "name"):
        for name in names:
            if telling in name.lower():
                return name
    return names[0]


def _held(answered: Answered, oracle: Oracle) -> Iterator[str]:
    """A reference that keeps what it names from being deleted."""
    if answered.meaning.behaviour != "delete" or answered.item is None:
        return
    roster, (place, _) = Roster(oracle.model), answered.item
    for roles in roster.resources.values():
        for member in roles.resource.anatomy.members:
            if roster.called(member) == place[0].resource and _names(oracle, roles.resource, member, place[1]):
                reference = {"resource": answered.meaning.resource.name if answered.meaning.resource else "",
                             "onDelete": "restrict"}  # fmt: skip
                yield on_resource(roles.resource, {"references": {member: reference}})
                return


def _names(oracle: Oracle, resource: Resource, member: str, key: str) -> bool:
    for _, collection in oracle.state.partitions(resource.qualified):
        for entry in collection:
            held = entry.value.get(member) if isinstance(entry.value, dict) else None
            if held is not None and not isinstance(held, dict | list) and key_text(held) == key:
                return True
    return False


def _dangling(answered: Answered, oracle: Oracle) -> Iterator[str]:
    """A reference that has to exist: a member that is called like another thing and names none that is known."""
    resource, sent = answered.meaning.resource, answered.draft.body
    if resource is None or not isinstance(sent, dict):
        return
    roster = Roster(oracle.model)
    for name, value in sent.items():
        other = roster.called(name)
        if other is None or isinstance(value, dict | list) or value is None or name == resource.key:
            continue
        known = any(key_text(value) in collection for _, collection in oracle.state.partitions(other))
        if not known:
            target = roster.resources[other].resource.name
            yield on_resource(resource, {"references": {name: {"resource": target, "mustExist": True}}})
            return


def for_member(resource: Resource, name: str) -> str:
    """What would make the model leave a member to the service."""
    return on_resource(resource, {"assigned": {name: "sample"}})
