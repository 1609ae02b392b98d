"""Connections and the templates they serve. Credentials are masked before they are stored."""

from __future__ import annotations

from typing import Any

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome, key_text
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json

from .places import (
    Item,
    environment_of,
    organisation,
    project_of,
    template_of,
    templates_in,
    unfit,
    unknown,
    user_of,
)

_MASK = "********"
_READABLE = frozenset({"id", "name", "type"})
_UNSHOWN = frozenset({"endUserKeys", "templateIds"})


def masked(value: Json) -> Json:
    """Credentials with every value masked, save those that only say what a credential is."""
    if isinstance(value, dict):
        return {
            name: member if name in _READABLE and isinstance(member, str) else masked(member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [masked(member) for member in value]
    return None if value is None else _MASK


def connect(work: Work, org: str, template: Item, details: Item, *, user: Item | None) -> Item | Problem:
    """A new connection for a template's system; ``user`` is the end user whose it is, if anybody's."""
    members: dict[str, Any] = {name: details[name] for name in ("name", "baseUrl") if name in details}
    members |= {"systemId": template["systemId"], "connectionTemplateId": template["id"]}
    members["credentials"] = masked(details["credentials"])
    if user is not None:
        members["endUserKeys"] = [user["id"], user["externalId"]]
    return work.create("connections", members, scope=(org,))


@computed("versori-create-connection")
def create_connection(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A connection for the system of a template."""
    work, org, body = Work.of(world, call), organisation(call), call.body
    placed = template_of(work, org, body["connectionTemplateId"])
    if placed is None:
        return unfit("/connectionTemplateId", body["connectionTemplateId"], "names no connection template")
    user = user_of(work, org, body["externalId"]) if "externalId" in body else None
    if "externalId" in body and user is None:
        return unfit("/externalId", body["externalId"], "names no user")
    made = connect(work, org, placed[1], body["connection"], user=user)
    return made if isinstance(made, Problem) else work.outcome(meaning.status, shown_connection(made))


def shown_connection(connection: Item) -> Item:
    """A connection as answers show it."""
    return {name: value for name, value in connection.items() if name not in _UNSHOWN}


@computed("versori-update-connection")
def update_connection(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A connection with another name, base URL or other credentials, which replace the old ones whole."""
    work, org = Work.of(world, call), organisation(call)
    key = key_text(call.path["connection_id"])
    connection = work.get("connections", key, scope=(org,))
    if connection is None:
        return unknown("connection", key)
    changed = {name: call.body[name] for name in ("name", "baseUrl") if name in call.body}
    if "credentials" in call.body:
        changed["credentials"] = masked(call.body["credentials"])
    stored = work.put("connections", key, {**connection, **changed}, scope=(org,))
    return work.outcome(meaning.status, shown_connection(stored))


@computed("versori-link-connection")
def link_connection(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A connection that is linked to a template, and serves everybody there unless each brings their own."""
    work, org = Work.of(world, call), organisation(call)
    key, wanted = key_text(call.path["connection_id"]), call.body["connectionTemplateId"]
    connection = work.get("connections", key, scope=(org,))
    if connection is None:
        return unknown("connection", key)
    placed = template_of(work, org, wanted)
    if placed is None:
        return unfit("/connectionTemplateId", wanted, "names no connection template")
    project_id, template = placed
    if connection.get("systemId") != template["systemId"]:
        return unfit("/connectionTemplateId", wanted, f"is for system {template['systemId']}, the connection is not")
    if not template["dynamic"]:
        work.put("connection-templates", wanted, {**template, "connectionId": key}, scope=(org, project_id))
    linked = [*dict.fromkeys([*connection.get("templateIds", ()), wanted])]
    stored = work.put("connections", key, {**connection, "templateIds": linked}, scope=(org,))
    return work.outcome(meaning.status, shown_connection(stored))


@computed("versori-list-environment-connections")
def list_environment_connections(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The connections that are linked to an environment, and those of its activations."""
    work, org = Work.of(world, call), organisation(call)
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    environment = environment_of(work, org, call.query["env_id"])
    if isinstance(environment, Problem) or environment["projectId"] != project["id"]:
        return unfit("/env_id", call.query["env_id"], "names no environment of the project", where="query")
    templates = templates_in(work, org, environment)
    places, used = {template["id"] for template in templates}, {template.get("connectionId") for template in templates}
    for activation in work.items("environments.activations", scope=(org, environment["id"])):
        used |= {entry["connectionId"] for entry in activation["connections"]}
    items = [
        shown_connection(connection)
        for connection in work.items("connections", scope=(org,))
        if connection["id"] in used or places & set(connection.get("templateIds", ()))
    ]
    return work.outcome(meaning.status, {"items": items, "totalCount": len(items)})


@computed("versori-list-templates")
def list_templates(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The templates of a project, or those of them that hold in one environment."""
    work, org = Work.of(world, call), organisation(call)
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    wanted = call.query.get("env_id")
    items = [
        template
        for template in work.items("connection-templates", scope=(org, project["id"]))
        if wanted is None or template.get("environmentId", wanted) == wanted
    ]
    return work.outcome(meaning.status, {"items": items, "totalCount": len(items)})


@computed("versori-create-template")
def create_template(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A template for a system of the organisation, in an environment of the project if one is named."""
    work, org, body = Work.of(world, call), organisation(call), call.body
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    if work.get("systems", body["systemId"], scope=(org,)) is None:
        return unfit("/systemId", body["systemId"], "names no system")
    if "environmentId" in body:
        environment = environment_of(work, org, body["environmentId"])
        if isinstance(environment, Problem) or environment["projectId"] != project["id"]:
            return unfit("/environmentId", body["environmentId"], "names no environment of the project")
    members = {name: body[name] for name in ("systemId", "environmentId", "name", "dynamic") if name in body}
    made = work.create("connection-templates", {"dynamic": False, **members}, scope=(org, project["id"]))
    return made if isinstance(made, Problem) else work.outcome(meaning.status, made)
