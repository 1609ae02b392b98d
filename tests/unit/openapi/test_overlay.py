"""Overlays: the specification's rules, and examples of others that say what the result must be."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.errors import OverlayError, SourceError
from mock_server.openapi import source
from mock_server.openapi.overlay import apply, load_overlay, merged, overlay_from
from mock_server.openapi.values import Json

REFEREES = Path(__file__).resolve().parents[4] / "shared" / "referees" / "overlay"

DESCRIPTION: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Leads", "version": "1"},
    "tags": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
    "paths": {
        "/leads": {"get": {"tags": ["a"]}, "post": {"tags": ["b"]}},
        "/leads/{id}": {"get": {"tags": ["a"]}},
    },
}


def _overlay(*actions: Json, version: str = "1.0.0") -> Json:
    return {"overlay": version, "info": {"title": "T", "version": "1"}, "actions": list(actions)}


def _applied(*actions: Json, version: str = "1.0.0", to: Json = DESCRIPTION) -> Json:
    return apply(to, overlay_from(_overlay(*actions, version=version), name="test.overlay.yaml"))


@pytest.mark.skipif(not REFEREES.is_dir(), reason=f"the referee examples are not at {REFEREES}")
def test_every_referee_example_gives_its_output() -> None:
    examples = sorted(REFEREES.iterdir())
    assert examples
    for example in examples:
        description, expected = (
            source.parse((example / name).read_bytes(), name=f"{example.name}/{name}")
            for name in ("openapi.yaml", "output.yaml")
        )
        assert apply(description, load_overlay(example / "overlay.yaml")) == expected, example.name


def test_update_merges_objects_recursively() -> None:
    result = _applied({"target": "$", "update": {"info": {"license": {"name": "MIT"}}}})
    assert result["info"] == {"title": "Leads", "version": "1", "license": {"name": "MIT"}}


def test_update_concatenates_arrays_inside_an_object() -> None:
    result = _applied({"target": "$.paths['/leads'].get", "update": {"tags": ["x", "y"]}})
    assert result["paths"]["/leads"]["get"] == {"tags": ["a", "x", "y"]}


def test_update_replaces_primitive_values() -> None:
    assert _applied({"target": "$.info", "update": {"title": None}})["info"]["title"] is None


def test_update_of_an_array_appends_one_item() -> None:
    assert _applied({"target": "$.tags", "update": {"name": "d"}})["tags"][3:] == [{"name": "d"}]


def test_update_reaches_every_selected_node() -> None:
    result = _applied({"target": "$.paths.*.get", "update": {"x-mock-state": True}})
    assert [path["get"]["x-mock-state"] for path in result["paths"].values()] == [True, True]


def test_update_reaches_a_node_once_however_often_it_is_selected() -> None:
    assert len(_applied({"target": "$['tags', 'tags']", "update": {"name": "d"}})["tags"]) == 4


def test_update_of_a_node_inside_an_updated_node_keeps_both() -> None:
    result = _applied({"target": "$..[?@.inner]", "update": {"new": 1}}, to={"a": {"inner": {"inner": {}}}})
    assert result == {"a": {"inner": {"inner": {}, "new": 1}, "new": 1}}


def test_remove_deletes_members_and_items() -> None:
    result = _applied({"target": "$.tags[?@.name != 'b']", "remove": True}, {"target": "$.paths.*.get", "remove": True})
    assert result["tags"] == [{"name": "b"}]
    assert result["paths"] == {"/leads": {"post": {"tags": ["b"]}}, "/leads/{id}": {}}


def test_remove_of_a_node_and_of_what_is_inside_it_works() -> None:
    result = _applied({"target": "$..x", "remove": True}, to={"a": [{"x": {"x": 1}}, {"x": 2}], "x": {"b": {"x": 3}}})
    assert result == {"a": [{}, {}]}


def test_actions_apply_in_their_order() -> None:
    result = _applied(
        {"target": "$.tags", "remove": True},
        {"target": "$", "update": {"tags": []}},
        {"target": "$.tags", "update": {"name": "only"}},
    )
    assert result["tags"] == [{"name": "only"}]


def test_remove_false_leaves_the_update_to_be_done() -> None:
    assert _applied({"target": "$.info", "remove": False, "update": {"x-a": 1}})["info"]["x-a"] == 1


def test_neither_document_nor_overlay_changes() -> None:
    before = copy.deepcopy(DESCRIPTION)
    overlay = overlay_from(
        _overlay(
            {"target": "$", "update": {"x-new": {"list": []}}},
            {"target": "$['x-new'].list", "update": {"a": 1}},
            {"target": "$.tags[0]", "remove": True},
        ),
        name="twice",
    )
    first = apply(DESCRIPTION, overlay)
    assert before == DESCRIPTION
    assert apply(DESCRIPTION, overlay) == first
    assert first["x-new"] == {"list": [{"a": 1}]}


def test_what_no_action_touches_is_shared_and_not_copied() -> None:
    result = _applied({"target": "$.info", "update": {"x-a": 1}})
    assert result["paths"] is DESCRIPTION["paths"]


def test_overlay_1_1_copies_a_node() -> None:
    result = _applied({"target": "$.paths['/leads/{id}']", "copy": "$.paths['/leads']"}, version="1.1.0")
    assert result["paths"]["/leads/{id}"] == {"get": {"tags": ["a", "a"]}, "post": {"tags": ["b"]}}


def test_overlay_1_1_replaces_a_selected_primitive_value() -> None:
    assert _applied({"target": "$.info.title", "update": "New"}, version="1.1.0")["info"]["title"] == "New"


@pytest.mark.parametrize(
    ("action", "version", "problem"),
    [
        (
            {"target": "$.info.title", "update": "New"},
            "1.0.0",
            "the target is neither an object nor an array",
        ),
        ({"target": "$.info", "update": "New"}, "1.0.0", "an object is updated with an object"),
        ({"target": "$", "remove": True}, "1.0.0", "the whole description cannot be removed"),
        ({"target": "$.info", "copy": "$.tags[*]"}, "1.1.0", "copy selects more than one value"),
        ({"target": "$.info", "copy": "$.nope"}, "1.1.0", "the JSONPath selects nothing"),
    ],
)
def test_action_that_cannot_be_applied_is_refused(action: Json, version: str, problem: str) -> None:
    with pytest.raises(OverlayError) as caught:
        _applied(action, version=version)
    assert str(caught.value).startswith(f"test.overlay.yaml at /actions/0: {problem}")


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("$.paths['/leeds'].get", "$['paths'] exists; did you mean '/leads' in it?"),
        ("$.pathes", "$ exists; did you mean 'paths' in it?"),
        ("$.tags[?@.name == 'z']", "$['tags'] exists, but nothing in it matches [?@['name'] == 'z']"),
        ("$.paths['/leads'].delete", "$['paths']['/leads'] exists, but nothing in it matches ['delete']"),
        ("$..operationid", "$ exists, but nothing in it matches ..['operationid']"),
    ],
)
def test_target_that_selects_nothing_is_refused_with_the_nearest_path(target: str, hint: str) -> None:
    with pytest.raises(OverlayError) as caught:
        _applied({"target": target, "remove": True})
    assert caught.value.problem == "the JSONPath selects nothing"
    assert caught.value.hint == hint


def test_message_names_file_line_and_target(tmp_path: Path) -> None:
    file = tmp_path / "behavior.overlay.yaml"
    file.write_text(
        "overlay: 1.0.0\ninfo:\n  title: T\n  version: 1.0.0\nactions:\n"
        "  - target: $.info\n    update: {}\n  - target: $.pathes\n    update: {}\n"
    )
    with pytest.raises(OverlayError) as caught:
        apply(DESCRIPTION, load_overlay(file))
    assert str(caught.value).startswith(f"{file}:8 at /actions/1: the JSONPath selects nothing")
    assert caught.value.got == "$['pathes']"


_INFO = {"title": "T", "version": "1"}
_ACTION = {"target": "$", "update": {}}


@pytest.mark.parametrize(
    ("value", "start"),
    [
        (["overlay"], "o: this is a mapping"),
        ({"info": _INFO, "actions": [_ACTION]}, "o: the field 'overlay' is missing"),
        ({"overlay": "1.0.0", "actions": [_ACTION]}, "o: the field 'info' is missing"),
        ({"overlay": "1.0.0", "info": _INFO}, "o: the field 'actions' is missing"),
        ({"overlay": 1.0, "info": _INFO, "actions": [_ACTION]}, "o at /overlay: overlay is a string"),
        ({"overlay": "2.0.0", "info": _INFO, "actions": [_ACTION]}, "o at /overlay: this overlay version"),
        (
            {"overlay": "1.0.0", "info": {"title": "T"}, "actions": [_ACTION]},
            "o at /info: the field 'version'",
        ),
        ({"overlay": "1.0.0", "info": _INFO, "actions": []}, "o at /actions: an overlay has at least one"),
        ({"overlay": "1.0.0", "info": _INFO, "actions": {}}, "o at /actions: an overlay has at least one"),
        (_overlay("nope"), "o at /actions/0: this is a mapping"),
        (_overlay({"update": {}}), "o at /actions/0: the field 'target' is missing"),
        (_overlay({"target": "$"}), "o at /actions/0: an action does exactly one thing"),
        (_overlay({"target": "$", "remove": False}), "o at /actions/0: an action does exactly one thing"),
        (
            _overlay({"target": "$", "remove": True, "update": {}}),
            "o at /actions/0: an action does exactly one",
        ),
        (_overlay({"target": "$", "remove": "yes"}), "o at /actions/0/remove: remove is a boolean"),
        (_overlay({"target": 3, "remove": True}), "o at /actions/0/target: target is a string"),
        (_overlay({"target": "$.a[", "remove": True}), "o at /actions/0/target: target is not a JSONPath"),
        (_overlay({"target": "info", "remove": True}), "o at /actions/0/target: target is not a JSONPath"),
        (
            _overlay({"target": "$", "copy": "$["}, version="1.1.0"),
            "o at /actions/0/copy: copy is not a JSONPath",
        ),
        ({**_overlay(_ACTION), "extends": 3}, "o at /extends: extends is a string"),
    ],
)
def test_malformed_overlay_is_refused(value: Json, start: str) -> None:
    with pytest.raises(OverlayError) as caught:
        overlay_from(value, name="o")
    assert str(caught.value).startswith(start)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ({**_overlay(_ACTION), "extend": "x"}, "did you mean 'extends'?"),
        (_overlay({"target": "$", "updates": {}}), "did you mean 'update'?"),
    ],
)
def test_unknown_field_is_refused_with_the_nearest_one(value: Json, hint: str) -> None:
    with pytest.raises(OverlayError) as caught:
        overlay_from(value, name="o")
    assert caught.value.hint == hint


def test_extensions_and_descriptions_are_accepted() -> None:
    value = {**_overlay({**_ACTION, "description": "why", "x-a": 1}), "x-b": 2, "extends": "openapi.yaml"}
    overlay = overlay_from(value, name="o")
    assert (overlay.title, overlay.extends, len(overlay.actions)) == ("T", "openapi.yaml", 1)


def test_overlay_file_that_is_not_there_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        load_overlay(tmp_path / "gone.yaml")


_VALUES = st.recursive(
    st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=6,
)


@given(_VALUES, _VALUES, _VALUES)
def test_merging_is_associative_for_objects(first: Json, second: Json, third: Json) -> None:
    a, b, c = {"k": first}, {"j": second}, {"j": third}
    assert merged(merged(a, b), c) == {"k": first, **merged(b, c)}


@given(st.dictionaries(st.sampled_from("abc"), _VALUES))
def test_merging_nothing_changes_nothing(value: Json) -> None:
    assert merged(value, {}) == value
