"""Compiled schemas: whether a value is valid in about a microsecond, and if not, why, in words.

A schema is walked and compiled when it is first used. The validator judges the bundle of a schema (see
bundle.py), in which formats are asserted: JSON Schema leaves that open (Validation §7.2), and whoever writes
``format: email`` in an API description means it.
"""

from __future__ import annotations

from threading import RLock

import jsonschema_rs

from mock_server.errors import DescriptionError
from mock_server.openapi import jsontext
from mock_server.openapi.backtracking import ANYWHERE, has_longer_text, may_backtrack
from mock_server.openapi.blame import (
    DEEPEST,
    FEW,
    LARGEST,
    explain,
    is_deeper,
    is_larger,
    is_slight,
    too_deep,
    unencodable,
)
from mock_server.openapi.bundle import Bundle, Bundler
from mock_server.openapi.dialects import Dialect
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.formats import STRING_FORMATS
from mock_server.openapi.marks import Marks
from mock_server.openapi.resources import Resources
from mock_server.openapi.values import Direction, Json, Violation
from mock_server.openapi.wording import describe, shown

# Patterns without look-around or back-references run in linear time anyway. The limit and the lengths of
# backtracking.py end the others, and a pattern that was not decided counts as not matched.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)

_ALLOWED = {
    "pattern": "an ECMA-262 regular expression",
    "type": "null, boolean, object, array, number, string, integer, or a list of these",
    "required": "a list of distinct property names",
    "enum": "a list of values",
    "items": "a schema",
    "properties": "a mapping of names to schemas",
}


class Schemas:
    """The schemas of one description, each compiled once however often it is used."""

    def __init__(self, documents: Documents, dialect: Dialect) -> None:
        self._resources = Resources(documents, dialect)
        marks = Marks(self._resources)
        self._bundlers = {way: Bundler(self._resources, marks, way) for way in Direction}
        self._known: dict[tuple[str, str], Schema] = {}
        self._lock = RLock()

    def at(self, located: Located) -> Schema:
        """The schema written at ``located``; nothing is read before it is used."""
        key = (located.uri, located.pointer)
        schema = self._known.get(key)
        if schema is None:
            schema = self._known.setdefault(key, Schema(self, located, inline=False))
        return schema

    def of(self, value: Json, located: Located) -> Schema:
        """A schema made of keywords that stand at ``located``, such as those of a Swagger 2.0 parameter."""
        return Schema(self, Located(located.uri, located.pointer, value), inline=True)

    def check(self, located: Located) -> None:
        """Compile the schema at ``located`` for both directions; a ``DescriptionError`` when it is broken."""
        schema = self.at(located)
        for direction in Direction:
            schema.accepts(None, direction)

    def bundled(self, located: Located, direction: Direction, *, inline: bool) -> Bundle:
        """The bundle of the schema at ``located``, made by one thread at a time."""
        with self._lock:
            return self._bundlers[direction].bundle(located, inline=inline)

    def broken(self, error: jsonschema_rs.ValidationError, bundle: Bundle) -> DescriptionError:
        """The metaschema's complaint about a bundle, told about the place in the description."""
        spot = bundle.origin(error.instance_path)
        keyword = next((str(token) for token in reversed(error.instance_path) if isinstance(token, str)), "")
        return DescriptionError(
            f"the schema keyword {keyword!r} cannot be used as it stands" if keyword else "this schema is broken",
            place=self._resources.place(self._resources.existing(spot)),
            got=shown(error.instance),
            allowed=_ALLOWED.get(keyword),
            hint=None if keyword in _ALLOWED else error.message,
        )


