"""Whatever the control API is sent, it does all of it or nothing, and no double is the worse for it.

``APIDOUBLE_FUZZ=500`` sends that many sequences to the control API of every pack, else a few to one.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.controls import Controls
from tests.hostile.oracle import judged
from tests.hostile.packs import FUZZ, Attacked, attacked, every_pack
from tests.hostile.sent import Sent
from tests.hostile.spoiling import spoiled

_FEW = settings(
    max_examples=FUZZ or 10, deadline=None, derandomize=not FUZZ, suppress_health_check=list(HealthCheck), database=None
)


@pytest.mark.parametrize("name", every_pack() if FUZZ else ["kirimdev"])
def test_spoiled_control_requests_do_all_or_nothing(name: str) -> None:
    pack = attacked(name)
    controls = Controls.of(pack)

    @_FEW
    @given(st.lists(spoiled(controls.valid, controls.operations), min_size=1, max_size=4))
    def run(requests: list[Sent]) -> None:
        universe = pack.begin()
        for sent in requests:
            judged(pack.application, pack.sandbox, sent)
        for name in pack.sandbox.universes.names():
            pack.sandbox.universes.get(name).faults.clear()
        assert universe is not None
        unharmed(pack)

    run()


def unharmed(pack: Attacked) -> None:
    """What was written must not make a double fail later, when somebody asks for it."""
    reads = [sent for each in pack.operations if (sent := pack.valid(each, 0)) is not None and sent.method == "GET"]
    for sent in reads[:4]:
        judged(pack.application, pack.sandbox, sent)
