"""Activations: stored by the keys of what they link, shown with the user, the environment and the connections."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome, key_text
from mock_server.model.patches import merge_patch
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Violation

from .connections import connect, shown_connection
from .places import (
    Item,
    environment_of,
    organisation,
    project_of,
    shown_environment,
    templates_in,
    unfit,
    unknown,
    user_of,
)
from .variables import judged

_ACTIVATIONS = "environments.activations"


def _shown(work: Work, org: str, activation: Item) -> Item:
    user = work.get("users", activation["userId"], scope=(org,))
    environment = work.get("environments", activation["environmentId"])
    assert user is not None
    assert environment is not None
    linked = [work.get("connections", entry["connectionId"], scope=(org,)) for entry in activation["connections"]]
    return {
        "id": activation["id"],
        "user": user,
        "environment": shown_environment(environment),
        "connections": [shown_connection(connection) for connection in linked if connection is not None],
        "dynamicVariables": activation["dynamicVariables"],
    }


@computed("versori-activate-user")
def activate_user(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """An activation, once everything that it needs is there."""
    work, org, body = Work.of(world, call), organisation(call), call.body
    user = user_of(work, org, body["userId"])
    if user is None:
        return unfit("/userId", body["userId"], "names no user, by id or externalId")
    environment = environment_of(work, org, body["environmentId"])
    if isinstance(environment, Problem):
        return unfit("/environmentId", body["environmentId"], "names no environment")
    scope = (org, environment["id"])
    if work.find(_ACTIVATIONS, scope=scope, userId=user["id"]) is not None:
        return Problem(Kind.CONFLICT, f"user {user['externalId']!r} is activated in {environment['name']!r} already")
    project = project_of(work, org, environment["projectId"])
    if isinstance(project, Problem):
        return project
    connections = _connections(work, org, environment, user, body.get("connections", []))
    if isinstance(connections, Problem):
        return connections
    variables = body.get("dynamicVariables", {})
    refusal = judged(project, variables, pointer="/dynamicVariables")
    if refusal is not None:
        return refusal
    links = [{"connectionTemplateId": template, "connectionId": item["id"]} for template, item in connections.items()]
    members = {"userId": user["id"], "environmentId": environment["id"], "dynamicVariables": variables}
    made = work.create(_ACTIVATIONS, {**members, "connections": links}, scope=scope)
    return made if isinstance(made, Problem) else work.outcome(meaning.status, _shown(work, org, made))


def _connections(work: Work, org: str, environment: Item, user: Item, given: list[Item]) -> dict[str, Item] | Problem:
    """A connection for every system of an environment, by template; the problem names every system without one."""
    templates = {template["id"]: template for template in templates_in(work, org, environment)}
    found: dict[str, Item] = {}
    for index, entry in enumerate(given):
        place, template = f"/connections/{index}", templates.get(entry["connectionTemplateId"])
        if template is None:
            message = "names no connection template of the environment"
            return unfit(f"{place}/connectionTemplateId", entry["connectionTemplateId"], message)
        connection = _connection(work, org, template, user, entry, place)
        if isinstance(connection, Problem):
            return connection
        found[template["id"]] = connection
    for key, template in templates.items():
        if key not in found and "connectionId" in template and not template["dynamic"]:
            linked = work.get("connections", template["connectionId"], scope=(org,))
            if linked is not None:
                found[key] = linked
    missing = [template for key, template in templates.items() if key not in found]
    return _without(work, org, missing) if missing else {key: found[key] for key in templates}


def _connection(work: Work, org: str, template: Item, user: Item, entry: Item, place: str) -> Item | Problem:
    if "connection" in entry:
        return connect(work, org, template, entry["connection"], user=user)
    key, pointer = entry["existingConnectionId"], f"{place}/existingConnectionId"
    existing = work.get("connections", key, scope=(org,))
    if existing is None:
        return unfit(pointer, key, "names no connection")
    if existing.get("systemId") != template["systemId"]:
        return unfit(pointer, key, f"is no connection for system {template['systemId']}")
    return existing


def _without(work: Work, org: str, missing: list[Item]) -> Problem:
    systems = [work.get("systems", template["systemId"], scope=(org,)) or {} for template in missing]
    names = [str(system.get("name", template["name"])) for system, template in zip(systems, missing, strict=True)]
    found = tuple(
        Violation("body", "/connections", "reference", None, template["id"], f"has none for the system {name}")
        for template, name in zip(missing, names, strict=True)
    )
    return Problem(Kind.INVALID, f"a connection is missing for {', '.join(names)}", found)


@computed("versori-list-activations")
def list_activations(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The activations of an environment, or those of one user in it."""
    work, org = Work.of(world, call), organisation(call)
    environment = environment_of(work, org, key_text(call.path["environment_id"]))
    if isinstance(environment, Problem):
        return environment
    members = {}
    if "external_user_id" in call.path:
        external = key_text(call.path["external_user_id"])
        user = work.find("users", scope=(org,), externalId=external)
        if user is None:
            return unknown("user with the externalId", external)
        members["userId"] = user["id"]
    found = work.items(_ACTIVATIONS, scope=(org, environment["id"]), **members)
    return work.outcome(meaning.status, [_shown(work, org, activation) for activation in found])


