"""Relations between exchanges: each finds its planted bugs, and none blames a correct service."""

from __future__ import annotations

import pytest

from contracts.findings import Side
from contracts.likeness import unlike
from mock_server.openapi.values import Json
from tests.unit.contracts.checks.library import checked

BUGS = (
    ("read_your_write", "loses-note"),
    ("read_your_write", "lost-update"),
    ("list_shows_created", "stale-list"),
    ("list_shows_created", "undead-in-list"),
    ("put_twice_is_put_once", "appending-put"),
    ("put_replaces", "merging-put"),
    ("patch_keeps_the_rest", "replacing-patch"),
    ("patch_keeps_the_rest", "keeps-null"),
    ("safe_methods_change_nothing", "touches"),
    ("delete_is_final", "undead"),
    ("delete_is_final", "fragile-delete"),
    ("ids_are_never_reused", "counts"),
    ("failed_request_changes_nothing", "stores-first"),
    ("failed_request_changes_nothing", "half-done"),
    ("server_assigned_stays_put", "takes-over"),
    ("uniqueness_is_kept", "double-isbn"),
    ("head_is_get", "no-head"),
    ("nested_below_their_parent", "any-parent"),
)
CHECKS = tuple(dict.fromkeys(check for check, _ in BUGS))


@pytest.mark.parametrize(("check", "bug"), BUGS)
def test_a_relation_finds_the_bug_that_breaks_it(check: str, bug: str) -> None:
    found = checked((check,), bug).findings
    assert [(finding.check, finding.side) for finding in found][:1] == [(check, Side.SERVICE)]
    assert found[0].sequence, "a finding shows the exchanges that lead to it"


@pytest.mark.parametrize("world", ["closed", "open"])
def test_relations_do_not_blame_a_correct_service(world: str) -> None:
    report = checked(CHECKS, closed=world == "closed")
    assert report.findings == ()
    assert {done.task.check for done in report.done if done.held is not None and done.held.applied} == set(CHECKS)


@pytest.mark.parametrize("check", ["read_your_write", "delete_is_final", "nested_below_their_parent"])
def test_a_bug_is_found_in_an_open_world_as_well(check: str) -> None:
    found = checked((check,), dict(BUGS)[check], closed=False).findings
    assert [finding.side for finding in found][:1] == [Side.SERVICE]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (1, 1.0),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
        ("2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05Z"),
        (" a  b ", "a b"),
        ([], None),
        (None, "a default"),
        ({"a": 1}, {"a": 1, "b": 2}),
        (19.5, "19.50"),
        ("sk_live_secret", "sk_****"),
    ],
)
def test_what_says_the_same_is_alike(sent: Json, shown: Json) -> None:
    assert list(unlike(sent, shown)) == []


@pytest.mark.parametrize(
    ("sent", "shown", "doubtful"),
    [(1, 2, False), (True, 1, False), ("a", "b", False), ("Name", "name", True), (1.005, 1.0, True),
     (["a", "b"], ["b", "a"], True), (["a"], [], False), ({"a": 1}, {}, False)],
)  # fmt: skip
def test_what_says_something_else_is_unlike(sent: Json, shown: Json, doubtful: bool) -> None:
    assert [found.doubtful for found in unlike(sent, shown)] == [doubtful]
