"""Match: the operation that a request's method and path lead to, or what there is to say when there is none."""

from __future__ import annotations

from mock_server.errors import did_you_mean
from mock_server.exchange.messages import RawResponse
from mock_server.exchange.turn import Turn
from mock_server.model.meaning import Reason
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.compile import Api
from mock_server.openapi.templates import Fit, PathMatch
from mock_server.openapi.undecodable import excerpt


class Matcher:
    """Finds the operations of one API."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._prefixes = tuple(path for path in api.base_paths if path)

    def match(self, method: str, path: str) -> tuple[PathMatch[str], str]:
        """The operation for a path, and the base path of the described servers where that stands in front of it.

        HEAD is answered by GET where it is not described itself (RFC 9110 §9.3.2).
        """
        best, base = self._api.match(method, path), ""
        if best.target is not None:
            return best, base
        for prefix in self._prefixes:
            if path == prefix or path.startswith(prefix + "/"):
                below = path[len(prefix) :] or "/"
                found = self._api.match(method, below)
                if found.fit is Fit.FULL or best.fit is Fit.NONE:
                    best, base, path = found, prefix, below
                    break
        if method == "HEAD" and best.fit is Fit.PATH_ONLY and "GET" in best.methods:
            best = self._api.match("GET", path)
        return best, base

    def unmatched(self, match: PathMatch[str], turn: Turn) -> RawResponse | Problem:
        """What a request gets that leads to no operation: a problem, or Allow for OPTIONS."""
        path = turn.request.path
        if match.fit is Fit.NONE:
            hint = did_you_mean(path[:200], [ref.template.text for ref in self._api.refs.values()])
            detail = f"no path of {self._api.title} matches {excerpt(path)}" + (f"; {hint}" if hint else "")
            return Problem(Kind.NO_ROUTE, detail)
        allowed = {*match.methods, "OPTIONS", *(["HEAD"] if "GET" in match.methods else [])}
        allow = ", ".join(sorted(allowed))
        if turn.request.method == "OPTIONS":
            turn.trace.decisions += (Reason("status", "204", "OPTIONS is not described, so it answers Allow"),)
            return RawResponse(204, (("Allow", allow),), b"")
        template = turn.trace.candidates()[0]
        detail = f"{excerpt(turn.request.method)} is not described for {template}; it knows {allow}"
        return Problem(Kind.METHOD_NOT_ALLOWED, detail, headers=(("Allow", allow),))
