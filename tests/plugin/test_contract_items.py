"""Contract items: pytest sees one item for each thing to be checked, and they work as pytest's items do."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts.bench import Task
from contracts.checks.registry import all_checks
from contracts.conformance import campaign  # noqa: F401 - it is imported here, and stays when pytester forgets what its runs imported
from contracts.testing.contracting.contract import Contract, apidouble_contract
from contracts.testing.contracting.items import name_of
from contracts.testing.contracting.runs import Engagement, Spent, prepared
from contracts.testing.contracting.texts import Telling, result_text
from mock_server.errors import ConfigurationError
from tests.planted_bugs.bakery import create_app
from tests.planted_bugs.serving import listening

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

all_checks()  # for the same reason: a check can be registered once only

pytest_plugins = ("pytester",)

BAKERY = Path(__file__).parents[1] / "planted_bugs/bakery"


def module(bug: str | None, *more: str) -> str:
    """A test module of a bakery in this process, with a mistake or without one."""
    options = "".join(f", {one}" for one in more)
    return f"""
from contracts.testing.contracting.contract import apidouble_contract
from tests.planted_bugs.bakery import create_app

app = create_app({bug!r})
bakery = apidouble_contract({str(BAKERY / "openapi.yaml")!r}, seed={str(BAKERY / "seed.yaml")!r}, app=app,
                            reset=app.extensions["bakery"].reset{options})

def test_beside():
    pass
"""


def against(url: str) -> tuple[str, ...]:
    """The options for the bakery behind a URL."""
    return (f"--contract={BAKERY / 'openapi.yaml'}", f"--contract-seed={BAKERY / 'seed.yaml'}", f"--contract-url={url}")


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*args)


def test_names_are_those_of_parametrized_tests() -> None:
    assert name_of("read_your_write customers createCustomer") == "read_your_write[customers-createCustomer]"
    assert name_of("workflow a::b") == "workflow[a:b]"


def test_a_right_service_is_green_and_k_chooses(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_bakery=module(None))
    result = run(pytester, "-k", "createCustomer and read_your_write or beside", "-p", "no:cacheprovider", "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["test_bakery.py::bakery::read_your_write[[]customers-createCustomer[]] PASSED*"])


def test_a_wrong_service_is_red_with_the_shortest_sequence_and_lf_runs_it_again(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_bakery=module("create_loses_member"))
    chosen = "read_your_write and createCustomer or head_is_get and getProduct"
    result = run(pytester, "-k", chosen, "--junitxml=report.xml")
    result.assert_outcomes(passed=1, failed=1)
    told = result.stdout.str()
    assert "What was sent, and what came\n  POST /customers  as north\n" in told
    assert "  GET  /customers/cus_000001" in told
    assert 'curl -sS -X POST "$BASE/customers"' in told
    assert f"{BAKERY / 'openapi.yaml'}:" in told  # the line of the description
    assert "Run again     pytest 'test_bakery.py::bakery::read_your_write[customers-createCustomer]'" in told
    assert "contracts/hunting.py" not in told  # no traceback of ours
    result.stdout.fnmatch_lines(["FAILED test_bakery.py::bakery::read_your_write[[]customers-createCustomer[]] - *"])

    suite = ET.parse(pytester.path / "report.xml").getroot().find("testsuite")
    assert suite is not None
    case = next(case for case in suite if str(case.get("name")).startswith("read_your_write"))
    properties = {str(each.get("name")): str(each.get("value")) for each in case.iter("property")}
    failure = case.find("failure")
    assert case.get("classname") == "test_bakery.bakery"
    assert properties["contract_seed"] == "0"
    assert f"· {properties['contract_fingerprint']}" in told
    assert failure is not None
    assert "What was sent" in str(failure.text)
    assert "\n" not in str(failure.get("message"))

    again = run(pytester, "--lf")
    again.assert_outcomes(failed=1, deselected=208)


def test_collecting_sends_nothing_and_needs_no_credential(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it=f"""
from contracts.testing.contracting.contract import apidouble_contract

def app(environ, start_response):
    raise AssertionError("a request")

bakery = apidouble_contract({str(BAKERY / "openapi.yaml")!r}, app=app, credentials=["NEVER_SET"])
"""
    )
    first = run(pytester, "--co", "-q")
    second = run(pytester, "--co", "-q")
    items = [line for line in first.outlines if line.startswith("test_it.py::bakery::")]
    assert len(items) > 100
    assert items == [line for line in second.outlines if line.startswith("test_it.py::bakery::")]


def test_a_service_that_is_not_there_is_one_error_and_the_rest_skips(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)  # where pytest's summary repeats every message in full
    with listening(create_app()) as url:
        pass
    result = run(pytester, *against(url), "--contract-check=head_is_get")
    outcomes = result.parseoutcomes()
    assert outcomes["errors"] == 1
    assert outcomes["skipped"] > 3
    assert result.stdout.str().count("is the service running") == 1
    assert outcomes.keys() == {"errors", "skipped"}
    result.stdout.fnmatch_lines([f"*{url} gives no answer", "*is the service running*"])


def test_the_command_line_makes_items_of_a_service_behind_a_url(pytester: pytest.Pytester) -> None:
    with listening(create_app()) as url:
        result = run(pytester, *against(url), f"--contract-reset={url}/reset", "--contract-check=read_your_write",
                     "--contract-include=*Product*", "-v")  # fmt: skip
    assert set(result.parseoutcomes()) == {"passed"}
    result.stdout.fnmatch_lines(["openapi::read_your_write[[]products-createProduct[]] PASSED*"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--contract", "kirimdev"), "--contract needs --contract-url"),
        (("--contract", "kirimdv", "--contract-url", "http://127.0.0.1:1"), "did you mean 'kirimdev'"),
        (
            ("--contract", "kirimdev", "--contract-url", "http://127.0.0.1:1", "--contract-check", "reed"),
            "no such check",
        ),
    ],
)
def test_a_mistake_on_the_command_line_is_a_usage_error(
    pytester: pytest.Pytester, arguments: tuple[str, ...], told: str
) -> None:
    result = run(pytester, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in result.stderr.str()


def test_another_machine_is_refused_unless_it_is_allowed(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--contract", "kirimdev", "--contract-url", "http://api.example.invalid",
                 "--contract-check", "head_is_get", "-x")  # fmt: skip
    result.stdout.fnmatch_lines(["*api.example.invalid is not this machine*", "*--contract-allow-remote*"])


def test_a_task_that_comes_to_nothing_is_skipped_with_its_reason(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_it=f"""
from contracts.testing.contracting.contract import apidouble_contract
from tests.planted_bugs.bakery import create_app

