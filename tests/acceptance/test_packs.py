"""The packs as a whole: over HTTP, before the independent judge, and what every pack owes its reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import jsonschema
import orjson
import pytest

from contracts.exchanges import Answer, load, run
from contracts.judge import Judge
from contracts.targets import in_process, over_http
from mock_server import MockServer, pack, pack_names
from mock_server.exchange.messages import RawRequest
from mock_server.openapi.outgoing import webhooks
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Sampler, Unsampleable
from mock_server.sandbox import Served
from tests.acceptance.test_exchanges import FILES, sandbox
from tests.acceptance.together import packs

BEYOND_THE_DESCRIPTION: Mapping[str, str] = {
    "security": "openapi-core asks whether a credential is there, the double also whether it is known and current",
    "scope": "openapi-core does not look at scopes",
}
"""Keywords of violations that openapi-core cannot see, each with the reason; it may find such a request valid."""


LARGE = 200
"""Packs of more operations are sampled once each."""


_REQUEST_PARTS = frozenset({"path", "query", "header", "cookie", "body"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_exchanges_hold_over_http(server_of_packs: MockServer, path: Path) -> None:
    failure = run(load(path), over_http(server_of_packs.url, f"http-{path.stem}"))
    assert failure is None, str(failure)


@cache
def judge(api: str) -> Judge:
    return Judge(pack(api).description, outside=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_openapi_core_agrees_on_every_request_and_response_of_the_exchanges(path: Path) -> None:
    box = sandbox(path.parent.parent)
    universe = box.universes.get(f"judged-{path.stem}")
    plain = in_process(box, universe)
    disagreements: list[str] = []
    judged = 0
    seen: set[tuple[str, str, str, bytes, int]] = set()

    def send(api: str, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        nonlocal judged
        answer = plain.send(api, method, url, headers, body)
        status, answered, content = answer
        if (api, method, url, body, status) in seen:
            return answer  # the hundredth of its kind, up to a limit
        seen.add((api, method, url, body, status))
        trace = list(universe.journal)[-1].trace
        if trace.operation_id is None:
            return answer  # no operation was matched: openapi-core has nothing to judge by
        judged += 1
        # What is refused once its meaning has been asked for was a valid request: a state, a rule between items or a
        # stored schema speaks against it, which no description can say.
        broken = {v.keyword for v in trace.violations if v.where in _REQUEST_PARTS} if trace.meaning is None else set()
        theirs = judge(api).request(method, url, headers, body)
        # Beyond a limit nobody has looked at the request, so that there is nothing to compare.
        looked_at = status != 429
        if looked_at and theirs.valid == bool(broken) and not (broken and broken <= set(BEYOND_THE_DESCRIPTION)):
            disagreements.append(f"{method} {url}: we say {broken or 'valid'}, openapi-core {theirs}")
        response = judge(api).response(method, url, status, answered.items(), content)
        if not response.valid:
            disagreements.append(f"{method} {url} answered {status}: {response.reasons}")
        return answer

    failure = run(load(path), replace(plain, send=send))
    assert failure is None, str(failure)
    assert judged
    assert disagreements == []


@pytest.mark.parametrize("name", pack_names())
def test_every_operation_and_component_schema_says_where_it_comes_from(name: str) -> None:
    root = packs().api(name).api.root
    schemas = (root.get("components") or {}).get("schemas") or {}
    noted: dict[str, Json] = {ref.id: ref.operation.value for ref in packs().api(name).api.refs.values()} | schemas
    silent = [key for key, value in noted.items() if not _provenance(value)]
    assert silent == []


def _provenance(value: Json) -> bool:
    noted = value.get("x-provenance") if isinstance(value, dict) else None
    if not isinstance(noted, dict):
        return False
    return bool(noted.get("source")) if noted.get("status") == "documented" else bool(noted.get("reason"))


def _schemas(served: Served) -> Iterator[tuple[str, dict[str, Json], Direction]]:
    for operation in served.api.operations():
        if operation.request_body is not None:
            for media in operation.request_body.content:
                if media.schema is not None:
                    yield operation.id, media.schema.bundle(Direction.REQUEST), Direction.REQUEST
        for status, response in operation.responses.items():
            for media in response.content:
                if media.schema is not None:
                    yield (
                        f"{operation.id} {status}",
                        media.schema.bundle(Direction.RESPONSE),
                        Direction.RESPONSE,
                    )


@pytest.mark.parametrize("name", pack_names())
def test_every_sample_of_every_operation_is_valid_before_python_jsonschema(name: str) -> None:
    served = packs().api(name)
    judged = 0
    for place, bundle, direction in _schemas(served):
        for seed in range(3 if len(served.api.refs) <= LARGE else 1):
            try:
                value = Sampler(bundle, direction=direction).sample(seed=seed, now=served.model.epoch, name=place)
            except Unsampleable as error:
                pytest.fail(f"{place}: {error}")
            jsonschema.Draft202012Validator(bundle).validate(value)
            judged += 1
    assert judged >= 3 * len(served.api.refs)


@pytest.mark.parametrize("name", pack_names())
def test_every_operation_answers_a_dynamic_sample_that_it_describes(name: str) -> None:
    served = packs().api(name)
    universe = packs().universes.get("dynamic")
    for operation in served.api.operations():
        if operation.security or any(parameter.required for parameter in operation.parameters):
            continue
        headers = {"prefer": "dynamic=true", "content-type": "application/json"}
        body = b""
        if operation.request_body is not None:
            examples = operation.request_body.content[0].examples
            assert examples, operation.id
            body = orjson.dumps(examples[0].value)
        path = operation.path
        answer = served.line.answer(RawRequest(operation.method, path, "", headers, body, "http://t"), universe)
        assert answer.status < 400, (operation.id, answer.body)


def test_events_satisfy_the_webhooks_that_describe_them() -> None:
    checked = 0
    for path in FILES:
        box = sandbox(path.parent.parent)
        universe = box.universes.get(f"events-{path.stem}")
        run(load(path), in_process(box, universe))
        for recorded in universe.events:
            for described in webhooks(box.api(recorded.api).api):
                if described.event == recorded.event.type and described.schema is not None:
                    jsonschema.Draft202012Validator(described.schema.bundle()).validate(recorded.event.data)
                    checked += 1
    assert checked
