"""What several files of acceptance tests share, because it takes seconds to make."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mock_server import MockServer


@pytest.fixture(scope="session")
def server_of_packs() -> Iterator[MockServer]:
    """Every pack behind one server; a test takes a session that nobody else names."""
    with MockServer() as running:
        yield running
