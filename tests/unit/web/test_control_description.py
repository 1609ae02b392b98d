"""The control API and its description say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from openapi_spec_validator import validate

from mock_server.web.control.blueprint import description
from tests.unit.web.controlled import double

_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


def _routes() -> Iterator[tuple[str, str, str]]:
    for rule in double().app.url_map.iter_rules():
        if rule.endpoint.startswith("control."):
            path = _CONVERTER.sub(r"{\1}", rule.rule).removeprefix("/__mock__")
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield method, path, rule.endpoint.removeprefix("control.")


def test_description_is_valid_openapi() -> None:
    validate(dict(description().root))


def test_every_route_is_described_and_every_operation_is_routed() -> None:
    described = {(ref.method, ref.template.text, ref.id) for ref in description().refs.values()}
    assert set(_routes()) == described


def test_served_description_is_the_one_in_the_package() -> None:
    assert double().control("GET", "/openapi.json").json == description().root


@pytest.mark.parametrize("operation_id", sorted(description().refs))
def test_every_operation_describes_its_problems(operation_id: str) -> None:
    response = description().operation(operation_id).responses["default"]
    assert [media.name for media in response.content] == ["application/problem+json"]


@pytest.mark.parametrize(
    "operation_id",
    sorted(set(description().refs) - {"read_control_description", "list_apis", "read_description", "read_keys",
                                      "list_sessions", "drop_session"}),
)  # fmt: skip
def test_operation_on_a_universe_takes_its_name_by_header_and_parameter(operation_id: str) -> None:
    parameters = {(p.location, p.name) for p in description().operation(operation_id).parameters}
    assert parameters >= {("header", "Mock-Session"), ("query", "session")}
