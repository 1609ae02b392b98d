"""What strategies are about where a test does not say; a module of its own, so that setting it costs nothing."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

default_api: ContextVar[str | None] = ContextVar("default_api", default=None)
"""A pack's name or the path of a description: the ini setting ``mock_api``."""

root_folder: ContextVar[Path] = ContextVar("root_folder", default=Path())
"""Where paths of descriptions are looked for: pytest's root folder, else the current one."""
