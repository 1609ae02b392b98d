"""The line: one request in, one response out, in one direction and without I/O.

    match → authenticate → read → behave → render and judge → commit and journal

Each stage takes a value and returns the next one or a ``Problem``. Commit is last: an answer that the client cannot
take or that breaks the description leaves no trace in the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

from mock_server.errors import DescriptionError, did_you_mean
from mock_server.exchange.authentication import Authenticator
from mock_server.exchange.errorbodies import PROBLEM_JSON, Facts, described_body, problem_document
from mock_server.exchange.explaining import explained
from mock_server.exchange.faults import strike
from mock_server.exchange.journal import Trace
from mock_server.exchange.messages import HeaderList, RawRequest, RawResponse
from mock_server.exchange.preferences import NO_PREFERENCES, Preferences, read_preferences
from mock_server.exchange.rendering import NotAcceptable, Rendered, ResponseRenderer, SelfViolation
from mock_server.exchange.requests import Reading, RequestReader
from mock_server.exchange.samples import preferred
from mock_server.exchange.universe import RecordedEvent, Universe
from mock_server.model.call import Call, Principal
from mock_server.model.meaning import Reason
from mock_server.model.mending import mended
from mock_server.model.minter import realize
from mock_server.model.model import Model
from mock_server.model.outcome import NO_BODY, Outcome, key_text
from mock_server.model.problem import DEFAULT_STATUS, Kind, Problem
from mock_server.model.state import commit
from mock_server.model.step import step
from mock_server.model.world import World
from mock_server.openapi import jsontext
from mock_server.openapi.description import Operation, Response
from mock_server.openapi.media import negotiate
from mock_server.openapi.templates import Fit, PathMatch
from mock_server.openapi.values import Violation

_STATUS_CHOICES: Mapping[Kind, tuple[int, ...]] = {
    Kind.INVALID: (422, 400),
    Kind.MALFORMED: (400, 422),
    Kind.NOT_FOUND: (404, 410),
    Kind.CONFLICT: (409, 422, 400),
    Kind.WRONG_STATE: (409, 422, 400),
    Kind.UNAUTHENTICATED: (401, 403),
    Kind.FORBIDDEN: (403, 401),
}
"""For kinds on which APIs differ: the statuses that a description may have for them, most fitting first."""


class Line:
    """Answers the requests of one API. Holds no state of its own: that is in the universe it is given."""

    def __init__(self, model: Model, *, authenticator: Authenticator, max_body: int = 10 * 1024 * 1024) -> None:
        self.model = model
        self.api = model.api
        self.max_body = max_body
        self._authenticator = authenticator
        self._readers: dict[str, RequestReader] = {}
        self._renderers: dict[tuple[str, str], ResponseRenderer] = {}
        self._prefixes = tuple(path for path in self.api.base_paths if path)

    def compile(self) -> None:
        """Compiles every operation, so that a broken description shows before the first request."""
        for operation in self.api.operations():
            self._reader(operation)
            self.model.meaning(operation.id)
            for response in operation.responses.values():
                self._renderer(operation, response)

    def answer(self, request: RawRequest, universe: Universe) -> RawResponse:
        """The response to a request. Every failure is a response too; nothing is raised."""
        trace = Trace()
        preferences = NO_PREFERENCES
        try:
            wanted = request.headers.get("prefer")
            read = read_preferences(wanted) if wanted is not None else NO_PREFERENCES
            if isinstance(read, Problem):
                response = self._refuse(read, None, request, universe, trace)
            else:
                preferences = read
                response = self._answer(request, universe, preferences, trace)
        except DescriptionError as error:
            response = self._refuse(Problem(Kind.DESCRIPTION, str(error)), None, request, universe, trace)
        except RecursionError:
            problem = Problem(Kind.INTERNAL, "the request or its schema is nested too deeply to be handled")
            response = self._refuse(problem, None, request, universe, trace)
        response = self._finished(request, response, preferences)
        entry = universe.journal.add(universe.clock.now(), universe.name, self.api.name, request, response, trace)
        if preferences.explain:
            response = explained(response, trace, entry)
        return response

    def _answer(
        self, request: RawRequest, universe: Universe, preferences: Preferences, trace: Trace
    ) -> RawResponse:
        match, base = self._match(request.method, request.path)
        trace.candidates = match.candidates
        if match.fit is not Fit.FULL:
            return self._unmatched(match, request, universe, trace)
        assert match.target is not None
        operation = self.api.operation(match.target)
        trace.operation_id = operation.id
        fault = strike(universe.faults, self.api.name, operation.id, universe.chance) if universe.faults else None
        if fault is not None:
            trace.decisions.append(Reason("fault", str(fault.as_json()), "set through the control API"))
            if fault.reset:
                return RawResponse(503, (), b"", fault.delay, reset=True)
            if fault.status is not None:
                problem = Problem(Kind.FAULT, "a fault was set for this operation", status=fault.status)
                return replace(self._refuse(problem, operation, request, universe, trace), delay=fault.delay)
        response = self._exchange(operation, match, base, request, universe, preferences, trace)
        return replace(response, delay=fault.delay) if fault is not None else response

    def _match(self, method: str, path: str) -> tuple[PathMatch[str], str]:
        """The operation for a path, with the base path of the servers or without it, and the base path used."""
        best = self.api.match(method, path)
        if best.fit is Fit.NONE or best.fit is Fit.PATH_ONLY:
            for prefix in self._prefixes:
                if path == prefix or path.startswith(prefix + "/"):
                    found = self.api.match(method, path[len(prefix) :] or "/")
                    if found.fit is Fit.FULL or best.fit is Fit.NONE:
                        return self._head(method, path[len(prefix) :] or "/", found), prefix
        return self._head(method, path, best), ""

    def _head(self, method: str, path: str, match: PathMatch[str]) -> PathMatch[str]:
        """HEAD is answered by GET where it is not described itself (RFC 9110 §9.3.2)."""
        if method == "HEAD" and match.fit is Fit.PATH_ONLY and "GET" in match.methods:
            return self.api.match("GET", path)
        return match

    def _unmatched(
        self, match: PathMatch[str], request: RawRequest, universe: Universe, trace: Trace
    ) -> RawResponse:
        if match.fit is Fit.NONE:
            path = request.path
            known = [ref.template.text for ref in self.api.refs.values()]
            hint = did_you_mean(path, known)
            problem = Problem(Kind.NO_ROUTE, f"no path of {self.api.title} matches {path}" + (f"; {hint}" if hint else ""))
            return self._refuse(problem, None, request, universe, trace)
        allowed = set(match.methods) | {"OPTIONS"} | ({"HEAD"} if "GET" in match.methods else set())
        allow = ", ".join(sorted(allowed))
        if request.method == "OPTIONS":
            trace.decisions.append(Reason("status", "204", "OPTIONS is not described, so it answers Allow"))
            return RawResponse(204, (("Allow", allow),), b"")
        problem = Problem(
            Kind.METHOD_NOT_ALLOWED,
            f"{request.method} is not described for {match.candidates[0]}; it knows {allow}",
            headers=(("Allow", allow),),
        )
        return self._refuse(problem, None, request, universe, trace)

    def _exchange(
        self,
        operation: Operation,
        match: PathMatch[str],
        base: str,
        request: RawRequest,
        universe: Universe,
        preferences: Preferences,
        trace: Trace,
    ) -> RawResponse:
        """Everything between a matched operation and its answer."""
        now = universe.clock.now()
        if operation.security:
            known = self._authenticator.authenticate(operation, request, now)
            if isinstance(known, Problem):
                return self._refuse(known, operation, request, universe, trace)
            principal, trace.security = known
            trace.principal = principal.name if principal is not None else None
        else:
            principal, trace.security = None, "open"
        if len(request.body) > self.max_body:
            problem = Problem(Kind.TOO_LARGE, f"the body has {len(request.body)} bytes, at most {self.max_body} are taken")
            return self._refuse(problem, operation, request, universe, trace)
        reading = self._reader(operation).read(request, match.values)
        if isinstance(reading, Problem):
            return self._refuse(reading, operation, request, universe, trace)
        trace.notes = reading.notes
        if preferences.overrides:
            chosen = preferred(self.model, operation, preferences)
            if isinstance(chosen, Problem):
                return self._refuse(chosen, operation, request, universe, trace)
            return self._send(operation, chosen, request, universe, trace, ())
        call = _call(operation, reading, request, principal, base)
        with universe.lock:
            return self._behave(operation, call, request, universe, trace, now)

    def _behave(
        self, operation: Operation, call: Call, request: RawRequest, universe: Universe, trace: Trace, now: datetime
    ) -> RawResponse:
        state = universe.state
        trace.meaning = self.model.meaning(operation.id)
        outcome = step(World(self.model, state, now, universe.tables), call)
        if isinstance(outcome, Problem):
            return self._refuse(outcome, operation, request, universe, trace)
        outcome = realize(outcome, state=state, seed=universe.seed, now=now)
        trace.outcome = outcome
        return self._send(operation, outcome, request, universe, trace, self._headers(outcome, call))

    def _headers(self, outcome: Outcome, call: Call) -> HeaderList:
        headers = outcome.headers
        if outcome.etag is not None:
            headers = (*headers, ("ETag", outcome.etag))
        if outcome.location_key is not None and outcome.status == 201:
            location = self._location(call, key_text(outcome.location_key))
            if location is not None:
                headers = (*headers, ("Location", location))
        return headers

    def _location(self, call: Call, key: str) -> str | None:
        """The URL of a created item, where its path has no parameter that the call did not have."""
        resource = self.model.meaning(call.operation_id).resource
        if resource is None or resource.item_path is None or resource.key_parameter is None:
            return None
        path = resource.item_path.replace("{" + resource.key_parameter + "}", _segment(key))
        for name, value in call.path.items():
            path = path.replace("{" + name + "}", _segment(key_text(value)))
        return None if "{" in path else call.url + path

    def _send(
        self,
        operation: Operation,
        outcome: Outcome,
        request: RawRequest,
        universe: Universe,
        trace: Trace,
        headers: HeaderList,
    ) -> RawResponse:
        """Renders, judges, and only then commits."""
        response = operation.response_for(outcome.status)
        if response is None:
            if outcome.status == 304 and outcome.body is NO_BODY:
                return RawResponse(304, headers, b"")
            return self._self_violation((_undescribed(outcome.status, operation),), operation.located.pointer,
                                        operation, request, universe, trace)  # fmt: skip
        renderer = self._renderer(operation, response)
        rendered = renderer.render(outcome, accept=request.headers.get("accept"), headers=headers)
        if isinstance(rendered, SelfViolation) and trace.meaning is not None and trace.meaning.inferred:
            repaired = mended(self.model, trace.meaning, outcome, rendered.violations)
            if repaired is not None:
                outcome = trace.outcome = repaired
                rendered = renderer.render(outcome, accept=request.headers.get("accept"), headers=headers)
        if isinstance(rendered, SelfViolation):
            return self._self_violation(rendered.violations, rendered.pointer, operation, request, universe, trace)
        if isinstance(rendered, NotAcceptable):
            listed = ", ".join(rendered.offered)
            problem = Problem(Kind.NOT_ACCEPTABLE, f"Accept {request.headers.get('accept')} takes none of {listed}")
            return self._refuse(problem, operation, request, universe, trace)
        trace.media_type, trace.negotiation = rendered.media_type, rendered.negotiation
        self._commit(outcome, universe)
        return _wire(rendered)

    def _commit(self, outcome: Outcome, universe: Universe) -> None:
        if outcome.changes:
            with universe.lock:
                universe.state = commit(universe.state, outcome.changes)
                now = universe.clock.now()
                universe.events += [RecordedEvent(now, self.api.name, event) for event in outcome.events]

    def _self_violation(
        self,
        violations: tuple[Violation, ...],
        pointer: str,
        operation: Operation,
        request: RawRequest,
        universe: Universe,
        trace: Trace,
    ) -> RawResponse:
        first = violations[0]
        detail = f"the double's own answer to {operation.id} breaks {pointer}: {first.pointer or 'it'} {first.message}"
        problem = Problem(Kind.SELF_VIOLATION, detail, violations)
        return self._refuse(problem, None, request, universe, trace)

    # Refusals

    def _refuse(
        self, problem: Problem, operation: Operation | None, request: RawRequest, universe: Universe, trace: Trace
    ) -> RawResponse:
        """A problem as a response: in the description's own error schema where one fits, else RFC 9457."""
        trace.violations = problem.violations
        mapping = self.model.annotations.errors.get(problem.kind) or self.model.annotations.errors.get("default")
        status = problem.status or (mapping.status if mapping is not None else None) or self._status(problem, operation)
        code = problem.code or (mapping.code if mapping is not None else None)
        detail = (mapping.message if mapping is not None else None) or problem.detail
        trace.decisions.append(Reason("problem", f"{status} {problem.kind}", problem.detail))
        facts = Facts(problem, status, code, detail, f"r{len(universe.journal) + 1}", request.path,
                      universe.clock.now(), universe.seed)  # fmt: skip
        headers = problem.headers
        described = operation.response_for(status) if operation is not None else self._any_error_response(status)
        if described is not None and problem.kind is not Kind.SELF_VIOLATION:
            rendered = self._described(facts, described, operation, request, headers)
            if rendered is not None:
                trace.media_type = rendered.media_type
                return _wire(rendered)
        body = b"" if status in {204, 304} else jsontext.dumps(problem_document(facts))
        return RawResponse(status, (("Content-Type", PROBLEM_JSON), *headers), body)

    def _described(
        self, facts: Facts, response: Response, operation: Operation | None, request: RawRequest, headers: HeaderList
    ) -> Rendered | None:
        offered = [media for media in response.content if media.schema is not None]
        if not offered:
            return None
        names = tuple(media.name for media in offered)
        # A client that accepts none of the error's media types still learns more from the error than from a 406.
        chosen = negotiate(request.headers.get("accept"), names) or negotiate(None, names)
        media = next(m for m in offered if chosen is None or m.name == chosen.media_type)
        mapping = self.model.annotations.errors.get(facts.problem.kind) or self.model.annotations.errors.get("default")
        assert media.schema is not None
        body = described_body(facts, media.schema, mapping)
        if body is None:
            return None
        key = operation.id if operation is not None else ""
        renderer = self._renderers.get((key, response.located.pointer))
        if renderer is None:
            renderer = ResponseRenderer(response, seed=self.model.seed, epoch=self.model.epoch)
            self._renderers[(key, response.located.pointer)] = renderer
        rendered = renderer.render(Outcome(facts.status, body), accept=media.name, headers=headers)
        return rendered if isinstance(rendered, Rendered) else None

    def _status(self, problem: Problem, operation: Operation | None) -> int:
        """The status that the description has for a kind of problem, else the one of its RFC."""
        choices = _STATUS_CHOICES.get(problem.kind, ())
        if operation is not None:
            for status in choices:
                if str(status) in operation.responses:
                    return status
        if problem.kind is Kind.INVALID and any(v.where != "body" for v in problem.violations):
            return 400
        return DEFAULT_STATUS[problem.kind]

    def _any_error_response(self, status: int) -> Response | None:
        """A response described for an error of some operation compiled already: what errors look like in this API."""
        for operation_id in self.api.compiled_ids():
            response = self.api.operation(operation_id).responses.get(str(status))
            if response is not None and response.content:
                return response
        return None

    # Compiled parts

    def _reader(self, operation: Operation) -> RequestReader:
        reader = self._readers.get(operation.id)
        if reader is None:
            names = frozenset(
                scheme.parameter
                for requirement in operation.security
                for scheme, _ in requirement
                if scheme.location == "query"
            )
            reader = self._readers[operation.id] = RequestReader(operation, credential_names=names)
        return reader

    def _renderer(self, operation: Operation, response: Response) -> ResponseRenderer:
        key = (operation.id, response.located.pointer)
        renderer = self._renderers.get(key)
        if renderer is None:
            renderer = ResponseRenderer(response, seed=self.model.seed, epoch=self.model.epoch)
            self._renderers[key] = renderer
        return renderer

    def _finished(self, request: RawRequest, response: RawResponse, preferences: Preferences) -> RawResponse:
        headers = response.headers
        origin = request.headers.get("origin")
        if origin is not None:
            headers = (*headers, *_cors(request, origin))
        if preferences is not NO_PREFERENCES and preferences.applied:
            headers = (*headers, ("Preference-Applied", preferences.applied))
        return replace(response, headers=headers) if headers is not response.headers else response


