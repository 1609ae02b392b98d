"""Outreach's own service, checked against its description: every operation and relation is a test item."""

from __future__ import annotations

from hypothesis import given, settings
from outreach.service import create_app

from contracts.testing import ValidRequest, apidouble_contract, contract_state_machine, from_operation

app = create_app()
contract = apidouble_contract("../openapi.yaml", app=app, reset=app.extensions["campaigns"].clear)

TestCampaigns = contract_state_machine(contract).TestCase
TestCampaigns.settings = settings(max_examples=10, stateful_step_count=15)


@given(from_operation("createCampaign", api="openapi.yaml"))
def test_valid_campaigns_are_taken(request: ValidRequest) -> None:
    assert request.send(app.test_client()).status_code == 201
