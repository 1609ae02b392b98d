"""An event that is promised comes, once, and to nobody who does not want it."""

from __future__ import annotations

from contracts.checks.registry import Family, check

CHECK = check(
    "webhook_delivery",
    Family.WEBHOOK,
    summary="Every event that a write promises comes once to whoever is subscribed to it, and to nobody else.",
    source="the description's webhooks and its annotations; Standard Webhooks, “Idempotency”",
    example="a create that tells nobody, or a subscription that goes on after it was deleted",
)
