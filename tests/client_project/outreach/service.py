"""Outreach's own API: an ordinary Flask application, which the contract checks in ``tests/test_contract.py`` check."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException


def create_app() -> Flask:
    """The application, with nothing in it."""
    app = Flask(__name__)
    campaigns: dict[int, dict[str, object]] = {}
    app.extensions["campaigns"] = campaigns
    numbers = iter(range(1, 10**9))

    @app.get("/campaigns")
    def list_campaigns() -> Response:
        return jsonify(list(campaigns.values()))

    @app.post("/campaigns")
    def create_campaign() -> tuple[Response, int]:
        given = request.get_json(silent=True)
        if not isinstance(given, dict) or not _valid(given):
            return jsonify(error="not valid"), 422
        made = {"id": next(numbers), "title": given["title"], "budget": given.get("budget", 0)}
        campaigns[int(made["id"])] = made
        return jsonify(made), 201

    @app.get("/campaigns/<int:number>")
    def get_campaign(number: int) -> tuple[Response, int]:
        return (jsonify(campaigns[number]), 200) if number in campaigns else (jsonify(error="none"), 404)

    @app.delete("/campaigns/<int:number>")
    def delete_campaign(number: int) -> tuple[str, int]:
        return ("", 204) if campaigns.pop(number, None) is not None else ("", 404)

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[Response, int, dict[str, str]]:
        allow = {"Allow": dict(error.get_headers()).get("Allow", "")} if error.code == 405 else {}
        return jsonify(error=error.name), error.code or 500, allow

    return app


def _valid(given: dict[str, object]) -> bool:
    if set(given) - {"title", "budget"}:
        return False
    title, budget = given.get("title"), given.get("budget", 0)
    if not isinstance(budget, int | float) or isinstance(budget, bool) or budget < 0 or budget != int(budget):
        return False
    return isinstance(title, str) and 1 <= len(title) <= 80
