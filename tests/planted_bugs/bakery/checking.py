"""What a request says, checked against the schemas of the description."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import yaml
from flask import request
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from tests.planted_bugs.bakery.problems import problem
from tests.planted_bugs.bakery.shop import Item, planted

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\Z")
_INTEGER = re.compile(r"-?[0-9]{1,12}\Z")
_DESCRIPTION = Path(__file__).with_name("openapi.yaml")

_formats = FormatChecker()


@_formats.checks("email")
def _is_email(value: object) -> bool:
    return not isinstance(value, str) or _EMAIL.match(value) is not None


def _pattern(_: Any, pattern: str, value: object, __: Any) -> Iterator[ValidationError]:
    # In ECMA-262 "$" is the very end; Python's also matches before a last line break.
    if isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_extend: Callable[..., Any] = extend
_Validator: Callable[..., Any] = _extend(Draft202012Validator, {"pattern": _pattern})


@cache
def _document() -> Any:
    return yaml.safe_load(_DESCRIPTION.read_text())


@cache
def _validator(pointer: str) -> Any:
    return _Validator({"$ref": f"#{pointer}", "components": _document()["components"]}, format_checker=_formats)


def violations(schema: str, value: Any) -> list[Item]:
    """Where a value breaks a schema of the description."""
    return _told(_validator(f"/components/schemas/{schema}"), value)


def _told(validator: Any, value: Any) -> list[Item]:
    return [
        {"pointer": "".join(f"/{part}" for part in error.absolute_path), "message": error.message[:200]}
        for error in validator.iter_errors(value)
    ]


@cache
def _as_sent(schema: str) -> Any:
    """The validator of a schema in a request: what is readOnly is neither required nor looked at."""
    described = _document()["components"]["schemas"][schema]
    properties = described["properties"]
    sent = {name: member for name, member in properties.items() if not member.get("readOnly")}
    required = [name for name in described.get("required", ()) if name in sent]
    return _Validator({**described, "properties": sent, "required": required,
                       "components": _document()["components"]}, format_checker=_formats)  # fmt: skip


def body(schema: str, media_type: str = "application/json") -> Any:
    """The request's body, decoded and valid; a problem is raised for any other."""
    if request.mimetype != media_type:
        problem(415, f"the body is {request.mimetype or 'of no type'}, not {media_type}")
    try:
        value = json.loads(request.get_data(), parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError) as error:
        problem(400, f"the body is no JSON: {error}"[:200])
    found = _told(_as_sent(schema), _tolerated(schema, value))
    if found:
        if planted("half_written"):
            return value  # the view stores it and looks afterwards
        if planted("stack_trace"):
            problem(422, f'Traceback (most recent call last):\n  File "/srv/bakery/checking.py", line 71, in body\n'
                         f"jsonschema.exceptions.ValidationError: {found[0]['message']}")  # fmt: skip
        problem(422, "the body breaks its schema", errors=found)
    return _refused_wrongly(value)


def _tolerated(schema: str, value: Any) -> Any:
    """What is checked: the value itself, unless a mistake lets something pass."""
    if not isinstance(value, dict):
        return value
    if planted("zero_quantity_accepted") and schema == "OrderInput" and isinstance(value.get("lines"), list):
        lines = [{**line, "quantity": 1} if isinstance(line, dict) and line.get("quantity") == 0 else line
                 for line in value["lines"]]  # fmt: skip
        return {**value, "lines": lines}
    if planted("short_name_accepted") and schema.startswith("Product") and len(str(value.get("name", ""))) == 1:
        return {**value, "name": "ok"}
    if planted("category_not_required") and schema == "ProductInput" and "category" not in value:
        return {**value, "category": "none"}
    if planted("text_taken_for_number") and _INTEGER.match(str(value.get("price", ""))):
        return {**value, "price": int(value["price"])}
    if planted("email_unchecked") and isinstance(value.get("email"), str):
        return {**value, "email": "somebody@example.com"}
    return value


def _refused_wrongly(value: Any) -> Any:
    if planted("longest_name_rejected") and isinstance(value, dict) and len(str(value.get("name", ""))) == 60:
        _refuse("/name", "is too long")
    if planted("enum_value_rejected") and isinstance(value, dict) and value.get("status") == "archived":
        _refuse("/status", "'archived' is not one of ['draft', 'active']")
    if planted("odd_input_500"):
        json.dumps(value, ensure_ascii=False).encode("latin-1")
    return value


def _refuse(pointer: str, message: str) -> NoReturn:
    problem(422, "the body breaks its schema", errors=[{"pointer": pointer, "message": message}])


def _number(text: str) -> float | int:
    """1.0 is an integer (JSON Schema core §4.2.3)."""
    found = float(text)
    return int(found) if found.is_integer() else found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def query(operation_id: str) -> Item:
    """The query parameters and headers of an operation, decoded, valid, and with their defaults."""
    found: Item = {}
    for parameter, pointer in _parameters(operation_id):
        name, inside = parameter["name"], parameter["in"]
        given = request.args.getlist(name) if inside == "query" else request.headers.getlist(name)
        schema = parameter["schema"]
        if len(given) > 1:
            problem(422, f"{name} is given {len(given)} times")
        if not given:
            found[name] = schema.get("default")
            continue
        value: Any = given[0]
        if schema.get("type") == "integer" and _INTEGER.match(value):
            value = int(value)
        if not _validator(f"{pointer}/schema").is_valid(value) if pointer else not _inline(schema).is_valid(value):
            problem(422, f"{inside} {name} breaks its schema")
        found[name] = value
    return found


def _inline(schema: Item) -> Any:
    return _Validator({**schema, "components": _document()["components"]}, format_checker=_formats)


@cache
def _parameters(operation_id: str) -> tuple[tuple[Item, str], ...]:
    for path in _document()["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and operation.get("operationId") == operation_id:
                return tuple(_parameter(one) for one in operation.get("parameters", ()))
    raise KeyError(operation_id)


def _parameter(one: Item) -> tuple[Item, str]:
    if "$ref" not in one:
        return one, ""
    pointer = one["$ref"].removeprefix("#")
    found: Item = _document()["components"]["parameters"][pointer.rpartition("/")[2]]
    return found, pointer


def number(text: str) -> int:
    """A numeric key of a path; 0, which nothing has, for what is none."""
    return int(text) if _INTEGER.match(text) else 0
