"""Wherever a pattern runs over what somebody sends, it takes linear time or has a budget, and says when it is spent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson
import pytest

from mock_server.errors import ConfigurationError
from mock_server.exchange.preferences import read_preferences
from mock_server.model.clock import parse_duration
from mock_server.model.redaction import Secrets
from mock_server.openapi import brackets, formats, jsontext, media, percent, shapes
from mock_server.openapi.backtracking import ANYWHERE, FROM_THE_START, longest
from mock_server.openapi.expressions import parse
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json
from mock_server.sampling import Sampler, Unsampleable
from tests.hostile.limits import BACKTRACKING, LINEAR, rich
from tests.hostile.sent import Got

SECONDS = 1.0
"""The most CPU time for what takes a few milliseconds here; what backtracks would take minutes."""

PATTERNS = {name: f"p{number}" for number, name in enumerate((*BACKTRACKING, *LINEAR))}
LONG = "a" * 100_000 + "!"


@contextmanager
def in_time() -> Iterator[None]:
    began = time.thread_time()
    yield
    assert time.thread_time() - began < SECONDS


def matched(body: dict[str, Json]) -> Got:
    with in_time():
        return rich().ask("POST", "/matches", (("Content-Type", "application/json"),), orjson.dumps(body))


def messages(got: Got) -> list[str]:
    assert got.status == 422, got.body[:300]
    return [violation["message"] for violation in json.loads(got.body)["errors"]]


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern_of_a_description_runs_over_a_long_text_in_time(name: str) -> None:
    assert len(messages(matched({PATTERNS[name]: LONG}))) == 1


@pytest.mark.parametrize("name", BACKTRACKING)
def test_pattern_whose_budget_is_spent_counts_as_not_matching_and_the_answer_says_so(name: str) -> None:
    texts = ["a" * size + "!" for size in (40, 2_000, 100_000)]
    told = [message for text in texts for message in messages(matched({PATTERNS[name]: text}))]
    assert any("it counts as not matching" in message for message in told), told


@pytest.mark.parametrize("name", [*BACKTRACKING, "nested repetition"])
def test_ten_thousand_texts_spend_their_budgets_once(name: str) -> None:
    assert messages(matched({f"{PATTERNS[name]}s": ["a" * 40 + "!"] * 9_990}))


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern_for_names_runs_over_a_long_name_in_time(name: str) -> None:
    """Of names only the steps are bounded: there is no keyword that is looked at before ``patternProperties``."""
    long = LONG if name in LINEAR else LONG[-ANYWHERE:]
    assert matched({f"{PATTERNS[name]}n": {long: 1}}).status in {200, 422}


@pytest.mark.parametrize("name", PATTERNS)
def test_sample_of_a_pattern_is_made_in_time(name: str) -> None:
    pattern = {**BACKTRACKING, **LINEAR}[name]
    sampler = Sampler({"type": "string", "pattern": pattern, "maxLength": 50})
    with in_time():
        try:
            sample = sampler.sample(seed=1, now=datetime(2026, 1, 2, tzinfo=UTC), name="x")
        except Unsampleable:
            return  # given up, which is an answer as well
    assert isinstance(sample, str)


def _undecodable(read: Callable[[str], object], text: str) -> None:
    with pytest.raises((Undecodable, ConfigurationError, ValueError)):
        read(text)


OWN: dict[str, Callable[[], object]] = {
    "tokens in listings": lambda: Secrets(()).hidden_in("-eyJaaaaaaaa" * 50_000),
    "tokens in listings, with dots": lambda: Secrets(()).hidden_in("eyJaaaaaaaa.eyJa" * 50_000),
    "base64": lambda: formats.is_base64("A" * 1_000_001),
    "base64url": lambda: formats.is_base64url("A" * 1_000_000 + "!"),
    "percent-encoding": lambda: _undecodable(percent.decode, "%" * 1_000_000),
    "bracketed names": lambda: _undecodable(brackets.split_name, "a" + "[]" * 200_000),
    "integers": lambda: shapes.coerce("1" * 1_000_000 + "x", shapes.Shape(types=frozenset({"integer"}))),
    "numbers": lambda: shapes.coerce("1." + "1" * 1_000_000 + "x", shapes.Shape(types=frozenset({"number"}))),
    "media types": lambda: media.parse_media_type("a/b" + '; a="' * 200_000),
    "parameters of media types": lambda: media.parse_media_type("a/b" + "; " * 2_000 + "="),
    "Accept": lambda: media.parse_accept('a"' * 2_048),
    "Prefer": lambda: read_preferences('a="\\"' * 800),
    "durations": lambda: _undecodable(parse_duration, "P" + "1" * 1_000_000),
    "depth of JSON": lambda: _undecodable(lambda text: jsontext.loads(text.encode()), '["\\"' * 200_000),
    "runtime expressions": lambda: parse("$request.body#/" + "a/" * 50_000),
}


@pytest.mark.parametrize("name", OWN)
def test_pattern_of_ours_takes_linear_time(name: str) -> None:
    with in_time():
        OWN[name]()


@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        (r"^[a-z]+$", None),
        (r"^(?:a|b)+(?<name>c)$", None),
        (r"(?=.*[A-Z])(?=.*\d).{8,}", ANYWHERE),
        (r"^(?=.*[A-Z])(?=.*\d).{8,}$", FROM_THE_START),
        (r"^(?!a|b).+$", FROM_THE_START),
        (r"^a[|(]\|(?!b)", FROM_THE_START),
        (r"^a|b(?!c)", ANYWHERE),
        (r"(a)\1", ANYWHERE),
    ],
)
def test_length_that_a_pattern_is_tried_on(pattern: str, most: int | None) -> None:
    assert longest(pattern) == most


def test_text_that_is_too_long_for_its_pattern_is_told_so() -> None:
    (message,) = messages(matched({PATTERNS["look-behind"]: LONG}))
    assert message.endswith(
        ": its 100001 characters are more than the 4000 that it is tried on; it counts as not matching"
    )


def test_text_as_long_as_a_pattern_is_tried_on_is_matched() -> None:
    assert matched({PATTERNS["look-behind"]: "a" * (ANYWHERE - 1) + "b"}).status == 200
