"""The comparison harness of benchmarks/: what it asks for, what it reads from wrk and what it makes of it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.contract_checks import BASE, OURS, THEIRS, Run, accounted
from benchmarks.contract_checks import table as checks_table
from benchmarks.peers import figures, table
from benchmarks.peers.installing import PINNED, installed
from benchmarks.peers.large import cut_out
from benchmarks.peers.loading import Load, counted, lua, script
from benchmarks.peers.processes import Command, Unavailable, free_port, members, running
from benchmarks.peers.servers import SERVERS, Server, Site
from benchmarks.peers.turns import Answer, Failed, Measured, Turn
from benchmarks.peers.workloads import (
    DESCRIPTION,
    GET_ONE,
    INVALID,
    LIST_PAGE,
    POST_INVALID,
    VALID,
    WORKS,
    Work,
    customers,
)
from mock_server import create_app

ROOT = Path(__file__).resolve().parents[2]
TOLD = """Running 2s test @ http://127.0.0.1:1/
  Thread Stats   Avg      Stdev     Max   +/- Stdev
measured requests=4000 us=2000000 p50=1500 p99=8250 refused=7 broken=1
Requests/sec:   2000.00
"""


def turn(rate: float, *, p99_ms: float = 1.0, refused: int = 0, work: str = "W1", started: float = 1.0) -> Turn:
    """A turn in which one workload was asked ``rate`` times in a second."""
    load = Load(int(rate), 1.0, 0.5, p99_ms, refused, 0)
    return Turn(
        started, 0.5, 100.0, 120.0, {work: Answer(200, True, "answers 200")}, {work: Measured(load, 1e6 / rate)}
    )


def of(found: figures.Spread | None) -> tuple[float, float, float] | None:
    """The three numbers of a spread."""
    return (found.least, found.median, found.most) if found else None


# What is asked


def test_double_answers_every_workload_as_the_harness_expects() -> None:
    client = create_app(DESCRIPTION).test_client()
    seeded = {"customers": {"customers": customers(60)}}
    assert client.post("/__mock__/seed", json=seeded).status_code == 204
    for work, path in zip(WORKS, ("/customers/1", "/customers", "/customers", "/customers?limit=50"), strict=True):
        response = client.open(path, method=work.method, data=work.body, content_type="application/json")
        assert str(response.status_code).startswith(work.statuses), (work.name, response.text)
        if work is LIST_PAGE:
            assert [item["id"] for item in json.loads(response.data)["data"]] == list(range(1, 51))


def test_invalid_body_breaks_one_member_of_the_valid_one() -> None:
    good, bad = json.loads(VALID), json.loads(INVALID)
    assert [name for name in good if good[name] != bad[name]] == ["status"]


def test_seed_is_the_same_in_every_run_and_has_no_two_alike() -> None:
    assert customers(300) == customers(300)
    assert len({customer["email"] for customer in customers(300)}) == 300


def test_versions_are_exact_and_every_server_has_its_packages_pinned() -> None:
    assert {server.packages for server in SERVERS if server.packages} <= set(PINNED)
    for packages in PINNED.values():
        assert packages.registry in {"npm", "pip"}
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for _, version in packages.pins)


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_every_server_is_started_on_the_port_that_it_is_given(server: Server, tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text("[]")
    try:
        words = server.words(Site(tmp_path, DESCRIPTION, 4711, tmp_path, seed))
    except Unavailable as error:
        pytest.skip(str(error))
    assert "4711" in words


# What wrk says


def test_load_is_read_from_what_the_script_prints() -> None:
    load = counted(TOLD)
    assert load == Load(4000, 2.0, 1.5, 8.25, 7, 1)
    assert load.rate == 2000


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("", "wrk told nothing: it printed nothing"),
        ("unable to connect to 127.0.0.1:1", "wrk told nothing: unable to connect"),
        (TOLD.replace("=4000", "=0"), "no answer under load"),
    ],
)
def test_load_without_an_answer_is_a_reason_and_no_number(printed: str, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        counted(printed)


def test_script_asks_for_its_paths_with_the_body_as_it_is() -> None:
    source = script("POST", ("/a?b=1", "/c"), b'{"a": "\\\xc3\xa9"}')
    assert "wrk.method = 'POST'" in source
    assert '{"/a?b=1", "/c"}' in source
    assert lua(b'{"a": "\\\xc3\xa9"}') in source
    assert lua(b'"\\\n\xff') == '"\\034\\092\\010\\255"'
    assert "wrk.body" not in script("GET", ("/",), b"")


# What is made of it


def test_ratio_is_taken_within_a_round() -> None:
    rounds: figures.Rounds = {"a": [turn(100), turn(900), turn(400)], "b": [turn(50), turn(300), turn(400)]}
    assert of(figures.ratios(rounds, "a", "b", figures.rate("W1"))) == (1, 2, 3)


def test_round_that_failed_on_either_side_makes_no_ratio() -> None:
    rounds: figures.Rounds = {"a": [turn(100), Failed("gone"), turn(400)], "b": [Failed("gone"), turn(3), turn(100)]}
    assert of(figures.ratios(rounds, "a", "b", figures.rate("W1"))) == (4, 4, 4)
    assert figures.ratios(rounds, "a", "c", figures.rate("W1")) is None


def test_table_has_a_row_for_what_failed_with_the_reason() -> None:
    rows = lines(table.servers_table({"x": [Failed("needs\n a|b")]}, {"x": "1.2"}, WORKS))
    assert rows[2].startswith("| x | 1.2 | needs a\\|b |")
    assert {row.replace("\\|", "").count("|") for row in rows} == {len(WORKS) + 7}


def test_table_has_median_least_and_most() -> None:
    rounds: figures.Rounds = {"x": [turn(1000, p99_ms=2), turn(3000, p99_ms=1), turn(2000, p99_ms=9)]}
    assert "| 2,000 (1,000-3,000); 2.0 (1.0-9.0) |" in table.servers_table(rounds, {"x": "1"}, [GET_ONE])


def test_table_of_ratios_has_every_cell_of_every_row() -> None:
    rounds: figures.Rounds = {"a": [turn(100)], "b": [turn(50, started=4)]}
    rows = lines(table.ratios_table(rounds, [("a", "b")], [GET_ONE]))
    assert rows[2] == "| a / b | req/s | 2.00 | 0.25 | 1.00 | 1.00 |"
    assert {row.count("|") for row in rows} == {7}


def test_table_of_answers_has_every_status_that_was_seen() -> None:
    other = Turn(1, 1, 1, 1, {"W1": Answer(304, False, "answers 304")}, {})
    rows = lines(
        table.answers_table({"x": [turn(1), other, Failed("gone")], "y": [Failed("gone")]}, [GET_ONE, LIST_PAGE])
    )
    assert rows[2:] == ["| x | 200, 304 | - |"]


def test_table_says_what_a_server_answers_to_a_workload_that_it_cannot_do() -> None:
    one = turn(10)
    accepting = Turn(1, 1, 1, 1, {"W3": Answer(201, False, "answers 201")}, one.loads)
    assert "(answers 201)" in table.servers_table({"x": [accepting]}, {"x": "1"}, [GET_ONE, POST_INVALID])


@pytest.mark.parametrize(
    ("work", "refused", "told"), [(GET_ONE, 3, "(3 otherwise)"), (POST_INVALID, 98, "(2 otherwise)")]
)
def test_table_counts_answers_that_were_not_what_the_workload_is_about(work: Work, refused: int, told: str) -> None:
    rounds: figures.Rounds = {"x": [turn(100, refused=refused, work=work.name)]}
    assert told in table.servers_table(rounds, {"x": "1"}, [work])
    right = 100 if work is POST_INVALID else 0
    assert "otherwise" not in table.servers_table({"x": [turn(100, refused=right, work=work.name)]}, {"x": "1"}, [work])


def test_cut_keeps_the_operations_asked_for_and_what_they_refer_to() -> None:
    def ref(name: str) -> dict[str, str]:
        return {"$ref": f"#/components/schemas/{name}"}

    whole = {
        "openapi": "3.0.3",
        "paths": {"/a": {"get": {"x": ref("A")}, "post": {"x": ref("C")}}, "/b": {"get": {"x": ref("C")}}},
        "components": {"schemas": {"A": {"items": [ref("B")]}, "B": {"self": ref("B")}, "C": {}}},
    }
    cut = cut_out(whole, ["/a"])
    assert cut["paths"] == {"/a": {"get": {"x": ref("A")}}}
    assert set(cut["components"]["schemas"]) == {"A", "B"}


# Contract checks


@pytest.mark.parametrize(
    ("printed", "account"),
    [
        ("1234 exchanges in 20.1 s, seed 0", OURS),
        ("Test cases:\n  1234 generated, 3 found failures\n\n==== 2 failures in 20.1s ====", THEIRS),
    ],
)
def test_own_account_of_a_command_is_read(printed: str, account: re.Pattern[str]) -> None:
    assert accounted(printed, account).group("requests", "seconds") == ("1234", "20.1")


def test_command_that_asked_nothing_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="does not say"):
        accounted("0 exchanges in 20.1 s", OURS)


def test_checks_are_compared_within_a_round() -> None:
    found = {
        BASE: [Run(100, 1, 1, 100, 1), Run(300, 1, 2, 300, 1)],
        "ours": [Run(200, 1, 1, 100, 1), Run(300, 1, 1, 600, 1)],
    }
    cells = ["250 (200-300)", "1.50 (1.00-2.00)", "1.50 (1.00-2.00)", "2.00"]  # rate, by its own account, of CPU
    assert lines(checks_table(found))[3] == f"| ours | {' | '.join(cells)} |"


# Processes

FAMILY = """
import http.server, subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
"""


def interrupted(folder: Path) -> Iterator[int]:
    """The session of a server with a child, which ends with Ctrl-C while it runs."""
    port = free_port()
    command = Command((sys.executable, "-S", "-c", FAMILY.format(port=port)), folder, {})
    with running(command, port=port, ready="/", core=None, seconds=30, log=folder / "log") as process:
        assert len(members(process.session)) == 2
        assert process.memory_mb() > 1
        assert process.cpu_seconds() > 0
        yield process.session
        signal.raise_signal(signal.SIGINT)


@pytest.mark.skipif(sys.platform != "linux", reason="the harness reads /proc")
def test_server_and_its_children_are_ended_when_the_harness_is_interrupted(tmp_path: Path) -> None:
    run = interrupted(tmp_path)
    session = next(run)
    with pytest.raises(KeyboardInterrupt):
        next(run)
    assert members(session) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the harness reads /proc")
def test_server_that_ends_at_once_is_unavailable_with_its_last_words(tmp_path: Path) -> None:
    command = Command((sys.executable, "-S", "-c", "import sys; sys.exit('Error: no such port')"), tmp_path, {})
    with (
        pytest.raises(Unavailable, match=r"ended with status 1 .*: Error: no such port"),
        running(command, port=free_port(), ready="/", core=None, seconds=30, log=tmp_path / "log"),
    ):
        raise AssertionError("it cannot run")


def test_packages_are_not_installed_again(tmp_path: Path) -> None:
    folder = tmp_path / "npm" / "prism"
    folder.mkdir(parents=True)
    (folder / "installed.json").write_text(json.dumps(PINNED["prism"].requirements()))
    assert installed("prism", tmp_path) == folder


def test_peer_that_cannot_be_installed_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(Unavailable, match="needs npm"):
        installed("prism", tmp_path)
    assert not (tmp_path / "npm" / "prism" / "installed.json").exists()


def lines(text: str) -> Sequence[str]:
    """The lines of a table."""
    return text.splitlines()


def test_benchmarks_are_no_part_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "benchmarks" not in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
