"""The express lane: a plain request of a plain operation, from its match to its answer in one go.

It does what the line does, less the questions whose answer is known: the operation is unlimited, its outcome
follows from item and request alone (``model/plain.py``), nothing follows from its writes, and the request asks for
nothing out of the ordinary. Whatever turns out otherwise, before anything has happened, takes the line from the
beginning; so every refusal, every repair and every choice is made there and only there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from mock_server.errors import DescriptionError
from mock_server.exchange.journal import Entry, Trace
from mock_server.exchange.locations import segment, template_of
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.exchange.rendering import ResponseRenderer
from mock_server.exchange.requests import RequestReader
from mock_server.exchange.universe import Universe
from mock_server.model.call import Principal
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import key_text
from mock_server.model.plain import Plain
from mock_server.model.problem import Problem
from mock_server.model.state import State, commit
from mock_server.openapi.values import Json

UNUSUAL = frozenset({"prefer", "origin", "content-encoding", "if-match", "if-none-match", "range"})
"""Headers that ask for something: a request with one of them takes the line."""

Caller: TypeAlias = tuple[Principal | None, str]
"""Who calls, and a word on how that is known."""

Admit: TypeAlias = Callable[[RawRequest, datetime, State], Caller | Problem]
"""The caller of a request at a moment, by the credentials that a state knows; or the refusal."""


class Express:
    """Answers the plain requests of one operation.

    ``draft`` begins a trace with what holds for all of them; ``admit`` knows callers, None where anybody may call.
    """

    __slots__ = ("_admit", "_api", "_draft", "_location", "_max_body", "_plain", "_reader", "_renderer")

    def __init__(
        self,
        meaning: Meaning,
        plain: Plain,
        reader: RequestReader,
        renderer: ResponseRenderer,
        *,
        draft: Callable[[], Trace],
        admit: Admit | None,
        api: str,
        max_body: int,
    ) -> None:
        self._plain = plain
        self._reader = reader
        self._renderer = renderer
        self._draft = draft
        self._admit = admit
        self._api = api
        self._max_body = max_body
        self._location = template_of(meaning) if meaning.status == 201 else None

    def answer(
        self, request: RawRequest, path_texts: Mapping[str, str], base: str, universe: Universe
    ) -> RawResponse | Problem | None:
        """The response, with all that comes of it done and recorded; None where nothing was done.

        ``base`` is the part of the path that is the base path of a described server. What is wrong with a body is a
        problem, which the line has to answer.
        """
        if not UNUSUAL.isdisjoint(request.headers) or len(request.body) > self._max_body:
            return None
        now, caller = universe.clock.now(), None
        if self._admit is not None:
            admitted = self._admit(request, now, universe.state)
            if isinstance(admitted, Problem):
                return None
            caller = admitted
        read = self._reader.read_plainly(request, path_texts)
        if not isinstance(read, tuple):
            return read if caller is None and not universe.faults and universe.state.is_at_rest(now) else None
        with universe.lock:
            try:
                return self._done(request, *read, base, universe, now, caller)
            except (DescriptionError, RecursionError):
                return None

    def _done(
        self,
        request: RawRequest,
        path: Mapping[str, Json],
        body: Json,
        base: str,
        universe: Universe,
        now: datetime,
        caller: Caller | None,
    ) -> RawResponse | None:
        """The answer to a valid request, committed and recorded. The caller has the lock."""
        state = universe.state
        if universe.faults or (state.timers is not None and not state.is_at_rest(now)):
            return None
        outcome = self._plain(path, body, state=state, seed=universe.seed, now=now)
        if outcome is None:
            return None
        told = self._renderer.plainly(outcome.body, accept=request.headers.get("accept"))
        if told is None:
            return None
        location, key = self._location, outcome.location_key
        if location is None or key is None:
            headers = (told.content_type, *told.vary)
        else:
            place = f"{request.url}{base}{location[0]}{segment(key_text(key))}{location[1]}"
            if not (place.isascii() and place.isprintable()):
                return None
            headers = (told.content_type, ("Location", place), *told.vary)
        response = RawResponse(outcome.status, headers, told.encode(outcome.body))
        if outcome.changes:
            universe.state = commit(state, outcome.changes)
        journal, trace = universe.journal, self._draft()
        trace.path = request.path[len(base) :] if base else request.path
        trace.outcome, trace.media_type, trace.negotiation = outcome, told.media_type, told.negotiation
        if caller is not None:
            principal, trace.security = caller
            trace.principal = principal.name if principal is not None else None
        trace.place = journal.place()
        journal.add(Entry(f"r{journal.begin()}", now, universe.name, self._api, request, response, trace))
        return response
