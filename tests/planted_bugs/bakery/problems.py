"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Response, abort
from werkzeug.exceptions import HTTPException

from tests.planted_bugs.bakery.shop import planted


def problem(
    status: int, detail: str, *, errors: list[dict[str, Any]] | None = None, headers: Mapping[str, str] | None = None
) -> NoReturn:
    """Ends the request with a problem."""
    abort(written(status, detail, errors=errors, headers=headers))


def written(
    status: int, detail: str, *, errors: list[dict[str, Any]] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The response that tells of a problem."""
    told: dict[str, Any] = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if errors:
        told["errors"] = errors
    if planted("problem_lacks_detail") and status == 409:
        del told["detail"]
    if planted("problem_status_differs") and status == 404:
        told["status"] = 400
    media_type = "text/html" if planted("errors_as_html") and status == 404 else "application/problem+json"
    if planted("error_in_success") and status == 404:
        status, media_type = 200, "application/json"
    return Response(json.dumps(told), status, dict(headers or {}), mimetype=media_type)


def rendered(error: HTTPException) -> Response:
    """The problem for an error that Flask or Werkzeug raised."""
    if error.response is not None:
        return error.response  # type: ignore[return-value]  # ours, from problem()
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "WWW-Authenticate"}}
    if planted("allow_missing"):
        headers.pop("Allow", None)
    return written(status, error.description or HTTPStatus(status).phrase, headers=headers)
