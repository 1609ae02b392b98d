"""JSON Merge Patch and JSON Patch, against the appendices of their RFCs."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.model.patches import PatchFailure, json_patch, merge_patch
from mock_server.openapi.values import Json


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_agrees_with_rfc_7396_appendix_a(target: Json, patch: Json, result: Json) -> None:
    assert merge_patch(target, patch) == result


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=12,
)


def _rfc_7396(target: Json, patch: Json) -> Json:
    """The pseudocode of RFC 7396 §2, as it stands there."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _rfc_7396(result.get(name), value)
    return result


@given(target=JSON, patch=JSON)
def test_merge_patch_agrees_with_the_pseudocode_and_changes_no_argument(target: Json, patch: Json) -> None:
    before = copy.deepcopy((target, patch))
    assert merge_patch(target, patch) == _rfc_7396(target, patch)
    assert (target, patch) == before


def test_merge_patch_takes_any_depth() -> None:
    patch: Json = {"leaf": 1}
    for _ in range(50_000):
        patch = {"a": patch}
    merged = merge_patch({}, patch)
    for _ in range(50_000):
        merged = merged["a"]
    assert merged == {"leaf": 1}


def test_merge_patch_shares_what_does_not_change() -> None:
    target = {"kept": {"big": [1, 2, 3]}, "changed": 1}
    assert merge_patch(target, {"changed": 2})["kept"] is target["kept"]


