"""From a problem to a response: the description's status and error schema where it has them, else RFC 9457."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mock_server.exchange.errorbodies import PROBLEM_JSON, Facts, described_body, problem_document
from mock_server.exchange.messages import HeaderList, RawResponse
from mock_server.exchange.rendering import Rendered, ResponseRenderer
from mock_server.exchange.turn import Turn
from mock_server.model.annotations import ErrorMapping
from mock_server.model.meaning import Reason
from mock_server.model.model import Model
from mock_server.model.outcome import Outcome
from mock_server.model.problem import DEFAULT_STATUS, Kind, Problem
from mock_server.openapi import jsontext
from mock_server.openapi.description import Operation, Response
from mock_server.openapi.media import negotiate

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

RendererFor = Callable[[Operation | None, Response], ResponseRenderer]


class Refuser:
    """Answers problems in one API's own words."""

    def __init__(self, model: Model, renderer_for: RendererFor) -> None:
        self._model = model
        self._renderer_for = renderer_for

    def refuse(self, problem: Problem, operation: Operation | None, turn: Turn) -> RawResponse:
        """A problem as a response; ``operation`` None means that none was matched, or that it is not to blame."""
        trace = turn.trace
        trace.violations = problem.violations
        mapping = self._mapping(problem.kind)
        status = problem.status or (mapping.status if mapping is not None else None)
        if status is None:
            status = _described_status(problem, operation)
        trace.decisions.append(Reason("problem", f"{status} {problem.kind}", problem.detail))
        facts = Facts(
            problem,
            status,
            problem.code or (mapping.code if mapping is not None else None),
            (mapping.message if mapping is not None else None) or problem.detail,
            turn.universe.journal.next_id,
            turn.request.path,
            turn.now,
            turn.universe.seed,
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
        return errors.get(kind) or errors.get("default")

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
        offered = {media.name: media.schema for media in response.content if media.schema is not None}
        if not offered:
            return None
        names = tuple(offered)
        # A client that accepts none of the error's media types still learns more from the error than from a 406.
        chosen = negotiate(turn.accept, names) or negotiate(None, names)
        name = chosen.media_type if chosen is not None else names[0]
        body = described_body(facts, offered[name], mapping)
        if body is None:
            return None
        renderer = self._renderer_for(operation, response)
        rendered = renderer.render(Outcome(facts.status, body), accept=name, headers=facts.problem.headers)
        return rendered if isinstance(rendered, Rendered) else None


def _described_status(problem: Problem, operation: Operation | None) -> int:
    """The status that the description has for a kind of problem, else the one of its RFC."""
    if operation is not None:
        for status in _STATUS_CHOICES.get(problem.kind, ()):
            if str(status) in operation.responses:
                return status
    if problem.kind is Kind.INVALID and any(violation.where != "body" for violation in problem.violations):
        return 400
    return DEFAULT_STATUS[problem.kind]
