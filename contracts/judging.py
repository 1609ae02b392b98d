"""Judging single exchanges: every reply that any check receives is held against the description at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from contracts.checks.registry import Check
from contracts.findings import Difference, Finding, Side
from contracts.service import Recorded
from mock_server.dataclass import dataclass
from mock_server.errors import Place
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation, Response
from mock_server.openapi.documents import Located

if TYPE_CHECKING:
    from contracts.judge import Judge  # openapi-core takes seconds to import


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange with what is known of it: its operation, and the described response that its status has."""

    api: Api
    operation: Operation
    response: Response | None
    recorded: Recorded
    judge: Judge | None

    def finding(
        self,
        check: Check,
        sentence: str,
        *differences: Difference,
        side: Side = Side.SERVICE,
        located: Located | None = None,
        notes: tuple[str, ...] = (),
        remedy: str = "",
    ) -> Finding:
        """A finding about this exchange; ``located`` is the place of the description, the operation's unless given."""
        return Finding(
            check.name,
            side,
            sentence,
            self.operation.id,
            (self.recorded,),
            differences,
            place_of(self.api, located if located is not None else self.operation.located),
            notes=notes,
            remedy=remedy,
        )


ReplyCheck: TypeAlias = Callable[[Exchange], Iterator[Finding]]

REPLY_CHECKS: dict[str, ReplyCheck] = {}
"""What judges every single exchange, by the name of its check."""


def judges_reply(check: Check) -> Callable[[ReplyCheck], ReplyCheck]:
    """Registers what judges an exchange for a check."""

    def register(judged: ReplyCheck) -> ReplyCheck:
        REPLY_CHECKS[check.name] = judged
        return judged

    return register


class Judges:
    """Judges the exchanges of one API by every reply check of ``checks``.

    ``judge`` is openapi-core's, None for descriptions that it cannot read.
    """

    def __init__(self, api: Api, *, judge: Judge | None, checks: frozenset[str]) -> None:
        self.api = api
        self.judge = judge
        self._checks = {name: judged for name, judged in REPLY_CHECKS.items() if name in checks}

    def __call__(self, recorded: Recorded) -> Iterator[Finding]:
        if recorded.operation_id is None:
            return
        path = recorded.request.target.partition("?")[0]
        if self.api.match(recorded.request.method, path).target not in {None, recorded.operation_id}:
            return  # an id that was drawn made this another operation's request (/users/me)
        operation = self.api.operation(recorded.operation_id)
        response = operation.response_for(recorded.status)
        exchange = Exchange(self.api, operation, response, recorded, self.judge)
        for judged in self._checks.values():
            yield from judged(exchange)


def place_of(api: Api, located: Located) -> Place:
    """The line of a described thing."""
    return api.documents.place(located.uri, located.pointer)
