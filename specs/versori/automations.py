"""Automations: a run follows its own prompt, or the automation's."""

from __future__ import annotations

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import NO_BODY, Outcome, key_text
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.world import World

from .places import fresh_id, organisation, unknown


@computed("versori-run-automation")
def run_automation(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A run that has yet to begin."""
    work, org, key = Work.of(world, call), organisation(call), key_text(call.path["automation_id"])
    automation = work.get("automations", key, scope=(org,))
    if automation is None:
        return unknown("automation", key)
    given = call.body if call.body is not NO_BODY else {}
    members = {"prompt": given.get("prompt", automation["promptTemplate"])}
    members["executionId"] = fresh_id(work, "runs", scope=(org, key))
    run = work.create("runs", members, scope=(org, key))
    return run if isinstance(run, Problem) else work.outcome(meaning.status, {"runId": run["id"]})
