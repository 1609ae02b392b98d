"""Issues and project notifications, which name environments and channels that have to be there."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome, key_text
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.world import World

from .places import environment_of, organisation, project_of, unfit

_BLANK = {"message": "", "severity": "medium", "reason": "manual", "labels": {}, "annotations": {}}
_TAKEN = (*_BLANK, "title", "projectId", "environmentId")


@computed("versori-create-issue")
def create_issue(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """An issue; one of an environment is one of its project too."""
    work, org = Work.of(world, call), organisation(call)
    members = {**_BLANK, **{name: call.body[name] for name in _TAKEN if name in call.body}}
    if "environmentId" in members:
        environment = environment_of(work, org, members["environmentId"])
        if isinstance(environment, Problem):
            return unfit("/environmentId", members["environmentId"], "names no environment")
        if members.setdefault("projectId", environment["projectId"]) != environment["projectId"]:
            return unfit("/projectId", members["projectId"], "is not the project of the environment")
    elif "projectId" in members and isinstance(project_of(work, org, members["projectId"]), Problem):
        return unfit("/projectId", members["projectId"], "names no project")
    made = work.create("issues", {**members, "organisationId": org, "resolvedAt": None}, scope=(org,))
    return made if isinstance(made, Problem) else work.outcome(meaning.status, made)


@computed("versori-create-notification")
def create_notification(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A project notification for one of the project's environments."""
    work, org, body = Work.of(world, call), organisation(call), call.body
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    environment = environment_of(work, org, body["environment_id"])
    if isinstance(environment, Problem) or environment["projectId"] != project["id"]:
        return unfit("/environment_id", body["environment_id"], "names no environment of the project")
    channel = work.get("notification_channels", body["channel_id"], scope=(org,))
    if channel is None:
        return unfit("/channel_id", body["channel_id"], "names no notification channel")
    members = {name: body[name] for name in ("name", "channel_id", "environment_id")}
    members |= {"channelName": channel["name"], "project_id": project["id"]}
    made = work.create("notifications", members, scope=(org, project["id"]))
    return made if isinstance(made, Problem) else work.outcome(meaning.status, made)
