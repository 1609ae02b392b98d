"""What is delivered is what the description says of it."""

from __future__ import annotations

from contracts.checks.registry import Family, check

CHECK = check(
    "webhook_schema",
    Family.WEBHOOK,
    summary="The body of a delivery is valid by the description's webhook or callback of its event.",
    source="OAS 3.1 §4.8.1 (webhooks) and §4.8.18 (callbacks)",
    fault=101,
    example="a payload without the member that the description requires",
)
