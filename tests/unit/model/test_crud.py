"""Create, read, list, replace, update and delete of a collection, with no configuration at all."""

from __future__ import annotations

import pytest

from tests.unit.model.doubles import (
    FLAG,
    INTEGER,
    MOMENT,
    NOW_TEXT,
    TEXT,
    Double,
    answers,
    array,
    crud,
    document,
    operation,
    path_parameters,
    ref,
    thing,
)

PET = thing(
    {
        "id": INTEGER,
        "name": TEXT,
        "tag": TEXT,
        "status": {"type": "string", "enum": ["available", "sold"], "default": "available"},
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "version": INTEGER,
    },
    "id", "name",
)  # fmt: skip
NEW_PET = thing({"name": TEXT, "tag": TEXT, "status": PET["properties"]["status"]}, "name")


@pytest.fixture
def pets() -> Double:
    return Double(document(crud(ref("Pet"), ref("NewPet")), {"Pet": PET, "NewPet": NEW_PET}))


def test_a_fresh_collection_is_empty(pets: Double) -> None:
    assert pets.get("/things").json == []


def test_a_created_item_reads_as_the_create_answered(pets: Double) -> None:
    made = pets.created("/things", {"name": "Rex"})
    assert pets.get(f"/things/{made['id']}").json == made


def test_the_first_integer_key_is_1(pets: Double) -> None:
    assert pets.created("/things", {"name": "Rex"})["id"] == 1


def test_location_names_the_created_item(pets: Double) -> None:
    answer = pets.post("/things", {"name": "Rex"})
    assert pets.follow(answer.headers["Location"]).json == answer.json


def test_a_created_item_has_documented_defaults_times_and_revision(pets: Double) -> None:
    made = pets.created("/things", {"name": "Rex"})
    assert made["status"] == "available"
    assert made["created_at"] == made["updated_at"] == NOW_TEXT
    assert made["version"] == 1


def test_items_are_listed_in_order_of_creation(pets: Double) -> None:
    made = [pets.created("/things", {"name": name}) for name in "cab"]
    assert pets.get("/things").json == made


def test_what_a_server_assigns_cannot_be_sent(pets: Double) -> None:
    made = pets.created("/things", {"name": "Rex", "id": 77, "created_at": "1999-01-01T00:00:00Z", "version": 9})
    assert made == {**made, "id": 1, "created_at": NOW_TEXT, "version": 1}


def test_patch_changes_only_what_it_names(pets: Double) -> None:
    made = pets.created("/things", {"name": "Rex", "tag": "dog"})
    pets.advance(60)
    changed = pets.patch("/things/1", {"name": "Max"}).json
    assert changed == {**made, "name": "Max", "updated_at": "2026-01-31T12:01:00Z", "version": 2}
    assert pets.get("/things/1").json == changed


def test_patch_does_not_move_the_key_or_the_time_of_creation(pets: Double) -> None:
    made = pets.created("/things", {"name": "Rex"})
    changed = pets.patch("/things/1", {"id": 5, "created_at": "1999-01-01T00:00:00Z", "tag": "x"}).json
    assert changed["id"] == 1
    assert changed["created_at"] == made["created_at"]


def test_a_patch_that_changes_nothing_leaves_time_and_revision(pets: Double) -> None:
    made = pets.created("/things", {"name": "Rex"})
    pets.advance(60)
    assert pets.patch("/things/1", {"name": "Rex"}).json == made


def test_null_in_a_patch_removes_an_optional_member(pets: Double) -> None:
    pets.created("/things", {"name": "Rex", "tag": "dog"})
    assert "tag" not in pets.patch("/things/1", {"tag": None}).json


def test_a_patch_that_would_break_the_item_is_refused_and_changes_nothing(pets: Double) -> None:
    made = pets.created("/things", {"name": "Rex"})
    assert pets.patch("/things/1", {"name": None}).status == 422
    assert pets.get("/things/1").json == made


def test_put_drops_members_that_are_not_sent(pets: Double) -> None:
    pets.created("/things", {"name": "Rex", "tag": "dog"})
    replaced = pets.put("/things/1", {"name": "Max"}).json
    assert replaced["name"] == "Max"
    assert "tag" not in replaced


def test_put_keeps_what_the_server_assigned(pets: Double) -> None:
    made = pets.created("/things", {"name": "Rex"})
    pets.advance(60)
    replaced = pets.put("/things/1", {"name": "Max"}).json
    assert replaced == {**made, "name": "Max", "updated_at": "2026-01-31T12:01:00Z", "version": 2}


def test_put_does_not_create_where_post_does(pets: Double) -> None:
    assert pets.put("/things/9", {"name": "Max"}).status == 404


