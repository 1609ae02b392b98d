"""Forms: the ids of their fields, and what may be answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from mock_server.model.behaviours.creating import given_members
from mock_server.model.behaviours.reading import existing
from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.runtime_schemas import violations
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json, Violation

_ANSWERS: Mapping[str, Mapping[str, Json]] = MappingProxyType(
    {
        "text": {"type": "string"},
        "textarea": {"type": "string"},
        "email": {"type": "string", "format": "email"},
        "phone": {"type": "string"},
        "number": {"type": "number"},
        "date": {"type": "string", "format": "date"},
        "checkbox": {"type": "boolean"},
    }
)
"""What an answer to a field of each type is; a choice is one of its options."""

_KEYWORD = "stored-schema"
"""What wrong answers break is no keyword of the description, which does not know the form."""


@computed("layercake-create-form")
def create_form(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A form whose fields all have an id."""
    properties = given_members(meaning, call)["customProperties"]
    fields = [
        {"id": f"f{number}", "required": False, **field} for number, field in enumerate(properties["fields"], start=1)
    ]
    repeated = _repeated([field["id"] for field in fields])
    if repeated is not None:
        message = f"is the id of two fields: {repeated}"
        violation = Violation("body", "/fields", "unique", repeated, None, message)
        return Problem(Kind.INVALID, f"fields {message}", (violation,))
    work = Work.of(world, call)
    members = {
        "displayName": call.body["name"],
        **({"subtype": call.body["subtype"]} if "subtype" in call.body else {}),
        "customProperties": {**properties, "fields": fields, "responseCount": 0},
    }
    form = work.create("forms", members)
    if isinstance(form, Problem):
        return form
    return work.outcome(meaning.status, world.model.answers.shown(meaning, form))


def _repeated(names: Sequence[str]) -> str | None:
    return next((name for place, name in enumerate(names) if name in names[:place]), None)


@computed("layercake-submit-form")
def submit_form(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The answers, stored below the form, where they are answers to its fields."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    _, _, key, entry = found
    form = entry.value
    if form["status"] != "published":
        return Problem(Kind.WRONG_STATE, f"the form is {form['status']}")
    fields, answers = form["customProperties"]["fields"], call.body["responses"]
    broken = (*_unanswered(fields, answers), *_wrong(fields, answers))
    if broken:
        return Problem(Kind.INVALID, f"{_named(broken[0], fields)} {broken[0].message}", broken)
    first = next((answers[field["id"]] for field in fields if field["id"] in answers), "")
    work = Work.of(world, call)
    members = {"displayName": str(first), "customProperties": {"formId": key, "responses": answers}}
    response = work.create("responses", members, scope=(key,))
    if isinstance(response, Problem):
        return response
    return work.outcome(meaning.status, world.model.answers.shown(meaning, response))


def _unanswered(fields: Sequence[Mapping[str, Json]], answers: Mapping[str, Json]) -> Iterator[Violation]:
    for field in fields:
        if field["required"] and field["id"] not in answers:
            yield Violation("body", f"/responses/{field['id']}", _KEYWORD, None, "an answer", "must be answered")


def _wrong(fields: Sequence[Mapping[str, Json]], answers: Mapping[str, Json]) -> Iterator[Violation]:
    """How answers break the JSON Schema that a form's fields amount to."""
    schema = {
        "type": "object",
        "properties": {field["id"]: _answer(field) for field in fields},
        "additionalProperties": False,
    }
    for violation in violations(schema, answers, pointer="/responses"):
        yield replace(violation, keyword=_KEYWORD)


def _answer(field: Mapping[str, Json]) -> dict[str, Json]:
    if field["type"] == "select":
        return {"enum": field["options"]}
    answer = dict(_ANSWERS[field["type"]])
    if field["required"] and answer["type"] == "string":
        answer["minLength"] = 1
    return answer


def _named(violation: Violation, fields: Sequence[Mapping[str, Json]]) -> str:
    """The label of the field that a violation is about, or else where it is."""
    key = violation.pointer.removeprefix("/responses").strip("/")
    return next((str(field["label"]) for field in fields if field["id"] == key), key or "responses")
