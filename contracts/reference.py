"""The reference page of the checks, made from their register so that the two cannot differ."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.checks.registry import Check, Family, all_checks

FAULTS = {
    100: "HTTP status 500",
    101: "the reply does not match its schema",
    102: "success on invalid input",
    103: "a deleted resource is still accessible",
    104: "a failed creation has side effects",
    203: "mass assignment",
    204: "the existence of a protected resource leaks",
    205: "wrongly not recognized as authenticated",
    206: "an authorization check is missing",
    207: "a protected resource is accessible without authentication",
    208: "anonymous modifications",
    209: "a stack trace leaks",
    210: "a hidden endpoint is accessible",
}
"""The titles of the fault codes that checks name (Web Fuzzing Commons)."""

_FAMILIES = {
    Family.CONFORMANCE: "One exchange against the description. Every reply that any check receives is judged so.",
    Family.AGREEMENT: "Sequences of requests against what the model predicts, which the double answers with.",
    Family.RELATION: "Exchanges against each other. The model predicts nothing here, so its mistakes cannot hide.",
    Family.WORKFLOW: "Documented stories in several steps (Arazzo).",
    Family.WEBHOOK: "What the service sends by itself.",
    Family.EXCHANGE: "Transcripts, written by hand from the vendor's document.",
}

_HEAD = """# The checks

What `apidouble check` holds a service against. `--check` and `--skip` take the names of checks and of families.

A finding says who is likely wrong. Only one about the **service** fails a run; one about the **double** is a guess of
the model that the description does not back, one about the **description** a contradiction in it: both are questions.
Fault codes are those of the [Web Fuzzing Commons](https://github.com/WebFuzzing/Commons), where a check shows one.

This page is generated from the register of checks by `python -m contracts.reference`.
"""


def checks_page() -> str:
    """The page as Markdown."""
    return "\n".join([_HEAD, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    checks = all_checks().values()
    for family in Family:
        own = [check for check in checks if check.family is family]
        if own:
            yield f"## {family.title()}\n"
            yield f"{_FAMILIES[family]}\n"
            for check in own:
                yield from _entry(check)


def _entry(check: Check) -> Iterator[str]:
    yield f"### {check.name}\n"
    yield f"{_sentence(check.summary)}\n"
    yield f"- Source: {check.source}"
    if check.fault is not None:
        yield f"- Fault: F{check.fault}, {FAULTS[check.fault]}"
    if check.example:
        yield f"- Finds, for example: {check.example}"
    yield ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


if __name__ == "__main__":
    import sys

    sys.stdout.write(checks_page())
