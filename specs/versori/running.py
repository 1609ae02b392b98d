"""What runs: flows that are tried, schedulers that are triggered; and what a run leaves behind."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from datetime import timedelta
from typing import Any

from mock_server.model.call import Call
from mock_server.model.clock import rfc3339
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import NO_BODY, Outcome, key_text
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi import jsontext

from .places import Item, environment_of, fresh_id, now, organisation, project_of, unknown

_STEP = timedelta(milliseconds=40)
_PAIRS = {")": "(", "]": "[", "}": "{"}


def ran(work: Work, scope: tuple[str, ...], name: str, steps: list[str], *, environment: Item | None) -> Item | Problem:
    """The trace of a run that went well, stored with a line in the logs. ``scope`` is organisation and project."""
    place = {"environmentId": environment["id"]} if environment is not None else {}
    execution = fresh_id(work, "traces", scope=scope)
    spans = list(_spans(work, execution, [name, *steps]))
    duration = (len(steps) + 1) * _STEP // timedelta(milliseconds=1)
    members = {"name": name, "executionId": execution, **place, "startTime": now(work), "duration": duration}
    trace = work.create("traces", {**members, "error": False, "spans": spans}, scope=scope)
    if isinstance(trace, Problem):
        return trace
    line = {"timestamp": now(work), "severity": "info", "message": f"{name} finished in {duration} ms"}
    logged = work.create("logs", {**line, "fields": {"executionId": execution, **place}}, scope=scope)
    return logged if isinstance(logged, Problem) else trace


def _spans(work: Work, execution: str, names: list[str]) -> list[Item]:
    """The whole run and its steps, one after the other."""
    keys = [hashlib.sha256(f"{execution} {index}".encode()).hexdigest()[:16] for index in range(len(names))]
    start, found = work.world.now, []
    for index, (key, name) in enumerate(zip(keys, names, strict=True)):
        begin = start + _STEP * index
        end = start + _STEP * (len(names) if index == 0 else index + 1)
        span: dict[str, Any] = {"spanId": key, "parentSpanId": keys[0] if index else "", "name": name}
        found.append({**span, "startTime": rfc3339(begin), "endTime": rfc3339(end), "status": {"code": "OK"}})
    return found


@computed("versori-start-testing")
def start_testing(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A test container, and the flows that can be triggered in it."""
    work, org = Work.of(world, call), organisation(call)
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    work.put("projects", project["id"], {**project, "testContainer": True}, scope=(org,))
    flows = work.items("workflows", scope=(org, project["id"]))
    triggers = [{"name": flow["name"], "type": "webhook", "method": "POST"} for flow in flows]
    return work.outcome(meaning.status, {"containerRunning": True, "triggers": triggers})


@computed("versori-trigger-test")
def trigger_test(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A flow's answer in the test container: what it was given, in base64."""
    work, org, name = Work.of(world, call), organisation(call), key_text(call.path["trigger_name"])
    project = project_of(work, org, key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    flow = work.get("workflows", name, scope=(org, project["id"]))
    if flow is None:
        return unknown("flow of the project called", name)
    if not project.get("testContainer"):
        return Problem(Kind.WRONG_STATE, "the test container is not started")
    trace = ran(work, (org, project["id"]), name, [span["name"] for span in flow["spans"]], environment=None)
    if isinstance(trace, Problem):
        return trace
    given = call.body if call.body is not NO_BODY else {}
    answer = jsontext.dumps({"flow": name, "received": given.get("payload")})
    body = {
        "status": "200 OK",
        "headers": {"Content-Type": ["application/json"]},
        "body": base64.b64encode(answer).decode(),
        "traceId": trace["traceId"],
    }
    return work.outcome(meaning.status, body)


@computed("versori-list-schedulers")
def list_schedulers(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The schedulers of an environment."""
    work, org = Work.of(world, call), organisation(call)
    environment = environment_of(work, org, key_text(call.path["environment_id"]))
    if isinstance(environment, Problem):
        return environment
    return work.outcome(meaning.status, {"items": work.items("schedulers", scope=(org, environment["id"]))})


@computed("versori-trigger-scheduler")
def trigger_scheduler(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A run of what is scheduled, in an environment that runs."""
    work, org, key = Work.of(world, call), organisation(call), key_text(call.path["scheduler_id"])
    environment = environment_of(work, org, key_text(call.path["environment_id"]))
    if isinstance(environment, Problem):
        return environment
    scheduler = work.get("schedulers", key, scope=(org, environment["id"]))
    if scheduler is None:
        return unknown("scheduler", key)
    if environment["status"] != "running":
        return Problem(Kind.WRONG_STATE, f"environment {environment['name']!r} is {environment['status']}, not running")
    trace = ran(work, (org, environment["projectId"]), scheduler["name"], [], environment=environment)
    if isinstance(trace, Problem):
        return trace
    body = {"executionId": trace["executionId"], "traceId": trace["traceId"], "triggeredAt": now(work)}
    return work.outcome(meaning.status, body)


@computed("versori-validate-files")
def validate_files(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """What is wrong with files, the project's own where none are sent."""
    work = Work.of(world, call)
    project = project_of(work, organisation(call), key_text(call.path["project_id"]))
    if isinstance(project, Problem):
        return project
    files = (call.body if call.body is not NO_BODY else project["currentFiles"])["files"]
    found = findings(files)
    result = {"success": not found, "error": found[0] if found else "", "output": "\n".join(found)}
    body = {"project_id": project["id"], "validation": {**result, "timestamp": now(work)}}
    return work.outcome(meaning.status, body)


def findings(files: list[Item]) -> list[str]:
    """What can be said against files without a compiler: names that repeat, empty files, brackets that do not pair."""
    names = Counter(file["filename"] for file in files)
    found = [f"{name}: there are {count} files of this name" for name, count in names.items() if count > 1]
    for file in files:
        if not file["content"].strip():
            found.append(f"{file['filename']}: the file is empty")
        elif not _pairs(file["content"]):
            found.append(f"{file['filename']}: the brackets do not pair")
    return found


def _pairs(text: str) -> bool:
    """Whether round, square and curly brackets pair, texts in quotes left aside."""
    waiting: list[str] = []
    quote = ""
    previous = ""
    for letter in text:
        if quote:
            quote = "" if letter == quote and previous != "\\" else quote
        elif letter in "'\"`":
            quote = letter
        elif letter in "([{":
            waiting.append(letter)
        elif letter in _PAIRS and (not waiting or waiting.pop() != _PAIRS[letter]):
            return False
        previous = letter
    return not waiting
