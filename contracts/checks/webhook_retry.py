"""A delivery that was not taken is made again, as the same one."""

from __future__ import annotations

from contracts.checks.registry import Family, check

CHECK = check(
    "webhook_retry",
    Family.WEBHOOK,
    summary="A delivery that the receiver answers with 500 comes again, with the same id and the same body.",
    source="the annotated retries; Standard Webhooks, “Deliverability and reliability”",
    example="a delivery that is given up after the first failure",
)
