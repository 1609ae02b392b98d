"""A bakery's API on Flask, written by hand beside its description: the correct service, and one for each mistake.

It knows nothing of the double and of the checks, so neither can make it agree with itself.
"""

from __future__ import annotations

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from tests.planted_bugs.bakery import access, customers, hooks, orders, problems, products
from tests.planted_bugs.bakery.shop import Shop, shop


def create_app(bug: str | None = None, *, limit: int | None = None) -> Flask:
    """The bakery, correct unless the name of a ``bug`` is given; ``limit`` is how many requests a key has a minute.

    ``POST /reset``, which is not described, empties it.
    """
    app = Flask("bakery")
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions["bakery"] = Shop(bug=bug, limit=limit)
    app.before_request(access.admit)
    app.register_error_handler(HTTPException, problems.rendered)
    app.register_error_handler(Exception, _broken)
    for routes in (customers.routes, products.routes, orders.routes, hooks.routes):
        app.register_blueprint(routes)
    app.add_url_rule("/reset", "reset", _reset, methods=["POST"])
    return app


def _broken(_: Exception) -> Response:
    return problems.written(500, "this is our mistake")


def _reset() -> Response:
    shop().reset()
    return Response(status=204)
