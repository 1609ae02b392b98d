"""From a problem to a response: the description's status and error schema where it has them, else RFC 9457."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from mock_server.exchange.errorbodies import PROBLEM_JSON, Facts, described_body, problem_document
from mock_server.exchange.errorfacts import field_of
from mock_server.exchange.limiting import told
from mock_server.exchange.messages import HeaderList, RawResponse
from mock_server.exchange.rendering import Rendered, ResponseRenderer
from mock_server.exchange.turn import Turn
from mock_server.model.annotations import ErrorMapping
from mock_server.model.meaning import Reason
from mock_server.model.model import Model
from mock_server.model.outcome import Outcome
from mock_server.model.problem import DEFAULT_STATUS, WIDER, Kind, Problem
from mock_server.openapi import jsontext
from mock_server.openapi.bodies import Syntax, syntax_of
from mock_server.openapi.description import MediaType, Operation, Response
from mock_server.openapi.media import negotiate, parse_media_type

_STATUS_CHOICES: Mapping[Kind, tuple[int, ...]] = {
    Kind.INVALID: (422, 400),
    Kind.MISSING: (422, 400),
    Kind.MALFORMED: (400, 422),
    Kind.NOT_FOUND: (404, 410),
    Kind.CONFLICT: (409, 422, 400),
    Kind.WRONG_STATE: (409, 422, 400),
    Kind.UNAUTHENTICATED: (401, 403),
    Kind.EXPIRED: (401, 403),
    Kind.FORBIDDEN: (403, 401),
    Kind.QUOTA_EXCEEDED: (429, 403, 409, 422, 400),
    Kind.IDEMPOTENCY_MISMATCH: (422, 409, 400),
}
"""For kinds on which APIs differ: the statuses that a description may have for them, most fitting first."""

_OF_REQUESTS = frozenset({Kind.INVALID, Kind.MISSING})

RendererFor = Callable[[Operation | None, Response], ResponseRenderer]


class Refuser:
    """Answers problems in one API's own words."""

    def __init__(self, model: Model, renderer_for: RendererFor) -> None:
        self._model = model
        self._renderer_for = renderer_for

    def status(self, problem: Problem, operation: Operation | None) -> int:
        """The status that a problem is answered with."""
        mapping = self._mapping(problem.kind)
        status = problem.status or (mapping.status if mapping is not None else None)
        return _described_status(problem, operation) if status is None else status

    def refuse(self, problem: Problem, operation: Operation | None, turn: Turn) -> RawResponse:
        """A problem as a response; ``operation`` None means that none was matched, or that it is not to blame."""
        trace = turn.trace
        trace.refused = problem
        trace.violations = problem.violations
        trace.decisions += problem.reasons
        if problem.kind is Kind.INVALID and Kind.MISSING in self._model.annotations.errors:
            problem = _as_missing(problem)
        mapping = self._mapping(problem.kind)
        status = self.status(problem, operation)
        trace.decisions += (Reason("problem", f"{status} {problem.kind}", problem.detail),)
        facts = Facts(
            problem,
            status,
            problem.code or (mapping.code if mapping is not None else None),
            _sentence(problem, mapping),
            turn.id,
            turn.request.path,
            turn.now,
            turn.universe.seed,
            mapping.sentences if mapping is not None else None,
        )
        if problem.kind is not Kind.SELF_VIOLATION:
            response = self._response_for(status, operation)
            rendered = self._described(facts, response, operation, mapping, turn) if response else None
            if rendered is not None:
                trace.media_type = rendered.media_type
                return RawResponse(rendered.status, rendered.headers, rendered.body)
        headers: HeaderList = (("Content-Type", PROBLEM_JSON), *problem.headers)
        return RawResponse(status, headers, jsontext.dumps(problem_document(facts)))

    def _mapping(self, kind: Kind) -> ErrorMapping | None:
        errors = self._model.annotations.errors
        return errors.get(kind) or errors.get(WIDER.get(kind, kind)) or errors.get("default")

    def _response_for(self, status: int, operation: Operation | None) -> Response | None:
        """The response described for a status; for no operation in particular, what errors look like in this API."""
        if operation is not None:
            return operation.response_for(status)
        api = self._model.api
        for key in (str(status), f"{status // 100}XX", "default"):
            for operation_id in api.compiled_ids():
                response = api.operation(operation_id).responses.get(key)
                if response is not None and response.content:
                    return response
        return None

    def _described(
        self,
        facts: Facts,
        response: Response,
        operation: Operation | None,
        mapping: ErrorMapping | None,
        turn: Turn,
    ) -> Rendered | None:
        media = _offered(response, turn.accept)
        if media is None or media.schema is None:
            return _undefined(facts, response)
        body = described_body(facts, media.schema, mapping)
        if body is None:
            return None
        renderer, name = self._renderer_for(operation, response), media.name
        headers = facts.problem.headers
        if turn.standings:
            headers = (*headers, *told(turn.standings, response))
        if not headers:
            way = renderer.plainly(body, accept=name)
            if way is not None:
                sent = (way.content_type, *way.vary)
                return Rendered(facts.status, sent, way.encode(body), way.media_type, way.negotiation)
        rendered = renderer.render(Outcome(facts.status, body), accept=name, headers=headers)
        return rendered if isinstance(rendered, Rendered) else None


