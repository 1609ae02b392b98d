"""The pytest plugin: the ``mock_api`` fixture, its markers and options, and contract checks as test items.

pytest loads this module in every run in which apidouble is installed, so it imports nothing heavy until a test asks
for a double or a contract is collected. What it does is in ``contracts/testing``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterator
from contextvars import Token
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contracts.testing.doubles import MockApis, Wanted
    from contracts.testing.recording.records import Recording
    from contracts.testing.worker import Worker

_WORKER = pytest.StashKey["Worker"]()
_RECORDING = pytest.StashKey["Recording"]()
_APIS = pytest.StashKey["MockApis"]()
_DEFAULTS = pytest.StashKey[tuple[Token[Any], Token[Any]]]()
_DRIFT = "mock_api_drift"
_SERVICE = "replies that break the description"

_MARKER = (
    "mock_api(api, *, overlays, seed, seed_number, frozen_at, faults, allow_invalid): the API that mock_api() gives in "
    'this test, and how it is made; faults={"createCustomer": {"status": 503}} are set at its beginning; with '
    "allow_invalid=True requests that violate the description do not fail it"
)

_INI = {
    "mock_api": "the API that mock_api() gives: a pack's name, or the path of a description",
    "mock_api_seed": "the seed file that goes with it",
    "mock_api_seed_number": "the number that decides made-up values",
    "mock_api_frozen_at": "the moment (RFC 3339) at which its clock stands still",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini values."""
    for name, told in _INI.items():
        parser.addini(name, told)
    parser.addini("mock_api_overlays", "overlays that are laid over it", type="linelist")
    parser.addini("mock_api_recordings", "the folder of recordings, below the root folder", default="recordings")
    parser.addini("mock_api_drift", "what comes of drift from recordings: report or fail", default="report")
    group = parser.getgroup("mock_api", "doubles of APIs")
    group.addoption("--mock-api-record", action="append", default=[], metavar="[NAME=]URL",
                    help="Run the tests against the real service at URL, and record what it answers.")  # fmt: skip
    group.addoption("--mock-api-record-header", action="append", default=[], metavar="'NAME: VALUE'",
                    help="Goes to the real service in place of the double's credentials; ${VAR} is taken from the "
                    "environment.")  # fmt: skip
    group.addoption("--mock-api-record-credential", action="append", default=[], metavar="'NAME=HEADER: VALUE'",
                    help="What stands there for the double's credential of a name; API/NAME where several APIs are "
                    "recorded.")  # fmt: skip
    from contracts.testing.contracting.options import add_options

    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Registers the markers."""
    from contracts.testing.contracting.default import default_api, root_folder
    from contracts.testing.contracting.options import MARKERS

    for line in (_MARKER, *MARKERS):
        config.addinivalue_line("markers", line)
    if config.getini("mock_api_drift") not in {"report", "fail"}:
        raise pytest.UsageError(f"mock_api_drift is report or fail, got {config.getini('mock_api_drift')!r}")
    config.stash[_DEFAULTS] = default_api.set(config.getini("mock_api") or None), root_folder.set(config.rootpath)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops the live server, if there is one; a run inside this process leaves nothing behind."""
    for token in config.stash.get(_DEFAULTS, ()):
        token.var.reset(token)
    worker = config.stash.get(_WORKER, None)
    if worker is not None:
        worker.close()


# Doubles


