"""Every pack's Arazzo workflows, in process and over HTTP; and the runner itself on a small shop."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from contracts.arazzo import Arazzo, load
from contracts.targets import in_process, over_http
from contracts.workflows import Run, run
from mock_server import MockServer
from mock_server.errors import ConfigurationError, FixtureError
from mock_server.openapi.compile import Api
from mock_server.packs import ApiSource, pack, pack_names
from mock_server.sandbox import Sandbox
from tests.acceptance.together import packs

FILES = tuple(
    path for name in pack_names() if (path := pack(name).description.parent / "workflows.arazzo.yaml").is_file()
)


def api_of(path: Path) -> Api:
    return next(served.api for served in packs().apis.values() if served.source.description.resolve() == path)


def ids() -> list[tuple[Path, str]]:
    listed = ((path, yaml.safe_load(path.read_text())["workflows"]) for path in FILES)
    return [(path, workflow["workflowId"]) for path, workflows in listed for workflow in workflows]


@pytest.mark.parametrize(("path", "workflow"), ids(), ids=lambda value: getattr(value, "parent", Path(value)).name)
def test_a_workflow_of_a_pack_runs_green(path: Path, workflow: str) -> None:
    universe = packs().universes.get(f"workflow-{path.parent.name}-{workflow}")
    found = run(load(path, api_of), workflow, in_process(packs(), universe))
    assert found.passed, str(found)


@pytest.mark.parametrize(("path", "workflow"), ids(), ids=lambda value: getattr(value, "parent", Path(value)).name)
def test_a_workflow_of_a_pack_runs_green_over_http(server_of_packs: MockServer, path: Path, workflow: str) -> None:
    found = run(load(path, api_of), workflow, over_http(server_of_packs.url, f"workflow-{path.parent.name}-{workflow}"))
    assert found.passed, str(found)


# The runner

SHOP = """
    openapi: 3.1.0
    info: {title: Shop, version: "1"}
    paths:
      /things:
        post:
          operationId: createThing
          requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/New"}}}}
          responses: {"201": {$ref: "#/components/responses/Thing"}}
        get:
          operationId: listThings
          parameters: [{name: tag, in: query, schema: {type: array, items: {type: string}}}]
          responses:
            "200":
              description: Things.
              content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Thing"}}}}
      /things/{id}:
        parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
        get:
          operationId: getThing
          responses: {"200": {$ref: "#/components/responses/Thing"}, "404": {description: No.}}
        delete: {operationId: deleteThing, responses: {"204": {description: Gone.}, "404": {description: No.}}}
    components:
      responses:
        Thing: {description: A thing., content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
      schemas:
        New: {type: object, required: [name], properties: {name: {type: string}, tag: {type: string}}}
        Thing:
          type: object
          required: [id, name]
          properties: {id: {type: integer}, name: {type: string}, tag: {type: string}}
    """

HEAD: dict[str, Any] = {
    "arazzo": "1.0.1",
    "info": {"title": "Shopping", "version": "1"},
    "sourceDescriptions": [{"name": "shop", "url": "shop.yaml", "type": "openapi"}],
}
CREATE: dict[str, Any] = {
    "stepId": "create",
    "operationId": "createThing",
    "requestBody": {"payload": {"name": "$inputs.name"}},
    "successCriteria": [{"condition": "$statusCode == 201"}, {"condition": "$response.body#/name == $inputs.name"}],
    "outputs": {"id": "$response.body#/id"},
}
BY_ID = [{"name": "id", "in": "path", "value": "$steps.create.outputs.id"}]
INPUTS = {"type": "object", "properties": {"name": {"type": "string", "default": "Lamp"}}}


class Shop:
    """A shop's double, and Arazzo files beside its description."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        description = folder / "shop.yaml"
        description.write_text(dedent(SHOP))
        self.sandbox = Sandbox([ApiSource("shop", description)])

    def load(self, *steps: Any, more: Any = (), **document: Any) -> Arazzo:
        path = self.folder / "workflows.yaml"
        workflow = {"workflowId": "buy", "inputs": INPUTS, "steps": list(steps), **document.pop("workflow", {})}
        path.write_text(yaml.safe_dump({**HEAD, "workflows": [workflow, *more], **document}))
        return load(path, lambda _: self.sandbox.api("shop").api)

    def run(self, *steps: Any, inputs: Any = None, more: Any = (), **document: Any) -> Run:
        target = in_process(self.sandbox, self.sandbox.universes.default)
        return run(self.load(*steps, more=more, **document), "buy", target, inputs=inputs)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_the_output_of_a_step_is_the_input_of_the_next(shop: Shop) -> None:
    look = {"stepId": "look", "operationId": "getThing", "parameters": BY_ID, "outputs": {"seen": "$response.body"}}
    found = shop.run(CREATE, look, workflow={"outputs": {"thing": "$steps.look.outputs.seen"}})
    assert found.passed, str(found)
    assert found.outputs == {"thing": {"id": 1, "name": "Lamp"}}


def test_inputs_are_judged_and_defaulted_by_their_schema(shop: Shop) -> None:
    assert shop.run(CREATE, inputs={"name": "Torch"}).steps[0].outputs == {"id": 1}
    with pytest.raises(ConfigurationError, match="inputs of buy"):
        shop.run(CREATE, inputs={"name": 5})


def test_a_criterion_that_does_not_hold_ends_the_workflow_and_is_told(shop: Shop) -> None:
    wrong = {**CREATE, "successCriteria": [{"condition": "$statusCode == 200"}]}
    found = shop.run(wrong, {**CREATE, "stepId": "again"})
    assert not found.passed
    assert len(found.steps) == 1
    assert "$statusCode == 200" in str(found)
    assert "answered 201" in str(found)


def test_a_step_without_criteria_needs_a_success(shop: Shop) -> None:
    missing = {"stepId": "look", "operationId": "getThing", "parameters": [{**BY_ID[0], "value": 99}]}
    assert not shop.run(missing).passed


@pytest.mark.parametrize(
    ("criterion", "passes"),
    [
        ({"context": "$response.body#/name", "condition": "^La", "type": "regex"}, True),
        ({"context": "$response.body#/name", "condition": "^la", "type": "regex"}, False),
        ({"context": "$response.body", "condition": "$[?@ == 'Lamp']", "type": "jsonpath"}, True),
        ({"context": "$response.body", "condition": "$.nothing", "type": "jsonpath"}, False),
    ],
)
def test_criteria_may_be_patterns_and_paths(shop: Shop, criterion: Any, passes: bool) -> None:
    assert shop.run({**CREATE, "successCriteria": [criterion]}).passed is passes


def test_a_failure_may_lead_to_another_step(shop: Shop) -> None:
    gone = [{"name": "skip", "type": "goto", "stepId": "create", "criteria": [{"condition": "$statusCode == 404"}]}]
    look = {
        "stepId": "look",
        "operationId": "getThing",
        "parameters": [{**BY_ID[0], "value": 99}],
        "onFailure": gone,
    }
    never = {"stepId": "never", "operationId": "deleteThing", "parameters": [{**BY_ID[0], "value": 99}]}
    found = shop.run(look, never, CREATE)
    assert [report.step.id for report in found.steps] == ["look", "create"]
    assert found.passed


def test_a_retry_waits_on_the_clock_and_gives_up_at_its_limit(shop: Shop) -> None:
    before = shop.sandbox.universes.default.clock.now()
    retry = [{"name": "again", "type": "retry", "retryAfter": 30, "retryLimit": 3}]
    look = {
        "stepId": "look",
        "operationId": "getThing",
        "parameters": [{**BY_ID[0], "value": 99}],
        "onFailure": retry,
    }
    found = shop.run(look)
    assert not found.passed
    assert len(found.steps) == 4
    assert (shop.sandbox.universes.default.clock.now() - before).total_seconds() >= 90


def test_an_end_action_leaves_out_the_rest(shop: Shop) -> None:
    found = shop.run({**CREATE, "onSuccess": [{"name": "enough", "type": "end"}]}, {**CREATE, "stepId": "again"})
    assert found.passed
    assert len(found.steps) == 1


def test_a_workflow_may_call_another_and_use_what_it_gives(shop: Shop) -> None:
    make = {
        "workflowId": "make",
        "inputs": INPUTS,
        "steps": [CREATE],
        "outputs": {"id": "$steps.create.outputs.id"},
    }
    call = {
        "stepId": "made",
        "workflowId": "make",
        "parameters": [{"name": "name", "value": "Torch"}],
        "outputs": {"id": "$outputs.id"},
    }
    look = {
        "stepId": "look",
        "operationId": "getThing",
        "parameters": [{"name": "id", "in": "path", "value": "$steps.made.outputs.id"}],
        "successCriteria": [{"condition": "$response.body#/name == 'Torch'"}],
    }
    assert shop.run(call, look, more=[make]).passed


def test_a_workflow_runs_what_it_depends_on_first(shop: Shop) -> None:
    make = {"workflowId": "make", "inputs": INPUTS, "steps": [CREATE], "outputs": {"id": "$steps.create.outputs.id"}}
    parameters = [{"name": "id", "in": "path", "value": "$workflows.make.outputs.id"}]
    look = {"stepId": "look", "operationId": "getThing", "parameters": parameters}
    assert shop.run(look, more=[make], workflow={"dependsOn": ["make"]}).passed


def test_components_are_reused_and_overridden(shop: Shop) -> None:
    components = {"parameters": {"lamp": {"name": "id", "in": "path", "value": 1}}}
    look = {"stepId": "look", "operationId": "getThing", "parameters": [{"reference": "$components.parameters.lamp"}]}
    other = {**look, "stepId": "other", "parameters": [{"reference": "$components.parameters.lamp", "value": 2}]}
    found = shop.run(CREATE, look, other, components=components)
    assert [report.passed for report in found.steps] == [True, True, False]


def test_a_payload_has_parts_replaced(shop: Shop) -> None:
    body = {"payload": {"name": "x", "tag": "old"}, "replacements": [{"target": "/name", "value": "$inputs.name"}]}
    found = shop.run({**CREATE, "requestBody": body, "outputs": {"made": "$response.body"}})
    assert found.steps[0].outputs == {"made": {"id": 1, "name": "Lamp", "tag": "old"}}


def test_an_array_parameter_travels_in_its_style(shop: Shop) -> None:
    parameters = [{"name": "tag", "in": "query", "value": ["a b", "c"]}]
    found = shop.run({"stepId": "list", "operationId": "listThings", "parameters": parameters})
    assert found.steps[0].request is not None
    assert found.steps[0].request.target == "/things?tag=a%20b&tag=c"


def test_somebody_else_may_write_state_before_a_step(shop: Shop) -> None:
    write = {"resource": "things", "key": "{$steps.create.outputs.id}", "merge": {"tag": "sold"}}
    look = {
        "stepId": "look",
        "operationId": "getThing",
        "parameters": BY_ID,
        "x-mock-state": write,
        "successCriteria": [{"condition": "$response.body#/tag == 'sold'"}],
    }
    assert shop.run(CREATE, look).passed


def test_a_workflow_that_goes_round_in_circles_ends(shop: Shop) -> None:
    found = shop.run({**CREATE, "onSuccess": [{"name": "again", "type": "goto", "stepId": "create"}]})
    assert found.failure is not None
    assert "without an end" in found.failure


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"operationId": "createThings"}, "did you mean 'createThing'"),
        ({"operationId": "getThing", "parameters": [{"name": "ids", "in": "path", "value": 1}]}, "did you mean 'id'"),
        ({"operationId": "getThing", "parameters": [{"name": "id", "value": 1}]}, "says where it goes"),
        ({"operationId": "getThing", "successCriteria": [{"condition": "$statusCode =="}]}, "condition"),
        ({"operationId": "getThing", "outputs": {"id": "$respones.body"}}, "respones"),
        ({"operationId": "getThing", "onSuccess": [{"name": "a", "type": "goto", "stepId": "x"}]}, "no such step"),
        ({"workflowId": "sell"}, "no such workflow"),
        ({"operationId": "getThing", "frobnicate": 1}, "frobnicate"),
        ({"operationPath": "{$sourceDescriptions.shop.url}#/paths/~1thing/get"}, "did you mean '/things'"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(shop: Shop, step: Any, words: str) -> None:
    with pytest.raises(FixtureError) as caught:
        shop.load({"stepId": "one", **step})
    assert words in str(caught.value)
    assert "workflows.yaml:" in str(caught.value)
