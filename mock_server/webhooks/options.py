"""How a sandbox delivers webhooks, apart from what descriptions say."""

from __future__ import annotations

from mock_server.dataclass import dataclass
from mock_server.webhooks.retrying import Send


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """``targets`` are URLs that get every event of every universe.

    ``allowed_hosts`` (``host`` or ``host:port``) may be other than loopback. Without ``loopback`` that has to be
    allowed, too: who reaches a server from elsewhere is not to send requests to what listens on its machine.
    ``send`` takes messages in place of the network. Without ``background`` nothing is delivered by itself, only by
    ``Sandbox.deliver_due``.
    """

    targets: tuple[str, ...] = ()
    allowed_hosts: frozenset[str] = frozenset()
    loopback: bool = True
    send: Send | None = None
    background: bool = True