def test_a_deleted_item_reads_as_404_and_leaves_the_list(pets: Double) -> None:
    pets.created("/things", {"name": "Rex"})
    kept = pets.created("/things", {"name": "Max"})
    assert pets.delete("/things/1").status == 204
    assert pets.get("/things/1").status == 404
    assert pets.get("/things").json == [kept]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_what_was_never_created_is_404(pets: Double, method: str) -> None:
    body = {"name": "Rex"} if method in {"PUT", "PATCH"} else ...
    assert pets.send(method, "/things/1", body).status == 404


def test_a_key_is_not_given_twice_even_after_a_delete(pets: Double) -> None:
    pets.created("/things", {"name": "Rex"})
    pets.delete("/things/1")
    assert pets.created("/things", {"name": "Max"})["id"] == 2


def test_a_json_patch_is_applied_as_one() -> None:
    paths = crud(ref("Pet"), ref("NewPet"))
    media = {"application/json-patch+json": {"schema": array({"type": "object"})}}
    paths["/things/{id}"]["patch"]["requestBody"] = {"content": media}
    pets = Double(document(paths, {"Pet": PET, "NewPet": NEW_PET}))
    made = pets.created("/things", {"name": "Rex"})
    good = [{"op": "replace", "path": "/name", "value": "Max"}]
    bad = [*good, {"op": "test", "path": "/tag", "value": "nothing"}]
    kind = "application/json-patch+json"
    assert pets.patch("/things/1", bad, content_type=kind).status == 409
    assert pets.get("/things/1").json == made
    assert pets.patch("/things/1", good, content_type=kind).json["name"] == "Max"


def test_null_is_kept_in_a_member_that_may_be_null() -> None:
    task = thing({"id": INTEGER, "due": {"type": ["string", "null"]}}, "id", "due")
    tasks = Double(document(crud(task, thing({"due": task["properties"]["due"]}))))
    tasks.created("/things", {"due": "today"})
    assert tasks.patch("/things/1", {"due": None}).json["due"] is None


def test_a_new_item_has_null_for_a_required_nullable_member_that_was_left_out() -> None:
    task = thing({"id": INTEGER, "due": {"type": ["string", "null"]}}, "id", "due")
    tasks = Double(document(crud(task, thing({"due": task["properties"]["due"]}))))
    assert tasks.created("/things", {}) == {"id": 1, "due": None}


def test_read_only_members_sent_by_a_client_are_ignored() -> None:
    user = thing(
        {
            "id": {"type": "string", "readOnly": True},
            "name": TEXT,
            "admin": {"type": "boolean", "readOnly": True},
        }
    )
    users = Double(document(crud(user, user, key_schema=TEXT)))
    made = users.created("/things", {"name": "Ann", "admin": True, "id": "x"})
    assert made["admin"] is False
    assert users.put(f"/things/{made['id']}", {"name": "Bea", "admin": True}).json["admin"] is False


def test_a_password_is_stored_but_never_shown() -> None:
    user = thing({"id": INTEGER, "email": TEXT}, "id", "email")
    users = Double(document(crud(user, thing({"email": TEXT, "password": TEXT}, "email", "password"))))
    made = users.created("/things", {"email": "a@example.com", "password": "secret"})
    assert made == {"id": 1, "email": "a@example.com"}
    assert users.get("/things").json == [made]


def test_put_keeps_members_that_its_request_cannot_carry() -> None:
    order = thing({"id": INTEGER, "note": TEXT, "total": INTEGER}, "id")
    paths = crud(order, thing({"note": TEXT, "total": INTEGER}))
    paths["/things/{id}"]["put"] = operation(answers(order), body=thing({"note": TEXT}))
    orders = Double(document(paths))
    orders.created("/things", {"note": "a", "total": 12})
    assert orders.put("/things/1", {"note": "b"}).json == {"id": 1, "note": "b", "total": 12}


def test_a_chosen_key_is_kept_and_a_second_one_conflicts() -> None:
    label = thing({"name": TEXT, "color": TEXT}, "name")
    labels = Double(document(crud(label, label, key="name", key_schema=TEXT)))
    assert labels.post("/things", {"name": "bug", "color": "red"}).status == 201
    assert labels.post("/things", {"name": "bug", "color": "blue"}).status == 409
    assert labels.get("/things/bug").json["color"] == "red"


def test_a_minted_key_does_not_collide_with_a_chosen_one() -> None:
    pet = thing({"id": INTEGER, "name": TEXT}, "name")
    pets = Double(document(crud(pet, pet)))
    pets.created("/things", {"id": 1, "name": "chosen"})
    assert pets.created("/things", {"name": "minted"})["id"] == 2


