"""Contracts as pytest items: one for each thing to be checked, under the variable that names the contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest._code.code import ReprExceptionInfo, ReprFileLocation, ReprTracebackNative, TerminalRepr

from contracts.extra import need_extra
from contracts.testing.contracting.contract import Contract
from contracts.testing.contracting.options import contract_of
from mock_server.errors import ApidoubleError

if TYPE_CHECKING:
    from contracts.bench import Task
    from contracts.testing.contracting.runs import Engagement, Result
    from contracts.testing.contracting.texts import Telling

QUESTION = "contract question"
NOTE = "contract note"
"""What the sections of reports are called that are told again at the end of a run."""


def collected(collector: pytest.Collector, name: str, contract: Contract) -> ContractCollector:
    """The collector of a contract that is a variable of a test module, for ``pytest_pycollect_makeitem``."""
    made: ContractCollector = ContractCollector.from_parent(collector, name=name, contract=contract)
    return made


def command_line_items(config: pytest.Config, session: pytest.Session) -> list[pytest.Item]:
    """The items of the contract that ``--contract`` names; none without it. ``UsageError`` for what cannot be used."""
    try:
        need_extra()
        contract = contract_of(config)
        if contract is None:
            return []
        name = Path(contract.description).stem or contract.description
        collector = ContractCollector.from_parent(session, name=name, nodeid=name, contract=contract)
        return list(collector.collect())
    except (ApidoubleError, pytest.Collector.CollectError) as error:
        raise pytest.UsageError(str(error)) from None


class Broken(Exception):
    """A test of a contract did not hold. ``first`` is its first finding in one line."""

    def __init__(self, text: str, *, first: str, path: str, line: int) -> None:
        self.text = text
        self.first = first
        self.path = path
        self.line = line
        super().__init__(first)


class ContractCollector(pytest.Collector):
    """One contract. Its items share the service, which is reached when the first of them begins."""

    def __init__(self, *, contract: Contract, **given: Any) -> None:
        super().__init__(**given)
        self.contract = contract
        self.engagement: Engagement | None = None
        self.last: ContractItem | None = None

    def collect(self) -> Iterator[ContractItem]:
        """An item for each task that the description gives rise to; nothing is sent."""
        try:
            need_extra()
        except ApidoubleError as error:
            raise self.CollectError(f"{self.name}: {error}") from None
        from contracts.testing.contracting.runs import Engagement, prepared  # brings Hypothesis and openapi-core

        named = isinstance(self.parent, pytest.Session)  # on the command line
        folders = [self.config.invocation_params.dir] if named else [self.path.parent, self.config.rootpath]
        try:
            ready = prepared(self.contract, folders)
        except ApidoubleError as error:
            raise self.CollectError(f"{self.name}: {error}") from None
        self.engagement = Engagement(ready)
        taken: dict[str, int] = {}
        for task in ready.tasks:
            name = name_of(task.name)
            taken[name] = taken.get(name, 0) + 1
            told = name if taken[name] == 1 else f"{name}-{taken[name]}"
            # Written out, so that what stands in brackets is taken for parameters, as it is when --lf reads it again.
            nodeid = f"{self.nodeid}::{told}"
            item: ContractItem = ContractItem.from_parent(self, name=told, nodeid=nodeid, task=task,
                                                          engagement=self.engagement)  # fmt: skip
            yield item

    def teardown(self) -> None:
        """Takes the service back to where it was."""
        for note in self.engagement.end() if self.engagement is not None else ():
            if self.last is not None:
                self.last.add_report_section("teardown", NOTE, note)


def name_of(task: str) -> str:
    """The name of a task's item: ``read_your_write[customers-createCustomer]``."""
    check, _, label = " ".join(task.replace("::", ":").split()).partition(" ")
    return f"{check}[{label.replace(' ', '-')}]" if label else check


