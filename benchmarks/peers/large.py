"""A large description: GitHub's own, 13 MB, from npm; and the largest packs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.figures import Rounds, figures, memory, quotient, rate, ratios, resident, started, started_cpu
from benchmarks.peers.installing import installed
from benchmarks.peers.processes import ask, free_port, running
from benchmarks.peers.servers import OURS, Server, command, version_of
from benchmarks.peers.table import NONE, markdown, middle, reason
from benchmarks.peers.turns import BROKEN, Answer, Failed, Plan, Turn, loaded, turn
from benchmarks.peers.workloads import DESCRIPTION, GET_ONE, Work

OPERATIONS = {
    "/user": "/user",
    "/users/{username}": "/users/octocat",
    "/orgs/{org}": "/orgs/github",
    "/rate_limit": "/rate_limit",
    "/repos/{owner}/{repo}": "/repos/octocat/hello-world",
}
"""Templates and what is asked of them: operations that every server answers with 200."""
LARGE = Work("large", "the operations", "GET", "2")
CUT = Work("cut", "the same operations", "GET", "2")
SECOND = f"{OURS}, second start"
SECOND_WORDS = "from its cache"
RATIOS = (started, started_cpu, memory, resident, rate(LARGE.name))


@dataclass(frozen=True, slots=True)
class Descriptions:
    """GitHub's, and what is left of it when only the operations asked for stay."""

    large: Path
    cut: Path


def descriptions(plan: Plan) -> Descriptions:
    """Both, installed and cut out."""
    large = installed("octokit", plan.peers) / "node_modules/@octokit/openapi/generated/api.github.com.json"
    cut = plan.scratch / "github-cut.json"
    if not cut.exists():
        whole = json.loads(large.read_text(encoding="utf-8"))
        cut.write_text(json.dumps(cut_out(whole, tuple(OPERATIONS))), encoding="utf-8")
    return Descriptions(large, cut)


def cut_out(description: dict[str, Any], templates: Sequence[str]) -> dict[str, Any]:
    """The description with these paths' GET operations and whatever components they refer to."""
    kept = {key: value for key, value in description.items() if key in {"openapi", "info", "servers"}}
    kept["paths"] = {
        template: {key: value for key, value in description["paths"][template].items() if key in {"get", "parameters"}}
        for template in templates
    }
    components: dict[str, dict[str, Any]] = {}
    left = [kept["paths"]]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left.extend(value)
        elif isinstance(value, dict):
            left.extend(value.values())
            words = str(value.get("$ref", "")).split("/")
            if words[:2] == ["#", "components"] and words[3] not in components.get(words[2], {}):
                found = description["components"][words[2]][words[3]]
                components.setdefault(words[2], {})[words[3]] = found
                left.append(found)
    return kept | {"components": components}


def large_turns(server: Server, found: Descriptions, plan: Plan) -> dict[str, Turn | Failed]:
    """One round of one server: from an empty cache, on the cut and on the customers; ours a second time."""
    shutil.rmtree(plan.scratch / "cache", ignore_errors=True)
    first = _asked(server, found.large, LARGE, plan)
    turns = {server.name: first}
    if server.name == OURS:
        turns[SECOND] = _asked(server, found.large, LARGE, plan)
    if isinstance(first, Turn):
        small = (_asked(server, found.cut, CUT, plan), turn(server, DESCRIPTION, plan, works=(GET_ONE,)))
        loads = dict(first.loads)
        for each in small:
            loads |= each.loads if isinstance(each, Turn) else {}
        turns[server.name] = Turn(
            first.started, first.started_cpu, first.memory_mb, first.resident_mb, first.answers, loads
        )
    return turns


def _asked(server: Server, description: Path, work: Work, plan: Plan) -> Turn | Failed:
    """One start on a description of GitHub's operations, and what it answers a second there."""
    port, paths = free_port(), tuple(OPERATIONS.values())
    try:
        start = command(server, peers=plan.peers, description=description, port=port, scratch=plan.scratch,
                        seed=plan.seed, large=True)  # fmt: skip
        log = plan.scratch / "server.log"
        with running(
            start, port=port, ready=paths[0], core=plan.server_core, seconds=plan.patience, log=log
        ) as process:
            statuses = {path: ask(port, "GET", path).status for path in paths}
            wrong = [f"{path} answers {status}" for path, status in statuses.items() if status != 200]
            answers = {work.name: Answer(200, not wrong, ", ".join(wrong) or "answers 200")}
            loads = {} if wrong else {work.name: loaded(process, work, paths, plan)}
            return Turn(
                process.started, process.started_cpu, process.memory_mb(), process.resident_mb(), answers, loads
            )
    except BROKEN as error:
        return Failed(str(error) or type(error).__name__)


def large_table(rounds: Rounds, servers: Sequence[Server]) -> str:
    """One row a server: start, memory, requests a second there and on small descriptions."""
    versions = {server.name: version_of(server) for server in servers} | {SECOND: SECOND_WORDS}
    heads = ["13 MB, 1,223 operations", "version", "first 200, s", "CPU until then, s", "memory after load, MB", "sum of RSS, MB", "req/s",
             "large / the same operations alone", "large / customers W1"]  # fmt: skip
    rows = []
    for name, turns in rounds.items():
        why = reason(turns)
        if why is not None:
            rows.append([name, versions[name], why, *[NONE] * (len(heads) - 3)])
            continue
        spreads = (middle(figures(turns, started), digits=2), middle(figures(turns, started_cpu), digits=2),
                   middle(figures(turns, memory)), middle(figures(turns, resident)), middle(figures(turns, rate(LARGE.name))),
                   middle(figures(turns, quotient(LARGE.name, CUT.name)), digits=2),
                   middle(figures(turns, quotient(LARGE.name, GET_ONE.name)), digits=2))  # fmt: skip
        rows.append([name, versions[name], *spreads])
    return markdown(heads, rows)


def large_ratios(rounds: Rounds) -> str:
    """Ours and its second start against every other server, round by round; less is better but for requests."""
    rows = []
    for one in (OURS, SECOND):
        for other in rounds:
            found = [ratios(rounds, one, other, figure) for figure in RATIOS]
            if other not in {OURS, SECOND} and any(found):
                rows.append([f"{one} / {other}", *(middle(each, digits=3) for each in found)])
    found = [ratios(rounds, SECOND, OURS, figure) for figure in RATIOS]
    if any(found):
        rows.append([f"{SECOND} / first", *(middle(each, digits=3) for each in found)])
    return markdown(["ratio, median (min-max)", "first 200", "CPU until then", "memory", "RSS", "req/s"], rows)