def _call(
    operation: Operation, reading: Reading, request: RawRequest, principal: Principal | None, base: str
) -> Call:
    return Call(
        operation_id=operation.id,
        method=operation.method,
        path=reading.path,
        query=reading.query,
        headers=request.headers,
        body=reading.body,
        media_type=reading.media_type,
        principal=principal,
        url=request.url + base,
        target=request.target[len(base) :],
    )


def _undescribed(status: int, operation: Operation) -> Violation:
    described = list(operation.responses)
    return Violation("status", "", "status", status, described, f"{status} is none of {', '.join(described)}")


def _wire(rendered: Rendered) -> RawResponse:
    return RawResponse(rendered.status, rendered.headers, rendered.body)


def _segment(text: str) -> str:
    return quote(text, safe="-._~!$&'()*+,;=:@")


def _cors(request: RawRequest, origin: str) -> HeaderList:
    """What a browser needs to read the answer (Fetch §3.2): a sandbox lets every origin in."""
    headers: HeaderList = (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "*, Authorization, Location, ETag, Link"),
        ("Vary", "Origin"),
    )
    method = request.headers.get("access-control-request-method")
    if request.method == "OPTIONS" and method is not None:
        asked = request.headers.get("access-control-request-headers", "*")
        headers = (
            *headers,
            ("Access-Control-Allow-Methods", method),
            ("Access-Control-Allow-Headers", asked),
            ("Access-Control-Max-Age", "600"),
        )
    return headers
