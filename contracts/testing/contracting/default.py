"""The API that strategies are about where a test names none; a module of its own, so that setting it costs nothing."""

from __future__ import annotations

from contextvars import ContextVar

default_api: ContextVar[str | None] = ContextVar("default_api", default=None)
"""A pack's name or the path of a description: the ini setting ``mock_api``, located."""
