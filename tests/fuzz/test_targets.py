"""The fuzz targets over their seeds and some random bytes, cheap and always; under atheris they go further."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import description_loader, request_parser
from tests.fuzz.driving import seeds

FULL = int(os.environ.get("APIDOUBLE_FUZZ", "0"))
"""Random inputs for each target; by default a few."""

LOADER_SEEDS = seeds(description_loader.CORPUS)
REQUEST_SEEDS = seeds(request_parser.CORPUS)


@pytest.mark.parametrize("seed", LOADER_SEEDS, ids=lambda seed: seed.name)
def test_loader_answers_a_seed_with_its_own_errors_alone(seed: Path) -> None:
    description_loader.one_input(seed.read_bytes())


@pytest.mark.parametrize("seed", REQUEST_SEEDS, ids=lambda seed: seed.name)
def test_line_answers_a_seed_without_failing(seed: Path) -> None:
    request_parser.one_input(seed.read_bytes())


def test_loader_answers_random_changes_with_its_own_errors_alone() -> None:
    random = Random(1)
    for _ in range(FULL or 25):
        description_loader.one_input(bytes([2]) + random.randbytes(random.randrange(2, 40)))


def test_loader_answers_changed_seeds_with_its_own_errors_alone() -> None:
    random = Random(2)
    for _ in range(FULL or 60):
        description_loader.one_input(_changed(random.choice(LOADER_SEEDS).read_bytes(), random))


def test_line_answers_random_requests_without_failing() -> None:
    random = Random(3)
    for _ in range(FULL or 300):
        request_parser.one_input(random.randbytes(random.randrange(2, 80)))


def _changed(data: bytes, random: Random) -> bytes:
    """Some bytes with one to four of them replaced, put in or left out; the first, which says what they are, stays."""
    changed = bytearray(data)
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(1, max(2, len(changed)))
        match random.randrange(3):
            case 0:
                changed[at : at + 1] = random.randbytes(1)
            case 1:
                changed[at:at] = random.randbytes(random.randrange(1, 4))
            case _:
                del changed[at : at + random.randrange(1, 4)]
    return bytes(changed)
