"""Many records at once: removing them, patching them, and writing the meta data of integrations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from mock_server.model.call import Call
from mock_server.model.clock import rfc3339
from mock_server.model.computed import computed
from mock_server.model.filters import value_at
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json


@computed("repzo-remove")
def remove(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The records of the given ids gone; ids that nobody has are passed over."""
    assert meaning.resource is not None
    work, name = Work.of(world, call), meaning.resource.name
    found = [key for key in dict.fromkeys(call.body["ids"]) if work.get(name, key) is not None]
    for key in found:
        work.remove(name, key)
    counted = Reason("removed", f"{len(found)} of {len(call.body['ids'])}", "ids that nobody has are passed over")
    return work.outcome(meaning.status, {"success": True}, reasons=(counted,))


@computed("repzo-execute-patch")
def execute_patch(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A patch action applied to every record that meets its conditions, and the run noted in its history."""
    work, key = Work.of(world, call), str(call.path["id"])
    action = work.get("patch-action", key)
    if action is None:
        return Problem(Kind.NOT_FOUND, f"patch-action {key!r} does not exist")
    if action.get("status") in {"running", "cancelled"}:
        return Problem(Kind.WRONG_STATE, f"the patch action is {action['status']}")
    entity = _resource(world, action["targetEntity"])
    if entity is None:
        return Problem(Kind.WRONG_STATE, f"targetEntity {action['targetEntity']!r} is no kind of record")
    errors, patched = [], 0
    for item in list(work.items(entity)):
        if not meets(item, action.get("conditions") or {}):
            continue
        try:
            changed = patch(item, action["patches"])
        except (TypeError, ZeroDivisionError) as error:
            errors.append(f"{item['_id']}: {error}")
            continue
        work.put(entity, item["_id"], changed)
        patched += 1
    history = action.get("executionHistory") or []
    status = "failed" if errors and not patched else "completed"
    now = rfc3339(world.now)
    run = {
        "executionId": sha256(f"{key}/{len(history)}".encode()).hexdigest()[:24],
        "startTime": now,
        "endTime": now,
        "status": status,
        "processedCount": patched,
        "errorCount": len(errors),
        "errors": errors,
    }
    work.merge("patch-action", key, {"status": status, "executionHistory": [*history, run]})
    body = {"success": True, "data": {"executionId": run["executionId"], "status": status}}
    return work.outcome(meaning.status, body)


def _resource(world: World, entity: str) -> str | None:
    """The resource that a kind of record is kept in: ``product``, ``priceListItem``, ``asset-unit``."""
    wanted = re.sub(r"[^a-z]", "", entity.lower())
    for name in world.model.resource_names():
        plain = name.replace("-", "")
        if wanted in {plain, plain.removesuffix("s"), plain + "s"}:
            return name
    return None


def meets(item: Mapping[str, Json], conditions: Mapping[str, Json]) -> bool:
    """Whether a record has the members that conditions name; a list means any of its values."""
    for name, wanted in conditions.items():
        held = value_at(dict(item), name.split("."))
        each = held if isinstance(held, list) else [held]
        if not any(value in (wanted if isinstance(wanted, list) else [wanted]) for value in each):
            return False
    return True


def patch(item: Mapping[str, Json], patches: list[dict[str, Json]]) -> dict[str, Any]:
    """A record after its patches; a ``TypeError`` where one does not fit the member's value."""
    changed = dict(item)
    for each in patches:
        field, operation, value = each["field"], each.get("operation", "set"), each.get("value")
        if operation == "unset":
            changed.pop(field, None)
        else:
            changed[field] = _patched(changed.get(field), operation, value)
    return changed


def _patched(old: Json, operation: str, value: Json) -> Json:
    if operation == "set":
        return value
    if operation in {"add", "remove"} and (old is None or isinstance(old, list)):
        kept = [one for one in old or [] if one != value]
        return [*kept, value] if operation == "add" else kept
    number = _number(old)
    match operation:
        case "add":
            return number + _number(value)
        case "remove":
            return number - _number(value)
        case "multiply":
            return number * _number(value)
        case _:
            return number / _number(value)


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


@computed("repzo-apply-meta")
def apply_meta(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """New meta data merged into the integrations it is for, and what was there kept to roll back to."""
    work, key = Work.of(world, call), str(call.path["id"])
    update = work.get("update-integration-meta", key)
    if update is None:
        return Problem(Kind.NOT_FOUND, f"update-integration-meta {key!r} does not exist")
    if update.get("status") in {"applied", "cancelled"}:
        return Problem(Kind.WRONG_STATE, f"the update is {update['status']}")
    targets, before = update.get("targetIntegrations"), {}
    for app in list(work.items("integration-app")):
        if (targets and app["_id"] not in targets) or not meets(app, update.get("conditions") or {}):
            continue
        before[app["_id"]] = app.get("integration_meta") or {}
        work.merge("integration-app", app["_id"], {"integration_meta": update["metaUpdates"]})
    now = rfc3339(world.now)
    noted = {"status": "applied", "appliedAt": now, "affectedCount": len(before), "rollbackData": before}
    work.merge("update-integration-meta", key, noted)
    body = {"success": True, "data": {"appliedAt": now, "affectedIntegrations": len(before)}}
    return work.outcome(meaning.status, body)
