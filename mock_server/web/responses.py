"""The responses that are not an API's own: JSON values, and problems (RFC 9457) for whatever was refused."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from flask import Response
from werkzeug.exceptions import HTTPException

from mock_server.errors import ApidoubleError, FixtureError, StateError
from mock_server.exchange.errorbodies import PROBLEM_JSON
from mock_server.exchange.errorfacts import shown
from mock_server.model.problem import DEFAULT_STATUS, Problem
from mock_server.openapi import jsontext
from mock_server.openapi.values import Json, Violation
from mock_server.openapi.wording import clipped


def json_response(value: Json, status: int = 200, *, media_type: str = "application/json") -> Response:
    """A value as a JSON response."""
    return Response(jsontext.dumps(value), status=status, mimetype=media_type)


def no_content() -> Response:
    """The answer to what was done and has nothing to show."""
    return Response(status=204)


def problem_response(status: int, detail: str, *, errors: Sequence[Json] = (), **more: Json) -> Response:
    """An RFC 9457 problem; ``errors`` are shaped like those of the APIs' own problems."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **({"errors": list(errors)} if errors else {}),
        **{name: value for name, value in more.items() if value is not None},
    }
    return json_response(body, status, media_type=PROBLEM_JSON)


def refusal(problem: Problem) -> Response:
    """The response to a request that its description does not admit."""
    response = problem_response(
        problem.status or DEFAULT_STATUS[problem.kind],
        problem.detail,
        errors=[shown(violation) for violation in problem.violations],
    )
    for name, value in problem.headers:
        response.headers[name] = value
    return response


def error_response(error: ApidoubleError) -> Response:
    """The response for what a control request asked in vain.

    404 when its URL names what does not exist, 422 when something in its body cannot be, 400 for the rest.
    """
    in_body = error.place is not None or isinstance(error, FixtureError)
    status = 422 if in_body else 404 if isinstance(error, StateError) else 400
    detail = error.problem if error.hint is None else f"{error.problem}; {error.hint}"
    return problem_response(
        status,
        detail,
        errors=[_blame(error)] if in_body else (),
        got=None if in_body else clipped(error.got),
        allowed=error.allowed,
        hint=error.hint,
    )


def _blame(error: ApidoubleError) -> Json:
    pointer = error.place.pointer if error.place is not None else ""
    return shown(Violation("body", pointer, "state", error.got, error.allowed, error.problem))


def http_problem(error: HTTPException, detail: str) -> Response:
    """The response for an error of Flask's own, with the headers that belong to it (``Allow``)."""
    response = problem_response(error.code or 500, detail)
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response
