"""Amounts of money: whole cents, and never a float on the way to them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from mock_server.openapi.values import Json


def times(cents: int, factor: Json) -> int:
    """An amount times a number, half a cent rounded up."""
    return _rounded(Decimal(cents) * Decimal(str(factor)))


def percentage(cents: int, percent: Json) -> int:
    """So many percent of an amount, half a cent rounded up."""
    return _rounded(Decimal(cents) * Decimal(str(percent)) / 100)


def written(cents: int, currency: str) -> str:
    """An amount for people to read: ``EUR 1,785.00``."""
    return f"{currency} {cents // 100:,}.{cents % 100:02}"


def _rounded(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))
