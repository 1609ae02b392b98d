"""A delivery is signed with the subscription's secret, as it is documented."""

from __future__ import annotations

from contracts.checks.registry import Family, check

CHECK = check(
    "webhook_signature",
    Family.WEBHOOK,
    summary="The signature of a delivery can be verified with the subscription's secret, and its time is now.",
    source="Standard Webhooks, “Signature scheme”; or the header that the annotation describes",
    example="a signature over the parsed body instead of the bytes that are sent",
)
