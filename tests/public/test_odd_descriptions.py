"""Odd descriptions of our own: every operation answers with a success that openapi-core accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.public.exercising import Exercise

FOLDER = Path(__file__).parent / "odd"
DESCRIPTIONS = (*sorted(FOLDER.glob("*.yaml")), FOLDER / "split" / "openapi.yaml")

ONLY_REFUSALS = {("only_default", "getServerError"), ("only_default", "getTeapot")}
"""Operations that describe nothing but a refusal, and so answer with it."""

EXCEPTIONS = {
    ("dynamic_references", "getTrees"): "openapi-core looks for $dynamicAnchor at the root of the document alone",
}
"""Operations whose answers openapi-core does not accept, and why ours is right all the same."""


def called(description: Path) -> str:
    return description.parent.name if description.stem == "openapi" else description.stem


@pytest.mark.parametrize("description", DESCRIPTIONS, ids=called)
def test_every_operation_of_an_odd_description_answers_as_described(description: Path) -> None:
    name = called(description)
    answers = list(Exercise(description).answers())
    refused = {(name, answer.operation_id) for answer in answers if not answer.succeeded}
    complaints = {
        (name, answer.operation_id): (answer.request.target, answer.complaint)
        for answer in answers
        if answer.complaint is not None
    }
    assert answers
    assert {key: why for key, why in complaints.items() if key not in EXCEPTIONS} == {}
    assert {key for key in EXCEPTIONS if key[0] == name} <= complaints.keys(), "an exception that nothing needs"
    assert refused == {key for key in ONLY_REFUSALS if key[0] == name}


def test_there_are_enough_odd_descriptions() -> None:
    assert len(DESCRIPTIONS) >= 25