@pytest.fixture
def mock_api(request: pytest.FixtureRequest) -> Iterator[MockApis]:
    """Doubles of APIs, isolated for this test: ``api = mock_api("openapi.yaml")``, or a pack by its name."""
    from contracts.testing.doubles import MockApis

    config = request.config
    recording = _recording(config)
    apis = MockApis(_worker(config), _wanted(request.node, config), [request.path.parent, config.rootpath],
                    recorder=recording.recorder if recording is not None else None)  # fmt: skip
    request.node.stash[_APIS] = apis
    yield apis
    apis.leave()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """Skips a test whose fixtures want of the real service what only a double can do."""
    return (yield from _skipping_while_recording(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fails a test that passed, if what it did to its doubles is wrong; else adds to its report what they saw."""
    try:
        result = yield from _skipping_while_recording(item)
    except pytest.skip.Exception:
        raise
    except BaseException:
        told = _verdict(item)
        if told:
            item.add_report_section("call", "mock_api", "\n\n".join(told))
        raise
    told = _verdict(item)
    if told:
        pytest.fail("\n\n".join(told), pytrace=False)
    _record_or_compare(item)
    return result


def _skipping_while_recording(item: pytest.Item) -> Generator[None, Any, Any]:
    if not item.config.option.mock_api_record:
        return (yield)
    from contracts.testing.recording.records import NotWhileRecording, Unreachable, failure

    try:
        result = yield
    except NotWhileRecording as reason:
        pytest.skip(str(reason))
    except Unreachable as error:
        pytest.fail(str(error), pytrace=False)
    apis = item.stash.get(_APIS, None)
    failed = failure(apis) if apis is not None else None
    if isinstance(failed, NotWhileRecording):
        pytest.skip(str(failed))
    if failed is not None:
        pytest.fail(str(failed), pytrace=False)
    return result


def _verdict(item: pytest.Item) -> tuple[str, ...]:
    apis = item.stash.get(_APIS, None)
    return apis.verdict() if apis is not None else ()


def _record_or_compare(item: pytest.Item) -> None:
    """Keeps what the real service answered, or holds what the double did against what was kept."""
    apis, config = item.stash.get(_APIS, None), item.config
    if apis is None:
        return
    recording, folder = _recording(config), _folder(config)
    if recording is not None:
        for told in recording.keep(item.nodeid, apis):
            item.add_report_section("call", _SERVICE, told)
    elif folder.is_dir():
        from contracts.testing.recording.records import as_json, drifted

        found = tuple(drifted(folder, item.nodeid, apis))
        item.user_properties += [(_DRIFT, json.dumps(as_json(one))) for one in found]
        if found and config.getini("mock_api_drift") == "fail":
            pytest.fail("\n".join(map(str, found)), pytrace=False)


def _worker(config: pytest.Config) -> Worker:
    found = config.stash.get(_WORKER, None)
    if found is None:
        from contracts.testing.worker import Worker

        cache = getattr(config, "cache", None)  # there is none with -p no:cacheprovider
        found = config.stash[_WORKER] = Worker(cache=cache.mkdir("apidouble") if cache is not None else None)
    return found


def _folder(config: pytest.Config) -> Path:
    return config.rootpath / str(config.getini("mock_api_recordings"))


def _recording(config: pytest.Config) -> Recording | None:
    """What records in this run, None where nothing does."""
    given = config.option
    if not given.mock_api_record:
        return None
    found = config.stash.get(_RECORDING, None)
    if found is None:
        from contracts.testing.recording.records import Recording

        found = config.stash[_RECORDING] = Recording(
            given.mock_api_record,
            _folder(config),
            headers=given.mock_api_record_header,
            credentials=given.mock_api_record_credential,
        )
    return found


def _wanted(item: pytest.Item, config: pytest.Config) -> Wanted:
    """What the markers of a test say, the closest first, then the ini file."""
    from contracts.testing.doubles import Wanted
    from mock_server.errors import ApidoubleError

    given: dict[str, Any] = {}
    for marker in item.iter_markers("mock_api"):
        if len(marker.args) > 1:
            raise pytest.UsageError(f"{item.nodeid}: the marker mock_api takes one API, got {marker.args!r}")
        said = {**({"api": marker.args[0]} if marker.args else {}), **marker.kwargs}
        if said.get("api", given.get("api")) == given.get("api", said.get("api")):
            given = {**said, **given}  # else it is about another API
    if "api" not in given:  # the ini file tells how its own API is made
        given = {**_ini(config), **given}
    try:
        return Wanted.of(given)
    except ApidoubleError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from None


def _ini(config: pytest.Config) -> dict[str, Any]:
    said: dict[str, Any] = {name.removeprefix("mock_api_"): config.getini(name) for name in _INI}
    said["api"] = said.pop("mock_api")
    said["overlays"] = config.getini("mock_api_overlays")
    number = said["seed_number"]
    if number:
        if not number.lstrip("-").isdecimal():
            raise pytest.UsageError(f"mock_api_seed_number is a whole number, got {number!r}")
        said["seed_number"] = int(number)
    return {name: value for name, value in said.items() if value}


# Contracts


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> pytest.Collector | None:
    """The collector of a contract, for a variable that is one."""
    module = sys.modules.get("contracts.testing.contracting.contract")  # without which no contract was made
    if module is None or not isinstance(obj, module.Contract):
        return None
    from contracts.testing.contracting.items import collected

    return collected(collector, name, obj)


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leaves the suite alone where ``--contract`` is given without a path to run."""
    alone = config.option.contract is not None and config.args_source is not pytest.Config.ArgsSource.ARGS
    return True if alone else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the items of ``--contract``; before ``-k``, ``--lf`` and the like choose among them."""
    if config.option.contract is not None:
        from contracts.testing.contracting.items import command_line_items

        items += command_line_items(config, session)


# The end of a run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What drifted, what the real service did wrong, and what contract items have to ask."""
    spread = terminalreporter.config.pluginmanager.hasplugin("dsession")  # over xdist's workers
    if spread or "contracts.testing.contracting.items" in sys.modules:
        from contracts.testing.contracting.items import tell_questions

        tell_questions(terminalreporter)
    reports = [report for reports in terminalreporter.stats.values() for report in reports
               if isinstance(report, pytest.TestReport) and report.when == "call"]  # fmt: skip
    drifts = [(report.nodeid, json.loads(str(value)))
              for report in reports for name, value in report.user_properties if name == _DRIFT]  # fmt: skip
    if drifts:
        from contracts.testing.recording.records import summary

        terminalreporter.write_sep("=", "mock_api: the double has drifted from what was recorded")
        terminalreporter.write_line(summary(drifts))
    told = dict.fromkeys(text for report in reports for name, text in report.sections if name.endswith(_SERVICE))
    if told:
        terminalreporter.write_sep("=", f"mock_api: {_SERVICE}")
        for text in told:
            terminalreporter.write_line(text)
