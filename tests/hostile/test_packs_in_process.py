"""Whatever a pack is sent through its WSGI entry, it answers, never with an error of its own, and never by halves.

Hypothesis takes valid requests of the operations and spoils them. By default a few for some operations of each pack;
``APIDOUBLE_FUZZ=500`` sends that many sequences to all of them.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.oracle import judged
from tests.hostile.packs import FUZZ, attacked, every_pack
from tests.hostile.sent import Sent
from tests.hostile.spoiling import blind, spoiled

_FEW = settings(
    max_examples=FUZZ or 5, deadline=None, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), database=None
)


@pytest.mark.parametrize("name", every_pack())
def test_spoiled_requests_are_answered_and_leave_nothing_half_done(name: str) -> None:
    pack = attacked(name)

    @_FEW
    @given(st.lists(spoiled(pack.valid, pack.operations), min_size=1, max_size=4))
    def run(requests: list[Sent]) -> None:
        pack.begin()
        for sent in requests:
            judged(pack.application, pack.sandbox, sent)

    run()


@_FEW
@given(st.lists(blind(), max_size=3))
def test_blind_requests_are_answered(requests: list[Sent]) -> None:
    pack = attacked("kirimdev")
    pack.begin()
    for sent in requests:
        judged(pack.application, pack.sandbox, sent)