class ContractItem(pytest.Item):
    """One task of a contract: it passes where the service holds, and comes to nothing where nothing can be tried."""

    parent: ContractCollector

    def __init__(self, *, task: Task, engagement: Engagement, **given: Any) -> None:
        super().__init__(**given)
        self.task = task
        self.engagement = engagement
        self.add_marker("contract")
        self.add_marker(f"contract_{task.family}")
        shared = engagement.contract.shared
        if shared is not None and self.config.pluginmanager.hasplugin("xdist"):
            self.add_marker(pytest.mark.xdist_group(name=shared))

    def setup(self) -> None:
        """Reaches the service, once for all items; where it cannot be used the first one says why."""
        from contracts.testing.contracting.runs import Spent

        self.parent.last = self
        try:
            for note in self.engagement.begin():
                self.add_report_section("setup", NOTE, note)
        except Spent as error:
            why = f"the service cannot be checked, as a test before has told: {error}"
            raise pytest.skip.Exception(why, _use_item_location=True) from None
        except ApidoubleError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None

    def runtest(self) -> None:
        """Makes the task; raises ``Broken`` with all that was found."""
        result = self.engagement.made(self.task, self.name)
        self.user_properties.append(("contract_seed", self.engagement.contract.seed_number))
        for finding in (*result.findings, *(each for each, _ in result.again)):
            self.user_properties.append(("contract_fingerprint", finding.fingerprint))
        self._ask(result)
        if result.error or result.findings or result.again:
            raise self._broken(result)
        if result.fruitless is not None:
            raise pytest.skip.Exception(result.fruitless, _use_item_location=True)

    def _ask(self, result: Result) -> None:
        """Keeps questions for the end of the run; they fail nothing."""
        from contracts.testing.contracting.texts import question_text

        for finding in result.questions:
            self.add_report_section("call", QUESTION, question_text(finding, self._telling()))

    def _broken(self, result: Result) -> Broken:
        from contracts.testing.contracting.texts import result_text, sentence

        telling = self._telling()
        text = result_text(result.findings, result.again, telling, error=result.error)
        found = next(iter([*result.findings, *(each for each, _ in result.again)]), None)
        place = found.place if found is not None else None
        path, line = (place.file, place.line or 1) if place is not None else (str(self.path), 1)
        return Broken(text, first=sentence(found) if found is not None else text.splitlines()[0], path=path, line=line)

    def _telling(self) -> Telling:
        from contracts.testing.contracting.texts import Telling

        at = self.engagement
        return Telling(at.prepared.of.plan, at.who.callers, at.base_url, self._command(), self.config.rootpath,
                       at.who.secrets, tests=self.config.get_verbosity() > 0)  # fmt: skip

    def _command(self) -> tuple[str, ...]:
        """The command that runs this item again."""
        nodeid = self.nodeid.partition("@http")[0]  # xdist adds the group
        if not isinstance(self.parent.parent, pytest.Session):
            return ("pytest", nodeid)
        told = self.config.invocation_params.args
        return ("pytest", *map(str, told), "-k", self.name)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        """The findings, without a traceback of ours."""
        error = excinfo.value
        if not isinstance(error, Broken):
            return super().repr_failure(excinfo, style)
        crash = ReprFileLocation(self._relative(error.path), error.line, error.first)
        return ReprExceptionInfo(ReprTracebackNative([error.text + "\n"]), crash)

    def _relative(self, path: str) -> str:
        try:
            return Path(path).resolve().relative_to(self.config.rootpath).as_posix()
        except ValueError:
            return path

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the contract is written, and what the item is called."""
        return self.path, 0, f"{self.parent.name} {self.name}"


# The end of a run


def tell_questions(reporter: Any) -> None:
    """Writes what items had to ask and to note, each once, for ``pytest_terminal_summary``; works under xdist."""
    for key, title in ((QUESTION, "contract questions"), (NOTE, "contract notes")):
        told = {text.partition("\n")[0]: text for text in _sections(reporter, key)}
        if told:
            reporter.write_sep("=", f"{title} ({len(told)}); they fail nothing" if key == QUESTION else title)
        for text in told.values():
            reporter.write_line(text)


def _sections(reporter: Any, key: str) -> Iterable[str]:
    for reports in reporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "sections", ()):
                if name.startswith(f"Captured {key} "):
                    yield text
