"""A double of a shop in process, whose webhooks a test captures."""

from __future__ import annotations

from contracts.testing.clock import Clock
from contracts.testing.hooks.mailbox import capture
from contracts.testing.hooks.webhooks import Webhooks
from mock_server import Options, Sandbox, compile_api
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.universe import Universe
from mock_server.openapi import jsontext
from mock_server.openapi.values import Json
from mock_server.webhooks.options import WebhookOptions
from tests.unit.webhooks.shop import NOW, description

HOOK = "http://app.test/in"
HMAC = {"scheme": "hmac-sha256", "header": "X-Signature", "format": "sha256={hex}", "signed": "{body}"}


class Bench:
    """A shop in a universe of its own, whose webhooks are captured."""

    def __init__(self, document: Json | None = None) -> None:
        api = compile_api(document if document is not None else description(), name="shop")
        options = Options(clock=lambda: NOW, webhooks=WebhookOptions(send=capture, background=False))
        self.sandbox = Sandbox([api], options=options)
        self.universe, self.webhooks = self.test("t1")
        self.clock = Clock(self.sandbox, self.universe)

    def test(self, name: str) -> tuple[Universe, Webhooks]:
        """What one test has."""
        universe = self.sandbox.universes.get(name)
        return universe, Webhooks(self.sandbox, self.sandbox.api("shop"), universe)

    def order(self, item: str = "table", universe: Universe | None = None) -> Json:
        """An order, placed through the API."""
        body = jsontext.dumps({"item": item})
        request = RawRequest("POST", "/orders", "", {"content-type": "application/json"}, body, "http://shop.test")
        response = self.sandbox.api("shop").line.answer(request, universe if universe is not None else self.universe)
        assert response.status == 201
        return jsontext.loads(response.body)
