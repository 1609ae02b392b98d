"""Entity tags, conditional reads and writes (RFC 9110 §13, RFC 6585 §3)."""

from __future__ import annotations

import pytest

from tests.unit.model.doubles import INTEGER, TEXT, Double, answers, crud, document, operation, thing

ITEM = thing({"id": INTEGER, "name": TEXT}, "id")
NEW = thing({"name": TEXT})
ETAG = {"ETag": {"schema": TEXT}}


def tagged(*, required: bool = False) -> Double:
    paths = crud(ITEM, NEW)
    item = paths["/things/{id}"]
    failures = {**answers(status=412), **(answers(status=428) if required else {})}
    paths["/things"]["post"]["responses"] = answers(ITEM, 201, ETAG)
    item["get"]["responses"] = {**answers(ITEM, headers=ETAG), **answers(status=304)}
    item["put"] = operation({**answers(ITEM, headers=ETAG), **failures}, body=NEW)
    item["patch"] = operation({**answers(ITEM, headers=ETAG), **failures}, body={"type": "object"})
    item["delete"] = operation({**answers(status=204), **failures})
    return Double(document(paths))


@pytest.fixture
def double() -> Double:
    made = tagged()
    made.created("/things", {"name": "a"})
    return made


def etag(double: Double) -> str:
    return double.get("/things/1").headers["ETag"]


def test_a_create_answers_the_tag_that_the_read_has() -> None:
    double = tagged()
    assert double.post("/things", {"name": "a"}).headers["ETag"] == etag(double)


def test_a_read_with_the_current_tag_is_304_without_a_body(double: Double) -> None:
    answer = double.get("/things/1", if_none_match=etag(double))
    assert (answer.status, answer.json) == (304, None)
    assert double.get("/things/1", if_none_match=f"W/{etag(double)}").status == 304
    assert double.get("/things/1", if_none_match='"other"').status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_write_moves_the_tag_and_answers_the_new_one(double: Double, method: str) -> None:
    before = etag(double)
    answer = double.send(method, "/things/1", {"name": "b"}, if_match=before)
    assert answer.status == 200
    assert answer.headers["ETag"] == etag(double) != before


def test_a_write_that_changes_nothing_leaves_the_tag(double: Double) -> None:
    before = etag(double)
    assert double.patch("/things/1", {"name": "a"}).headers["ETag"] == before
    assert etag(double) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_with_an_old_tag_is_412_and_changes_nothing(double: Double, method: str) -> None:
    old = etag(double)
    double.patch("/things/1", {"name": "b"})
    state = double.state
    body = ... if method == "DELETE" else {"name": "c"}
    assert double.send(method, "/things/1", body, if_match=old).status == 412
    assert double.state is state


def test_a_weak_tag_never_satisfies_if_match(double: Double) -> None:
    assert double.put("/things/1", {"name": "b"}, if_match=f"W/{etag(double)}").status == 412


def test_if_match_star_needs_only_that_there_is_one(double: Double) -> None:
    assert double.put("/things/1", {"name": "b"}, if_match="*").status == 200


def test_if_none_match_star_refuses_to_overwrite(double: Double) -> None:
    assert double.put("/things/1", {"name": "b"}, if_none_match="*").status == 412


def test_a_blind_write_is_428_where_that_is_described() -> None:
    double = tagged(required=True)
    double.created("/things", {"name": "a"})
    assert double.put("/things/1", {"name": "b"}).status == 428
    assert double.delete("/things/1", if_match=etag(double)).status == 204


def test_a_tag_is_not_used_again_for_a_recreated_item() -> None:
    label = thing({"name": TEXT, "color": TEXT}, "name")
    paths = crud(label, label, key="name", key_schema=TEXT)
    paths["/things/{name}"]["get"]["responses"] = answers(label, headers=ETAG)
    double = Double(document(paths))
    double.created("/things", {"name": "bug"})
    first = double.get("/things/bug").headers["ETag"]
    double.delete("/things/bug")
    double.created("/things", {"name": "bug"})
    assert double.get("/things/bug").headers["ETag"] != first


def test_without_described_tags_none_is_sent_and_conditions_are_ignored() -> None:
    double = Double(document(crud(ITEM, NEW)))
    double.created("/things", {"name": "a"})
    assert "ETag" not in double.get("/things/1").headers
    assert double.put("/things/1", {"name": "b"}, if_match='"x"').status == 200
