"""A double of pets in process, whose state a test reads and writes."""

from __future__ import annotations

from functools import cache
from itertools import count
from typing import Any

from contracts.testing.keeping.state import State
from mock_server import Options, Sandbox, compile_api
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.openapi import jsontext
from mock_server.openapi.values import Json
from tests.unit.web.controlled import answers, body, described, items, parameter

NOW = 1767323045.0  # 2026-01-02T03:04:05Z
PET: Json = {
    "type": "object",
    "required": ["id", "name", "createdAt"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "minLength": 1},
        "status": {"enum": ["available", "sold"], "default": "available"},
        "chip": {"type": "string", "writeOnly": True},
        "owner": {"type": "object", "properties": {"city": {"type": "string"}}},
        "createdAt": {"type": "string", "format": "date-time", "readOnly": True},
    },
}
TOY: Json = {
    "type": "object",
    "required": ["id", "label"],
    "properties": {"id": {"type": "string"}, "petId": {"type": "integer"}, "label": {"type": "string"}},
}
BREED: Json = {
    "type": "object", "required": ["id", "name"],
    "properties": {"id": {"type": "string"}, "name": {"type": "string", "minLength": 1}},
}  # fmt: skip
SETTINGS: Json = {"type": "object", "required": ["colour"], "properties": {"colour": {"enum": ["red", "blue"]}}}


def document() -> Any:
    """Pets with toys of their own; breeds, which nobody creates; and the settings, of which there is one."""
    toys = {
        path.replace("/toys", "/pets/{petId}/toys"): {
            **entry, "parameters": [parameter("petId", "integer"), *entry.get("parameters", ())]
        }
        for path, entry in items("toys", "toyId", TOY).items()
    }  # fmt: skip
    breeds = {path: {k: v for k, v in entry.items() if k in {"get", "parameters"}}
              for path, entry in items("breeds", "breedId", BREED).items()}  # fmt: skip
    one = {"get": {"responses": answers(SETTINGS)},
           "put": {"requestBody": body(SETTINGS), "responses": answers(SETTINGS)}}  # fmt: skip
    events = {f"pet.{on}": {"on": on, "payload": {"pet": "$resource#/id"}} for on in ("created", "updated", "deleted")}
    changed = {"on": "updated", "when": "$before#/status != $resource#/status", "update": "pets",
               "key": "$resource#/id", "set": {"/owner": {"city": "nowhere"}}}  # fmt: skip
    annotations = {"pets": {"unique": [["name"]], "events": events, "effects": [changed]}}
    paths = {**items("pets", "petId", PET, kind="integer"), **toys, **breeds, "/settings": one}
    return {**described(paths), "x-mock-resources": annotations}


@cache
def sandbox() -> Sandbox:
    """The double of pets that all tests of this file share."""
    return Sandbox([compile_api(document(), name="pets")], options=Options(clock=lambda: NOW))


_NUMBERS = count(1)


class Bench:
    """A double of pets, in a universe of its own."""

    def __init__(self) -> None:
        self.sandbox = sandbox()
        self.universe = self.sandbox.universes.get(f"t{next(_NUMBERS)}")
        self.state = State(self.sandbox, self.sandbox.api("pets"), self.universe)

    def call(self, method: str, path: str, value: Json = None) -> RawResponse:
        """What the API answers."""
        data = b"" if value is None else jsontext.dumps(value)
        request = RawRequest(method, path, "", {"content-type": "application/json"}, data, "http://pets.test")
        return self.sandbox.api("pets").line.answer(request, self.universe)

    def read(self, path: str) -> Json:
        """What the API shows."""
        response = self.call("GET", path)
        assert response.status == 200, response.body
        return jsontext.loads(response.body)

    def events(self) -> list[str]:
        """The types of the events that happened."""
        return [recorded.event.type for recorded in self.universe.events]
