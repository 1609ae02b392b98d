from __future__ import annotations

from random import Random

import jsonschema_rs
import pytest

from mock_server.sampling.patterns import some_matching, strings_matching


@pytest.mark.parametrize(
    "pattern",
    [
        r"^lead_[a-zA-Z0-9]+$",
        r"^\+?[1-9]\d{1,14}$",
        r"^\p{L}+$",
        r"^\p{Script=Greek}+|x$",
        r"^\P{L}$",
        r"^(?=.*[A-Z])(?=.*\d)(?=.*[!@#$]).{8,12}$",
        r"^x(?=y)y$",
        r"^(?!foo).*$",
        r"^(\d{3})-\1$",
        r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
        r"^a{250}$",
        r"^\u{1F600}+$",
        r"^(([a-z]){2}){3}$",
        r"^[\w.-]+/[\w-]+$",
        r"^\S\s\W\D$",
        r"^\cA$",
        r"[^ -~]",
        r"a|b|^$",
        r"^https?://\S+$",
        r"^\x41\/\u0042$",
        r"^(?<year>\d{4})-\d\d$",
        r"\bword\b",
    ],
)
def test_strings_match_their_pattern(pattern: str) -> None:
    accepts = jsonschema_rs.validator_for({"pattern": pattern}).is_valid
    texts = some_matching(pattern)
    assert texts
    assert all(accepts(text) for text in texts)


@pytest.mark.parametrize("pattern", [r"^[a-z]+$", r"^[a-z]+-[0-9]*$", r"^(ab)+$", r"^.*$"])
def test_wanted_lengths_are_among_the_candidates(pattern: str) -> None:
    texts = strings_matching(pattern, Random(1), min_length=20, max_length=40)
    assert any(20 <= len(text) <= 40 for text in texts)


@pytest.mark.parametrize("pattern", ["(", "[", r"\p", "a{3,1}", "^a(?!a)a$"])
def test_pattern_that_nothing_matches_has_no_strings(pattern: str) -> None:
    assert list(strings_matching(pattern, Random(1))) == []


@pytest.mark.parametrize("pattern", [r"^([a-z0-9.-]+)+@([a-z-]+\.)+[a-z]{2,}$", "^(a{1,50}){1,50}b$", "^((a+)+b)+$"])
@pytest.mark.parametrize("longest", [50, 5000])
def test_repetitions_within_repetitions_do_not_multiply(pattern: str, longest: int) -> None:
    texts = some_matching(pattern, max_length=longest)
    assert texts
    assert max(map(len, texts)) <= min(longest, 250)
