"""Hypothesis strategies for the values of a description's schemas, made by Schemathesis' generators over our bundles.

What they draw is meant to be valid, and what cannot be said in a strategy (a rare format, a rule across members) is
for whoever draws to look at again. All that is used of Schemathesis' insides stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

import jsonschema_rs
from hypothesis import reject
from hypothesis import strategies as st
from schemathesis.core.errors import InvalidSchema, UnsupportedSchema
from schemathesis.generation.jsonschema.builder import build
from schemathesis.generation.jsonschema.context import Alphabet
from schemathesis.specs.openapi.formats import get_default_format_strategies

from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json
from mock_server.sampling import Sampler, Unsampleable

_SAMPLES = 1 << 16
_VARIANTS = 7
_EPOCH = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)

_UNPRINTED = "".join(map(chr, (*range(32), *range(127, 160))))

ANYWHERE = Alphabet()
"""What JSON and forms can carry: any text."""

_ALPHABETS: Mapping[str, Alphabet] = {
    # A slash in a path, however it is encoded, is a slash to many a server, and dots alone are steps.
    "path": Alphabet(exclude_characters="/\\" + _UNPRINTED),
    "query": Alphabet(exclude_characters=_UNPRINTED),
    "header": Alphabet(max_codepoint=126, exclude_characters=_UNPRINTED, allow_surrounding_whitespace=False),
    "cookie": Alphabet(max_codepoint=126, exclude_characters=_UNPRINTED + ' ",;\\'),  # RFC 6265 §4.1.1
}


def parameter_values(schema: Schema | None, location: str) -> st.SearchStrategy[Json]:
    """Values of a parameter that travels in the path, the query, a header or a cookie; text where nothing is said."""
    alphabet = _ALPHABETS.get(location, ANYWHERE)
    if schema is None:
        return st.text(alphabet.as_strategy(), min_size=1)
    return values(schema, Direction.REQUEST, alphabet=alphabet)


def values(schema: Schema, direction: Direction, *, alphabet: Alphabet = ANYWHERE) -> st.SearchStrategy[Json]:
    """Values of a schema as they travel in a direction, valid as far as the generators can tell."""
    bundle = schema.bundle(direction)
    try:
        return build(bundle, draft=jsonschema_rs.Draft202012, formats=_formats(), alphabet=alphabet)
    except (UnsupportedSchema, InvalidSchema):
        return _sampled(bundle, direction)


def _sampled(bundle: dict[str, Json], direction: Direction) -> st.SearchStrategy[Json]:
    """Values by our own sampler, of schemas that the generators have no model for."""
    sampler = Sampler(bundle, direction=direction)

    def sample(number: int) -> Json:
        rng = Random(number)  # noqa: S311 - repeatable, not secret
        try:
            return sampler.sample(seed=rng.randrange(1 << 30), now=_EPOCH, variant=number % _VARIANTS)
        except Unsampleable:
            reject()

    return st.integers(0, _SAMPLES - 1).map(sample)


@cache
def _formats() -> dict[str, st.SearchStrategy[Any]]:
    """The generators of formats, kept in one object, since Schemathesis tells its caches by it."""
    found = dict(get_default_format_strategies())
    # Bytes as the string that ``type: string`` speaks of, one character each (OAS 3.0 §4.7.24).
    found["binary"] = st.binary().map(lambda content: content.decode("latin-1"))
    return found
