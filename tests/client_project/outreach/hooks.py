"""What the platform's webhooks are received by."""

from __future__ import annotations

from flask import Flask, Response, request
from standardwebhooks import Webhook, WebhookVerificationError


def create_app(secret: str) -> Flask:
    """The receiver; ``app.config["SEEN"]`` are the types of the events that came, properly signed."""
    app = Flask(__name__)
    app.config["SEEN"] = []

    @app.post("/hooks/kirim")
    def receive() -> Response:
        try:
            event = Webhook(secret).verify(request.get_data(), dict(request.headers))
        except WebhookVerificationError:
            return Response(status=401)
        app.config["SEEN"].append(event["type"])
        return Response(status=204)

    return app
