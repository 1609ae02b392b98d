"""Secrets and tokens."""

from __future__ import annotations

import hashlib


def made_up(*parts: str) -> bytes:
    """32 bytes that nobody would guess and that follow from what is known."""
    return hashlib.sha256("\n".join(parts).encode()).digest()
