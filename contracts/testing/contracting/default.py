"""What counts where a suite does not say; a module of its own, since every run of pytest imports it."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

SECONDS = 10.0
"""How long one contract item may take."""

default_api: ContextVar[str | None] = ContextVar("default_api", default=None)
"""A pack's name or the path of a description: the ini setting ``mock_api``."""

root_folder: ContextVar[Path] = ContextVar("root_folder", default=Path())
"""Where paths of descriptions are looked for: pytest's root folder, else the current one."""
