"""What each keyword's failure means, in a sentence with the value received and the values allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache

from jsonschema_rs import ValidationError

from mock_server.dataclass import dataclass
from mock_server.errors import nearest
from mock_server.openapi import pointers
from mock_server.openapi.backtracking import longest
from mock_server.openapi.bundle import Bundle
from mock_server.openapi.formats import NUMBER_FORMATS, words_for
from mock_server.openapi.values import Json, Violation
from mock_server.openapi.wording import TYPE_WORDS, clipped, count, describe, listed, shown, type_of


@dataclass(slots=True, eq=False)
class Fault:
    """One error of the validator, with the value it was found in and the schema it was found against.

    ``root`` is the whole value, ``where`` and ``name`` the part of the message it came in, ``assumed`` the
    branch of a oneOf or anyOf that the value was taken for, ``property_name`` the name that was judged in
    place of the value. ``path`` leads in ``root`` to the faulty ``value``, which is out of the message itself and no
    copy; ``keyword`` is the name of the broken one.
    """

    error: ValidationError
    bundle: Bundle
    root: Json
    where: str
    name: str | None
    assumed: str = ""
    property_name: str | None = None
    path: list[str | int] = field(init=False)
    keyword: str = field(init=False)
    value: Json = field(init=False)

    def __post_init__(self) -> None:
        self.path, self.keyword = self.error.instance_path, self.error.kind.name
        here = self.root
        if self.property_name is not None:
            here = self.property_name
        else:
            for token in self.path:
                here = here[token]
        self.value = here

    @property
    def facts(self) -> Mapping[str, Json]:
        """What the validator says about it; the keys differ by keyword."""
        return self.error.kind.as_dict()

    def schema(self) -> Json:
        """The schema object that holds the broken keyword."""
        return self.bundle.at(self.error.schema_path[:-1])

    def violation(
        self,
        message: str,
        *,
        expected: Json,
        keyword: str | None = None,
        below: Sequence[str | int] = (),
    ) -> Violation:
        """A violation at the faulty value, or at what ``below`` leads to inside it."""
        got = self.value
        tokens = [*self.path, *below]
        for token in below:
            got = got[token]
        if self.property_name is not None:
            tokens = [*tokens, self.property_name]
            message = f"property name {self.property_name!r}: {message}"
        return Violation(
            where=self.where,
            pointer=pointers.join("", *tokens),
            keyword=keyword or self.keyword,
            got=clipped(got),
            expected=expected,
            message=f"{message} (as {self.assumed})" if self.assumed else message,
            name=self.name,
        )


Explain = Callable[[Fault], Iterator[Violation]]

EXPLAINED: dict[str, Explain] = {}

_LONGEST_MEANT = 200  # characters of a text that something else may have been meant by
_MOST_KEPT = 100  # options of a list whose sentences are kept


def _explains(*keywords: str) -> Callable[[Explain], Explain]:
    def register(function: Explain) -> Explain:
        EXPLAINED.update(dict.fromkeys(keywords, function))
        return function

    return register


# Types and values


@_explains("type")
def _type(fault: Fault) -> Iterator[Violation]:
    expected = fault.bundle.at(fault.error.schema_path)
    types = expected if isinstance(expected, list) else [expected]
    yield fault.violation(not_of_type(fault.value, types), expected=expected)


@_explains("enum")
def _enum(fault: Fault) -> Iterator[Violation]:
    options = fault.facts["options"]
    yield fault.violation(not_one_of(fault.value, options), expected=options)


@_explains("const")
def _const(fault: Fault) -> Iterator[Violation]:
    wanted = fault.facts["expected_value"]
    yield fault.violation(f"must be {shown(wanted)}, got {shown(fault.value)}", expected=wanted)


def not_of_type(value: Json, types: Sequence[str]) -> str:
    """The sentence for a value of the wrong type: ``must be an integer, got a string ('abc')``."""
    wanted = " or ".join(TYPE_WORDS.get(name, name) for name in types)
    detail = "" if value is None or isinstance(value, dict | list) else f" ({shown(value)})"
    return f"must be {wanted}, got {type_of(value)}{detail}"


def not_one_of(value: Json, options: Sequence[Json]) -> str:
    """The sentence for a value outside a list, with the option that was probably meant."""
    short = type(value) is str and len(value) <= _LONGEST_MEANT and len(options) <= _MOST_KEPT
    if short and set(map(type, options)) == {str}:
        return _not_among(value, tuple(options))
    return _not_one_of(value, options)


@lru_cache(maxsize=512)
def _not_among(text: str, options: tuple[str, ...]) -> str:
    """The same for texts: a client sends the same wrong value again, and what it meant takes long to find."""
    return _not_one_of(text, options)


def _not_one_of(value: Json, options: Sequence[Json]) -> str:
    message = f"{shown(value)} is not one of {listed(options)}"
    meant = _meant(value, options)
    return message if meant is None else f"{message} (did you mean {meant}?)"


def _meant(value: Json, options: Sequence[Json]) -> str | None:
    if isinstance(value, dict | list) or value is None:
        return None
    for option in options:
        if str(option).casefold() == str(value).casefold():
            return shown(option)
    if not isinstance(value, str) or len(value) > _LONGEST_MEANT:
        return None
    close = nearest(value, [option for option in options if isinstance(option, str)])
    return None if close is None else shown(close)


# Numbers

_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "greater than",
    "exclusiveMaximum": "less than",
}


@_explains(*_BOUNDS)
def _bound(fault: Fault) -> Iterator[Violation]:
    limit = fault.facts["limit"]
    name = fault.schema().get("format")
    bounds = NUMBER_FORMATS.get(name) if isinstance(name, str) else None
    if bounds is not None and limit in (bounds.minimum, bounds.maximum):
        message = f"must be {bounds.words} (format {name}), {_BOUNDS[fault.keyword]} {limit}, got {fault.value}"
        yield fault.violation(message, expected=name, keyword="format")
    else:
        message = f"must be {_BOUNDS[fault.keyword]} {limit}, got {shown(fault.value)}"
        yield fault.violation(message, expected=limit)


@_explains("multipleOf")
def _multiple_of(fault: Fault) -> Iterator[Violation]:
    step = fault.schema()["multipleOf"]
    yield fault.violation(f"must be a multiple of {step}, got {shown(fault.value)}", expected=step)


# Strings


@_explains("minLength", "maxLength")
def _length(fault: Fault) -> Iterator[Violation]:
    limit = fault.facts["limit"]
    pattern = fault.schema().get("pattern")
    if fault.keyword == "maxLength" and isinstance(pattern, str) and longest(pattern) == limit:
        many = f"its {count(len(fault.value), 'character')} are more than the {limit} that it is tried on"
        message = f"cannot be matched with {pattern}: {many}; it counts as not matching"
        yield fault.violation(message, expected=pattern, keyword="pattern")
        return
    bound = "at least" if fault.keyword == "minLength" else "at most"
    message = f"must be {bound} {count(limit, 'character')} long, got {len(fault.value)}"
    yield fault.violation(message, expected=limit)


@_explains("pattern")
def _pattern(fault: Fault) -> Iterator[Violation]:
    pattern = fault.facts.get("pattern")
    if pattern is not None:
        message = f"must match {pattern}, got {shown(fault.value)}"
    else:  # the backtracking limit was reached
        pattern = fault.schema().get("pattern")
        message = f"cannot be matched with {pattern} in a reasonable number of steps; it counts as not matching"
    yield fault.violation(message, expected=pattern)


@_explains("format")
def _format(fault: Fault) -> Iterator[Violation]:
    name = fault.facts["format"]
    yield fault.violation(f"must be {words_for(name)}, got {shown(fault.value)}", expected=name)


# Arrays


@_explains("minItems", "maxItems")
def _items(fault: Fault) -> Iterator[Violation]:
    limit = fault.facts["limit"]
    bound = "at least" if fault.keyword == "minItems" else "at most"
    message = f"must have {bound} {count(limit, 'item')}, got {len(fault.value)}"
    yield fault.violation(message, expected=limit)


@_explains("uniqueItems")
def _unique_items(fault: Fault) -> Iterator[Violation]:
    yield fault.violation("must not hold the same item twice" + _repetition(fault.value), expected=True)


def _repetition(items: Sequence[Json]) -> str:
    """Which items are equal, when they are texts or numbers."""
    first: dict[tuple[bool, Json], int] = {}
    for index, item in enumerate(items):
        if isinstance(item, dict | list):
            continue
        key = (isinstance(item, bool), item)  # True equals 1 in Python, not in JSON
        if key in first:
            return f": items {first[key]} and {index} are both {shown(item)}"
        first[key] = index
    return ""


@_explains("contains")
def _contains(fault: Fault) -> Iterator[Violation]:
    schema = fault.schema()
    least, most = schema.get("minContains", 1), schema.get("maxContains")
    wanted = f"at least {least}" + ("" if most is None else f" and at most {most}")
    message = f"must have {wanted} among its items that is {describe(schema['contains'], fault.bundle)}"
    yield fault.violation(message, expected={"minContains": least} | ({} if most is None else {"maxContains": most}))


@_explains("unevaluatedItems")
def _unevaluated_items(fault: Fault) -> Iterator[Violation]:
    allowed = fault.schema()["unevaluatedItems"]
    items = listed(fault.facts["unexpected"])  # JSON texts; the validator does not say at which indexes
    what = "not expected here" if allowed is False else f"not {describe(allowed, fault.bundle)}"
    yield fault.violation(f"holds items that are {what}: {items}", expected=allowed)


# Objects


@_explains("required")
def _required(fault: Fault) -> Iterator[Violation]:
    missing = fault.facts["property"]
    names = fault.bundle.at(fault.error.schema_path)
    if isinstance(names, dict):  # dependentRequired: present property -> required ones
        cause = next(name for name, needed in names.items() if name in fault.value and missing in needed)
        message = f"{missing!r} is required beside {cause!r} but missing"
        yield fault.violation(message, expected=names[cause], keyword="dependentRequired")
        return
    unknown = [name for name in fault.value if name not in declared_properties(fault.schema(), fault.bundle)]
    written = nearest(missing, unknown)
    hint = "" if written is None else f" (is {written!r} a misspelling of it?)"
    yield fault.violation(f"{missing!r} is required but missing{hint}", expected=names)


@_explains("additionalProperties", "unevaluatedProperties")
def _additional_properties(fault: Fault) -> Iterator[Violation]:
    allowed = fault.schema()[fault.keyword]
    if allowed is not False:  # unevaluatedProperties with a schema that the properties break
        for name in fault.facts["unexpected"]:
            message = f"{name!r} must be {describe(allowed, fault.bundle)}"
            yield fault.violation(message, expected=allowed, below=(name,))
        return
    declared = declared_properties(fault.schema(), fault.bundle)
    missing = [name for name in declared if name not in fault.value]
    unexpected = fault.facts["unexpected"]
    # A failed member of an allOf evaluates nothing, so that what it declares looks unexpected too.
    strangers = [name for name in unexpected if name not in declared] or unexpected
    for name in strangers:
        meant = nearest(name, missing) or nearest(name, declared)
        hint = f" (did you mean {meant!r}?)" if meant else f"; known here: {listed(declared)}" if declared else ""
        yield fault.violation(f"{name!r} is not a property of this object{hint}", expected=declared, below=(name,))


@_explains("minProperties", "maxProperties")
def _properties(fault: Fault) -> Iterator[Violation]:
    limit = fault.facts["limit"]
    bound = "at least" if fault.keyword == "minProperties" else "at most"
    message = f"must have {bound} {count(limit, 'property')}, got {len(fault.value)}"
    yield fault.violation(message, expected=limit)


def declared_properties(schema: Json, bundle: Bundle) -> list[str]:
    """The names of the properties that a schema and all it is composed of declare."""
    names: dict[str, None] = {}
    seen: set[int] = set()
    pending = [schema]
    while pending:
        here = pending.pop()
        if not isinstance(here, dict) or id(here) in seen:
            continue
        seen.add(id(here))
        names.update(dict.fromkeys(name for name, child in here.get("properties", {}).items() if child is not False))
        if "$ref" in here:
            pending.append(bundle.referred(here["$ref"]))
        for keyword in ("allOf", "anyOf", "oneOf"):
            pending += reversed(here.get(keyword, []))
    return list(names)


# Schemas as a whole


@_explains("falseSchema")
def _false_schema(fault: Fault) -> Iterator[Violation]:
    path = fault.error.schema_path
    if pointers.join("", *path) in fault.bundle.withheld:
        message = f"{fault.path[-1]!r} is write-only and must not be in a response"
        yield fault.violation(message, expected=False, keyword="writeOnly")
        return
    last = fault.path[-1] if fault.path and fault.property_name is None else None
    if isinstance(last, int) and path[-1] == "items":
        siblings = fault.bundle.at(path[:-1])
        limit = len(siblings.get("prefixItems", []))
        yield fault.violation(
            f"item {last} is one too many: at most {count(limit, 'item')} may be here",
            expected=limit,
            keyword="items",
        )
        return
    what = "no value is allowed here" if last is None else f"{last!r} is not allowed here"
    yield fault.violation(what, expected=False, keyword="false")


@_explains("not")
def _not(fault: Fault) -> Iterator[Violation]:
    forbidden = describe(fault.schema()["not"], fault.bundle)
    yield fault.violation(f"must not be {forbidden}, got {shown(fault.value)}", expected=None)
