"""Variables: the schema that a project keeps for them, and how values are judged by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonpatch

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome, key_text
from mock_server.model.patches import merge_patch
from mock_server.model.problem import Kind, Problem
from mock_server.model.runtime_schemas import schema_problem, violations
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi import pointers
from mock_server.openapi.values import Json, Violation

from .places import Item, environment_of, organisation, project_of, unfit

_KEYWORD = "stored-schema"
"""What variables break is no keyword of the description, which does not know the schema."""

_OPEN = frozenset({"additionalProperties", "patternProperties", "unevaluatedProperties"})
_APPLICATORS = frozenset({"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"})


@computed("versori-set-variable-schema")
def set_schema(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The schema as it was sent."""
    return _stored(world, meaning, call, call.body)


@computed("versori-patch-variable-schema")
def patch_schema(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The stored schema after one operation on it, or with a part merged into it."""
    project = project_of(Work.of(world, call), organisation(call), key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    old = project["dynamicVariablesSchema"]
    if not {"op", "path"} <= call.body.keys():
        return _stored(world, meaning, call, merge_patch(old, call.body))
    try:
        changed = jsonpatch.apply_patch(old, [call.body])
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        return unfit("/path", call.body["path"], f"leads nowhere: {error}")
    return _stored(world, meaning, call, changed)


def _stored(world: World, meaning: Meaning, call: Call, schema: Json) -> Outcome | Problem:
    work, org = Work.of(world, call), organisation(call)
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    broken = schema_problem(schema)
    if broken is not None:
        violation = Violation("body", "", _KEYWORD, None, "a JSON Schema", broken)
        return Problem(Kind.INVALID, f"this is no JSON Schema: {broken}", (violation,))
    work.put("projects", project["id"], {**project, "dynamicVariablesSchema": schema}, scope=(org,))
    return work.outcome(meaning.status, schema)


def judged(project: Item, variables: Item, *, pointer: str = "", partial: bool = False) -> Problem | None:
    """The problem with variables that do not satisfy a project's schema; ``partial`` ones need not be complete."""
    schema = _closed(project["dynamicVariablesSchema"])
    if partial:
        schema = {name: value for name, value in schema.items() if name != "required"}
    broken = violations(schema, variables, pointer=pointer)
    if not broken:
        return None
    found = tuple(_told(violation) for violation in broken)
    sentences = "; ".join(dict.fromkeys(_sentence(violation, pointer) for violation in found))
    return Problem(Kind.INVALID, f"the variables do not satisfy the project's schema: {sentences}", found)


def _told(violation: Violation) -> Violation:
    """A violation of a stored schema, at the variable that it is about: where one is missing, at the missing one."""
    lacks = violation.keyword == "required" and isinstance(violation.expected, list)
    pointer = pointers.join(violation.pointer, violation.expected[0]) if lacks else violation.pointer
    return replace(violation, pointer=pointer, keyword=_KEYWORD)


def _sentence(violation: Violation, pointer: str) -> str:
    """What is wrong with which variable; a member that is missing or unknown is named by the message already."""
    name = violation.pointer.removeprefix(pointer)[1:]
    return violation.message if violation.message.startswith("'") or not name else f"{name} {violation.message}"


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema that lists variables allows no others, unless it says itself what else there may be."""
    if "properties" not in schema or _OPEN & schema.keys():
        return schema
    keyword = "unevaluatedProperties" if _APPLICATORS & schema.keys() else "additionalProperties"
    return {**schema, keyword: False}


@computed("versori-set-static-variables")
def set_static_variables(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The defaults of an environment with others merged into them."""
    work, org = Work.of(world, call), organisation(call)
    environment = environment_of(work, org, key_text(call.path["environment_id"]))
    if isinstance(environment, Problem):
        return environment
    project = project_of(work, org, environment["projectId"])
    if isinstance(project, Problem):
        return project
    merged = merge_patch(environment.get("staticVariables", {}), call.body)
    refusal = judged(project, merged, partial=True)
    if refusal is not None:
        return refusal
    work.put("environments", environment["id"], {**environment, "staticVariables": merged})
    return work.outcome(meaning.status, merged)
