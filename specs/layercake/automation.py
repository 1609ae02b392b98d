"""Workflows that run by hand, and templates that are filled in."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

from mock_server.model.behaviours.reading import existing
from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import NO_BODY, Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")


@computed("layercake-run-workflow")
def run_workflow(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A run of an active workflow, every action done, as an entry in its log."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    _, _, key, entry = found
    if entry.value["status"] != "active":
        return Problem(Kind.WRONG_STATE, f"only an active workflow runs, and this one is {entry.value['status']}")
    work = Work.of(world, call)
    context = call.body.get("contextData", {}) if call.body is not NO_BODY else {}
    members = {
        "workflowId": key,
        "status": "completed",
        "trigger": "manual",
        "contextData": context,
        "actions": [
            {"type": action["type"], "status": "completed"} for action in entry.value["customProperties"]["actions"]
        ],
    }
    run = work.create("logs", members, scope=(key,))
    if isinstance(run, Problem):
        return run
    return work.outcome(meaning.status, world.model.answers.shown(meaning, run))


@computed("layercake-preview")
def preview(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A template's texts with the data in them, and the variables that got none."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    texts = found[3].value["customProperties"]
    data = {name: value for name, value in call.body["data"].items() if value is not None}
    used = _VARIABLE.findall(texts["subject"] + texts["htmlContent"])
    body = {
        "subject": _filled(texts["subject"], data, str),
        "htmlContent": _filled(texts["htmlContent"], data, html.escape),
        "missingVariables": [name for name in dict.fromkeys([*texts["variables"], *used]) if name not in data],
    }
    return Outcome(meaning.status, body)


def _filled(text: str, data: Mapping[str, Json], write: Callable[[str], str]) -> str:
    return _VARIABLE.sub(lambda found: write(_text(data[found[1]])) if found[1] in data else found[0], text)


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
