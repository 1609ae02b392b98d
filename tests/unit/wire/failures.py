"""What the tests of the wire modules say about failures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mock_server.openapi.undecodable import Undecodable


def failure_of(action: Callable[[], object]) -> Undecodable:
    """The ``Undecodable`` that an action raises."""
    with pytest.raises(Undecodable) as caught:
        action()
    return caught.value
