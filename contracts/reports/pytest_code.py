"""A sequence as a test of its own: Python with ``requests``, which fails for as long as the finding happens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from contracts.bindings import ETAG, LOCATION, Origin, tokens_of
from contracts.conditions import Condition, Rule
from contracts.findings import Finding
from contracts.reports.bodies import capitalized
from contracts.reports.secrets import Pieces, Secrets, Variable
from contracts.reports.steps import Script, Step, steps_of
from mock_server.errors import visible
from mock_server.openapi import pointers
from mock_server.openapi.values import Json

_WIDTH = 100
_LARGEST = 20_000

_VALUES = '''

def values(value: object) -> set[str]:
    """Every scalar in a JSON value, as text."""
    if isinstance(value, dict):
        return set().union(*map(values, value.values()))
    if isinstance(value, list):
        return set().union(*map(values, value))
    return {str(value)}
'''


def pytest_code(finding: Finding, secrets: Secrets, base_url: str) -> str:
    """A module with one test function. Credentials come from the environment, the address from ``BASE_URL``."""
    script = steps_of(finding, secrets)
    apart = [(number, step) for number, step in enumerate(script.steps) if number not in script.race]
    body = [line for number, step in apart for line in _sent(number, step, script)]
    body += _raced([script.steps[number] for number in script.race])
    used = sorted({name for name in secrets.names.values() if any(re.search(rf"\b{name}\b", line) for line in body)})
    head = ["import os"]
    head += ["from concurrent.futures import ThreadPoolExecutor"] if script.race else []
    head += ["", "import requests", ""]
    head.append(f'BASE = os.environ.get("BASE_URL", {_literal(secrets.hidden(base_url.rstrip("/")))})')
    head += [f'{name} = os.environ["{name}"]' for name in used]
    if any(condition.rule in {Rule.SHOWS, Rule.SHOWS_NOT} for condition in script.conditions):
        head.append(_VALUES.rstrip("\n"))
    name = re.sub(r"\W+", "_", f"{finding.check}_{finding.operation_id}", flags=re.ASCII).strip("_")
    sentence = re.sub(r'[\x00-\x1f\x7f-\x9f"\\\ud800-\udfff]', " ", visible(secrets.hidden(finding.sentence))).strip()
    lines = [*head, "", "", f"def test_{name}() -> None:", f'    """{capitalized(sentence)}."""', *body]
    return "\n".join(lines) + "\n"


def _raced(steps: list[Step]) -> Iterator[str]:
    """The lines of requests that are sent at the same moment, of which one may succeed."""
    if not steps:
        return
    yield "    at_once = ["
    for step in steps:
        call, arguments = _called(step)
        yield f"        lambda: {call}"
        yield from (f"            {argument}," for argument in arguments)
        yield "        ),"
    yield "    ]"
    yield "    with ThreadPoolExecutor() as threads:"
    yield "        replies = list(threads.map(lambda send: send(), at_once))"
    yield "    assert [reply.ok for reply in replies].count(True) <= 1"


def _called(step: Step) -> tuple[str, list[str]]:
    """The call that sends a request: its beginning, and its arguments."""
    arguments = [_text((Variable("BASE"), *step.target))]
    headers = dict(step.headers)
    payload = _json_payload(step)
    if payload is not None and headers.get("Content-Type") == ("application/json",):
        del headers["Content-Type"]
    if headers:
        arguments.append(
            "headers={" + ", ".join(f"{_literal(name)}: {_text(value)}" for name, value in headers.items()) + "}"
        )
    if payload is not None:
        arguments.append(f"json={payload}")
    elif step.body is not None:
        arguments.append(f"data={_data(step.body)}")
    arguments += ["timeout=10", "allow_redirects=False"]
    method = step.recorded.request.method
    if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}:
        return f"requests.{method.lower()}(", arguments
    return "requests.request(", [_literal(method), *arguments]


def _sent(number: int, step: Step, script: Script) -> Iterator[str]:
    """The lines of one request: it is sent, its reply is checked, what later ones need is kept."""
    last = number == len(script.steps) - 1
    reply = "reply" if last else f"reply_{number + 1}"
    call, arguments = _called(step)
    yield from _call(f"    {reply} = {call}", arguments)
    if not last:
        kind = "< 300" if step.recorded.ok else f"== {step.recorded.status}"
        yield f"    assert {reply}.status_code {kind}, {reply}.text"
    for name, origin in step.saves:
        yield f"    {name} = {_taken(reply, origin)}"
    if last:
        for condition in script.conditions:
            yield f"    {_assertion(condition, reply, script.variables)}"


def _call(start: str, arguments: list[str]) -> Iterator[str]:
    whole = f"{start}{', '.join(arguments)})"
    if len(whole) <= _WIDTH:
        yield whole
        return
    yield start
    yield from (f"        {argument}," for argument in arguments)
    yield "    )"


def _taken(reply: str, origin: Origin) -> str:
    if origin.at == ETAG:
        return f'{reply}.headers["ETag"]'
    if origin.at == LOCATION:
        return f'{reply}.headers["Location"].rstrip("/").rpartition("/")[2]'
    return f"{reply}.json(){_path(origin.at)}"


def _path(pointer: str) -> str:
    tokens = tokens_of(pointer)
    return "".join(f"[{token}]" if token.isdigit() else f"[{_literal(token)}]" for token in tokens)


def _assertion(condition: Condition, reply: str, variables: Mapping[Origin, str]) -> str:
    if condition.rule is Rule.LISTS_OTHERWISE:
        keys = [_code(key) if origin is None else variables[origin]
                for key, origin in zip(condition.value, condition.origins, strict=True)]  # fmt: skip
        listed = f"[entry.get({_literal(condition.member)}) for entry in {reply}.json(){_path(condition.place)}]"
        return f"assert {listed} != [{', '.join(keys)}]"
    value = variables[condition.origin] if condition.origin is not None else _code(condition.value)
    if condition.rule in {Rule.SHOWS, Rule.SHOWS_NOT}:
        word = "in" if condition.rule is Rule.SHOWS else "not in"
        return f"assert str({value}) {word} values({reply}.json())"
    missing = condition.got is None if condition.rule is Rule.DIFFERS else condition.value is None
    got = _got(condition.place, reply, missing=missing or condition.got is None)
    if missing:
        return f"assert {got} is {'not None' if condition.rule is Rule.DIFFERS else 'None'}"
    operator = {Rule.EQUALS: "==", Rule.ONE_OF: "in", Rule.DIFFERS: "!="}[condition.rule]
    return f"assert {got} {operator} {value}" + (f", {reply}.text" if condition.place == "status" else "")


def _got(place: str, reply: str, *, missing: bool) -> str:
    if place == "status":
        return f"{reply}.status_code"
    if place.startswith("header "):
        return f"{reply}.headers.get({_literal(place.removeprefix('header '))})"
    parent, _, last = place.rpartition("/")
    if missing and place and not last.isdigit():
        return f"{reply}.json(){_path(parent)}.get({_literal(pointers.unescape(last))})"
    return f"{reply}.json(){_path(place)}"


def _json_payload(step: Step) -> str | None:
    """The body as a Python value, where it is plain JSON that ``requests`` would write the same way."""
    if step.body is None or isinstance(step.body, bytes) or not _says_json(step):
        return None
    marked = "".join(piece if isinstance(piece, str) else f"~{piece.name}~" for piece in step.body)
    try:
        whole = json.loads(re.sub(r'(?<!["~\w])~(\w+)~', r'{"~bare~": "\1"}', marked) if "~" in marked else marked,
                           parse_constant=_no_constant)  # fmt: skip
    except (ValueError, RecursionError):
        return None
    names = {piece.name for piece in step.body if isinstance(piece, Variable)}
    return _code(whole, names) if len(marked) <= _LARGEST else None


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON")


def _says_json(step: Step) -> bool:
    for name, value in step.headers:
        if name.lower() == "content-type":
            text = "".join(piece for piece in value if isinstance(piece, str)).partition(";")[0].strip().lower()
            return text == "application/json" or text.endswith("+json")
    return False


def _code(value: Any, names: set[str] | frozenset[str] = frozenset()) -> str:
    """A JSON value as Python; ``~name~`` stands for a variable of ``names``."""
    if isinstance(value, dict):
        if set(value) == {"~bare~"} and value["~bare~"] in names:
            return str(value["~bare~"])
        return "{" + ", ".join(f"{_code(name, names)}: {_code(entry, names)}" for name, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_code(entry, names) for entry in value) + "]"
    if isinstance(value, str):
        pieces = re.split(r"~(\w+)~", value) if names else [value]
        found: list[str | Variable] = []
        for number, piece in enumerate(pieces):
            if number % 2 == 0:
                found.append(piece)
            else:
                found.append(Variable(piece) if piece in names else f"~{piece}~")
        return _text(tuple(piece for piece in found if piece != ""))
    return repr(value)


def _text(text: Pieces) -> str:
    """A text as Python: a literal, a name, or an f-string."""
    if not any(isinstance(piece, Variable) for piece in text):
        return _literal("".join(piece for piece in text if isinstance(piece, str)))
    if len(text) == 1 and isinstance(text[0], Variable):
        return text[0].name
    inner = ""
    for piece in text:
        inner += "{" + piece.name + "}" if isinstance(piece, Variable) else (
            _literal(piece, double=True)[1:-1].replace("{", "{{").replace("}", "}}"))  # fmt: skip
    return f'f"{inner}"'


def _data(body: Pieces | bytes) -> str:
    if isinstance(body, bytes):
        return repr(body) if len(body) <= _LARGEST else f"{body[:1000]!r} * {len(body) // 1000}"
    text = _text(body)
    return f"{text}.encode()" if len(text) <= _LARGEST else f'{text[:1000]}" * {len(text) // 1000}'


def _literal(text: str, *, double: bool = False) -> str:
    """A text as a Python literal in double quotes, only printable characters in it."""
    quoted = text.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'"{quoted}"'
