"""``Prefer: explain``: the answer wrapped in why it is the answer."""

from __future__ import annotations

from dataclasses import replace

from mock_server.exchange.journal import Trace
from mock_server.exchange.messages import RawResponse
from mock_server.openapi import jsontext
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json

EXPLANATION = "application/vnd.apidouble.explanation+json"


def explained(response: RawResponse, trace: Trace, entry_id: str) -> RawResponse:
    """The same status with the body ``{response, explanation, violations, request}``."""
    wrapped = {
        "response": {
            "status": response.status,
            "headers": dict(response.headers),
            "body": _shown(response),
        },
        "explanation": trace.as_json(),
        "violations": [violation.as_json() for violation in trace.violations],
        "request": entry_id,
    }
    kept = tuple((name, value) for name, value in response.headers if name.lower() not in {"content-type", "etag"})
    status = 200 if response.status in {204, 205, 304} else response.status
    return replace(
        response, status=status, headers=(("Content-Type", EXPLANATION), *kept), body=jsontext.dumps(wrapped)
    )


def _shown(response: RawResponse) -> Json:
    content_type = dict(response.headers).get("Content-Type", "")
    if not response.body:
        return None
    if "json" in content_type:
        try:
            return jsontext.loads(response.body)
        except Undecodable:
            pass
    return response.body.decode("utf-8", "replace")
