"""Descriptions that others published: each loads as it is, and openapi-core accepts the answer of every operation.

They are not part of the project. ``python -m tests.public.fetch`` brings them; what was not brought is skipped.
"""

from __future__ import annotations

import pytest

from tests.public.catalogue import Package, Published, catalogue
from tests.public.exercising import Exercise

DESCRIPTIONS = [(package, published) for package in catalogue() for published in package.descriptions]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "published"), DESCRIPTIONS, ids=[f"{package.name}:{each.path}" for package, each in DESCRIPTIONS]
)
def test_every_operation_of_a_public_description_answers_as_described(package: Package, published: Published) -> None:
    file = package.folder / published.path
    if not package.folder.is_dir():
        pytest.skip(f"{package.name} {package.version} is not there; fetch it with: {package.command}")
    answers = list(Exercise(file).answers())
    complaints = {
        answer.operation_id: (answer.request.target, answer.complaint)
        for answer in answers
        if answer.complaint is not None
    }
    assert answers
    assert {name: why for name, why in complaints.items() if name not in published.exceptions} == {}
    assert published.exceptions.keys() <= complaints.keys(), "an exception that nothing needs"
    succeeded = sum(answer.succeeded for answer in answers)
    assert succeeded >= 0.75 * len(answers), "described refusals are answers, but most operations should succeed"


def test_the_catalogue_is_wide_enough() -> None:
    assert len(DESCRIPTIONS) >= 40
    assert len({package.name for package in catalogue()}) >= 10


def test_exceptions_are_few_and_argued() -> None:
    exceptions = [why for _, published in DESCRIPTIONS for why in published.exceptions.values()]
    assert len(exceptions) <= len(DESCRIPTIONS) / 2
    assert all(len(why) > 20 for why in exceptions)
