"""From the validator's errors to violations that a person can act on.

The words for each keyword are in explanations.py, the choice among the branches of a oneOf or anyOf in
branches.py; here is what is left out, in which order violations come, and how many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import orjson
from jsonschema_rs import ValidationError

from mock_server.openapi.branches import Choice, choose
from mock_server.openapi.bundle import Bundle
from mock_server.openapi.explanations import EXPLAINED, Fault, declared_properties, not_of_type, not_one_of
from mock_server.openapi.values import Json, Violation
from mock_server.openapi.wording import label, listed

LIMIT = 50
"""The most violations that one value is told about."""

DEEPEST = 100
"""How deep a value may be nested and still be explained; errors take time cubic in the depth."""


LARGEST = 10_000
"""How many parts a value may have and still be told every violation, each of which takes 20 microseconds."""

FEW = 100
"""The same where a pattern may backtrack, which takes ten milliseconds until its budget is spent."""


def explain(
    errors: Iterable[ValidationError], bundle: Bundle, value: Json, *, where: str, name: str | None
) -> tuple[Violation, ...]:
    """The violations behind the validator's errors about ``value``: at most ``LIMIT``, none of them twice."""
    faults = [Fault(error, bundle, value, where, name) for error in islice(errors, LIMIT)]
    return tuple(islice(_distinct(_explained(faults)), LIMIT))


def unencodable(error: UnicodeEncodeError, *, where: str, name: str | None) -> Violation:
    """The violation of a text that has no UTF-8 form, such as half a surrogate pair (RFC 8259 §8.2)."""
    return Violation(
        where=where,
        pointer="",
        keyword="encoding",
        got=f"U+{ord(error.object[error.start]):04X}",
        expected="Unicode text",
        message="contains a lone surrogate, which no UTF-8 text can hold",
        name=name,
    )


def is_slight(value: Json, *, depth: int, parts: int) -> bool:
    """Whether a value's text alone shows that it is neither deeper nor has more parts; quicker than counting them."""
    try:
        text = orjson.dumps(value)
    except TypeError:  # an integer beyond 64 bits, or half a surrogate pair
        return False
    return len(text) <= 2 * parts and text.count(b"[") + text.count(b"{") <= depth


def is_deeper(value: Json, *, than: int) -> bool:
    """Whether arrays and objects are nested more than ``than`` levels deep in ``value``."""
    level = [value]
    for _ in range(than + 1):
        level = [
            child
            for here in level
            if isinstance(here, dict | list)
            for child in (here.values() if isinstance(here, dict) else here)
        ]
        if not level:
            return False
    return True


def is_larger(value: Json, *, than: int) -> bool:
    """Whether ``value`` has more than ``than`` members and items, at all depths together."""
    pending = [value]
    while pending and than >= 0:
        here = pending.pop()
        if isinstance(here, dict | list):
            than -= len(here)
            if than >= 0:
                pending += here.values() if isinstance(here, dict) else here
    return than < 0


def too_deep(*, where: str, name: str | None) -> Violation:
    """The violation of a value that is wrong somewhere, and nested too deep for saying where."""
    return Violation(
        where=where,
        pointer="",
        keyword="depth",
        got=None,
        expected=DEEPEST,
        message=f"is not valid, and nested more than {DEEPEST} levels deep: nothing closer can be said",
        name=name,
    )


def _explained(faults: Sequence[Fault]) -> Iterator[Violation]:
    """The violations of faults found together, less those that only echo another."""
    mistyped = {tuple(fault.path) for fault in faults if fault.keyword == "type"}
    for fault in faults:
        if mistyped and fault.keyword in {"enum", "const"} and tuple(fault.path) in mistyped:
            continue
        if fault.keyword == "unevaluatedProperties" and len(faults) > 1 and _is_echo(fault):
            continue
        if fault.keyword in {"anyOf", "oneOf"}:
            yield from _branches(fault)
        elif fault.keyword == "propertyNames":
            inner = fault.facts["error"]
            yield from _explained([replace(fault, error=inner, property_name=inner.instance)])
        elif fault.keyword in EXPLAINED:
            yield from EXPLAINED[fault.keyword](fault)
        else:
            yield fault.violation(fault.error.message, expected=None)


def _is_echo(fault: Fault) -> bool:
    """Whether properties count as unevaluated only because the subschema that declares them has failed."""
    return set(fault.facts["unexpected"]) <= set(declared_properties(fault.schema(), fault.bundle))


def _distinct(violations: Iterable[Violation]) -> Iterator[Violation]:
    seen: set[tuple[str, str, str]] = set()
    for violation in violations:
        key = (violation.pointer, violation.keyword, violation.message)
        if key not in seen:
            seen.add(key)
            yield violation


def _branches(fault: Fault) -> Iterator[Violation]:
    owner = fault.schema()
    branches = owner[fault.keyword]
    failures: list[list[ValidationError]] = fault.facts["context"]
    labels = [
        label(branch, fault.bundle, otherwise=f"option {number}") for number, branch in enumerate(branches, start=1)
    ]
    matched = [name for name, errors in zip(labels, failures, strict=True) if not errors]
    if matched:
        message = f"is valid as {' and as '.join(matched)}, but exactly one of {listed(labels)} may apply"
        yield fault.violation(message, expected=labels)
        return
    choice = choose(owner, branches, failures, fault.value, fault.bundle, depth=len(fault.path))
    if choice.index is None:
        yield _undecided(fault, choice)
        return
    assumed = fault.assumed
    if choice.assumed:
        assumed = f"{assumed}, {labels[choice.index]}" if assumed else labels[choice.index]
    yield from _explained([replace(fault, error=error, assumed=assumed) for error in failures[choice.index]])


def _undecided(fault: Fault, choice: Choice) -> Violation:
    """The violation of a value that names no branch, or is of no branch's type."""
    allowed = list(choice.allowed)
    tag = choice.tag
    if tag is None:
        return fault.violation(not_of_type(fault.value, allowed), expected=allowed, keyword="type")
    if tag not in fault.value:
        message = f"{tag!r} is required, to tell {listed(allowed)} apart, but missing"
        return fault.violation(message, expected=allowed, keyword="discriminator")
    message = not_one_of(fault.value[tag], allowed)
    return fault.violation(message, expected=allowed, keyword="discriminator", below=(tag,))
