"""Idempotency keys on the line: the first success is kept, and given again to the same request with the same key."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from mock_server.exchange.ledger import Kept
from mock_server.exchange.limiting import told_anew
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.exchange.turn import Turn
from mock_server.model.call import Call
from mock_server.model.clock import rfc3339
from mock_server.model.idempotency import Idempotency
from mock_server.model.meaning import Reason
from mock_server.model.outcome import NO_BODY
from mock_server.model.problem import Kind, Problem
from mock_server.openapi.description import Operation
from mock_server.openapi.values import Json

_ABOUT = "idempotency"


class Replayer:
    """Does requests with a key once, for one API."""

    def __init__(self, api: str, rules: Idempotency) -> None:
        self._api = api
        self._rules = rules
        self._header = rules.header.lower()
        self._takes: dict[str, bool] = {}

    def key(self, operation: Operation, request: RawRequest) -> str | None:
        """The key that a request carries to an operation that takes keys."""
        key = request.headers.get(self._header)
        if key is None:
            return None
        takes = self._takes.get(operation.id)
        if takes is None:
            takes = self._takes[operation.id] = self._takes_keys(operation)
        return key if takes else None

    def _takes_keys(self, operation: Operation) -> bool:
        if self._rules.operations is not None:
            return operation.id in self._rules.operations
        described = (parameter.name.lower() for parameter in operation.parameters if parameter.location == "header")
        return operation.method == "POST" and self._header in described

    def once(self, key: str, call: Call, turn: Turn, do: Callable[[], RawResponse]) -> RawResponse | Problem:
        """What ``do`` answers, or answered before to the same request with this key.

        The caller holds the universe's lock, so that of two at a time the second finds what the first has kept.
        """
        ledger = turn.universe.ledger
        caller = turn.principal.identity if turn.principal is not None else ()
        place = (self._api, call.operation_id, key, *caller)
        request = fingerprint(call, turn.request)
        kept = ledger.kept(place, turn.now)
        if kept is None:
            response = do()
            if response.status < 400:
                until = turn.now + self._rules.expires
                ledger.keep(place, Kept(request, response, turn.now, until))
                why = f"the same request with this {self._rules.header} gets it again until {rfc3339(until)}"
                turn.trace.decisions += (Reason(_ABOUT, "answer kept", why),)
            return response
        if kept.request != request:
            return self._refusal(kept)
        why = f"the same request came with this {self._rules.header} at {rfc3339(kept.since)}; nothing is done again"
        turn.trace.decisions += (Reason(_ABOUT, "answered as before", why),)
        response = told_anew(turn.standings, kept.response) if turn.standings else kept.response
        if self._rules.replayed_header is None:
            return response
        return replace(response, headers=(*response.headers, (self._rules.replayed_header, "true")))

    def _refusal(self, kept: Kept) -> Problem:
        mismatch, header = self._rules.mismatch, self._rules.header
        detail = mismatch.detail or (
            f"this {header} was used at {rfc3339(kept.since)} for another request; send the same one, or another key"
        )
        why = Reason(_ABOUT, "refused", f"another request came with this {header} at {rfc3339(kept.since)}")
        return Problem(Kind.IDEMPOTENCY_MISMATCH, detail, status=mismatch.status, code=mismatch.code, reasons=(why,))


def fingerprint(call: Call, request: RawRequest) -> bytes:
    """A digest by which a request is known again: method, path, query, media type and the body as a value."""
    query = sorted(request.query.split("&")) if request.query else []
    body = [] if call.body is NO_BODY else [_plain(call.body)]
    parts = [call.method, call.operation_id, _plain(dict(call.path)), query, call.media_type, body]
    return sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).digest()


def _plain(value: Json) -> Json:
    """A value in which equal numbers are written alike: 1.0 is 1 (JSON Schema 2020-12 core §4.2.2)."""
    kind = type(value)
    if kind is float and value.is_integer():
        return int(value)
    if kind is dict:
        return {name: _plain(member) for name, member in value.items()}
    if kind is list:
        return [_plain(entry) for entry in value]
    return value