bakery = apidouble_contract({str(BAKERY / "openapi.yaml")!r}, app=create_app(), checks=["read_your_write"])
"""
    )
    result = run(pytester, "-k", "createCustomer", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*401*"])


def test_questions_fail_nothing_and_are_told_with_their_remedies(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_bakery=module(None))
    result = run(pytester, "-k", "agreement and customers")
    result.assert_outcomes(passed=1)
    lines = ["=* contract questions (*); they fail nothing =*", "*What would settle it:", "*target: *"]
    result.stdout.fnmatch_lines(lines)


def engaged(contract: Contract) -> Engagement:
    engagement = Engagement(prepared(contract, [Path.cwd()]))
    engagement.begin()
    return engagement


def task_of(engagement: Engagement, name: str) -> Task:
    return next(task for task in engagement.prepared.tasks if task.name == name)


def test_what_is_known_from_another_item_fails_and_is_told_in_short() -> None:
    app = create_app("errors_as_html")
    at = engaged(apidouble_contract(BAKERY / "openapi.yaml", seed=BAKERY / "seed.yaml", app=app, size=0.2,
                                    checks=["reply_media_type", "delete_is_final"],
                                    reset=app.extensions["bakery"].reset))  # fmt: skip
    task = task_of(at, "delete_is_final customers deleteCustomer")
    first, second = at.made(task, "the first"), at.made(task, "the second")
    assert {finding.check for finding in first.findings} == {"reply_media_type"}
    assert second.findings == ()
    assert second.again == tuple((finding, "the first") for finding in first.findings)
    told = result_text((), second.again, Telling(at.prepared.of.plan, (), "", ("pytest", "an[item]")))
    assert told.endswith("the first has found this before and shows it in full. To see it here, run this test alone:\n"
                         "  pytest 'an[item]'")  # fmt: skip


def test_what_was_created_in_an_open_world_is_deleted_at_the_end() -> None:
    app = create_app()
    at = engaged(apidouble_contract(BAKERY / "openapi.yaml", seed=BAKERY / "seed.yaml", app=app, size=0.2))
    result = at.made(task_of(at, "read_your_write products createProduct"), "a test")
    products = app.extensions["bakery"].tenants["north"].products
    assert result.findings == ()
    assert products
    assert at.end() == ()
    assert not products


def test_a_service_that_goes_away_is_told_once() -> None:
    with listening(create_app()) as url:
        at = engaged(apidouble_contract(BAKERY / "openapi.yaml", seed=BAKERY / "seed.yaml", url=lambda: url))
    result = at.made(task_of(at, "read_your_write products createProduct"), "a test")
    assert "gives no answer" in result.error
    with pytest.raises(Spent, match="gives no answer"):
        at.begin()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "needs a service"),
        ({"url": "http://localhost", "app": create_app()}, "has one service"),
        ({"app": create_app(), "closed": True}, "needs something that resets"),
        ({"app": create_app(), "seconds": 0}, "takes some time"),
        ({"app": create_app(), "size": 1000}, "no size"),
        ({"app": create_app(), "checks": "relation"}, "checks is a list"),
    ],
)
def test_a_contract_that_cannot_be_meant_is_refused_where_it_is_written(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        apidouble_contract("openapi.yaml", **given)


def test_a_function_may_make_the_application() -> None:
    made: list[str] = []

    def create() -> WSGIApplication:
        made.append("app")
        return create_app()

    contract = apidouble_contract(BAKERY / "openapi.yaml", app=create, seed=BAKERY / "seed.yaml")
    engagement = Engagement(prepared(contract, [Path.cwd()]))
    assert made == []
    engagement.begin()
    engagement.begin()
    assert made == ["app"]


def test_two_processes_do_not_reset_each_others_state(pytester: pytest.Pytester) -> None:
    with listening(create_app()) as url:
        result = pytester.runpytest_subprocess(
            "-n", "2", "-p", "no:schemathesis", *against(url), f"--contract-reset={url}/reset",
            "--contract-check=read_your_write", "--contract-check=list_shows_created", "--contract-include=*Product*",
        )  # fmt: skip
    assert set(result.parseoutcomes()) == {"passed"}