def _offered(response: Response, accept: str | None) -> MediaType | None:
    """The described way to tell an error; None where none says what its body is."""
    offered = [media for media in response.content if media.schema is not None]
    if len(offered) <= 1:
        return offered[0] if offered else None
    names = [media.name for media in offered]
    # A client that accepts none of the error's media types still learns more from the error than from a 406.
    chosen = negotiate(accept, names) or negotiate(None, names)
    return next((media for media in offered if chosen is not None and media.name == chosen.media_type), offered[0])


def _undefined(facts: Facts, response: Response) -> Rendered | None:
    """A problem in the JSON type of a response that says nothing about its body; None where there is no such type."""
    names = (media.name for media in response.content)
    name = next((name for name in names if syntax_of(parse_media_type(name)) is Syntax.JSON), None)
    if name is None:
        return None
    headers = (("Content-Type", name), *facts.problem.headers)
    return Rendered(facts.status, headers, jsontext.dumps(problem_document(facts)), name, "the only one described")


def _as_missing(problem: Problem) -> Problem:
    """A problem of which a part is that something is missing, as one of that kind and told of that first.

    Services that tell the two apart look whether everything is there before they look at what it is.
    """
    absent = [violation for violation in problem.violations if violation.keyword == "required"]
    if not absent:
        return problem
    others = [violation for violation in problem.violations if violation.keyword != "required"]
    detail = problem.detail if problem.violations[0] is absent[0] else absent[0].message
    return replace(problem, kind=Kind.MISSING, detail=detail, violations=(*absent, *others))


def _sentence(problem: Problem, mapping: ErrorMapping | None) -> str:
    """What a problem says as a whole: the API's sentence for its kind, or for its first violation, else ours."""
    if mapping is None:
        return problem.detail
    if mapping.message is not None:
        return mapping.message
    if mapping.sentences is not None and problem.violations:
        first = problem.violations[0]
        return mapping.sentences.told(first, field_of(first)) or problem.detail
    return problem.detail


def _described_status(problem: Problem, operation: Operation | None) -> int:
    """The status that the description has for a kind of problem, else the one of its RFC."""
    if operation is not None:
        for status in _STATUS_CHOICES.get(problem.kind, ()):
            if str(status) in operation.responses:
                return status
    if problem.kind in _OF_REQUESTS and any(violation.where != "body" for violation in problem.violations):
        return 400
    return DEFAULT_STATUS[problem.kind]