def test_put_creates_where_nothing_else_does_and_the_second_replaces() -> None:
    setting = thing({"key": TEXT, "value": TEXT}, "key", "value")
    upsert = {**answers(setting, 201), **answers(setting, 200)}
    paths = {
        "/settings": {"get": operation(answers(array(setting)))},
        "/settings/{key}": {
            "parameters": path_parameters(key=TEXT),
            "get": operation(answers(setting)),
            "put": operation(upsert, body=thing({"value": TEXT}, "value")),
        },
    }
    settings = Double(document(paths))
    assert settings.get("/settings/theme").status == 404
    first, second = (settings.put("/settings/theme", {"value": value}) for value in ("dark", "light"))
    assert (first.status, second.status) == (201, 200)
    assert settings.get("/settings").json == [{"key": "theme", "value": "light"}]


def test_put_on_the_collection_finds_the_key_in_the_body() -> None:
    pet = thing({"id": INTEGER, "name": TEXT}, "name")
    paths = crud(pet, pet)
    paths["/things"]["put"] = operation(answers(pet), body=pet)
    del paths["/things/{id}"]["put"]
    pets = Double(document(paths))
    pets.created("/things", {"id": 4, "name": "Rex"})
    assert pets.put("/things", {"id": 4, "name": "Max"}).json == {"id": 4, "name": "Max"}
    assert pets.get("/things/4").json["name"] == "Max"
    assert pets.put("/things", {"id": 5, "name": "Max"}).status == 404
    assert pets.put("/things", {"name": "Max"}).status in {400, 422}


def test_bulk_create_stores_all_or_none() -> None:
    tag = thing({"name": TEXT, "color": TEXT}, "name")
    paths = crud(tag, tag, key="name", key_schema=TEXT)
    paths["/things"]["post"] = operation(answers(array(tag), 201), body=array(tag))
    tags = Double(document(paths))
    assert tags.post("/things", [{"name": "a"}, {"name": "b"}]).json == [{"name": "a"}, {"name": "b"}]
    assert tags.post("/things", [{"name": "c"}, {"name": "c"}]).status == 409
    assert tags.post("/things", [{"name": "d"}, {"name": "a"}]).status == 409
    assert [tag["name"] for tag in tags.get("/things").json] == ["a", "b"]


@pytest.mark.parametrize(
    ("key", "schema"),
    [
        ("_id", {"type": "string", "pattern": "^[0-9a-f]{24}$"}),
        ("id", {"type": "string", "format": "uuid"}),
        ("uuid", {"type": "string", "format": "uuid"}),
        ("id", {"type": "string", "pattern": "^cus_[A-Za-z0-9]{14}$"}),
        ("id", {"type": "integer", "minimum": 1000}),
    ],
)
def test_keys_have_the_form_that_the_schema_describes(key: str, schema: dict[str, str]) -> None:
    item = thing({key: schema, "done": FLAG}, key)
    things = Double(document(crud(item, thing({"done": FLAG}), key="id", key_schema=schema)))
    made = [things.created("/things", {"done": True})[key] for _ in range(5)]
    assert len(set(made)) == 5
    assert all(things.get(f"/things/{value}").status == 200 for value in made)


def test_an_exhausted_key_is_reported_and_stores_nothing() -> None:
    item = thing({"code": {"type": "string", "enum": ["a", "b"]}, "n": INTEGER}, "code")
    things = Double(document(crud(item, thing({"n": INTEGER}), key="code", key_schema=TEXT)))
    for _ in range(2):
        things.created("/things", {"n": 1})
    refused = things.post("/things", {"n": 3})
    assert refused.status == 500
    assert "no further value is left for the key 'code'" in refused.json["detail"]
    assert len(things.get("/things").json) == 2


def test_a_member_that_only_the_request_marks_read_only_is_ignored() -> None:
    item = thing({"id": INTEGER, "name": TEXT, "version": INTEGER}, "id")
    written = {"allOf": [thing({"name": TEXT}), thing({"version": {**INTEGER, "readOnly": True}})]}
    paths = crud(ref("Thing"), written)
    paths["/things/{id}"]["patch"]["requestBody"] = {"content": {"application/json": {"schema": written}}}
    double = Double(document(paths, {"Thing": item}))
    made = double.created("/things", {"name": "a", "version": 7})
    assert made.get("version") != 7
    assert double.patch("/things/1", {"version": 9}).json.get("version") != 9
    assert double.put("/things/1", {"name": "b", "version": 9}).json.get("version") != 9


def test_items_of_two_resources_made_in_one_moment_have_different_keys() -> None:
    ulid = {"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"}
    item = thing({"id": ulid}, "id")
    double = Double(document({**crud(item, thing({}), path="/boxes"), **crud(item, thing({}), path="/lids")}))
    assert double.created("/boxes", {})["id"] != double.created("/lids", {})["id"]
