"""Metrics: what the traces and the environments in the state add up to."""

from __future__ import annotations

from datetime import timedelta

from mock_server.model.call import Call
from mock_server.model.clock import moment_of
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Problem
from mock_server.model.work import Work
from mock_server.model.world import World

from .places import Item, environments_of, organisation

_PERIOD = timedelta(days=30)


def _periods(work: Work, traces: list[Item]) -> tuple[list[Item], list[Item]]:
    """The runs of the last period, and those of the one before it."""
    ages = [(work.world.now - moment_of(trace["startTime"]), trace) for trace in traces]
    current = [trace for age, trace in ages if age <= _PERIOD]
    return current, [trace for age, trace in ages if _PERIOD < age <= 2 * _PERIOD]


def _figures(work: Work, traces: list[Item]) -> dict[str, dict[str, float]]:
    current, past = _periods(work, traces)
    return {
        "totalExecutions": {"current": len(current), "past": len(past)},
        "totalErrors": {"current": _failed(current), "past": _failed(past)},
        "averageLatency": {"current": _mean(current), "past": _mean(past)},
    }


def _failed(traces: list[Item]) -> int:
    return sum(trace["error"] for trace in traces)


def _mean(traces: list[Item]) -> float:
    return sum(trace["duration"] for trace in traces) / len(traces) if traces else 0


@computed("versori-project-metrics")
def project_metrics(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The figures of every project."""
    work, org = Work.of(world, call), organisation(call)
    keys = [project["id"] for project in work.items("projects", scope=(org,))]
    items = {key: _figures(work, work.items("traces", scope=(org, key))) for key in keys}
    return work.outcome(meaning.status, {"items": items})


@computed("versori-organisation-metrics")
def organisation_metrics(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The figures of all projects together. A project counts as deployed while one of its environments runs."""
    work, org = Work.of(world, call), organisation(call)
    keys = [project["id"] for project in work.items("projects", scope=(org,))]
    traces = [trace for key in keys for trace in work.items("traces", scope=(org, key))]
    running = [[e for e in environments_of(work, key) if e["status"] == "running"] for key in keys]
    then = work.world.now - _PERIOD
    before = [
        any(moment_of(environment["createdAt"]) <= then for environment in environments) for environments in running
    ]
    deployed = {"current": sum(bool(environments) for environments in running), "past": sum(before)}
    figures = _figures(work, traces)
    del figures["averageLatency"]
    return work.outcome(meaning.status, {"deployedProjects": deployed, **figures})
