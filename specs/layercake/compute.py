"""What the vocabulary cannot say: arithmetic, answers put together from several resources, pages, tables and jobs.

Each module holds the answers of one part of the API; importing it registers them.
"""

from __future__ import annotations

from . import accounts, automation, exporting, forms, importing, invoices, printing, sales

__all__ = ["accounts", "automation", "exporting", "forms", "importing", "invoices", "printing", "sales"]
