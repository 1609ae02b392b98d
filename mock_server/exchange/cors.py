"""What a browser needs to read an answer (Fetch §3.2): a sandbox lets every origin in."""

from __future__ import annotations

from mock_server.exchange.messages import HeaderList, RawRequest
from mock_server.exchange.rendering import header_text


def cors_headers(request: RawRequest) -> HeaderList:
    """The CORS headers of an answer; none for a request that no browser sent across origins."""
    origin = request.headers.get("origin")
    if origin is None:
        return ()
    headers: HeaderList = (
        ("Access-Control-Allow-Origin", header_text(origin)),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "*, Authorization, Location, ETag, Link"),
        ("Vary", "Origin"),
    )
    method = request.headers.get("access-control-request-method")
    if request.method != "OPTIONS" or method is None:
        return headers
    return (
        *headers,
        ("Access-Control-Allow-Methods", header_text(method)),
        (
            "Access-Control-Allow-Headers",
            header_text(request.headers.get("access-control-request-headers", "*")),
        ),
        ("Access-Control-Max-Age", "600"),
    )
