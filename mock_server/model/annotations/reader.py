"""Reading ``x-mock-*`` annotations: checked against the vocabulary, expressions parsed, mistakes told with their place.

The vocabulary's JSON Schema is ``model/vocabulary.schema.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import TypeVar

import jsonschema_rs
import orjson

from mock_server.errors import AnnotationError, ConfigurationError, Place, did_you_mean
from mock_server.model.clock import parse_duration
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.criteria import Criterion, parse_criterion
from mock_server.openapi.documents import Located
from mock_server.openapi.expressions import ROOTS, ExpressionSyntaxError, ValueTemplate, template_value
from mock_server.openapi.values import Json

OWN_ROOTS = ROOTS | {"problem", "before", "clock"}
"""What expressions in annotations may begin with: the roots of OpenAPI and Arazzo, and our own."""

Parsed = TypeVar("Parsed")


@cache
def vocabulary() -> dict[str, Json]:
    """The JSON Schema of the vocabulary."""
    text = resources.files("mock_server.model").joinpath("vocabulary.schema.json").read_bytes()
    loaded: dict[str, Json] = orjson.loads(text)
    return loaded


@cache
def _validator(definition: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"$ref": f"#/$defs/{definition}"} if definition else {"$ref": "#"}
    whole = vocabulary()
    return jsonschema_rs.Draft202012Validator({**schema, "$defs": whole["$defs"]} if definition else whole)


class AnnotationReader:
    """Reads the annotations of one description; every mistake becomes an ``AnnotationError`` with file and line.

    Pointers are into the root document.
    """

    def __init__(self, api: Api) -> None:
        self.api = api

    def place(self, pointer: str) -> Place:
        """Where a pointer leads to, for error messages."""
        return self.api.documents.place(self.api.documents.root, pointer)

    def template(self, value: Json, pointer: str, *, roots: frozenset[str] = frozenset()) -> ValueTemplate:
        """A value whose strings may be runtime expressions; ``roots`` are further names they may begin with."""
        return self._parsed(lambda: template_value(value, roots=OWN_ROOTS | roots), pointer)

    def templates(
        self, values: Mapping[str, Json], pointer: str, *, roots: frozenset[str] = frozenset()
    ) -> dict[str, ValueTemplate]:
        """Templates by the names of the members they are for."""
        return {name: self.template(value, pointers.join(pointer, name), roots=roots) for name, value in values.items()}

    def members(
        self, values: Mapping[str, Json], pointer: str, *, roots: frozenset[str] = frozenset()
    ) -> dict[tuple[str, ...], ValueTemplate]:
        """Templates by the paths of members, which are written as names or, from a slash on, as JSON pointers."""
        named = self.templates(values, pointer, roots=roots)
        return {pointers.split(name) if name.startswith("/") else (name,): value for name, value in named.items()}

    def criterion(self, text: str, pointer: str, *, roots: frozenset[str] = frozenset()) -> Criterion:
        """A condition in Arazzo's simple grammar."""
        return self._parsed(lambda: parse_criterion(text, roots=OWN_ROOTS | roots), pointer)

    def duration(self, text: str, pointer: str, *, at_once: bool = False) -> timedelta:
        """An ISO 8601 duration that is longer than nothing, or with ``at_once`` may be nothing."""
        try:
            found = parse_duration(text)
        except ConfigurationError as error:
            raise AnnotationError(error.problem, place=self.place(pointer), got=text, allowed=error.allowed) from None
        if found < timedelta() or (not found and not at_once):
            raise AnnotationError(
                "time does not run backwards" if found else "this duration lasts no time at all",
                place=self.place(pointer), got=text, allowed=f"for example {'PT0S' if at_once else 'PT1M'}, P1D",
            )  # fmt: skip
        return found

    def known(self, name: str, names: Iterable[str], pointer: str, problem: str, *, hint: str | None = None) -> None:
        """Refuses a name that is none of ``names``, and tells the nearest; ``hint`` is for when none is near."""
        known = tuple(names)
        if name not in known:
            raise AnnotationError(
                problem,
                place=self.place(pointer),
                got=name,
                allowed=", ".join(known) or "there are none",
                hint=did_you_mean(name, known) or hint,
            )

    def check(self, value: Json, definition: str, pointer: str) -> None:
        """Refuses a value that breaks a definition of the vocabulary; "" is the whole of it."""
        for error in _validator(definition).iter_errors(value):
            where = pointer + "".join("/" + pointers.escape(str(step)) for step in error.instance_path)
            raise AnnotationError(
                f"this annotation breaks the vocabulary: {error.message}",
                place=self.place(where),
                got=error.instance,
                hint="docs/vocabulary.md lists every annotation",
            )

    def refuse_unknown(
        self, extensions: Mapping[str, Json], located: Located | None = None, *, pointer: str = ""
    ) -> None:
        """Refuses an annotation that the vocabulary does not have; without a location it is in the root document."""
        known = vocabulary()["properties"]
        for name in extensions:
            if name.startswith("x-mock-") and name not in known:
                place = (
                    self.place(pointer) if located is None else self.api.documents.place(located.uri, located.pointer)
                )
                raise AnnotationError(
                    "this annotation is not in the vocabulary",
                    place=place,
                    got=name,
                    allowed=", ".join(known),
                    hint=did_you_mean(name, known),
                )

    def _parsed(self, parse: Callable[[], Parsed], pointer: str) -> Parsed:
        try:
            return parse()
        except ExpressionSyntaxError as error:
            raise AnnotationError(
                error.problem, place=self.place(pointer + error.pointer), got=error.text, hint=error.hint
            ) from None