class Schema:
    """One schema of a description, compiled per direction on first use. Safe to share between threads."""

    __slots__ = ("__weakref__", "_bundles", "_inline", "_most", "_schemas", "_validators", "located")

    def __init__(self, schemas: Schemas, located: Located, *, inline: bool) -> None:
        self.located = located
        self._inline = inline
        self._schemas = schemas
        self._bundles: dict[Direction, Bundle] = {}
        self._validators: dict[Direction, jsonschema_rs.Validator] = {}
        self._most: dict[Direction, int] = {}

    def __repr__(self) -> str:
        return f"Schema({self.located.uri}#{self.located.pointer})"

    def bundle(self, direction: Direction = Direction.RESPONSE) -> dict[str, Json]:
        """The schema in draft 2020-12; all it refers to is under ``$defs``, as ``#/$defs/<name>``."""
        return self._bundle(direction).schema

    def accepts(self, value: Json, direction: Direction) -> bool:
        """Whether ``value`` is valid when it travels in ``direction``."""
        validator = self._validators.get(direction) or self.compile(direction)
        try:
            return validator.is_valid(value)
        except UnicodeEncodeError:
            return False

    def violations(
        self, value: Json, direction: Direction, *, where: str, name: str | None = None
    ) -> tuple[Violation, ...]:
        """Why ``value`` is not valid, at most 50 reasons (one for a large value); empty when it is valid."""
        return () if self.accepts(value, direction) else self.blamed(value, direction, where=where, name=name)

    def blamed(
        self, value: Json, direction: Direction, *, where: str, name: str | None = None
    ) -> tuple[Violation, ...]:
        """The reasons why a value that is known not to be valid is not."""
        validator = self._validators.get(direction) or self.compile(direction)
        try:
            most = self._most_parts(direction)
            slight = is_slight(value, depth=DEEPEST, parts=most)
            if not slight and is_deeper(value, than=DEEPEST):
                return (too_deep(where=where, name=name),)
            large = not slight and is_larger(value, than=most)
            large = large or (most == FEW and has_longer_text(value, than=ANYWHERE))
            errors = _first_error(validator, value) if large else validator.iter_errors(value)
        except UnicodeEncodeError as error:
            return (unencodable(error, where=where, name=name),)
        return explain(errors, self._bundle(direction), value, where=where, name=name)

    def _most_parts(self, direction: Direction) -> int:
        """How many parts a value may have whose violations are all told: few where each may use up a budget."""
        most = self._most.get(direction)
        if most is None:
            slow = may_backtrack(jsontext.dumps(self._bundle(direction).schema).decode())
            most = self._most[direction] = FEW if slow else LARGEST
        return most

    def describe(self) -> str:
        """A few words for what is valid: ``a string matching ^lead_``, ``an object with name, email``."""
        bundle = self._bundle(Direction.RESPONSE)
        return describe(bundle.schema, bundle)

    def compile(self, direction: Direction) -> jsonschema_rs.Validator:
        """The validator for ``direction``; a ``DescriptionError`` when the schema is broken."""
        bundle = self._bundle(direction)
        try:
            validator = jsonschema_rs.Draft202012Validator(
                bundle.schema,
                validate_formats=True,
                formats=dict(STRING_FORMATS),
                pattern_options=_PATTERNS,
                offline=True,
            )
        except jsonschema_rs.ValidationError as error:
            raise self._schemas.broken(error, bundle) from None
        for way in (direction,) if bundle.directional else Direction:
            self._validators[way] = validator
        return validator

    def _bundle(self, direction: Direction) -> Bundle:
        """The bundle for ``direction``: the one for responses when there is nothing to tell apart."""
        response = self._bundles.get(Direction.RESPONSE)
        if response is None:
            response = self._schemas.bundled(self.located, Direction.RESPONSE, inline=self._inline)
            self._bundles[Direction.RESPONSE] = response
        if direction is Direction.RESPONSE or not response.directional:
            return response
        request = self._bundles.get(direction)
        if request is None:
            request = self._bundles[direction] = self._schemas.bundled(self.located, direction, inline=self._inline)
        return request


def _first_error(validator: jsonschema_rs.Validator, value: Json) -> list[jsonschema_rs.ValidationError]:
    """The first error alone: ``iter_errors`` finds all of them, wanted or not, before it gives one."""
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return [error]
    return []
