"""Deployment: the files of a project, or of a version of it, on an environment."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import NO_BODY, Outcome, key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World

from .places import Item, environment_of, environments_of, now, organisation, project_of, public_url, unfit, unknown
from .projects import shown_project


@computed("versori-deploy-project")
def deploy_project(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The project's files on the environment, and kept as a version."""
    work, name = Work.of(world, call), environment_name(call)
    project = project_of(work, organisation(call), key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    if isinstance(name, Problem):
        return name
    number = len(work.items("versions", projectId=project["id"])) + 1
    members = {"projectId": project["id"], "name": f"v{number}", "files": project["currentFiles"]["files"]}
    version = work.create("versions", members)
    return version if isinstance(version, Problem) else _deployed(work, meaning, call, project, version, name)


@computed("versori-deploy-version")
def deploy_version(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The files of an earlier deployment on the environment."""
    work, name = Work.of(world, call), environment_name(call)
    project = project_of(work, organisation(call), key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    key = key_text(call.path["version_id"])
    version = work.get("versions", key)
    if version is None or version["projectId"] != project["id"]:
        return unknown("version of the project", key)
    return name if isinstance(name, Problem) else _deployed(work, meaning, call, project, version, name)


def environment_name(call: Call) -> str | Problem:
    """The environment that a deployment names in its query, its body, or in both alike."""
    asked = call.query.get("environment")
    named = call.body.get("environment") if call.body is not NO_BODY else None
    if asked is None and named is None:
        return unfit("/environment", None, "is missing, in the query or the body", where="query", keyword="combination")
    if asked is not None and named is not None and asked != named:
        return unfit(
            "/environment", named, f"is {named!r} in the body and {asked!r} in the query", keyword="combination"
        )
    return str(asked if asked is not None else named)


def _deployed(work: Work, meaning: Meaning, call: Call, project: Item, version: Item, name: str) -> Outcome | Problem:
    deployment = {
        "status": "running",
        "files": version["files"],
        "lastDeployedAt": now(work),
        "deployedVersion": {member: version[member] for member in ("id", "name", "createdAt")},
    }
    there = work.find("environments", projectId=project["id"], name=name)
    if there is not None:
        work.put("environments", there["id"], {**there, **deployment})
    else:
        members = {"organisationId": organisation(call), "projectId": project["id"], "name": name}
        made = work.create("environments", {**members, "publicUrl": public_url(project["name"], name), **deployment})
        if isinstance(made, Problem):
            return made
    why = Reason("environment", "there already" if there is not None else "created", f"deploying to {name!r}")
    return work.outcome(meaning.status, shown_project(work, project), reasons=(why,))


@computed("versori-suspend-project")
def suspend_project(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """One environment stopped, or all that run."""
    work, name = Work.of(world, call), call.query.get("environment")
    project = project_of(work, organisation(call), key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    asked = [each for each in environments_of(work, project["id"]) if name in {None, each["name"]}]
    if name is not None and not asked:
        return unknown("environment of the project called", name)
    running = [each for each in asked if each["status"] == "running"]
    if not running:
        states = ", ".join(f"{each['name']} is {each['status']}" for each in asked) or "nothing was deployed"
        return Problem(Kind.WRONG_STATE, f"only what is running can be suspended, and {states}")
    for environment in running:
        work.put("environments", environment["id"], {**environment, "status": "suspended"})
    return work.outcome(meaning.status, shown_project(work, project))


@computed("versori-configure-environment")
def configure_environment(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The configuration of an environment with what was sent merged into it."""
    work = Work.of(world, call)
    found = environment_of(work, organisation(call), key_text(call.path["environment_id"]))
    if isinstance(found, Problem):
        return found
    changed = work.merge("environments", found["id"], {"config": call.body})
    assert changed is not None
    return work.outcome(meaning.status, changed["config"])


@computed("versori-add-sentiment")
def add_sentiment(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """One more entry in the project's history of sentiments."""
    work, org = Work.of(world, call), organisation(call)
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    entry = {name: call.body[name] for name in ("messageId", "sentimentScore")} | {"timestamp": now(work)}
    history = [*project["metadata"].get("sentimentHistory", ()), entry]
    changed = work.merge("projects", project["id"], {"metadata": {"sentimentHistory": history}}, scope=(org,))
    assert changed is not None
    return work.outcome(meaning.status, shown_project(work, changed))
