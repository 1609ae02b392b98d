"""Effects: what writing an item changes elsewhere, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mock_server.errors import AnnotationError, ConfigurationError
from mock_server.model.consequences import DEEPEST
from mock_server.model.effects import EFFECTS, effect
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.writes import Write
from mock_server.openapi.values import Json
from tests.unit.model.doubles import (
    INTEGER,
    MOMENT,
    NOW_TEXT,
    TEXT,
    Double,
    crud,
    document,
    path_parameters,
    ref,
    thing,
)

SHOW = thing(
    {
        "id": INTEGER,
        "name": TEXT,
        "booked": {"type": "integer", "maximum": 3},
        "status": {"type": "string", "enum": ["open", "full", "over"]},
        "booked_at": {"type": "integer"},
        "stats": thing({"sold": INTEGER}),
    },
    "id",
)
BOOKING = thing(
    {
        "id": INTEGER,
        "show": {"type": ["integer", "string", "null", "array"]},
        "seats": INTEGER,
        "name": TEXT,
        "deleted_at": TEXT,
    },
    "id",
)
NOTE = thing({"id": INTEGER, "booking": INTEGER, "text": TEXT, "made_at": MOMENT}, "id")
SCHEMAS = {"Show": SHOW, "Booking": BOOKING, "Note": NOTE}


def written(schema: Json) -> Json:
    return thing({name: member for name, member in schema["properties"].items() if name != "id"})


def double(*effects: Json, **resources: Json) -> Double:
    """Shows with bookings and notes, and effects of writing a booking."""
    paths = {
        **crud(ref("Show"), written(SHOW), path="/shows"),
        **crud(ref("Booking"), written(BOOKING), path="/bookings"),
        **crud(ref("Note"), written(NOTE), path="/notes"),
    }
    annotations: dict[str, Any] = {"shows": {}, "notes": {"assigned": {"made_at": "created"}}, "bookings": {}}
    for name, more in resources.items():
        annotations[name] = {**annotations[name], **more}
    annotations["bookings"] = {"effects": list(effects), **annotations["bookings"]}
    made = Double(document(paths, SCHEMAS, **{"x-mock-resources": annotations}))
    made.created("/shows", {"name": "Hamlet", "booked": 0, "status": "open"})
    return made


COUNT: Json = {"on": "created", "update": "shows", "key": "$resource#/show", "increase": {"booked": 1}}


def show(made: Double, key: int = 1) -> Any:
    return made.get(f"/shows/{key}").json


def test_a_created_item_raises_a_number_elsewhere() -> None:
    made = double(COUNT)
    made.created("/bookings", {"show": 1})
    made.created("/bookings", {"show": 1})
    assert show(made)["booked"] == 2


def test_amounts_may_be_templates_and_negative_ones_lower() -> None:
    made = double(
        {"on": "created", "update": "shows", "key": "$resource#/show", "increase": {"/stats/sold": "$resource#/seats"}}
    )
    made.created("/bookings", {"show": 1, "seats": 5})
    made.created("/bookings", {"show": 1, "seats": -2})
    assert show(made)["stats"] == {"sold": 3}


def test_the_members_of_an_effect_are_set_by_name_or_pointer_and_moments_as_they_are_described() -> None:
    setting = {"status": "full", "/stats/sold": 9, "booked_at": "$now"}
    made = double({"on": "created", "update": "shows", "key": "$resource#/show", "set": setting})
    made.created("/bookings", {"show": 1})
    assert show(made) | {"booked_at": 0} == {
        "id": 1, "name": "Hamlet", "booked": 0, "status": "full", "stats": {"sold": 9}, "booked_at": 0,
    }  # fmt: skip
    assert isinstance(show(made)["booked_at"], int)


@pytest.mark.parametrize("key", [None, 9, "9", []])
def test_an_effect_on_what_does_not_exist_does_nothing(key: Json) -> None:
    made = double(COUNT)
    assert made.post("/bookings", {"show": key}).status == 201
    assert made.post("/bookings", {}).status == 201
    assert show(made)["booked"] == 0


def test_a_list_of_keys_is_several_items() -> None:
    made = double(COUNT)
    made.created("/shows", {"name": "Lear", "booked": 0})
    made.created("/bookings", {"show": [1, 2]})
    assert [item["booked"] for item in made.get("/shows").json] == [1, 1]


def test_a_condition_compares_before_and_after() -> None:
    changed = "$before#/seats != $resource#/seats"
    made = double({**COUNT, "on": "updated", "when": changed})
    made.created("/bookings", {"show": 1, "seats": 1})
    made.patch("/bookings/1", {"name": "Ann"})
    assert show(made)["booked"] == 0
    made.patch("/bookings/1", {"seats": 2})
    assert show(made)["booked"] == 1


def test_items_are_chosen_by_their_members() -> None:
    made = double({"on": "deleted", "remove": "notes", "where": {"booking": "$resource#/id"}})
    for number in (1, 2, 1):
        made.created("/notes", {"booking": number})
    made.created("/bookings", {})
    made.delete("/bookings/1")
    assert [note["id"] for note in made.get("/notes").json] == [2]


def test_a_condition_on_members_that_names_nothing_finds_nothing() -> None:
    made = double({"on": "deleted", "remove": "notes", "where": {"text": "$resource#/name"}})
    made.created("/notes", {})
    made.created("/bookings", {})
    made.delete("/bookings/1")
    assert len(made.get("/notes").json) == 1


def test_a_created_effect_gets_what_its_resource_assigns() -> None:
    setting = {"booking": "$resource#/id", "text": "for {$resource#/name}"}
    made = double({"on": "created", "create": "notes", "set": setting})
    made.created("/bookings", {"name": "Ann"})
    made.created("/bookings", {"name": "Bob"})
    assert made.get("/notes").json == [
        {"id": 1, "booking": 1, "text": "for Ann", "made_at": NOW_TEXT},
        {"id": 2, "booking": 2, "text": "for Bob", "made_at": NOW_TEXT},
    ]


def test_several_kinds_of_writes_may_have_one_effect() -> None:
    made = double({**COUNT, "on": ["created", "deleted"]})
    made.created("/bookings", {"show": 1})
    made.delete("/bookings/1")
    assert show(made)["booked"] == 2


def test_a_hidden_soft_delete_is_a_delete() -> None:
    made = double({**COUNT, "on": "deleted"}, bookings={"softDelete": {"set": {"deleted_at": "$now"}}})
    made.created("/bookings", {"show": 1})
    made.delete("/bookings/1")
    assert show(made)["booked"] == 1


def test_a_soft_delete_that_shows_is_an_update() -> None:
    soft = {"set": {"deleted_at": "$now"}, "hidden": False}
    made = double({**COUNT, "on": "deleted"}, {**COUNT, "on": "updated"}, bookings={"softDelete": soft})
    made.created("/bookings", {"show": 1})
    made.delete("/bookings/1")
    assert show(made)["booked"] == 1


def test_removing_what_is_deleted_softly_marks_it() -> None:
    made = double(
        {"on": "deleted", "remove": "notes", "where": {"booking": "$resource#/id"}},
        notes={"softDelete": {"set": {"text": "gone"}, "hidden": False}},
    )
    made.created("/bookings", {})
    made.created("/notes", {"booking": 1, "text": "x"})
    made.delete("/bookings/1")
    assert made.get("/notes/1").json["text"] == "gone"


def test_effects_have_effects_and_events_see_all_of_them() -> None:
    full = {"on": "updated", "when": "$before#/booked < 2 && $resource#/booked >= 2", "update": "shows",
            "key": "$resource#/id", "set": {"status": "full"}}  # fmt: skip
    told = {"show.full": {"on": "updated", "when": "$before#/status != 'full' && $resource#/status == 'full'",
                          "payload": {"show": "$resource#/id", "booked": "$resource#/booked"}}}  # fmt: skip
    made = double(COUNT, shows={"effects": [full], "events": told})
    made.created("/bookings", {"show": 1})
    assert show(made)["status"] == "open"
    made.created("/bookings", {"show": 1})
    assert show(made)["status"] == "full"
    assert [(e.event.type, e.event.data) for e in made.universe.events] == [("show.full", {"show": 1, "booked": 2})]


def test_effects_that_follow_from_one_another_without_an_end_are_refused_and_leave_nothing() -> None:
    echo = {"on": "created", "create": "notes", "set": {"text": "again"}}
    made = double(echo, notes={"effects": [echo]})
    refused = made.post("/bookings", {})
    assert refused.status == 500
    assert "without an end" in refused.json["detail"]
    assert made.get("/notes").json == []
    assert made.get("/bookings").json == []
    assert DEEPEST > 3


def test_an_update_that_changes_nothing_ends_a_circle() -> None:
    back = {"on": "updated", "update": "bookings", "where": {"show": "$resource#/id"}, "set": {"name": "x"}}
    there = {"on": "updated", "update": "shows", "key": "$resource#/show", "set": {"name": "x"}}
    made = double(there, shows={"effects": [back]})
    made.created("/bookings", {"show": 1})
    assert made.patch("/bookings/1", {"seats": 1}).status == 200
    assert show(made)["name"] == "x"
    assert made.get("/bookings/1").json["name"] == "x"


def test_an_effect_that_breaks_a_constraint_refuses_the_write() -> None:
    made = double(
        COUNT,
        {"on": "created", "create": "notes", "set": {"text": "$resource#/name"}},
        notes={"unique": [["text"]]},
    )
    assert made.post("/bookings", {"name": "Ann", "show": 1}).status == 201
    assert made.post("/bookings", {"name": "Ann", "show": 1}).status == 409
    assert len(made.get("/bookings").json) == 1
    assert show(made)["booked"] == 1
    assert made.created("/bookings", {"name": "Bob"})["id"] == 2


def test_an_effect_that_breaks_a_schema_is_our_own_fault_and_leaves_nothing() -> None:
    made = double({**COUNT, "increase": {"booked": "$resource#/seats"}})
    refused = made.post("/bookings", {"show": 1, "seats": 4})
    assert refused.status == 500
    assert "an effect of bookings/1 would store an item of shows that breaks its schema" in refused.json["detail"]
    assert made.get("/bookings").json == []
    assert show(made)["booked"] == 0


def test_an_explanation_tells_which_effects_there_were() -> None:
    made = double(COUNT)
    answer = made.post("/bookings", {"show": 1}, prefer="explain")
    told = {"about": "effect", "decision": "update shows", "why": "bookings/1 was created"}
    assert told in answer.json["explanation"]["decisions"]


def test_an_explanation_tells_which_events_there_were() -> None:
    told = {"show.changed": {"on": "updated", "payload": {"show": "$resource#/id"}}}
    made = double(COUNT, shows={"events": told})
    answer = made.post("/bookings", {"show": 1}, prefer="explain")
    event = {"about": "event", "decision": "show.changed", "why": "shows/1 was updated"}
    assert event in answer.json["explanation"]["decisions"]


# Nested resources


def nested(*, of_projects: Json = None, of_tasks: Json = None) -> Double:
    """Two projects, and tasks below them, each with one effect of their writes or none."""
    task = thing({"id": INTEGER, "title": TEXT, "done": {"type": "boolean"}}, "id")
    project = thing({"id": INTEGER, "name": TEXT, "open": INTEGER, "state": TEXT}, "id")
    paths = {
        **crud(project, thing({"name": TEXT, "state": TEXT, "open": INTEGER}), path="/projects"),
        **crud(task, thing({"title": TEXT, "done": {"type": "boolean"}}), path="/projects/{project}/tasks"),
    }
    for path, item in paths.items():
        if "{project}" in path:
            item["parameters"] = [*item.get("parameters", ()), *path_parameters(project=INTEGER)]
    resources = {
        "projects": {"effects": [of_projects] if of_projects else []},
        "tasks": {"effects": [of_tasks] if of_tasks else []},
    }
    made = Double(document(paths, **{"x-mock-resources": resources}))
    for name in "ab":
        made.created("/projects", {"name": name, "open": 0})
    return made


CLOSED: Json = {"on": "updated", "when": "$resource#/state == 'closed'", "update": "tasks", "set": {"done": True}}


def done(made: Double, project: int) -> list[bool]:
    return [task["done"] for task in made.get(f"/projects/{project}/tasks").json]


def with_tasks(effect: Json) -> Double:
    """A task that is open in each project."""
    made = nested(of_projects=effect)
    for project in (1, 2):
        made.created(f"/projects/{project}/tasks", {"title": "x", "done": False})
    return made


def test_an_effect_on_what_is_below_the_written_item_stays_there() -> None:
    made = with_tasks({**CLOSED, "where": {"done": False}})
    made.patch("/projects/1", {"state": "closed"})
    assert (done(made, 1), done(made, 2)) == ([True], [False])


def test_a_scope_says_below_which_parents_an_effect_is() -> None:
    made = with_tasks({**CLOSED, "where": {"done": False}, "scope": ["2"]})
    made.patch("/projects/1", {"state": "closed"})
    assert (done(made, 1), done(made, 2)) == ([False], [True])


def test_a_scope_that_names_nothing_is_nowhere() -> None:
    made = with_tasks({**CLOSED, "where": {"done": False}, "scope": ["$resource#/nothing"]})
    made.patch("/projects/1", {"state": "closed"})
    assert (done(made, 1), done(made, 2)) == ([False], [False])


def test_a_nested_item_is_created_below_the_item_that_was_written() -> None:
    made = nested(of_projects={"on": "created", "create": "tasks", "set": {"title": "plan", "done": False}})
    assert (done(made, 1), done(made, 2)) == ([False], [False])


def test_an_effect_on_a_parent_names_it_by_the_path_parameter_with_its_key() -> None:
    made = nested(of_tasks={"on": "created", "update": "projects", "key": "$parents#/project", "increase": {"open": 1}})
    made.created("/projects/2/tasks", {"title": "x"})
    assert [project["open"] for project in made.get("/projects").json] == [0, 1]


# Python


@pytest.fixture
def registered() -> Iterator[None]:
    before = dict(EFFECTS)
    yield
    EFFECTS.clear()
    EFFECTS.update(before)


@pytest.mark.usefixtures("registered")
def test_a_python_effect_changes_things_through_its_work_or_refuses() -> None:
    @effect("seat-notes")
    def seat_notes(work: Work, write: Write) -> Problem | None:
        if write.item["seats"] > 3:
            return Problem(Kind.CONFLICT, "so many seats there are not")
        for number in range(write.item["seats"]):
            work.create("notes", {"booking": write.item["id"], "text": f"seat {number + 1}"})
        return None

    made = double({"on": "created", "compute": "seat-notes"})
    made.created("/bookings", {"seats": 2})
    assert [(note["id"], note["text"]) for note in made.get("/notes").json] == [(1, "seat 1"), (2, "seat 2")]
    assert made.post("/bookings", {"seats": 4}).status == 409
    assert len(made.get("/bookings").json) == 1


@pytest.mark.usefixtures("registered")
def test_a_name_is_registered_once() -> None:
    @effect("once")
    def first(work: Work, write: Write) -> Problem | None:
        return None

    with pytest.raises(ConfigurationError, match="registered twice"):

        @effect("once")
        def second(work: Work, write: Write) -> Problem | None:
            return None


@pytest.mark.parametrize(
    ("wrong", "pointer", "message"),
    [
        ({"on": "created", "update": "shoes", "key": "1", "set": {"name": "x"}}, "/update", "did you mean 'shows'"),
        ({"on": "created", "compute": "nothing-such"}, "/compute", "no effect is registered"),
        ({"on": "made", "remove": "shows", "key": "1"}, "/on", "is not one of"),
        ({"on": "created"}, "", "does one thing"),
        ({"on": "created", "remove": "shows", "update": "shows"}, "", "does one thing"),
        ({"on": "created", "remove": "shows"}, "", "by key or by where"),
        ({"on": "created", "update": "shows", "key": "1"}, "", "says what the item gets"),
        ({"on": "created", "create": "shows", "set": {"name": "x"}, "key": "1"}, "", "no use"),
        (
            {"on": "created", "update": "shows", "key": "1", "set": {"name": "x"}, "scope": ["1"]},
            "/scope",
            "no parents",
        ),
        ({"on": "created", "remove": "shows", "key": "$resorce#/x"}, "/key", "did you mean 'resource'"),
    ],
)
def test_a_mistake_in_an_effect_is_told_with_its_place(wrong: Json, pointer: str, message: str) -> None:
    paths = {
        **crud(ref("Show"), written(SHOW), path="/shows"),
        **crud(ref("Booking"), written(BOOKING), path="/bookings"),
    }
    resources = {"shows": {}, "bookings": {"effects": [wrong]}}
    with pytest.raises(AnnotationError) as caught:
        Double(document(paths, SCHEMAS, **{"x-mock-resources": resources})).line.committing.compile()
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/x-mock-resources/bookings/effects/0" + pointer
    assert message in str(caught.value)
