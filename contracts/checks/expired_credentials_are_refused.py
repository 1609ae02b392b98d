"""A credential that has expired, or was revoked, is refused."""

from __future__ import annotations

from contracts.checks.registry import Family, check
from contracts.relations import Subject, relation
from contracts.trespass import guarded_subjects, refused, target
from contracts.trial import Trial

CHECK = check(
    "expired_credentials_are_refused",
    Family.RELATION,
    summary="A credential that is known to be no longer valid is refused.",
    source="RFC 6750 §3.1: invalid_token; RFC 9110 §15.5.2",
    fault=207,
    example="a token whose expiry nobody looks at",
)


@relation(CHECK, guarded_subjects, examples=3)
def what_is_over_is_refused(trial: Trial, subject: Subject) -> None:
    """Asks with a credential that must be refused."""
    operation = trial.drafter.api.operation(subject.operations[-1])
    over = [
        caller
        for caller in trial.drafter.callers
        if not caller.valid
        and any({scheme.name for scheme, _ in requirement} <= caller.schemes for requirement in operation.security)
    ]
    if not over:
        trial.give_up("no credential is known that is no longer valid")
    caller = trial.choice(over)
    why = f" ({caller.why})" if caller.why else ""
    refused(trial, CHECK, target(trial, subject), caller, f"{caller.name}, which is not valid{why}")
