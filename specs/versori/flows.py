"""Flows: they go by their name in the path and keep their id when they are replaced."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome, key_text
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.world import World

from .places import fresh_id, organisation, project_of


@computed("versori-store-flow")
def store_flow(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The flow of a name, new or in place of the one that is there."""
    work, org, name = Work.of(world, call), organisation(call), key_text(call.path["flow_name"])
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    scope = (org, project["id"])
    there = work.get("workflows", name, scope=scope)
    flow = {
        "id": there["id"] if there is not None else fresh_id(work, "workflows", scope=(*scope, name)),
        "name": name,
        "description": call.body.get("description", ""),
        "spans": call.body.get("spans", []),
    }
    return work.outcome(meaning.status, work.put("workflows", name, flow, scope=scope))
