"""How a sandbox delivers webhooks, apart from what descriptions say."""

from __future__ import annotations

from dataclasses import dataclass

from mock_server.webhooks.retrying import Send


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """``targets`` are URLs that get every event of every universe; ``allowed_hosts`` may be other than loopback.

    ``send`` takes messages in place of the network. Without ``background`` nothing is delivered by itself, only by
    ``Sandbox.deliver_due``.
    """

    targets: tuple[str, ...] = ()
    allowed_hosts: frozenset[str] = frozenset()
    send: Send | None = None
    background: bool = True
