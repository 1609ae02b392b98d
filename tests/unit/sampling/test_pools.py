"""The values that samples are drawn from are Faker's."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import orjson
import pytest

from mock_server.sampling import scene
from mock_server.sampling.faking import PROVIDERS, drawn_pools

FILE = orjson.loads(Path(scene.__file__).with_name("pools.json").read_bytes())


@pytest.mark.skipif(version("faker") != FILE["faker"], reason="another version of Faker draws other values")
def test_pools_are_what_faker_draws() -> None:
    assert FILE["pools"] == drawn_pools()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_kind_has_a_pool_of_texts(provider: str) -> None:
    values = scene.pool(provider)
    assert len(values) == 97
    assert all(values)
