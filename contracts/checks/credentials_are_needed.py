"""What is described to want a credential is refused without one, and with one that nobody gave out."""

from __future__ import annotations

from contracts.checks.registry import Family, check
from contracts.relations import Subject, relation
from contracts.trespass import guarded_subjects, made_up, refused, target
from contracts.trial import Trial

CHECK = check(
    "credentials_are_needed",
    Family.RELATION,
    summary="An operation with security is refused without a credential and with a made-up one, and changes nothing.",
    source="OpenAPI 3.1 §4.8.30 (security); RFC 9110 §15.5.2",
    fault=207,
    example="an update that anybody may make",
)


@relation(CHECK, guarded_subjects, examples=3)
def nobody_is_refused(trial: Trial, subject: Subject) -> None:
    """Asks as nobody, and with a made-up credential where a real one is known (else none can be told from it)."""
    operation_id = subject.operations[-1]
    operation = trial.drafter.api.operation(operation_id)
    about = target(trial, subject)
    forged = made_up(trial.drafter.api, operation)
    told = forged is not None and any(caller.valid for caller in trial.drafter.callers)
    if told and trial.flag():
        refused(trial, CHECK, about, forged, "a credential that nobody gave out")
    else:
        refused(trial, CHECK, about, None, "nobody in particular")
