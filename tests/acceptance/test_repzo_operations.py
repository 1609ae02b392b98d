"""The Repzo description against the table of its operations and the rendered reference it was made from.

Both are outside the repository: ``../shared/repzo-operations.tsv`` gives method and path of every operation with the
line of the reference where it begins, ``../shared/seeds/004_*.txt`` is the reference. The reading of the reference
here is a second one, independent of what wrote the description.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mock_server import Sandbox, pack
from mock_server.exchange.messages import RawRequest
from mock_server.exchange.universe import Universe
from mock_server.model.anatomy import flatten
from mock_server.openapi.compile import Api, load_api
from mock_server.openapi.values import Direction, Json

SHARED = Path(__file__).resolve().parents[3] / "shared"
TABLE = SHARED / "repzo-operations.tsv"
REFERENCE = next(iter((SHARED / "seeds").glob("004_*.txt")), SHARED / "seeds" / "004.txt")

needs_table = pytest.mark.skipif(not TABLE.is_file(), reason=f"the table of operations is not there: {TABLE}")
needs_reference = pytest.mark.skipif(
    not (TABLE.is_file() and REFERENCE.is_file()), reason=f"the vendor's reference is not there: {REFERENCE}"
)


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    title: str
    method: str
    path: str

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.path


@cache
def rows() -> tuple[Row, ...]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        entries = csv.DictReader(file, delimiter="\t")
        return tuple(Row(int(e["seed_line"]), e["title"], e["method"], e["path"]) for e in entries)


@cache
def api() -> Api:
    source = pack("repzo")
    return load_api(source.description, name="repzo", overlays=source.overlays, allow_outside=True)


@cache
def operation_ids() -> Mapping[tuple[str, str], str]:
    return {(ref.method, ref.template.text): ref.id for ref in api().refs.values()}


def sourced_lines(value: Json) -> tuple[int, int]:
    noted = value["x-provenance"]
    assert noted["status"] == "documented"
    found = re.fullmatch(r"seed 004, lines? (\d+)(?:-(\d+))?", noted["source"])
    assert found is not None, noted["source"]
    return int(found[1]), int(found[2] or found[1])


@needs_table
def test_the_description_has_the_table_s_operations_and_no_others() -> None:
    assert len(rows()) == 435
    assert {row.key for row in rows()} == set(operation_ids())


@needs_table
def test_every_operation_names_the_lines_of_the_reference_it_comes_from() -> None:
    wrong = []
    for row in rows():
        first, last = sourced_lines(api().refs[operation_ids()[row.key]].operation.value)
        if not first <= row.line <= last:
            wrong.append((row.key, first, row.line, last))
    assert wrong == []


def test_operation_ids_are_camel_case_verbs() -> None:
    verbs = "list|create|get|update|delete|remove|generate|complete|pay|preview|check|process|execute|next|apply"
    verbs += "|regenerate|activate|deactivate|convert"
    odd = [name for name in api().refs if not re.fullmatch(rf"(?:{verbs})(?:[A-Z][a-zA-Z0-9]*)", name)]
    assert odd == []


# The reference, read again.

TYPES = {"string", "integer", "number", "boolean", "object"}
TYPE = re.compile(
    r"(?P<type>Array of (?:strings|objects|numbers|integers)|string|integer|number|boolean|object)"
    r"(?P<rest> (?:or [\w ()]+))?(?: <(?P<format>[\w-]+)>)?"
    r"(?: \[ (?P<least>\d+) \.\. (?P<most>\d+) \]| >= (?P<least_alone>\d+))?(?: \(\w+\))?"
)
HEADS = ("Authorizations:", "path Parameters", "query Parameters", "Request Body schema:", "Responses")


@dataclass(slots=True)
class Said:
    """What the reference says of one parameter or member; ``name`` is None where it is folded away."""

    line: int
    name: str | None
    type: str = ""
    required: bool = False
    facts: dict[str, Json] = field(default_factory=dict)


@cache
def lines() -> tuple[str, ...]:
    return tuple(REFERENCE.read_text(encoding="utf-8").split("\n"))


def sections(row: Row) -> dict[str, tuple[int, list[str]]]:
    """The lines of each section of an operation, with the number of its first one."""
    found: dict[str, tuple[int, list[str]]] = {}
    head = ""
    for number in range(row.line, len(lines()) + 1):
        text = lines()[number - 1]
        starting = next((each for each in HEADS if text.startswith(each)), None)
        if starting == "Responses":
            break
        if starting is not None:
            head = starting
            found[head] = (number + 1, [])
        elif head:
            found[head][1].append(text)
    return found


def is_type(text: str) -> bool:
    return "(object) or" in text or TYPE.fullmatch(text) is not None


def read(first: int, texts: list[str]) -> list[Said]:
    """The entries of a section. A line after a type is a fact until the first that is none; then prose follows."""
    said: list[Said] = []
    at = 0
    while at < len(texts):
        if not texts[at]:
            at += 1
            continue
        entry = Said(first + at, None)
        if texts[at] != "required" and not is_type(texts[at]):
            entry.name = texts[at]
            at += 1
        if texts[at] == "required":
            entry.required = True
            at += 1
        shape = TYPE.fullmatch(texts[at])
        if shape is None and "(object) or" in texts[at]:
            entry.type = "oneOf"
        else:
            assert shape is not None, (first + at, texts[at])
            entry.type = shape["type"] if not shape["rest"] else shape["type"] + shape["rest"]
            entry.facts = _shape_facts(shape)
        at += 1
        while at < len(texts) and texts[at].startswith(("Default: ", "Enum: ", "Value: ", "Items Enum: ")):
            name, _, value = texts[at].partition(": ")
            if name == "Default":
                entry.facts["default"] = json.loads(value)
            else:
                entry.facts["items enum" if name == "Items Enum" else "enum"] = re.findall(r'"([^"]*)"', value)
            at += 1
        if at + 1 < len(texts) and not texts[at]:
            at += 2  # the paragraph that describes the entry
        said.append(entry)
    return said


def _shape_facts(shape: re.Match[str]) -> dict[str, Json]:
    facts: dict[str, Json] = {}
    if shape["format"]:
        facts["format"] = shape["format"]
    if shape["most"] is not None:
        facts["maximum"] = int(shape["most"])
    least = shape["least"] or shape["least_alone"]
    if least is not None:
        facts["minimum"] = int(least)
    return facts


PLURALS = {"Array of strings": "string", "Array of objects": "object", "Array of numbers": "number"}


def differences(entry: Said, schema: Mapping[str, Json], *, required: bool) -> Iterator[str]:
    """How a schema of ours differs from what the reference says."""
    bounds = {name: schema[name] for name in ("minimum", "maximum", "default") if name in schema}
    if schema.get("format") in {"int64", "float", "double"}:  # the bundle says what the format allows
        bounds = {name: value for name, value in bounds.items() if name == "default" or abs(value) < 2**62}
    items: Mapping[str, Json] = schema.get("items") or {}
    if entry.type in PLURALS:
        if schema.get("type") != "array":
            yield f"type {schema.get('type')}, not {entry.type}"
        elif entry.type != "Array of objects" and items.get("type") != PLURALS[entry.type]:
            yield f"items {items.get('type')}, not {entry.type}"
        given = items.get("format")
    else:
        wanted = re.sub(r"Array of \w+", "array", entry.type).split(" or ")
        types = schema.get("type", "object" if "properties" in schema else None)
        if entry.type == "string or Array of strings":
            wanted = ["array"]  # one text is an array of one on the wire
        if entry.type != "oneOf" and (types if isinstance(types, list) else [types]) != wanted:
            yield f"type {types}, not {entry.type}"
        given = schema.get("format")
    if given != entry.facts.get("format"):
        yield f"format {given}, not {entry.facts.get('format')}"
    wanted_bounds = {name: entry.facts[name] for name in ("minimum", "maximum", "default") if name in entry.facts}
    if bounds != wanted_bounds:
        yield f"{bounds}, not {wanted_bounds}"
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if values != entry.facts.get("enum"):
        yield f"enum {values}, not {entry.facts.get('enum')}"
    if items.get("enum") != entry.facts.get("items enum"):
        yield f"items enum {items.get('enum')}, not {entry.facts.get('items enum')}"
    if required != entry.required:
        yield f"required is {required}"


@needs_reference
def test_every_documented_parameter_is_described_with_its_type_range_default_and_values() -> None:
    wrong: list[Any] = []
    seen = 0
    for row in rows():
        operation = api().operation(operation_ids()[row.key])
        described = {p.name: p for p in operation.parameters}
        documented = sections(row)
        query = read(*documented.get("query Parameters", (0, [])))
        ours = [p.name for p in operation.parameters if p.location == "query"]
        for place, entry in enumerate(query):
            seen += 1
            name = entry.name or ("params" if len(query) == 1 else ours[place])
            parameter = described.get(name)
            if parameter is None:
                wrong.append((row.key, entry.line, name, "is missing"))
                continue
            if parameter.schema is None:  # it travels as JSON
                assert entry.type == "Array of objects"
                assert parameter.media_type is not None
                assert parameter.media_type.name == "application/json"
                continue
            bundle = parameter.schema.bundle(Direction.REQUEST)
            wrong += [
                (row.key, entry.line, name, said)
                for said in differences(entry, flatten(bundle, bundle), required=parameter.required)
            ]
        path = [entry.name for entry in read(*documented.get("path Parameters", (0, [])))]
        assert path == [p.name for p in operation.parameters if p.location == "path"]
    assert seen == 303
    assert wrong == []


@needs_reference
def test_a_parameter_that_the_reference_does_not_have_says_that_it_is_inferred() -> None:
    wrong = []
    for row in rows():
        ref = api().refs[operation_ids()[row.key]]
        documented = len(read(*sections(row).get("query Parameters", (0, []))))
        written = [
            api().documents.resolve(each["$ref"], base=ref.operation.uri).value if "$ref" in each else each
            for each in ref.operation.value.get("parameters") or ()
        ]
        inferred = [p for p in written if (p.get("x-provenance") or {}).get("status") == "inferred"]
        if len(written) - len(inferred) != documented:
            wrong.append((row.key, documented, [p["name"] for p in written if p not in inferred]))
    assert wrong == []


@needs_reference
def test_every_documented_member_of_a_request_is_described_with_its_type_range_default_and_values() -> None:
    wrong: list[Any] = []
    seen = 0
    for row in rows():
        operation = api().operation(operation_ids()[row.key])
        body = sections(row).get("Request Body schema:")
        assert (body is None) == (operation.request_body is None), row
        if body is None or operation.request_body is None:
            continue
        schema = operation.request_body.content[0].schema
        assert schema is not None
        bundle = schema.bundle(Direction.REQUEST)
        flat = flatten(bundle, bundle)
        entries = read(*body)
        members = flat.get("properties") or {}
        assert len(members) == len(entries), (row, set(members) ^ {entry.name for entry in entries})
        # The reference shows folded members without their names: types only then.
        folded = sorted(entry.type for entry in entries if entry.name is None)
        unnamed = set(members) - {entry.name for entry in entries}
        assert len(folded) == len(unnamed), (row, unnamed)
        for entry in entries:
            seen += 1
            if entry.name is None:
                continue
            required = entry.name in (flat.get("required") or ())
            member = flatten(bundle, members.get(entry.name) or {})
            wrong += [(row.key, entry.line, entry.name, said) for said in differences(entry, member, required=required)]
        required_and_folded = sum(entry.required for entry in entries if entry.name is None)
        assert len(unnamed & set(flat.get("required") or ())) == required_and_folded, row
    assert seen == 1694
    assert wrong == []


@needs_reference
def test_every_answer_has_the_members_that_the_reference_shows() -> None:
    wrong = []
    for row in rows():
        text = lines()
        start = next(n for n in range(row.line, len(text)) if text[n] == "Response samples")
        shown = []
        for line in text[start + 4 :]:
            if line in {"}", "]"}:
                break
            found = re.match(r'  • "([^"]+)":', line)
            shown += [found[1]] if found else []
        operation = api().operation(operation_ids()[row.key])
        _, response = operation.success
        assert response is not None
        schema = response.content[0].schema
        assert schema is not None
        bundle = schema.bundle(Direction.RESPONSE)
        members = list(flatten(bundle, bundle).get("properties") or {})
        if shown == ["$ref"]:
            assert row.title == "Create a variant"  # the reference fails to show the variant here
            continue
        if sorted(shown) != sorted(members):
            wrong.append((row.key, set(shown) ^ set(members)))
    assert wrong == []


# The reference's own requests, sent to the double.

FOLDED = object()


def shown_sample(row: Row, head: str) -> dict[str, Any]:
    """The members of an operation's sample; FOLDED where the reference shows no more than that there is something."""
    text = lines()
    start = next(n for n in range(row.line, len(text)) if text[n] == head)
    members: dict[str, Any] = {}
    for line in text[start + 4 :]:
        if line in {"}", "]"}:
            break
        found = re.match(r'  • "([^"]+)": (.*?),?$', line)
        if found is not None:
            members[found[1]] = FOLDED if found[2] in {"{", "["} else json.loads(found[2])
    return members


