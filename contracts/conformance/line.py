"""The line between Schemathesis and a service: its own transport, with the last step, the network, exchanged.

Schemathesis goes on to encode paths, headers and bodies as ever. Only the adapter of its ``requests`` session is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter, HTTPAdapter
from schemathesis import Case
from schemathesis import Response as Answer
from schemathesis.transport.requests import REQUESTS_TRANSPORT, RequestsTransport
from urllib3 import HTTPHeaderDict, HTTPResponse

from contracts.service import Recorded
from contracts.wire import WireRequest

BASE = "http://service.test"
"""Where Schemathesis believes the service to be; nothing is ever looked up there."""

_OWN = frozenset({"x-schemathesis-testcaseid", "accept-encoding", "connection", "content-length"})
"""Headers that are Schemathesis' bookkeeping or the business of the connection."""
_DECODED = frozenset({"content-encoding", "transfer-encoding"})

Deliver = Callable[[WireRequest], Recorded]


def wire_of(request: PreparedRequest) -> WireRequest:
    """A prepared request as we send it."""
    body = request.body
    data = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
    headers = {_text(name): _text(value) for name, value in request.headers.items() if _text(name).lower() not in _OWN}
    return WireRequest(request.method or "GET", request.path_url, headers, data)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class _Adapter(BaseAdapter):
    """Sends what a session has prepared through a service."""

    def __init__(self, deliver: Deliver) -> None:
        super().__init__()
        self._deliver = deliver
        self._http = HTTPAdapter()
        self._last: list[Recorded] = []

    def taken(self) -> Recorded | None:
        """The exchange that was made last since this was asked."""
        last = self._last[-1] if self._last else None
        self._last.clear()
        return last

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        recorded = self._deliver(wire_of(request))
        self._last.append(recorded)
        reply = recorded.reply
        headers = HTTPHeaderDict()
        for name, value in reply.headers:
            if name.lower() not in _DECODED:  # the transport has decoded the body
                headers.add(name, value)
        raw = HTTPResponse(BytesIO(reply.body), headers=headers, status=reply.status, version=11, preload_content=False)
        return self._http.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


class Line(RequestsTransport):
    """Schemathesis' transport for HTTP, into a service. ``exchanges`` are those of the cases it sent, by their ids."""

    def __init__(self, deliver: Deliver) -> None:
        super().__init__()
        for media_type, serializer in REQUESTS_TRANSPORT.get_matching_media_types("*/*"):
            self.serializer(media_type)(serializer)
        self._adapter = _Adapter(deliver)
        self.exchanges: dict[str, Recorded] = {}

    def send(self, case: Case[Any], *, session: Session | None = None, **kwargs: Any) -> Answer:
        """Sends a case; checks that send requests of their own (without a session) come this way too."""
        connected = session if session is not None else Session()
        if BASE not in connected.adapters:
            connected.mount(BASE, self._adapter)
            connected.trust_env = False  # no netrc, no proxies
        if session is None:
            connected.headers.clear()
        kwargs["base_url"] = BASE
        try:
            return super().send(case, session=connected, **kwargs)
        finally:
            made = self._adapter.taken()
            if made is not None:
                self.exchanges[case.id] = made
