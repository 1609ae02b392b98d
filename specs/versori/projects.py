"""Projects: they are stored without their environments and shown with them."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.effects import effect
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import NO_BODY, Outcome, key_text
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.model.writes import Write

from .places import Item, environments_of, fresh_id, now, organisation, project_of, public_url, shown_environment

_NOT_COPIED = frozenset({"id", "deployedVersion", "createdAt", "updatedAt"})


def shown_project(work: Work, project: Item) -> Item:
    """A project as answers show it."""
    shown = [shown_environment(environment) for environment in environments_of(work, project["id"])]
    return {"id": project["id"], "name": project["name"], "environments": shown, **_own(project)}


def _own(project: Item) -> Item:
    """What is kept of a project itself, without what is never shown."""
    return {name: value for name, value in project.items() if name != "testContainer"}


@computed("versori-list-projects")
def list_projects(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """All projects of an organisation."""
    work = Work.of(world, call)
    found = work.items("projects", scope=(organisation(call),))
    return work.outcome(meaning.status, {"projects": [shown_project(work, project) for project in found]})


@computed("versori-get-project")
def get_project(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """One project."""
    work = Work.of(world, call)
    found = project_of(work, organisation(call), key_text(call.path["project_id"]))
    return found if isinstance(found, Problem) else work.outcome(meaning.status, shown_project(work, found))


@computed("versori-create-project")
def create_project(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A project with nothing but a name."""
    work = Work.of(world, call)
    made = work.create("projects", {"name": call.body["name"]}, scope=(organisation(call),))
    return made if isinstance(made, Problem) else work.outcome(meaning.status, {**made, "environments": []})


@computed("versori-update-project")
def update_project(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A project with other members; what is not sent stays."""
    work, org = Work.of(world, call), organisation(call)
    found = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(found, Problem):
        return found
    changed = {name: call.body[name] for name in ("name", "settings", "metadata") if name in call.body}
    project = work.merge("projects", found["id"], changed, scope=(org,))
    assert project is not None
    return work.outcome(meaning.status, shown_project(work, project))


@computed("versori-clone-project")
def clone_project(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A copy of a project and of everything in it that is not the trace of a run."""
    work, org = Work.of(world, call), organisation(call)
    original = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(original, Problem):
        return original
    asked = call.body.get("name") if call.body is not NO_BODY else None
    # The id has to be known: the copies of nested things are kept under it.
    project_id = fresh_id(work, "projects", scope=(org,))
    project = {**_own(original), "id": project_id, "name": asked or f"{original['name']} (copy)", "metadata": {}}
    work.put("projects", project_id, project, scope=(org,))
    copies = _copied_environments(work, original["id"], project)
    for template in work.items("connection-templates", scope=(org, original["id"])):
        copy = {name: value for name, value in template.items() if name != "id"}
        if "environmentId" in copy:
            copy["environmentId"] = copies[copy["environmentId"]]["id"]
        work.create("connection-templates", copy, scope=(org, project_id))
    for flow in work.items("workflows", scope=(org, original["id"])):
        flow_id = fresh_id(work, "workflows", scope=(org, project_id, flow["name"]))
        work.put("workflows", flow["name"], {**flow, "id": flow_id}, scope=(org, project_id))
    shown = [shown_environment(environment) for environment in copies.values()]
    return work.outcome(meaning.status, {**project, "environments": shown})


def _copied_environments(work: Work, original: str, project: Item) -> dict[str, Item]:
    """Copies of a project's environments, by the ids of the originals; none of them runs."""
    copies = {}
    for environment in environments_of(work, original):
        fresh = {name: value for name, value in environment.items() if name not in _NOT_COPIED}
        fresh |= {"projectId": project["id"], "publicUrl": public_url(project["name"], environment["name"])}
        made = work.create("environments", {**fresh, "status": "draft", "lastDeployedAt": now(work)})
        assert not isinstance(made, Problem)
        copies[environment["id"]] = made
    return copies


@effect("versori-project-gone")
def project_gone(work: Work, write: Write) -> Problem | None:
    """Takes the environments of a deleted project away, and what is kept below them."""
    org = write.partition.scope[0]
    for environment in environments_of(work, write.key):
        for name in ("environments.activations", "schedulers"):
            for item in work.items(name, scope=(org, environment["id"])):
                work.remove(name, item["id"], scope=(org, environment["id"]))
        work.remove("environments", environment["id"])
    for version in work.items("versions", projectId=write.key):
        work.remove("versions", version["id"])
    return None