def documented_body(row: Row) -> dict[str, Json]:
    """The reference's request; needed members that it folds up come from the description's example, or are empty."""
    operation = api().operation(operation_ids()[row.key])
    assert operation.request_body is not None
    media = operation.request_body.content[0]
    assert media.schema is not None
    bundle = media.schema.bundle(Direction.REQUEST)
    example = media.examples[0].value if media.examples else {}
    body = {name: value for name, value in shown_sample(row, "Request samples").items() if value is not FOLDED}
    flat = flatten(bundle, bundle)
    for name in flat.get("required") or ():
        if name not in body:
            body[name] = example.get(name, [] if flat["properties"][name].get("type") == "array" else {})
    return body


@pytest.fixture(scope="module")
def double() -> Sandbox:
    return Sandbox([pack("repzo")])


def ask(double: Sandbox, universe: Universe, method: str, path: str, body: Json = None) -> tuple[int, Any]:
    served = double.api("repzo")
    headers = {"api-key": served.credentials[0].value, "content-type": "application/json"}
    data = b"" if body is None else json.dumps(body).encode()
    request = RawRequest(method, path, "", headers, data, "http://localhost")
    response = served.line.answer(request, universe)
    return response.status, json.loads(response.body)


def record(answer: dict[str, Any]) -> dict[str, Any]:
    """The record in an answer, whatever its envelope."""
    inner = answer.get("data", answer.get("result", answer))
    assert isinstance(inner, dict)
    return inner


