"""``contract_state_machine``: Hypothesis runs it, shrinks it, and fails with the words of a finding."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from contracts.testing.contracting.contract import Contract, apidouble_contract
from contracts.testing.contracting.machine import ContractMachine, Violated, contract_state_machine
from contracts.testing.doubles import MockApis
from mock_server.errors import ConfigurationError
from tests.planted_bugs.bakery import create_app

HERE = Path(__file__).parent
BAKERY = HERE.parent / "planted_bugs/bakery"
SHOP = HERE.parent / "acceptance/descriptions/shop.yaml"
FEW = settings(max_examples=8, stateful_step_count=6, database=None, deadline=None, derandomize=True,
               phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck))  # fmt: skip


def bakery(bug: str | None, *include: str) -> Contract:
    app = create_app(bug)
    return apidouble_contract("../planted_bugs/bakery/openapi.yaml", seed=BAKERY / "seed.yaml", app=app,
                              reset=app.extensions["bakery"].reset, include=include)  # fmt: skip


def test_a_right_service_passes_with_the_settings_of_the_user() -> None:
    run_state_machine_as_test(contract_state_machine(bakery(None)), settings=FEW)


def test_a_wrong_service_fails_with_the_shortest_sequence() -> None:
    machine = contract_state_machine(bakery("create_loses_member", "createCustomer", "getCustomer"))
    with pytest.raises(Violated) as raised:
        run_state_machine_as_test(machine, settings=FEW)
    told = str(raised.value)
    assert raised.value.finding.check == "model_content"
    assert "Phone of customers" in told
    assert "In a shell" in told
    assert len(raised.value.finding.sequence) == 2


def test_a_double_can_be_checked_and_its_own_test_is_left_alone(mock_api: MockApis) -> None:
    api = mock_api(str(SHOP))
    run_state_machine_as_test(contract_state_machine(api), settings=FEW)
    assert len(api.requests) == 0


def test_making_one_sends_nothing_and_reads_nothing() -> None:
    asked: list[str] = []

    def app(environ: dict[str, object], start_response: object) -> list[bytes]:
        asked.append("request")
        return []

    contract_state_machine(apidouble_contract("there-is-no-such.yaml", app=app))
    assert asked == []


def test_it_takes_rules_and_invariants_of_the_user() -> None:
    base = contract_state_machine(bakery(None))
    seen: list[int] = []

    class Bakery(base):  # type: ignore[misc, valid-type]  # mypy knows no classes made by functions
        @rule()
        def bake(self) -> None:
            made = self.call("createProduct", body={"name": "Rye", "price": 3, "category": "bread"})
            assert made.json["name"] == "Rye"
            read = self.call("getProduct", product_id=made.json["id"])
            seen.append(read.status)

        @invariant()
        def is_up(self) -> None:
            assert self.call("listCustomers", lean=True).ok

    run_state_machine_as_test(Bakery, settings=FEW)
    assert seen
    assert set(seen) == {200}


def test_a_rule_of_the_user_fails_with_his_own_assertion() -> None:
    base = contract_state_machine(bakery(None))

    class Bakery(base):  # type: ignore[misc, valid-type]  # as above
        @rule()
        def never(self) -> None:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run_state_machine_as_test(Bakery, settings=FEW)


@pytest.mark.parametrize(
    ("operation_id", "wishes", "told"),
    [
        ("createCustomr", {}, "did you mean 'createCustomer'"),
        ("getCustomer", {"customr_id": "x"}, "did you mean 'customer_id'"),
    ],
)
def test_a_wish_that_there_is_not_names_the_nearest(operation_id: str, wishes: dict[str, str], told: str) -> None:
    machine = contract_state_machine(bakery(None))()
    assert isinstance(machine, ContractMachine)
    with pytest.raises(ConfigurationError, match=told):
        machine.call(operation_id, **wishes)
