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


def outcome_of(action: Callable[[], object]) -> object:
    """What an action returns, or the ``Undecodable`` it raises; any other exception fails the test."""
    try:
        return action()
    except Undecodable as failure:
        return failure
