"""A credential that has expired, or was revoked, is refused."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.bench import Bench
from contracts.checks.registry import Family, check
from contracts.relations import Subject, relation
from contracts.service import Caller
from contracts.trespass import guarded_subjects, refused, target
from contracts.trial import Trial
from mock_server.openapi.description import Operation

CHECK = check(
    "expired_credentials_are_refused",
    Family.RELATION,
    summary="A credential that is known to be no longer valid is refused.",
    source="RFC 6750 §3.1: invalid_token; RFC 9110 §15.5.2",
    fault=207,
    example="a token whose expiry nobody looks at",
)


def _over(operation: Operation, callers: Sequence[Caller]) -> list[Caller]:
    """The callers whose credentials an operation's security asks for and that are no longer valid."""
    return [
        caller
        for caller in callers
        if not caller.valid
        and any({scheme.name for scheme, _ in requirement} <= caller.schemes for requirement in operation.security)
    ]


def _applies(bench: Bench, subject: Subject) -> bool:
    return bool(_over(bench.served.api.operation(subject.operations[-1]), bench.drafter.callers))


@relation(CHECK, guarded_subjects, examples=3, applies=_applies)
def what_is_over_is_refused(trial: Trial, subject: Subject) -> None:
    """Asks with a credential that must be refused."""
    operation = trial.drafter.api.operation(subject.operations[-1])
    caller = trial.choice(_over(operation, trial.drafter.callers))
    why = f" ({caller.why})" if caller.why else ""
    refused(trial, CHECK, target(trial, subject), caller, f"{caller.name}, which is not valid{why}")