def collections() -> list[str]:
    """The paths of what can be created, each with its collection."""
    return [row.path for row in rows() if row.method == "POST" and f"{row.path}/{{id}}" in {r.path for r in rows()}]


SERVERS_OWN = {"_id", "createdAt", "updatedAt", "modifiedAt", "__v"}


@needs_reference
@pytest.mark.parametrize("path", collections() if REFERENCE.is_file() and TABLE.is_file() else [])
def test_the_reference_s_own_requests_create_change_and_remove_a_record(double: Sandbox, path: str) -> None:
    operations = {row.key: row for row in rows()}
    universe = double.universes.get(path.strip("/").replace("/", "-"))
    universe.clock = universe.clock.frozen(datetime(2019, 1, 2, tzinfo=UTC))  # before what the samples have is due
    sent = documented_body(operations["POST", path])
    status, created = ask(double, universe, "POST", path, sent)
    assert status == 201, created
    stored = record(created)
    kept = {name: value for name, value in sent.items() if name in stored}
    assert stored | kept == stored
    place = f"{path}/{stored['_id']}"
    read_back = record(ask(double, universe, "GET", place)[1])
    assert read_back | stored == read_back
    for method in ("PUT", "PATCH"):
        row = operations.get((method, f"{path}/{{id}}"))
        if row is not None:
            changes = documented_body(row)
            status, changed = ask(double, universe, method, place, changes)
            assert status == 200, changed
            after = record(changed)
            expected = {name: value for name, value in changes.items() if name in after and name not in SERVERS_OWN}
            assert after | expected == after
            assert after["_id"] == stored["_id"]
            read_back = record(ask(double, universe, "GET", place)[1])
            assert read_back | after == read_back
    listed = ask(double, universe, "GET", path)[1]
    items = listed["result"] if "result" in listed else listed["data"]
    assert stored["_id"] in [item["_id"] for item in items]
    if ("DELETE", f"{path}/{{id}}") in operations:
        assert ask(double, universe, "DELETE", place)[0] == 200
        assert ask(double, universe, "GET", place)[0] == 404


# What no transcript can show.


def test_serial_numbers_have_no_gaps_and_no_repeats_when_many_ask_at_once(double: Sandbox) -> None:
    universe = double.universes.get("serials")
    wanted = {"rep": "64d0000000000000000000a1", "warehouse": "64b000000000000000000002", "invoice_type": "sales"}

    def take(_: int) -> int:
        status, answer = ask(double, universe, "POST", "/safe-invoice-serial-counter/next", wanted)
        assert status == 200, answer
        number: int = answer["data"]["next_serial"]
        return number

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(take, range(200)))
    assert sorted(taken) == list(range(43, 243))
