"""Webhooks: subscriptions, and order.paid signed as Standard Webhooks says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from flask import Blueprint, Response

from tests.planted_bugs.bakery.answers import answer
from tests.planted_bugs.bakery.checking import body
from tests.planted_bugs.bakery.problems import problem
from tests.planted_bugs.bakery.shop import Item, next_number, now, planted, tenant, writing

routes = Blueprint("webhooks", __name__)

_TRIES = 3
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


@routes.get("/webhooks")
def list_webhooks() -> Response:
    return answer({"items": [_shown(each) for each in tenant().webhooks.values()]})


def _shown(webhook: Item) -> Item:
    return dict(webhook) if planted("secret_shown") else {n: v for n, v in webhook.items() if n != "secret"}


@routes.post("/webhooks")
def create_webhook() -> Response:
    given = body("WebhookInput")
    secret = given.get("secret") or "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    with writing():
        webhook = {"id": f"hook_{next_number('webhook'):06d}", "url": given["url"], "secret": secret,
                   "created_at": now()}  # fmt: skip
        tenant().webhooks[webhook["id"]] = webhook
    return answer(webhook, status=201, location=f"/webhooks/{webhook['id']}")


@routes.delete("/webhooks/<webhook_id>")
def delete_webhook(webhook_id: str) -> Response:
    with writing():
        if tenant().webhooks.pop(webhook_id, None) is None:
            problem(404, "there is no such subscription")
    return answer(None, status=204)


def send(order: Item) -> None:
    """Sends order.paid to every subscription of the caller's bakery, in threads of their own."""
    data = {name: value for name, value in order.items() if not (planted("event_lacks_total") and name == "total")}
    payload = json.dumps({"type": "order.paid", "timestamp": now(), "data": data}).encode()
    for webhook in list(tenant().webhooks.values()):
        # Made-up subscriptions name any host; nothing leaves this machine.
        if urlsplit(webhook["url"]).hostname in _HERE:
            tries = 1 if planted("event_not_repeated") else _TRIES
            message = _signed(webhook, payload)
            threading.Thread(target=_deliver, args=(webhook["url"], message, payload, tries), daemon=True).start()


def _signed(webhook: Item, payload: bytes) -> dict[str, str]:
    number, moment = f"msg_{next_number('message'):06d}", str(int(time.time()))
    if planted("event_timestamp_old"):
        moment = str(int(time.time()) - 3600)
    key = webhook["secret"].removeprefix("whsec_")
    # A base64 text without its padding is a usual slip of who sets a secret.
    secret = base64.b64decode(key.rstrip("=") + "=" * (-len(key.rstrip("=")) % 4))
    content = payload if planted("bad_signature") else f"{number}.{moment}.".encode() + payload
    signature = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": number, "webhook-timestamp": moment, "webhook-signature": f"v1,{signature}"}


def _deliver(url: str, headers: dict[str, str], payload: bytes, tries: int) -> None:
    for _ in range(tries):
        message = urllib.request.Request(url, payload, {"Content-Type": "application/json", **headers})
        try:
            with urllib.request.urlopen(message, timeout=5):
                return
        except (OSError, ValueError):
            continue
