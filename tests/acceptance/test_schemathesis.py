"""An outside judge: Schemathesis' own command line, all checks and phases, against everything we serve.

``schemathesis.yaml`` has what each description needs, and an argument for every finding that we stand by. By default
the runs are small. ``APIDOUBLE_SCHEMATHESIS=50`` is the full size: that many examples, of every operation.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mock_server import MockServer, Options, pack, pack_names
from tests.acceptance import schemathesis_runs as runs

SHOP = Path(__file__).parent / "descriptions" / "shop.yaml"
FULL = os.environ.get("APIDOUBLE_SCHEMATHESIS")
EXAMPLES = int(FULL or 5)


@pytest.mark.parametrize("name", ["shop", *pack_names()])
def test_schemathesis_finds_nothing_that_is_not_argued(name: str, tmp_path: Path) -> None:
    source = SHOP if name == "shop" else pack(name)
    settings, arguments = runs.settings(name), runs.arguments(name)
    with MockServer(source, options=Options(limits=False)) as server:
        found = runs.judged(server, tmp_path, settings=settings, examples=EXAMPLES, sampled=not FULL)
    assert not found.broken, "\n".join(found.broken)
    left = runs.unargued(found.findings, arguments)
    assert not left, "\n".join(map(str, left))
    assert found.cases > 50
    if FULL:
        assert not runs.idle(found.findings, arguments)
        assert runs.never_accepted(found, server) == settings.never_accepted


def test_every_pack_has_settings_and_every_argument_a_run() -> None:
    assert {"shop", *pack_names()} >= runs.argued_runs()
    assert {"shop", *pack_names()} >= set(runs.names()) >= runs.argued_runs()
