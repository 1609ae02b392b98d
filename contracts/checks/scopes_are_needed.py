"""A caller without the scopes that an operation's security asks for is refused."""

from __future__ import annotations

from contracts.bench import Bench
from contracts.checks.registry import Family, check
from contracts.relations import Subject, relation
from contracts.trespass import guarded_subjects, lacking, refused, target
from contracts.trial import Trial

CHECK = check(
    "scopes_are_needed",
    Family.RELATION,
    summary="A caller whose scopes do not cover what an operation's security asks for is refused.",
    source="OpenAPI 3.1 §4.8.30 (security); RFC 6750 §3.1",
    fault=206,
    example="a token for reading that may delete",
)


def _applies(bench: Bench, subject: Subject) -> bool:
    return bool(lacking(bench.served.api.operation(subject.operations[-1]), bench.drafter.callers))


@relation(CHECK, guarded_subjects, examples=4, applies=_applies)
def others_are_refused(trial: Trial, subject: Subject) -> None:
    """Asks as a caller who is known to lack a scope."""
    operation_id = subject.operations[-1]
    callers = lacking(trial.drafter.api.operation(operation_id), trial.drafter.callers)
    caller = trial.choice(callers)
    refused(trial, CHECK, target(trial, subject), caller, f"{caller.name}, who has not the scopes that it wants")
