"""How a sandbox delivers webhooks, apart from what descriptions say."""

from __future__ import annotations

from dataclasses import replace

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

    def beyond_loopback(self) -> WebhookOptions:
        """The same for a server that others can reach: of this machine only its own targets are allowed."""
        if not self.targets:
            return replace(self, loopback=False)
        from mock_server.webhooks.posting import host_and_port  # with urllib3, for those who want deliveries

        return replace(self, allowed_hosts=self.allowed_hosts.union(map(host_and_port, self.targets)), loopback=False)