def _named(work: Work, call: Call) -> tuple[Item, Item] | Problem:
    """The environment and the activation that a path names."""
    org, key = organisation(call), key_text(call.path["activation_id"])
    environment = environment_of(work, org, key_text(call.path["environment_id"]))
    if isinstance(environment, Problem):
        return environment
    activation = work.get(_ACTIVATIONS, key, scope=(org, environment["id"]))
    return (environment, activation) if activation is not None else unknown("activation", key)


@computed("versori-get-activation")
def get_activation(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """One activation."""
    work = Work.of(world, call)
    found = _named(work, call)
    if isinstance(found, Problem):
        return found
    return work.outcome(meaning.status, _shown(work, organisation(call), found[1]))


@computed("versori-set-variables")
def set_variables(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """An activation with variables merged into its own, if all of them together satisfy the schema."""
    return _with_variables(world, meaning, call, call.body)


@computed("versori-set-variable")
def set_variable(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """An activation with one other variable, if all of them together satisfy the schema."""
    return _with_variables(world, meaning, call, {key_text(call.path["variable_name"]): call.body}, replacing=True)


def _with_variables(
    world: World, meaning: Meaning, call: Call, changes: Item, *, replacing: bool = False
) -> Outcome | Problem:
    work, org = Work.of(world, call), organisation(call)
    found = _named(work, call)
    if isinstance(found, Problem):
        return found
    environment, activation = found
    project = project_of(work, org, environment["projectId"])
    if isinstance(project, Problem):
        return project
    old = activation["dynamicVariables"]
    merged = {**old, **changes} if replacing else merge_patch(old, changes)
    refusal = judged(project, merged)
    if refusal is not None:
        return refusal
    changed = {**activation, "dynamicVariables": merged}
    stored = work.put(_ACTIVATIONS, activation["id"], changed, scope=(org, environment["id"]))
    return work.outcome(meaning.status, _shown(work, org, stored))


@computed("versori-get-activation-connection")
def get_activation_connection(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The connection that an activation has for one system of its environment."""
    work, org = Work.of(world, call), organisation(call)
    key, template = key_text(call.path["activation_id"]), key_text(call.path["env_system_id"])
    for environment in work.items("environments", organisationId=org):
        activation = work.get(_ACTIVATIONS, key, scope=(org, environment["id"]))
        if activation is None:
            continue
        links = {entry["connectionTemplateId"]: entry["connectionId"] for entry in activation["connections"]}
        connection = work.get("connections", links[template], scope=(org,)) if template in links else None
        if connection is None:
            return unknown("system of the activation's environment", template)
        return work.outcome(meaning.status, shown_connection(connection))
    return unknown("activation", key)