@pytest.mark.parametrize(
    ("target", "operations", "result"),
    [
        pytest.param(
            {"foo": "bar"},
            [{"op": "add", "path": "/baz", "value": "qux"}],
            {"baz": "qux", "foo": "bar"},
            id="A.1",
        ),
        pytest.param(
            {"foo": ["bar", "baz"]},
            [{"op": "add", "path": "/foo/1", "value": "qux"}],
            {"foo": ["bar", "qux", "baz"]},
            id="A.2",
        ),
        pytest.param({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}, id="A.3"),
        pytest.param(
            {"foo": ["bar", "qux", "baz"]},
            [{"op": "remove", "path": "/foo/1"}],
            {"foo": ["bar", "baz"]},
            id="A.4",
        ),
        pytest.param(
            {"baz": "qux", "foo": "bar"},
            [{"op": "replace", "path": "/baz", "value": "boo"}],
            {"baz": "boo", "foo": "bar"},
            id="A.5",
        ),
        pytest.param(
            {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
            id="A.6",
        ),
        pytest.param(
            {"foo": ["all", "grass", "cows", "eat"]},
            [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
            {"foo": ["all", "cows", "eat", "grass"]},
            id="A.7",
        ),
        pytest.param(
            {"baz": "qux", "foo": ["a", 2, "c"]},
            [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
            {"baz": "qux", "foo": ["a", 2, "c"]},
            id="A.8",
        ),
        pytest.param(
            {"foo": "bar"},
            [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
            {"foo": "bar", "child": {"grandchild": {}}},
            id="A.10",
        ),
        pytest.param(
            {"foo": "bar"},
            [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}],
            {"foo": "bar", "baz": "qux"},
            id="A.11",
        ),
        pytest.param({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}, id="A.14"),
        pytest.param(
            {"foo": ["bar"]},
            [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
            {"foo": ["bar", ["abc", "def"]]},
            id="A.16",
        ),
    ],
)
def test_json_patch_agrees_with_rfc_6902_appendix_a(target: Json, operations: Json, result: Json) -> None:
    before = copy.deepcopy((target, operations))
    assert json_patch(target, operations) == result
    assert (target, operations) == before


@pytest.mark.parametrize(
    ("target", "operations", "status", "keyword", "pointer"),
    [
        pytest.param({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], 409, "test", "/0", id="A.9"),
        pytest.param({"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], 409, "add", "/0", id="A.12"),
        pytest.param({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], 409, "test", "/0", id="A.15"),
    ],
)
def test_failing_cases_of_rfc_6902_appendix_a_conflict(
    target: Json, operations: Json, status: int, keyword: str, pointer: str
) -> None:
    failure = json_patch(target, operations)
    assert isinstance(failure, PatchFailure)
    assert (failure.status, failure.keyword, failure.pointer) == (status, keyword, pointer)


@pytest.mark.parametrize(
    ("operations", "keyword", "pointer"),
    [
        ({"op": "remove", "path": "/a"}, "type", ""),
        (None, "type", ""),
        ("[]", "type", ""),
        (["remove"], "type", "/0"),
        ([{"path": "/a"}], "op", "/0/op"),
        ([{"op": "delete", "path": "/a"}], "op", "/0/op"),
        ([{"op": ["add"], "path": "/a"}], "op", "/0/op"),
        ([{"op": "append", "path": "/a", "value": "x"}], "op", "/0/op"),
        ([{"op": "remove"}], "path", "/0"),
        ([{"op": "remove", "path": "a"}], "path", "/0/path"),
        ([{"op": "remove", "path": "/a~2"}], "path", "/0/path"),
        ([{"op": "remove", "path": 1}], "path", "/0/path"),
        ([{"op": "add", "path": "/a"}], "value", "/0"),
        ([{"op": "move", "path": "/a"}], "from", "/0"),
        ([{"op": "move", "path": "/a", "from": None}], "from", "/0/from"),
        ([{"op": "move", "from": "/list", "path": "/list/0"}], "from", "/0/from"),
        ([{"op": "move", "from": "", "path": "/a"}], "from", "/0/from"),
        ([{"op": "remove", "path": "/a"}, {"op": "nope"}], "op", "/1/op"),
    ],
)
def test_malformed_patch_is_400_and_names_the_member(operations: Json, keyword: str, pointer: str) -> None:
    failure = json_patch({"a": 1, "list": []}, operations)
    assert isinstance(failure, PatchFailure)
    assert (failure.status, failure.keyword, failure.pointer) == (400, keyword, pointer)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/nope"},
        {"op": "remove", "path": "/list/3"},
        {"op": "remove", "path": "/list/-"},
        {"op": "remove", "path": "/a/b"},
        {"op": "replace", "path": "/nope", "value": 1},
        {"op": "replace", "path": "/list/-", "value": 1},
        {"op": "add", "path": "/list/4", "value": 1},
        {"op": "add", "path": "/list/01", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "add", "path": "/list/" + "9" * 5000, "value": 1},
        {"op": "add", "path": "/none/x", "value": 1},
        {"op": "add", "path": "/text/0", "value": 1},
        {"op": "move", "from": "/nope", "path": "/b"},
        {"op": "move", "from": "/list/-", "path": "/b"},
        {"op": "copy", "from": "/nope", "path": "/b"},
        {"op": "copy", "from": "/list/9", "path": "/b"},
        {"op": "test", "path": "/nope", "value": None},
        {"op": "test", "path": "/list/-", "value": None},
        {"op": "test", "path": "/a", "value": True},
        {"op": "test", "path": "/list", "value": [True, 2, 3]},
    ],
)
def test_patch_that_assumes_another_state_is_409(operation: Json) -> None:
    failure = json_patch({"a": 1, "list": [1, 2, 3], "none": None, "text": "abc"}, [operation])
    assert isinstance(failure, PatchFailure)
    assert (failure.status, failure.keyword, failure.pointer) == (409, operation["op"], "/0")
    assert len(failure.message) < 300


def test_whole_document_can_be_replaced_but_not_removed() -> None:
    assert json_patch({"a": 1}, [{"op": "replace", "path": "", "value": [2]}]) == [2]
    assert json_patch({"a": 1}, [{"op": "add", "path": "", "value": None}]) is None
    failure = json_patch({"a": 1}, [{"op": "remove", "path": ""}])
    assert isinstance(failure, PatchFailure)
    assert failure.status == 422


def test_nothing_is_applied_when_a_later_operation_fails() -> None:
    target = {"a": 1}
    failure = json_patch(target, [{"op": "add", "path": "/b", "value": 2}, {"op": "remove", "path": "/c"}])
    assert isinstance(failure, PatchFailure)
    assert failure.pointer == "/1"
    assert target == {"a": 1}


def test_later_operation_does_not_change_the_patch_itself() -> None:
    operations: Json = [
        {"op": "add", "path": "/list", "value": []},
        {"op": "add", "path": "/list/-", "value": 1},
    ]
    assert json_patch({}, operations) == {"list": [1]}
    assert operations[0]["value"] == []


def test_copies_of_one_value_change_apart() -> None:
    operations = [
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/b/x", "value": 1},
    ]
    assert json_patch({"a": {}}, operations) == {"a": {}, "b": {"x": 1}}


def test_copy_bomb_is_422() -> None:
    bomb = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 60
    failure = json_patch({"a": [0]}, bomb)
    assert isinstance(failure, PatchFailure)
    assert (failure.status, failure.keyword) == (422, "maxSize")


def test_many_moderate_copies_are_422_together() -> None:
    copies = [{"op": "copy", "from": "/a", "path": f"/copy{index}"} for index in range(200)]
    failure = json_patch({"a": [0] * 999}, copies)
    assert isinstance(failure, PatchFailure)
    assert (failure.status, failure.keyword, failure.pointer) == (422, "maxSize", "/100")


def test_growing_depth_is_422() -> None:
    deeper = [{"op": "add", "path": "/a" * depth, "value": {}} for depth in range(1, 1000)]
    failure = json_patch({}, deeper)
    assert isinstance(failure, PatchFailure)
    assert (failure.status, failure.keyword, failure.pointer) == (422, "maxDepth", "/99")


@pytest.mark.parametrize("name", ["add", "test"])
def test_deep_value_is_422(name: str) -> None:
    deep: Json = []
    for _ in range(50_000):
        deep = [deep]
    failure = json_patch({}, [{"op": name, "path": "/a", "value": deep}])
    assert isinstance(failure, PatchFailure)
    assert (failure.status, failure.keyword) == (422, "maxDepth")


def test_deep_resource_is_422() -> None:
    deep: Json = {}
    for _ in range(50_000):
        deep = {"a": deep}
    failure = json_patch(deep, [{"op": "add", "path": "/b", "value": 1}])
    assert isinstance(failure, PatchFailure)
    assert (failure.status, failure.keyword, failure.pointer) == (422, "maxDepth", "")


POINTERS = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "~0", ""]), max_size=3).map(
    lambda tokens: "".join("/" + token for token in tokens)
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "no"]),
            "path": POINTERS,
        },
        optional={"from": POINTERS, "value": JSON},
    ),
    max_size=5,
)


@given(target=JSON, operations=OPERATIONS)
def test_any_patch_gives_a_value_or_a_failure_and_changes_no_argument(target: Json, operations: Json) -> None:
    before = copy.deepcopy((target, operations))
    result = json_patch(target, operations)
    assert (target, operations) == before
    if isinstance(result, PatchFailure):
        assert result.status in (400, 409, 422)
        assert result.message


@given(target=JSON, value=JSON)
def test_adding_then_removing_a_new_member_changes_nothing(target: Json, value: Json) -> None:
    operations = [{"op": "add", "path": "/new", "value": value}, {"op": "remove", "path": "/new"}]
    result = json_patch(target, operations)
    assert result == target if isinstance(target, dict) else isinstance(result, PatchFailure)
