"""Work: several changes as one, for computed answers."""

from __future__ import annotations

import pytest

from mock_server.model.call import Call
from mock_server.model.computed import COMPUTED, computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from tests.unit.model.doubles import INTEGER, TEXT, Double, answers, crud, document, operation, ref, thing

ACCOUNT = thing({"id": INTEGER, "owner": TEXT, "balance": INTEGER}, "id")
TRANSFER = thing({"id": INTEGER, "from": INTEGER, "to": INTEGER, "amount": INTEGER}, "id")


def _transfer(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    work = Work.of(world, call)
    source, target, amount = call.body["from"], call.body["to"], call.body["amount"]
    for key, change in ((source, -amount), (target, amount)):
        held = work.get("accounts", str(key))
        if held is None:
            return Problem(Kind.NOT_FOUND, f"there is no account {key}")
        work.merge("accounts", str(key), {"balance": held["balance"] + change})
    emptied = [account for account in work.items("accounts") if account["balance"] < 0]
    if emptied:
        return Problem(Kind.CONFLICT, "that is more than there is")
    made = work.create("transfers", dict(call.body))
    if isinstance(made, Problem):
        return made
    if work.find("accounts", balance=0, owner="once") is not None:
        work.remove("accounts", str(source))
    return work.outcome(meaning.status, made)


@pytest.fixture(autouse=True)
def transfers() -> None:
    COMPUTED.pop("test-transfer", None)
    computed("test-transfer")(_transfer)


def bank(*balances: int, owner: str = "ann") -> Double:
    paths = {
        **crud(ref("Account"), thing({"owner": TEXT, "balance": INTEGER}), path="/accounts"),
        **crud(ref("Transfer"), thing({}), path="/transfers"),
    }
    paths["/transfers"]["post"] = operation(
        {**answers(ref("Transfer"), 201), **answers(status=404), **answers(status=409)},
        body=thing({"from": INTEGER, "to": INTEGER, "amount": INTEGER}, "from", "to", "amount"),
        **{"x-mock-operation": {"behavior": "compute", "compute": "test-transfer", "resource": "transfers"}},
    )
    double = Double(document(paths, {"Account": ACCOUNT, "Transfer": TRANSFER}))
    for balance in balances:
        double.created("/accounts", {"balance": balance, "owner": owner})
    return double


def balances(double: Double) -> list[int]:
    return [account["balance"] for account in double.get("/accounts").json]


def test_everything_that_a_work_changes_is_stored_at_once() -> None:
    double = bank(10, 0)
    made = double.created("/transfers", {"from": 1, "to": 2, "amount": 4})
    assert made == {"id": 1, "from": 1, "to": 2, "amount": 4}
    assert balances(double) == [6, 4]
    assert double.get("/transfers/1").json == made


def test_a_work_sees_its_own_writes() -> None:
    double = bank(10)
    double.created("/transfers", {"from": 1, "to": 1, "amount": 4})
    assert balances(double) == [10]


@pytest.mark.parametrize(("target", "amount", "status"), [(2, 11, 409), (9, 1, 404)])
def test_a_work_that_ends_in_a_problem_leaves_nothing_behind(target: int, amount: int, status: int) -> None:
    double = bank(10, 0)
    before = double.state
    assert double.post("/transfers", {"from": 1, "to": target, "amount": amount}).status == status
    assert double.state is before


def test_a_work_removes_what_it_wrote_before() -> None:
    double = bank(10, 0, owner="once")
    double.created("/transfers", {"from": 1, "to": 2, "amount": 10})
    assert [account["id"] for account in double.get("/accounts").json] == [2]


def test_the_items_of_a_work_come_in_the_order_of_the_collection() -> None:
    double = bank(1, 2, 3)
    world = World(double.model, double.state, double.universe.clock.now())
    work = Work(world, context=Call("", "", {}, {}, {}, None, "", None, "", "").context({}))
    work.merge("accounts", "2", {"balance": 5})
    work.create("accounts", {"balance": 9})
    work.remove("accounts", "1")
    assert [account["balance"] for account in work.items("accounts")] == [5, 3, 9]
