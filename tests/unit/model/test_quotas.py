"""Quotas: how many items of a collection there may be."""

from __future__ import annotations

import json

import pytest

from mock_server.errors import AnnotationError
from mock_server.openapi.values import Json
from tests.acceptance.lines import served
from tests.unit.exchange.limited import CALLERS, Notes, description, notes, problem
from tests.unit.model.doubles import Double, answers, array, crud, document, operation, path_parameters, ref, thing


def rationed(**quota: Json) -> Notes:
    return notes(**{"x-mock-resources": {"notes": {"quota": quota}}})


def test_a_create_beyond_the_quota_is_429() -> None:
    asked = rationed(limit=2)
    assert [asked.written().status for _ in range(3)] == [201, 201, 429]
    assert problem(asked.written())["type"] == "urn:apidouble:problem:quota-exceeded"
    assert problem(asked.written())["detail"] == "there may be 2 notes; there are 2"
    assert asked.count() == 2


def test_the_explanation_says_how_many_there_are() -> None:
    asked = rationed(limit=1)
    asked.written()
    asked.written()
    assert asked.decisions()["quota"] == "1 of 1"


def test_a_put_that_creates_is_counted_and_one_that_replaces_is_not() -> None:
    asked = rationed(limit=1)
    placed = [asked.send("PUT", f"/notes/{key}", body={"text": "hello"}).status for key in (1, 1, 2)]
    assert placed == [201, 200, 429]


def test_the_quota_is_that_of_the_caller_s_plan() -> None:
    asked = rationed(limit=1, plans={"free": 2, "pro": None})
    assert asked.written().status == 201
    assert asked.written().status == 429
    assert [asked.written(by="ada").status for _ in range(2)] == [201, 429]
    assert "on the plan free" in problem(asked.written(by="ada"))["detail"]
    assert [asked.written(by="bob").status for _ in range(5)] == [201] * 5


def test_only_items_that_count_are_counted() -> None:
    asked = rationed(limit=1, where="$resource#/number > 0")
    assert [asked.written(number=number).status for number in (0, 0, 1)] == [201, 201, 201]
    assert asked.written(number=1).status == 429
    assert asked.written(number=0).status == 201


def test_a_quota_may_have_its_own_status_code_and_sentence() -> None:
    asked = rationed(limit=1, plans={"free": 0}, status=403, code="FULL", detail="{count} of {limit} on {plan}")
    refused = asked.written(by="ada")
    assert (refused.status, problem(refused)["code"], problem(refused)["detail"]) == (403, "FULL", "0 of 0 on free")


def test_the_status_is_one_that_the_description_has() -> None:
    whole = description(**{"x-mock-resources": {"notes": {"quota": {"limit": 0}}}})
    whole["paths"]["/notes"]["post"]["responses"]["403"] = {"description": ""}
    assert Notes(served(whole, credentials=CALLERS)).written().status == 403


def test_several_at_once_are_all_stored_or_none() -> None:
    item = thing({"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}})
    paths = crud(ref("Thing"), ref("Thing"))
    paths["/things"]["post"] = operation(
        answers(array(ref("Thing")), 201),
        body=array(ref("Thing")),
        **{"x-mock-operation": {"behavior": "create-many", "resource": "things"}},
    )
    double = Double(document(paths, {"Thing": item}, **{"x-mock-resources": {"things": {"quota": {"limit": 3}}}}))
    assert double.post("/things", [{"name": "a"}, {"name": "b"}]).status == 201
    refused = double.post("/things", [{"name": "c"}, {"name": "d"}])
    assert refused.status == 429
    assert "2 more were to be created" in refused.json["detail"]
    assert len(double.get("/things").json) == 2
    assert double.post("/things", [{"name": "c"}]).status == 201


def test_each_parent_has_a_quota_of_its_own() -> None:
    item = thing({"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}})
    paths = crud(ref("Thing"), ref("Thing"), path="/boxes/{box}/things")
    for path in paths.values():
        path["parameters"] = [*path.get("parameters", ()), *path_parameters(box={"type": "integer"})]
    double = Double(document(paths, {"Thing": item}, **{"x-mock-resources": {"things": {"quota": {"limit": 1}}}}))
    statuses = [double.post(f"/boxes/{box}/things", {"name": "a"}).status for box in (1, 2, 1)]
    assert statuses == [201, 201, 429]


def test_what_is_deleted_makes_room() -> None:
    item = thing({"id": {"type": "integer", "readOnly": True}, "gone": {"type": "boolean"}})
    for marks in ({}, {"softDelete": {"set": {"gone": True}}}):
        resources = {"things": {"quota": {"limit": 1}, **marks}}
        double = Double(document(crud(ref("Thing"), ref("Thing")), {"Thing": item}, **{"x-mock-resources": resources}))
        made = double.created("/things", {})
        assert double.post("/things", {}).status == 429
        assert double.delete(f"/things/{made['id']}").status == 204
        assert double.post("/things", {}).status == 201


@pytest.mark.parametrize(
    ("quota", "pointer"),
    [
        ({}, "/x-mock-resources/notes/quota"),
        ({"limit": -1}, "/x-mock-resources/notes/quota/limit"),
        ({"limit": 1, "where": "$resource#/number >"}, "/x-mock-resources/notes/quota/where"),
        ({"limit": 1, "detail": "{most}"}, "/x-mock-resources/notes/quota/detail"),
    ],
)
def test_a_mistake_in_a_quota_is_refused_where_it_is(quota: Json, pointer: str) -> None:
    with pytest.raises(AnnotationError) as caught:
        Notes(served(description(**{"x-mock-resources": {"notes": {"quota": quota}}}))).served.line.compile()
    assert caught.value.place is not None
    assert caught.value.place.pointer == pointer


def test_a_guard_may_refuse_as_a_quota_does() -> None:
    whole = description()
    guard = {"when": "$request.body#/number < 10", "problem": "quota-exceeded", "detail": "too many"}
    whole["paths"]["/notes"]["post"]["x-mock-operation"] = {"guards": [guard]}
    asked = Notes(served(whole))
    assert asked.written(number=1).status == 201
    assert asked.written(number=10).status == 429
    assert json.loads(asked.written(number=10).body)["detail"] == "too many"
