"""What the vocabulary cannot say of Repzo, a module for each subject.

Computed answers and effects register themselves when their module is imported; their names begin with ``repzo-``.
"""

from __future__ import annotations

from . import bulk, feedback, money, ocr, portal, stock

__all__ = ["bulk", "feedback", "money", "ocr", "portal", "stock"]
