"""``from_operation`` and ``from_response``: what is drawn is valid, by the double and by a judge that knows neither."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest
import requests
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from contracts.conformance.verification import Verifier
from contracts.judge import Judge
from contracts.testing.contracting import strategies
from contracts.testing.contracting.default import default_api
from contracts.testing.contracting.strategies import ValidRequest, from_operation, from_response, operations_of
from contracts.transports import into_universe
from contracts.wire import WireRequest
from mock_server.errors import ConfigurationError
from mock_server.openapi.compile import Api
from mock_server.packs import source_of
from mock_server.sandbox import Options, Sandbox
from tests.planted_bugs.bakery import create_app

SHOP = str(Path(__file__).parents[1] / "acceptance/descriptions/shop.yaml")
BAKERY = str(Path(__file__).parents[1] / "planted_bugs/bakery/openapi.yaml")
FEW = settings(max_examples=6, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@cache
def api_of(name: str) -> Api:
    sandbox = Sandbox([source_of(name)], options=Options(eager=False))
    return next(iter(sandbox.apis.values())).api


@cache
def judge_of(name: str) -> Judge:
    return Judge(source_of(name).description.resolve(), outside=True)


@cache
def verifier_of(name: str) -> Verifier:
    return Verifier(api_of(name))


def cases() -> Iterator[object]:
    for name in (SHOP, "kirimdev"):
        for operation_id in operations_of(name):
            yield pytest.param(name, operation_id, id=f"{Path(name).stem}-{operation_id}")


@pytest.mark.parametrize(("name", "operation_id"), list(cases()))
def test_every_drawn_request_is_valid_by_the_double_and_by_openapi_core(name: str, operation_id: str) -> None:
    @FEW
    @given(from_operation(operation_id, api=api_of(name)))
    def judged(request: ValidRequest) -> None:
        wire = WireRequest(request.method, request.target, request.headers, request.body)
        assert verifier_of(name)(wire).is_valid_for(operation_id), request
        verdict = judge_of(name).request(request.method, request.target, request.headers, request.body)
        reasons = [reason for reason in verdict.reasons if "Security" not in reason]  # a credential is the client's
        assert not reasons, (request, reasons)

    judged()


def test_a_drawn_request_is_granted_by_the_double() -> None:
    sandbox = Sandbox([source_of(SHOP)])
    send = into_universe(sandbox, "shop", sandbox.universes.default)

    @FEW
    @given(from_operation("createProduct", api=SHOP))
    def granted(request: ValidRequest) -> None:
        assert send(request.method, request.target, request.headers, request.body).status == 201

    granted()


def test_the_smallest_request_leaves_out_what_is_optional() -> None:
    found = find(from_operation("createProduct", api=SHOP), lambda _: True)
    assert found.json == {"name": "0", "price": 0}
    assert repr(found) == '<createProduct: POST /products  {"name": "0", "price": 0.0}>'


def test_parameters_are_told_by_place_and_are_in_the_target() -> None:
    found = find(from_operation("updateProduct", api=SHOP, path__product_id=7, header__If_Match='"3"'), lambda _: True)
    assert (found.method, found.path) == ("PATCH", "/products/7")
    assert found.parameters["path"] == {"product_id": 7}
    assert found.parameters["header"] == {"If-Match": '"3"'}


@FEW
@given(from_operation("createProduct", api=SHOP, body__name=st.sampled_from(["Jane", "Joe"])))
def test_a_fixed_member_has_its_value_in_every_request(request: ValidRequest) -> None:
    assert request.json["name"] in {"Jane", "Joe"}


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        (from_operation("createProdukt", api=SHOP), "did you mean 'createProduct'"),
        (from_operation("listProducts", api=SHOP, query__limmit=1), "did you mean 'limit'"),
        (from_operation("listProducts", api=SHOP, quarry__limit=1), "did you mean 'query'"),
        (from_operation("listProducts"), "nothing says which API"),
        (from_response("deleteProduct", status=204, api=SHOP), "no JSON"),
    ],
)
def test_what_there_is_not_is_told_with_the_nearest_name(strategy: st.SearchStrategy[object], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        find(strategy, lambda _: True)


def test_the_default_api_is_that_of_the_ini_file() -> None:
    token = default_api.set(SHOP)
    try:
        assert find(from_operation("getProduct"), lambda _: True).method == "GET"
    finally:
        default_api.reset(token)


@FEW
@given(from_operation("createCustomer", api=BAKERY))
def test_a_request_can_be_sent_by_the_usual_clients(request: ValidRequest) -> None:
    app = create_app()
    key = {"X-Api-Key": "north"}
    sent = requests.Session()
    prepared: list[requests.PreparedRequest] = []

    class Kept(requests.adapters.HTTPAdapter):
        def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]  # fewer
            prepared.append(request)
            response = requests.Response()
            response.status_code = 201
            return response

    sent.mount("http://", Kept())
    assert request.send(sent, base_url="http://bakery.test").status_code == 201
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://bakery.test", headers=key) as client:
        over_httpx = request.send(client)
    over_flask = request.send(app.test_client())
    assert prepared[0].body == request.body
    assert prepared[0].path_url == request.target
    assert over_httpx.status_code != 404
    assert over_flask.status_code != 404


@FEW
@given(from_response("getProduct", api=SHOP))
def test_a_drawn_response_body_is_one_that_openapi_core_accepts(body: object) -> None:
    headers = [("Content-Type", "application/json"), ("ETag", '"1"')]
    verdict = judge_of(SHOP).response("GET", "/products/1", 200, headers, json.dumps(body).encode())
    assert verdict.valid, verdict.reasons


def test_the_plans_of_an_api_are_kept_as_long_as_it_is() -> None:
    api = api_of(SHOP)
    find(from_operation("getProduct", api=api), lambda _: True)
    assert "getProduct" in strategies._kept[api]
