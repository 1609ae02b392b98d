"""What the vocabulary cannot say of Repzo, a module for each subject.

Computed answers and effects register themselves when their module is imported; their names begin with ``repzo-``.
"""

from . import bulk, feedback, money, ocr, portal, stock  # noqa: F401  # they register themselves
