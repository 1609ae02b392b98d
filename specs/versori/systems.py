"""Systems: their authentication schemes, what they do and set off, and the projects that use it."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome, key_text
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.world import World

from .places import Item, now, organisation, project_of, unfit, unknown


def system_of(work: Work, call: Call) -> Item | Problem:
    """The system that a path names."""
    key = key_text(call.path["system_id"])
    return work.get("systems", key, scope=(organisation(call),)) or unknown("system", key)


@computed("versori-upsert-auth-scheme")
def upsert_auth_scheme(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A system with the scheme in place of the one of that id, or after the others."""
    work, key = Work.of(world, call), key_text(call.path["auth_scheme_config_id"])
    system = system_of(work, call)
    if isinstance(system, Problem):
        return system
    config, others = {**call.body, "id": key}, system["authSchemeConfigs"]
    held = any(other["id"] == key for other in others)
    configs = [config if other["id"] == key else other for other in others] if held else [*others, config]
    stored = work.put("systems", system["id"], {**system, "authSchemeConfigs": configs}, scope=(organisation(call),))
    return work.outcome(meaning.status, stored)


@computed("versori-delete-auth-scheme")
def delete_auth_scheme(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A system without the scheme."""
    work, key = Work.of(world, call), key_text(call.path["auth_scheme_config_id"])
    system = system_of(work, call)
    if isinstance(system, Problem):
        return system
    configs = [config for config in system["authSchemeConfigs"] if config["id"] != key]
    if len(configs) == len(system["authSchemeConfigs"]):
        return unknown("authentication scheme of the system", key)
    work.put("systems", system["id"], {**system, "authSchemeConfigs": configs}, scope=(organisation(call),))
    return work.outcome(meaning.status)


@computed("versori-create-parts")
def create_parts(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Several actions, or several triggers, of a system; linked to a project if one is named."""
    work, org = Work.of(world, call), organisation(call)
    system = system_of(work, call)
    if isinstance(system, Problem):
        return system
    projects = [call.body["projectId"]] if "projectId" in call.body else []
    if projects and isinstance(project_of(work, org, projects[0]), Problem):
        return unfit("/projectId", projects[0], "names no project")
    kind = "actions" if "actions" in call.body else "triggers"
    blank = {"summary": "", "description": ""} | ({"contentType": "application/json"} if kind == "actions" else {})
    shown = []
    for given in call.body[kind]:
        typed = {**blank, **({"type": "http"} if kind == "triggers" else {}), **given}
        made = work.create(kind, {**typed, "systemId": system["id"], "projectIds": projects}, scope=(org, system["id"]))
        if isinstance(made, Problem):
            return made
        shown.append({name: value for name, value in made.items() if name != "projectIds"})
    return work.outcome(meaning.status, {kind: shown, "totalCount": len(shown)})


@computed("versori-link-actions")
def link_actions(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Actions of a system, linked to a project."""
    return _linked(world, meaning, call, "actions")


@computed("versori-link-triggers")
def link_triggers(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Triggers of a system, linked to a project."""
    return _linked(world, meaning, call, "triggers")


def _linked(world: World, meaning: Meaning, call: Call, kind: str) -> Outcome | Problem:
    work, org = Work.of(world, call), organisation(call)
    system = system_of(work, call)
    if isinstance(system, Problem):
        return system
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    for index, key in enumerate(call.body):
        part = work.get(kind, key, scope=(org, system["id"]))
        if part is None:
            return unfit(f"/{index}", key, f"names none of the system's {kind}")
        projects = [*dict.fromkeys([*part.get("projectIds", ()), project["id"]])]
        work.put(kind, key, {**part, "projectIds": projects}, scope=(org, system["id"]))
    return work.outcome(meaning.status)


@computed("versori-initialise-oauth2")
def initialise_oauth2(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Where the user's browser is sent: an address of the double, with what an authorisation request carries."""
    work, body = Work.of(world, call), call.body
    system = system_of(work, call)
    if isinstance(system, Problem):
        return system
    offline = [] if body.get("disableOfflineAccess") else ["offline_access"]
    query = {
        "response_type": "code",
        "client_id": body["clientId"],
        "scope": " ".join([*body.get("scopes", ()), *offline]),
        "prompt": body.get("prompt", "login"),
        "state": _fresh(work, system),
        "authorize_url": body["authorizeUrl"],
    }
    if "redirectUrl" in body:
        query["redirect_uri"] = body["redirectUrl"]
    return work.outcome(meaning.status, {"url": f"{call.url}/oauth2/authorize?{urlencode(query)}"})


@computed("versori-initialise-oauth1")
def initialise_oauth1(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Where the user's browser is sent, with a temporary token."""
    work = Work.of(world, call)
    system = system_of(work, call)
    if isinstance(system, Problem):
        return system
    if call.body["credential"]["organisationId"] != organisation(call):
        return unfit("/credential/organisationId", call.body["credential"]["organisationId"], "is another organisation")
    url = f"{call.url}/oauth1/authorize?{urlencode({'oauth_token': _fresh(work, system)})}"
    return work.outcome(meaning.status, {"url": url})


def _fresh(work: Work, system: Item) -> str:
    """A text that nobody guesses in a test, another one at another time."""
    return hashlib.sha256(f"{system['id']} {now(work)}".encode()).hexdigest()[:32]
