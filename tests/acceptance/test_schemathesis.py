"""An outside judge: Schemathesis' own command line, all checks and phases, against everything we serve.

``schemathesis.yaml`` has what each description needs, and an argument for every finding that we stand by. By default
the runs are small. ``APIDOUBLE_SCHEMATHESIS=50`` is the full size: that many examples, of every operation.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mock_server import MockServer, Options, pack, pack_names
from tests.acceptance import schemathesis_runs as runs

SHOP = Path(__file__).parent / "descriptions" / "shop.yaml"
FULL = os.environ.get("APIDOUBLE_SCHEMATHESIS")
EXAMPLES = int(FULL or 3)
SMALL = ("shop", "cloudvelous-crm", "kirimdev")
"""Those of a small run; ``test_checks_hold.py`` runs Schemathesis' engine against every pack."""
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
"""When it is during a run: always the same, so that a run is like any other."""


@pytest.mark.parametrize("name", ["shop", *pack_names()] if FULL is not None else SMALL)
def test_schemathesis_finds_nothing_that_is_not_argued(name: str, tmp_path: Path) -> None:
    description = SHOP if name == "shop" else pack(name).description
    settings, arguments = runs.settings(name), runs.arguments(name)
    with MockServer(
        SHOP if name == "shop" else pack(name), options=Options(limits=False, clock=lambda: NOON)
    ) as server:
        found = runs.judged(description, server, tmp_path, settings=settings, examples=EXAMPLES, sampled=FULL is None)
        assert not found.broken, "\n".join(found.broken)
        left = runs.unargued(found.findings, arguments)
        assert not left, "\n".join(map(str, left))
        assert found.cases > 50
        if FULL is not None:
            idle = runs.idle(found.findings, arguments)
            assert not idle, "no finding needs these any more:\n" + "\n".join(idle)
            never = runs.never_accepted(found, server)
            assert never == settings.unaccepted.keys(), "\n".join(sorted(never ^ settings.unaccepted.keys()))


def test_schemathesis_is_told_of_nothing_that_is_not_there() -> None:
    assert runs.names() <= {"shop", *pack_names()}
