"""The line: one request in, one response out, in one direction and without I/O.

    match → authenticate → limit → read → behave → render and judge → commit and journal

Each stage takes a value and returns the next one or a ``Problem``. Commit is last: an answer that the client cannot
take or that breaks the description leaves no trace in the state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from mock_server.errors import DescriptionError
from mock_server.exchange.authentication import Authenticator
from mock_server.exchange.committing import Committing
from mock_server.exchange.cors import cors_headers
from mock_server.exchange.explaining import explained
from mock_server.exchange.express import Caller, Express
from mock_server.exchange.faults import strike
from mock_server.exchange.journal import Entry, Trace, secret_names
from mock_server.exchange.lanes import Lane
from mock_server.exchange.limiting import Limiter, told
from mock_server.exchange.locations import outcome_headers
from mock_server.exchange.matching import Matcher
from mock_server.exchange.messages import HeaderList, RawRequest, RawResponse
from mock_server.exchange.predicting import Prediction
from mock_server.exchange.preferences import NO_PREFERENCES, read_preferences
from mock_server.exchange.refusals import Refuser
from mock_server.exchange.rendering import NotAcceptable, ResponseRenderer, SelfViolation
from mock_server.exchange.replaying import Replayer
from mock_server.exchange.requests import Reading
from mock_server.exchange.samples import preferred
from mock_server.exchange.turn import Turn
from mock_server.exchange.universe import Universe
from mock_server.model.call import Call, Principal
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.mending import mended
from mock_server.model.minter import realize
from mock_server.model.model import Model
from mock_server.model.outcome import Outcome
from mock_server.model.plain import plain_of
from mock_server.model.problem import Kind, Problem
from mock_server.model.state import State
from mock_server.model.step import step
from mock_server.model.tenants import tenant_reason
from mock_server.model.world import World
from mock_server.openapi.description import Operation, Response
from mock_server.openapi.templates import Fit, PathMatch
from mock_server.openapi.undecodable import excerpt
from mock_server.openapi.values import Violation
from mock_server.webhooks.queueing import Webhooks


class Line:
    """Answers the requests of one API. Holds no state of its own: that is in the universe it is given."""

    def __init__(
        self, model: Model, *, authenticator: Authenticator, max_body: int = 10 * 1024 * 1024, limits: bool = True
    ) -> None:
        self.model = model
        self.api = model.api
        self.max_body = max_body
        said = model.annotations
        self._limiter = Limiter(self.api.name, said.limits) if said.limits and limits else None
        self._replayer = Replayer(self.api.name, said.idempotency) if said.idempotency is not None else None
        self.authenticator = authenticator
        self._refuser = Refuser(model, self._renderer)
        self._lanes: dict[str, Lane] = {}
        self._renderers: dict[tuple[str, str], ResponseRenderer] = {}
        self._matcher = Matcher(self.api)
        self.committing = Committing((model,))
        self.webhooks = Webhooks(model)
        self._secrets = secret_names(self.api.security_schemes.values())

    def compile(self) -> None:
        """Compiles every operation, so that a broken description shows before the first request."""
        for operation in self.api.operations():
            assert self._lane(operation.id).meaning is not None
            for response in operation.responses.values():
                self._renderer(operation, response)
        self.webhooks.compile()

    def answer(self, request: RawRequest, universe: Universe) -> RawResponse:
        """The response to a request. What a client does wrong and what a description has wrong are responses too."""
        match, base = self._matcher.match(request.method, request.path)
        if match.target is not None:
            lane = self._lanes.get(match.target)
            if lane is not None and lane.express is not None:
                done = lane.express.answer(request, match.values, base, universe)
                if isinstance(done, RawResponse):
                    return done
                if done is not None:
                    return self._by_the_line(request, base, universe, partial(self._refused, lane, done))
        return self._by_the_line(request, base, universe, partial(self._answer, match))

    def _by_the_line(
        self, request: RawRequest, base: str, universe: Universe, answer: Callable[[Turn], RawResponse]
    ) -> RawResponse:
        turn = Turn(request, universe, universe.clock.now(), self._trace(request, base), universe.journal.begin(), base)
        try:
            response = answer(turn)
        except DescriptionError as error:
            response = self._refuser.refuse(Problem(Kind.DESCRIPTION, str(error)), None, turn)
        except RecursionError:
            problem = Problem(Kind.INTERNAL, "the request or its schema is nested too deeply to be handled")
            response = self._refuser.refuse(problem, None, turn)
        response = _finished(response, turn)
        universe.journal.add(Entry(turn.id, turn.now, universe.name, self.api.name, request, response, turn.trace))
        return explained(response, turn.trace, turn.id) if turn.preferences.explain else response

    def _trace(self, request: RawRequest, base: str) -> Trace:
        trace = Trace(secrets=self._secrets, fitting=self.api.candidates)
        trace.path = request.path[len(base) :] if base else request.path
        return trace

    def _refused(self, lane: Lane, problem: Problem, turn: Turn) -> RawResponse:
        """The answer to a request of which the express lane found what is wrong."""
        turn.trace.operation_id = lane.operation.id
        return self._refuser.refuse(problem, lane.operation, turn)

    def _answer(self, match: PathMatch[str], turn: Turn) -> RawResponse:
        request = turn.request
        if turn.universe.state.timers is not None:
            self._catch_up(turn)
        wanted = request.headers.get("prefer")
        if wanted is not None:
            preferences = read_preferences(wanted)
            if isinstance(preferences, Problem):
                return self._refuser.refuse(preferences, None, turn)
            turn.preferences = preferences
        if match.fit is not Fit.FULL:
            answer = self._matcher.unmatched(match, turn)
            return self._refuser.refuse(answer, None, turn) if isinstance(answer, Problem) else answer
        assert match.target is not None
        lane = self._lanes.get(match.target) or self._lane(match.target)
        turn.trace.operation_id = match.target
        if turn.universe.faults:
            return self._perhaps_faulty(lane, match, turn)
        return self._exchange(lane, match, turn)

    # Prediction

    def predict(self, request: RawRequest, universe: Universe, *, principal: Principal | None = None) -> Prediction:
        """What the model says of a request, and nothing is done: the outcome with its holes, or the refusal.

        With a ``principal`` the request comes from them, whatever credential it carries. Limits do not count.
        """
        match, base = self._matcher.match(request.method, request.path)
        turn = Turn(request, universe, universe.clock.now(), self._trace(request, base), 0, base)
        if match.fit is not Fit.FULL:
            answer = self._matcher.unmatched(match, turn)
            problem = answer if isinstance(answer, Problem) else Problem(Kind.METHOD_NOT_ALLOWED, "answered by OPTIONS")
            return Prediction(problem, self._refuser.status(problem, None))
        assert match.target is not None
        lane = self._lane(match.target)
        operation, meaning = lane.operation, lane.meaning
        turn.principal = principal
        call = self._admitted(lane, match, turn, known=principal is not None)
        if isinstance(call, Problem):
            return Prediction(call, self._refuser.status(call, operation), operation, meaning)
        if universe.state.timers is not None:
            self._catch_up(turn)
        result = step(World(self.model, universe.state, turn.now, universe.tables), call)
        status = result.status if isinstance(result, Outcome) else self._refuser.status(result, operation)
        assert status is not None
        return Prediction(result, status, operation, meaning, call, turn.now)

    def _admitted(self, lane: Lane, match: PathMatch[str], turn: Turn, *, known: bool) -> Call | Problem:
        """The call that a request makes, once the caller is known (or need not be asked for) and it is read."""
        operation = lane.operation
        if operation.security and not known:
            found = self.authenticator.authenticate(operation, turn.request, turn.now, turn.universe.state)
            if isinstance(found, Problem):
                return found
            turn.principal, turn.trace.security = found
        reading = lane.reader.read(turn.request, match.values)
        return reading if isinstance(reading, Problem) else _call(operation, reading, turn)

    # Exchange

    def _perhaps_faulty(self, lane: Lane, match: PathMatch[str], turn: Turn) -> RawResponse:
        """The answer under the faults that are set: late, with another status, or none at all."""
        operation, universe = lane.operation, turn.universe
        with universe.lock:
            fault = strike(universe.faults, self.api.name, operation.id, universe.chance)
        if fault is None:
            return self._exchange(lane, match, turn)
        turn.trace.decisions += (Reason("fault", str(fault.as_json()), "set through the control API"),)
        if fault.reset:
            return RawResponse(503, (), b"", fault.delay, reset=True)
        if fault.status is None:
            response = self._exchange(lane, match, turn)
        elif fault.body is not None:
            response = RawResponse(fault.status, fault.headers, fault.body.encode())
        else:
            problem = Problem(
                Kind.FAULT, "a fault was set for this operation", status=fault.status, headers=fault.headers
            )
            response = self._refuser.refuse(problem, operation, turn)
        return replace(response, delay=fault.delay)

    def _exchange(self, lane: Lane, match: PathMatch[str], turn: Turn) -> RawResponse:
        """Everything between a matched operation and its answer."""
        operation, request, trace = lane.operation, turn.request, turn.trace
        if operation.security:
            known = self.authenticator.authenticate(operation, request, turn.now, turn.universe.state)
            if isinstance(known, Problem):
                return self._refuser.refuse(known, operation, turn)
            turn.principal, trace.security = known
            trace.principal = turn.principal.name if turn.principal is not None else None
        if self._limiter is not None:
            refusal = self._limiter.admit(operation.id, turn)
            if refusal is not None:
                return self._refuser.refuse(refusal, operation, turn)
        if len(request.body) > self.max_body:
            detail = too_large(self.max_body)
            return self._refuser.refuse(Problem(Kind.TOO_LARGE, detail), operation, turn)
        reading = lane.reader.read(request, match.values)
        if isinstance(reading, Problem):
            return self._refuser.refuse(reading, operation, turn)
        trace.notes = reading.notes
        if turn.preferences.overrides:
            chosen = preferred(self.model, operation, turn.preferences)
            if isinstance(chosen, Problem):
                return self._refuser.refuse(chosen, operation, turn)
            return self._send(lane, chosen, (), None, turn)
        call = _call(operation, reading, turn)
        with turn.universe.lock:
            if self._replayer is not None:
                response = self._once(self._replayer, lane, call, turn)
            else:
                response = self._behave(lane, call, turn)
            trace.place = turn.universe.journal.place()
            return response

    def _once(self, replayer: Replayer, lane: Lane, call: Call, turn: Turn) -> RawResponse:
        """The answer to a request that may carry an idempotency key: what was answered before, if it was."""
        operation = lane.operation
        key = replayer.key(operation, turn.request)
        if key is None:
            return self._behave(lane, call, turn)
        turn.trace.meaning = lane.meaning
        answer = replayer.once(key, call, turn, partial(self._behave, lane, call, turn))
        return self._refuser.refuse(answer, operation, turn) if isinstance(answer, Problem) else answer

    def _behave(self, lane: Lane, call: Call, turn: Turn) -> RawResponse:
        universe = turn.universe
        if universe.state.timers is not None:
            self._catch_up(turn)
        meaning = turn.trace.meaning = lane.meaning
        world = World(self.model, universe.state, turn.now, universe.tables)
        if meaning.resource is not None and meaning.resource.tenancy is not None:
            tenancy = meaning.resource.tenancy
            turn.trace.decisions += (tenant_reason(tenancy, world.tenant(call, tenancy=tenancy)),)
        outcome = step(world, call)
        if isinstance(outcome, Problem):
            return self._refuser.refuse(outcome, lane.operation, turn)
        outcome = realize(outcome, state=universe.state, seed=universe.seed, now=turn.now, exchange=turn.number)
        if lane.operation.id in self.webhooks.callbacks:
            given = self.webhooks.registered(call, outcome, state=universe.state, now=turn.now)
            outcome = replace(outcome, changes=(*outcome.changes, *given))
        turn.trace.outcome = outcome
        return self._send(lane, outcome, outcome_headers(outcome, meaning, call), meaning, turn)

    def _send(
        self, lane: Lane, outcome: Outcome, headers: HeaderList, meaning: Meaning | None, turn: Turn
    ) -> RawResponse:
        """Renders, judges, and only then commits."""
        operation, renderer = lane.operation, lane.renderers.get(outcome.status)
        if renderer is None:
            response = operation.response_for(outcome.status)
            if response is None:
                if outcome.status == 304 or (meaning is not None and meaning.response is None):
                    # The client's own condition, or an operation that describes no success at all: nothing to break.
                    refusal = self._commit(outcome, operation, turn)
                    return refusal if refusal is not None else RawResponse(outcome.status, headers, b"")
                violation = _undescribed(outcome.status, operation)
                return self._self_violation(SelfViolation((violation,), operation.located.pointer), operation, turn)
            renderer = lane.renderers[outcome.status] = self._renderer(operation, response)
            lane.express = self._express(lane)
        if turn.standings:
            headers = (*headers, *told(turn.standings, renderer.response))
        rendered = renderer.render(outcome, accept=turn.accept, headers=headers)
        if isinstance(rendered, SelfViolation) and meaning is not None and meaning.inferred:
            repaired = mended(self.model, meaning, outcome, rendered.violations, pointer=rendered.pointer)
            if repaired is not None:
                outcome = turn.trace.outcome = repaired
                rendered = renderer.render(outcome, accept=turn.accept, headers=headers)
        if isinstance(rendered, SelfViolation):
            return self._self_violation(rendered, operation, turn)
        if isinstance(rendered, NotAcceptable):
            detail = f"Accept {excerpt(turn.accept or '')} takes none of {', '.join(rendered.offered)}"
            return self._refuser.refuse(Problem(Kind.NOT_ACCEPTABLE, detail), operation, turn)
        turn.trace.media_type, turn.trace.negotiation = rendered.media_type, rendered.negotiation
        refusal = self._commit(outcome, operation, turn)
        return refusal if refusal is not None else RawResponse(rendered.status, rendered.headers, rendered.body)

    def _commit(self, outcome: Outcome, operation: Operation, turn: Turn) -> RawResponse | None:
        """Commits an outcome with all that follows from it; or the refusal when something in it breaks."""
        if not outcome.changes and not outcome.events:
            return None
        followed = self.committing.commit(
            turn.universe,
            outcome.changes,
            now=turn.now,
            principal=turn.principal,
            emits=outcome.events,
            api=self.api.name,
        )
        if isinstance(followed, Problem):
            return self._refuser.refuse(followed, operation, turn)
        turn.trace.decisions += followed
        return None

    def _catch_up(self, turn: Turn) -> None:
        """Runs the timers that are due before anything is looked at."""
        turn.trace.decisions += self.committing.catch_up(turn.universe, turn.now)

    def _self_violation(self, violation: SelfViolation, operation: Operation, turn: Turn) -> RawResponse:
        """A 500 that names operation and place; nothing was committed."""
        first = violation.violations[0]
        detail = (
            f"the double's own answer to {operation.id} breaks {violation.pointer}: "
            f"{first.pointer or first.name or 'it'} {first.message}"
        )
        return self._refuser.refuse(Problem(Kind.SELF_VIOLATION, detail, violation.violations), None, turn)

    # Compiled parts

    def _lane(self, operation_id: str) -> Lane:
        lane = self._lanes.get(operation_id)
        if lane is None:
            lane = self._lanes[operation_id] = Lane(self.model, self.api.operation(operation_id))
        return lane

    def _express(self, lane: Lane) -> Express | None:
        """The short way for the plain requests of an operation; None where nothing about it is plain."""
        operation, meaning = lane.operation, lane.meaning
        watched = operation.id in self.webhooks.callbacks or (
            meaning.resource is not None and meaning.resource.qualified in self.committing.rules.by_resource
        )
        special = (self._limiter, self._replayer, watched)
        plain = plain_of(self.model, meaning) if not any(special) else None
        response = operation.response_for(meaning.status)
        if plain is None or response is None:
            return None
        known = Trace(secrets=self._secrets, fitting=self.api.candidates)
        known.operation_id, known.meaning = operation.id, meaning
        renderer = self._renderer(operation, response)
        return Express(
            meaning,
            plain,
            lane.reader,
            renderer,
            draft=known.copy,
            admit=partial(self._admit, operation) if operation.security else None,
            api=self.api.name,
            max_body=self.max_body,
        )

    def _admit(self, operation: Operation, request: RawRequest, now: datetime, state: State) -> Caller | Problem:
        return self.authenticator.authenticate(operation, request, now, state)

    def _renderer(self, operation: Operation | None, response: Response) -> ResponseRenderer:
        key = (operation.id if operation is not None else "", response.located.pointer)
        renderer = self._renderers.get(key)
        if renderer is None:
            renderer = ResponseRenderer(response, seed=self.model.seed, epoch=self.model.epoch)
            self._renderers[key] = renderer
        return renderer


def _call(operation: Operation, reading: Reading, turn: Turn) -> Call:
    request, base = turn.request, turn.base
    return Call(
        operation.id,
        operation.method,
        reading.path,
        reading.query,
        request.headers,
        reading.body,
        reading.media_type,
        turn.principal,
        request.url + base if base else request.url,
        request.target[len(base) :],
    )


def too_large(limit: int) -> str:
    """What is said of a body that is longer than ``limit`` bytes."""
    raised = "Options(max_body=...) or apidouble serve --max-body takes longer ones"
    return f"the body has more than the {limit} bytes that are taken; {raised}"


def _undescribed(status: int, operation: Operation) -> Violation:
    described = list(operation.responses)
    message = f"{status} is none of {', '.join(described)}"
    return Violation("status", "", "status", status, described, message)


def _finished(response: RawResponse, turn: Turn) -> RawResponse:
    """The response with the headers that belong to any answer: CORS, applied preferences."""
    more = cors_headers(turn.request) if "origin" in turn.request.headers else ()
    if turn.preferences is not NO_PREFERENCES and turn.preferences.applied:
        more = (*more, ("Preference-Applied", turn.preferences.applied))
    return replace(response, headers=(*response.headers, *more)) if more else response
