"""``apidouble check`` and ``apidouble replay`` against servers: exit codes, safety, baselines, clean-up, secrets."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from flask import Flask, Response, jsonify, request

from mock_server import MockServer, Options
from tests.unit.commands.running import SHOP, Ran, run
from tests.unit.contracts.commands.services import NOTES, TOKEN, Notes, served

QUICK = ("--check", "read_your_write", "--size", "0.4", "--max-time", "20s")
HEADER = ("--header", "Authorization: Bearer ${NOTES_TOKEN}")
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No CI is told of these runs; the token is where the options look for it."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("NOTES_TOKEN", TOKEN)


@pytest.fixture
def notes() -> Notes:
    return Notes(token=TOKEN)


@pytest.fixture
def url(notes: Notes) -> Iterator[str]:
    with served(notes.app()) as found:
        yield found


def check(url: str, *more: str | Path) -> Ran:
    return run("check", NOTES, "--url", url, *QUICK, *HEADER, *more)


# Exit codes


def test_correct_service_holds(url: str) -> None:
    ran = check(url)
    assert ran.code == 0, ran.out + ran.err
    assert "holds" in ran.out


def test_broken_service_has_findings(notes: Notes, url: str) -> None:
    notes.forgets = True
    ran = check(url)
    assert ran.code == 1
    assert "text reads back as another value" in ran.out.lower().replace("\n", " ")


def test_service_that_is_not_there_is_unreachable() -> None:
    ran = check(NOWHERE)
    assert ran.code == 3
    assert "gives no answer" in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check", NOTES), "--url"),
        (("check", "nowhere.yaml", "--url", NOWHERE), "no such description file"),
        (("check", NOTES, "--url", "ftp://x"), "not the URL of a service"),
        (("check", NOTES, "--url", "http://user:pw12345678@127.0.0.1"), "password"),
        (("check", NOTES, "--url", NOWHERE, "--check", "read_your_wrote"), "did you mean 'read_your_write'"),
        (("check", NOTES, "--url", NOWHERE, "--include", "createNot"), "did you mean 'createNote'"),
        (("check", NOTES, "--url", NOWHERE, "--include", "listNotes", "--exclude", "method:GET"), "leave no operation"),
        (("check", NOTES, "--url", NOWHERE, "--max-time", "soon"), "this is no time"),
        (("check", NOTES, "--url", NOWHERE, "--rate", "fast"), "this is no rate"),
        (("check", NOTES, "--url", NOWHERE, "--closed"), "--reset"),
        (("check", NOTES, "--url", NOWHERE, "--update-baseline"), "--baseline"),
        (("check", NOTES, "--url", NOWHERE, "--baseline", "none.yaml"), "cannot be read"),
        (("check", NOTES, "--url", NOWHERE, "--credential", "admin"), "no such credential"),
        (("check", NOTES, "--url", NOWHERE, "--auth-env", "NOT_SET"), "NOT_SET is not set"),
        (("check", NOTES, "--url", NOWHERE, "--auth-env", "basic=NOTES_TOKEN"), "no such security scheme"),
        (("check", NOTES, "--url", NOWHERE, "--header", "Bearer x"), "a header has a name and a value"),
        (("check", NOTES, "--url", NOWHERE, "--caller", "header=A: b"), "a caller has a name"),
        (("check", NOTES, "--url", NOWHERE, "--caller", "nam=a"), "did you mean 'name'"),
        (("check", NOTES, "--url", NOWHERE, "--oauth2-client-id", "me"), "--oauth2-token-url"),
        (("check", NOTES, "--url", NOWHERE, "--oauth2-token-url", "http://127.0.0.1:9/t"), "an id and a secret"),
        (("check", NOTES, "--url", NOWHERE, "--reset", "nosuchmodule_:reset"), "cannot be imported"),
        (("check", NOTES, "--url", NOWHERE, "--client-cert", "nofile.pem"), "not there"),
        (("check", NOTES, "--url", NOWHERE, "--junit", "nofolder/x.xml"), "no such folder"),
        (("chek",), "did you mean 'check'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], says: str) -> None:
    ran = run(*arguments)
    assert ran.code == 2, ran.err
    assert says in ran.err


def test_service_without_the_described_paths_is_unusable(notes: Notes) -> None:
    with served(Flask("another")) as url:
        ran = check(url)
    assert ran.code == 3
    assert "none of the described paths" in ran.err


def test_base_path_of_the_description_is_found(tmp_path: Path) -> None:
    described = yaml.safe_load(NOTES.read_text(encoding="utf-8"))
    described["servers"] = [{"url": "https://notes.example/v2"}]
    del described["security"]
    (tmp_path / "notes.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    app = Flask("outer")
    inner = Notes().app()

    @app.route("/v2/<path:rest>", methods=["GET", "POST", "DELETE"])
    def below(rest: str) -> Response:
        sent = dict(request.headers)
        reply = inner.test_client().open(f"/{rest}", method=request.method, data=request.get_data(), headers=sent)
        return Response(reply.data, reply.status_code, dict(reply.headers))

    with served(app) as url:
        ran = run("check", tmp_path / "notes.yaml", "--url", url, *QUICK)
    assert ran.code == 0, ran.out + ran.err
    assert "/v2" in ran.err


def test_credential_that_opens_nothing_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTES_TOKEN", "another-token-1234")
    ran = check(url)
    assert ran.code == 3
    assert "opens nothing" in ran.err
    assert "another-token-1234" not in ran.err + ran.out


def test_service_that_goes_away_ends_the_run(notes: Notes) -> None:
    app = notes.app()
    written: list[str] = []

    @app.before_request
    def dies() -> None:
        written.extend(["once"] * (request.method == "POST"))
        if written:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)

    with served(app) as url:
        ran = check(url)
    assert ran.code == 3, ran.out + ran.err
    assert "gives no answer" in " ".join(ran.out.split())


def test_run_in_which_nothing_was_checked_does_not_hold(url: str) -> None:
    ran = run("check", NOTES, "--url", url, "--check", "webhook_delivery", "--max-time", "5s", *HEADER)
    assert ran.code == 3, ran.out + ran.err
    assert "is not known to hold (nothing was checked)" in ran.out


def test_reset_that_fails_later_ends_the_run(notes: Notes, url: str, tmp_path: Path) -> None:
    count = tmp_path / "count"
    reset = f"echo x >> {count}; test $(wc -l < {count}) -lt 3 || {{ echo the disk is full >&2; exit 7; }}"
    ran = check(url, "--reset", reset)
    assert ran.code == 3, ran.out + ran.err
    assert "not known to hold (the service cannot be reset)" in ran.out
    assert "the disk is full" in " ".join(ran.out.split())
    assert "The contract holds" not in ran.out


def test_reply_that_takes_too_long_is_no_answer(notes: Notes) -> None:
    app = notes.app()
    answer = threading.Event()

    @app.before_request
    def slow() -> None:
        answer.wait(0 if request.method == "GET" else 20)

    with served(app) as url:
        ran = check(url, "--timeout", "0.2")
        answer.set()
    assert ran.code == 3, ran.out + ran.err
    assert "Read timed out" in ran.out.replace("\n", " ")


def test_strict_lets_questions_fail(url: str) -> None:
    """Whether callers are tenants apart is a guess where the description does not say it."""
    callers = [
        word for name in "ab" for word in ("--caller", f"name={name};header=Authorization: Bearer ${{NOTES_TOKEN}}")
    ]
    asked: tuple[str | Path, ...] = (
        "check",
        NOTES,
        "--url",
        url,
        "--check",
        "tenants_are_apart",
        "--size",
        "0.2",
        "--max-time",
        "20s",
        *callers,
    )
    lenient, strict = run(*asked), run(*asked, "--strict")
    assert "Question 1 of 2" in strict.out, strict.out + strict.err
    assert (lenient.code, strict.code) == (0, 1)


def test_ctrl_c_prints_what_was_found_so_far(notes: Notes) -> None:
    notes.forgets = True
    app = notes.app()
    read = threading.Event()

    @app.after_request
    def counted(response: Response) -> Response:
        if sum(method == "GET" and path.startswith("/notes/") for method, path, _ in notes.seen) > 5:
            read.set()
        return response

    with served(app) as url:
        command = [sys.executable, "-m", "mock_server", "check", str(NOTES), "--url", url, "--check", "read_your_write",
                   "--size", "100", "--max-time", "60s", *HEADER]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert read.wait(60)  # the finding is met and is made shorter now, which takes a while
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "reads back as another value" in out
    assert "does not hold" in out


# Safety


def test_remote_service_is_refused_before_anything_is_sent() -> None:
    ran = check("http://notes.example")
    assert ran.code == 2
    assert "--allow-remote" in ran.err


def test_remote_reset_is_refused(url: str) -> None:
    ran = check(url, "--reset", "http://notes.example/reset")
    assert ran.code == 2
    assert "--allow-remote" in ran.err


def test_dry_run_sends_nothing_and_says_what_would_be_done(notes: Notes, url: str) -> None:
    ran = check(url, "--dry-run")
    assert ran.code == 0, ran.err
    assert notes.seen == []
    assert "read_your_write notes" in ran.out
    assert "creates by 1: createNote" in ran.out
    assert "deletes by 1: deleteNote" in ran.out


def test_what_will_be_written_is_said_before_the_run(url: str) -> None:
    assert "creates by 1: createNote" in check(url).err


def test_excluded_operation_is_never_called(notes: Notes, url: str) -> None:
    ran = check(url, "--exclude", "deleteNote")
    assert not any(method == "DELETE" for method, _, _ in notes.seen)
    assert "could not be deleted" in ran.out.replace("\n", " ")


def test_included_operations_are_the_only_ones(notes: Notes, url: str) -> None:
    ran = run("check", NOTES, "--url", url, "--include", "tag:reading", "--max-time", "4s", "--size", "0.1", *HEADER)
    assert ran.code in {0, 1}, ran.err
    called = {(method, path.count("/")) for method, path, _ in notes.seen}
    assert not called & {("POST", 1), ("DELETE", 2)}  # createNote, deleteNote
    assert "only read" in ran.err


# Cleaning up


def test_clean_up_leaves_a_service_as_it_was(notes: Notes, url: str) -> None:
    notes.notes["mine"] = {"id": "mine", "text": "stays"}
    assert check(url).code == 0
    assert notes.notes == {"mine": {"id": "mine", "text": "stays"}}


def test_clean_up_leaves_a_double_as_it_was() -> None:
    with MockServer(SHOP, options=Options(limits=False)) as server:
        before = _held(server)
        ran = run("check", SHOP, "--url", server.url, *QUICK)
        assert ran.code == 0, ran.out + ran.err
        assert "created items deleted" in ran.err
        assert _held(server) == before


def _held(server: MockServer) -> dict[str, int]:
    """How many items a double holds, by resource."""
    served = next(iter(server.sandbox.apis.values()))
    state = server.sandbox.universes.default.state
    resources = {m.resource.qualified for m in map(served.model.meaning, served.api.refs) if m.resource is not None}
    return {name: sum(len(tuple(held)) for _, held in state.partitions(name)) for name in sorted(resources)}


def test_without_clean_up_what_was_created_stays(notes: Notes, url: str) -> None:
    assert check(url, "--no-clean-up").code == 0
    assert notes.notes


def test_what_cannot_be_deleted_is_told(notes: Notes, url: str) -> None:
    notes.deletes = False
    ran = check(url)
    assert "deleteNote answers 409" in ran.out.replace("\n", " ")


# Resetting


def test_reset_by_url_closes_the_world(notes: Notes, url: str) -> None:
    assert check(url, "--reset", f"{url}/reset").code == 0
    assert notes.resets > 1
    assert notes.notes == {}


def test_reset_by_function(notes: Notes, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[int] = []
    module = type(sys)("notes_reset_module")
    module.reset = lambda: called.append(1)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "notes_reset_module", module)
    assert check(url, "--reset", "notes_reset_module:reset", "--size", "0.1").code == 0
    assert called


def test_reset_by_command(url: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert check(url, "--reset", f"echo x >> {mark}", "--size", "0.1").code == 0
    assert mark.read_text(encoding="utf-8").count("x") > 1


@pytest.mark.parametrize("reset", ["exit 4", "{url}/nothing"])
def test_reset_that_fails_is_told_at_the_start(notes: Notes, url: str, reset: str) -> None:
    ran = check(url, "--reset", reset.format(url=url))
    assert ran.code == 3
    assert "cannot be reset" in ran.err
    assert not any(method == "POST" and path == "/notes" for method, path, _ in notes.seen)


def test_several_workers_have_a_session_each() -> None:
    with MockServer(SHOP, options=Options(limits=False)) as server:
        reset = f"{server.url}/__mock__/reset"
        alone = run("check", SHOP, "--url", server.url, "--reset", reset, "--workers", "2", *QUICK)
        ran = run("check", SHOP, "--url", server.url, "--reset", reset, "--workers", "2", "--session-header",
                  "Mock-Session", *QUICK)  # fmt: skip
        names = server.sandbox.universes.names()
    assert alone.code == ran.code == 0, alone.out + ran.out
    assert "one worker only" in alone.err
    assert "one worker only" not in ran.err
    assert len([name for name in names if name.startswith("apidouble-check-")]) == 2


# Who calls


def test_token_of_a_client_is_shown_nowhere(notes: Notes, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    app = Flask("tokens")

    @app.post("/token")
    def token() -> Response:
        asked.append(request.form["scope"])
        assert request.authorization is not None
        assert request.authorization.password == "s3cret-of-client"
        return jsonify(access_token=TOKEN, expires_in=3600)

    monkeypatch.setenv("SECRET", "s3cret-of-client")
    notes.forgets = True
    with served(app) as tokens:
        ran = run("check", NOTES, "--url", url, *QUICK, "--oauth2-token-url", f"{tokens}/token", "--oauth2-client-id",
                  "me", "--oauth2-client-secret-env", "SECRET", "--oauth2-scope", "notes")  # fmt: skip
    assert ran.code == 1, ran.out + ran.err
    assert asked == ["notes"]
    assert TOKEN not in ran.out + ran.err
    assert "s3cret-of-client" not in ran.out + ran.err


@pytest.mark.parametrize(
    "options",
    [
        ("--auth-env", "NOTES_TOKEN"),
        ("--auth-env", "bearer=NOTES_TOKEN"),
        ("--header", "Authorization: Bearer ${NOTES_TOKEN}"),
        ("--caller", "name=a;header=Authorization: Bearer ${NOTES_TOKEN}"),
    ],
    ids=" ".join,
)
def test_credentials_are_taken_from_the_environment(notes: Notes, url: str, options: tuple[str, str]) -> None:
    ran = run("check", NOTES, "--url", url, *QUICK, *options)
    assert ran.code == 0, ran.out + ran.err
    assert ("POST", "/notes", f"Bearer {TOKEN}") in notes.seen


def test_seed_credentials_are_used_on_this_machine(tmp_path: Path, url: str, notes: Notes) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(yaml.safe_dump({"credentials": [{"name": "ann", "scheme": "bearer", "value": TOKEN}]}),
                    encoding="utf-8")  # fmt: skip
    ran = run("check", NOTES, "--url", url, "--seed", seed, *QUICK)
    assert ran.code == 0, ran.out + ran.err
    assert "with the seed's credentials: ann" in ran.err
    assert ("POST", "/notes", f"Bearer {TOKEN}") in notes.seen


# Reports


def test_no_report_shows_a_secret(notes: Notes, url: str, tmp_path: Path) -> None:
    notes.forgets = True
    kinds = ("junit", "sarif", "json", "html", "har")
    wanted = [text for kind in kinds for text in (f"--{kind}", str(tmp_path / kind))]
    ran = check(url, *wanted, "--findings", tmp_path / "found", "--github", "--baseline", tmp_path / "b.yaml",
                "--update-baseline")  # fmt: skip
    assert ran.code == 0, ran.out + ran.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == len(kinds) + 2
    assert [path.name for path in files if TOKEN in path.read_text(encoding="utf-8")] == []
    assert TOKEN not in ran.out + ran.err
    assert all(path.stat().st_size for path in files)


def test_github_annotations_are_printed_where_actions_run(
    notes: Notes, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes.forgets = True
    assert "::error" not in check(url).out
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error" in check(url).out


def test_quiet_run_that_holds_prints_nothing(url: str) -> None:
    ran = check(url, "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_same_seed_number_sends_the_same(notes: Notes) -> None:
    def sent() -> list[tuple[str, str, str]]:
        fresh = Notes(token=TOKEN)
        with served(fresh.app()) as url:
            check(url, "--reset", f"{url}/reset", "--seed-number", "7")
        return fresh.seen

    assert sent() == sent()


def test_rate_is_kept(notes: Notes, url: str) -> None:
    began = time.monotonic()
    ran = check(url, "--rate", "5/s", "--max-time", "4s")
    took = time.monotonic() - began
    assert ran.code == 0, ran.out + ran.err
    assert 10 < len(notes.seen) <= 5 * (took + 1)


# Baselines


@pytest.fixture
def accepted(notes: Notes, url: str, tmp_path: Path) -> Callable[..., Ran]:
    """A run on a broken service with a baseline."""
    notes.forgets = True
    return lambda *more: check(url, "--baseline", tmp_path / "baseline.yaml", *more)


def test_baseline_accepts_what_it_lists_and_nothing_else(
    accepted: Callable[..., Ran], notes: Notes, tmp_path: Path
) -> None:
    path = tmp_path / "baseline.yaml"
    assert accepted("--update-baseline").code == 0
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))["findings"]
    assert [entry["check"] for entry in listed] == ["read_your_write"]
    assert accepted().code == 0
    listed[0]["fingerprint"] = "000000000000"
    path.write_text(yaml.safe_dump({"findings": listed}), encoding="utf-8")
    again = accepted()
    assert again.code == 1
    assert "was not met" in again.out.replace("\n", " ")


def test_expired_entry_fails_again_and_is_named(accepted: Callable[..., Ran], tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    accepted("--update-baseline")
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    value["findings"][0] |= {"expires": "2020-01-31", "reason": "mended in January"}
    path.write_text(yaml.safe_dump(value), encoding="utf-8")
    ran = accepted()
    assert ran.code == 1
    assert "expired on 2020-01-31" in ran.out.replace("\n", " ")
    assert "mended in January" in ran.out.replace("\n", " ")


def test_update_keeps_reasons_and_drops_what_is_gone(
    accepted: Callable[..., Ran], notes: Notes, tmp_path: Path
) -> None:
    path = tmp_path / "baseline.yaml"
    accepted("--update-baseline")
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    value["findings"][0]["reason"] = "known since May"
    path.write_text(yaml.safe_dump(value), encoding="utf-8")
    accepted("--update-baseline")
    assert "known since May" in path.read_text(encoding="utf-8")
    notes.forgets = False
    accepted("--update-baseline")
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["findings"] == []


# Replaying


def test_finding_is_replayed_until_it_is_mended(notes: Notes, url: str, tmp_path: Path) -> None:
    notes.forgets = True
    assert check(url, "--findings", tmp_path).code == 1
    file = min(tmp_path.glob("read_your_write-*.json"))
    assert json.loads(file.read_text(encoding="utf-8"))["apidouble"]["url"] == url
    again = run("replay", file, *HEADER)
    assert again.code == 1, again.out + again.err
    assert re.search(r"happens: ", again.out)
    notes.forgets = False
    assert run("replay", file, *HEADER).code == 0
    assert run("replay", file, "--url", NOWHERE, *HEADER).code == 3
    assert run("replay", NOTES, *HEADER).code == 2


# What the other commands load


@pytest.mark.parametrize("command", [("list", str(SHOP)), ("serve", "--help")], ids=" ".join)
def test_other_commands_do_not_load_the_checks(command: tuple[str, ...]) -> None:
    program = (
        "import sys; from mock_server.cli import apidouble\n"
        f"try: apidouble.main({list(command)!r}, standalone_mode=False)\n"
        "finally: print('loaded', sorted({n.split('.')[0] for n in sys.modules} & "
        "{'contracts', 'hypothesis', 'schemathesis', 'openapi_core'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "loaded []" in done.stdout


def test_checks_are_listed_and_explained() -> None:
    listed = run("checks")
    assert listed.code == 0
    assert "read_your_write" in listed.out
    explained = run("checks", "read_your_write")
    assert "source:" in explained.out
    assert any(entry["name"] == "read_your_write" for entry in json.loads(run("checks", "--json").out))
    assert run("checks", "read_your_wrote").code == 2
