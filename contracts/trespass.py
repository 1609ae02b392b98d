"""Requests that must be refused: who makes them, and whether they had an effect all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from contracts.checks.registry import Check
from contracts.drafting import Draft, Wishes
from contracts.exchanges import carried
from contracts.findings import Difference
from contracts.hunting import Inapplicable
from contracts.pool import Item
from contracts.relations import Subject
from contracts.roster import WRITING, Roles, Roster, behaviour_of
from contracts.service import Caller, Recorded, same_json
from contracts.trial import Trial
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError
from mock_server.exchange.requests import value_schema
from mock_server.openapi.compile import Api
from mock_server.openapi.description import Operation, SecurityRequirement
from mock_server.openapi.values import Direction, Json

_MADE_UP = "apidouble-made-up-credential"
_KEYS: tuple[Json, ...] = ("1", 1, "00000000-0000-4000-8000-000000000001", "a")


def guarded(operation: Operation) -> bool:
    """Whether an operation wants a credential: it has security, and no alternative without any."""
    return bool(operation.security) and all(operation.security)


def guarded_subjects(roster: Roster) -> Iterator[Subject]:
    """Every operation that wants a credential."""
    for operation_id in roster.operations:
        if guarded(roster.model.api.operation(operation_id)):
            yield Subject(operation_id, (operation_id,), roster.of(operation_id))


def made_up(api: Api, operation: Operation) -> Caller | None:
    """A caller whose credential nobody gave out, in the form that an operation's security has."""
    for requirement in operation.security:
        headers: dict[str, str] = {}
        query: dict[str, str] = {}
        try:
            for scheme, _ in requirement:
                sent = carried(api.security_schemes[scheme.name], _MADE_UP)
                headers |= sent.headers
                query |= sent.query
        except ConfigurationError:
            continue
        return Caller("made up", headers, query, frozenset(scheme.name for scheme, _ in requirement), valid=False,
                      why="nobody gave it out")  # fmt: skip
    return None


def lacking(operation: Operation, callers: Sequence[Caller]) -> list[Caller]:
    """The valid callers who are known not to have the scopes that an operation's security asks for."""
    return [
        caller
        for caller in callers
        if caller.valid
        and caller.principal is not None
        and caller.principal.scopes is not None
        and any({scheme.name for scheme, _ in requirement} <= caller.schemes for requirement in operation.security)
        and not any(_grants(caller, requirement) for requirement in operation.security)
    ]


def _grants(caller: Caller, requirement: SecurityRequirement) -> bool:
    """Whether a caller may be granted one alternative; scopes may be patterns (``*``, ``orders:*``)."""
    held = caller.principal.scopes if caller.principal is not None else None
    if held is None:
        return True
    known = {scheme.name for scheme, _ in requirement} <= caller.schemes
    needed = [scope for _, scopes in requirement for scope in scopes]
    return known and all(any(fnmatchcase(scope, pattern) for pattern in held) for scope in needed)


@dataclass(frozen=True, slots=True)
class Target:
    """What a request that must be refused is about: ``item`` where one is known."""

    operation_id: str
    item: Item | None
    roles: Roles | None


def target(trial: Trial, subject: Subject) -> Target:
    """Something that really exists for an operation to be about, made where that is possible."""
    operation_id = subject.operations[-1]
    meaning = trial.roster.meaning(operation_id)
    item = None
    try:
        if subject.roles is not None and (meaning.key_parameter is not None or subject.roles.resource.parents):
            item = trial.item(subject.roles)
        else:
            trial.prepare(operation_id)
    except Inapplicable:
        item = None
    return Target(operation_id, item, subject.roles)


def addressed(trial: Trial, about: Target, caller: Caller | None) -> Draft:
    """The request as a caller (None: nobody) sends it; of keys that may not exist where nothing is known."""
    wishes = Wishes(caller=caller, item=about.item)
    try:
        return trial.draft(about.operation_id, wishes)
    except Inapplicable:
        values: dict[tuple[str, str], Json] = {}
        for parameter in trial.drafter.api.operation(about.operation_id).parameters:
            if parameter.location == "path":
                schema = value_schema(parameter)
                fitting = (key for key in _KEYS if schema is None or schema.accepts(key, Direction.REQUEST))
                values[("path", parameter.name)] = next(fitting, "1")
        return trial.draft(about.operation_id, replace(wishes, item=None, values=values))


def refused(trial: Trial, check: Check, about: Target, caller: Caller | None, who: str) -> None:
    """Sends a request that must be refused: a success is a finding, and so is an effect on the item."""
    before = shown_now(trial, about)
    recorded = trial.send(addressed(trial, about, caller))
    if recorded.ok:
        trial.broken(check, f"{about.operation_id} answers {recorded.status} to {who}",
                     Difference("status", 401, recorded.status, ""))  # fmt: skip
        return
    if before is None:
        return
    after = shown_now(trial, about)
    if after is not None and not alike(trial, about, before, after):
        trial.broken(check, f"{about.operation_id} is refused to {who}, and takes effect all the same",
                     Difference("effect", before.status, after.status, ""), about=recorded)  # fmt: skip


def shown_now(trial: Trial, about: Target) -> Recorded | None:
    """How the item reads to those who may see it; None where nobody may, or where nothing could change it."""
    meaning = trial.roster.meaning(about.operation_id)
    writes = behaviour_of(meaning, trial.roster.model) in WRITING
    if about.item is None or about.roles is None or not about.roles.reads or not writes:
        return None
    try:
        recorded = trial.send(trial.about(about.item, about.roles.reads[0], Wishes(lean=True)))
    except Inapplicable:
        return None
    return recorded if recorded.ok or recorded.status in {404, 410} else None


def alike(trial: Trial, about: Target, before: Recorded, after: Recorded) -> bool:
    """Whether an item reads the same twice, but for what changes by itself."""
    if before.ok is not after.ok:
        return False
    first, second = trial.representation(before), trial.representation(after)
    if not isinstance(first, dict) or not isinstance(second, dict) or about.roles is None:
        return True
    timed = trial.timed(about.roles.resource)
    return all(same_json(value, second.get(name)) for name, value in first.items() if name not in timed)
