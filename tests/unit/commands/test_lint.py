"""``apidouble lint``: planted mistakes are found where they are, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from mock_server import pack_names
from mock_server.openapi.values import Json
from tests.unit.commands.running import PETS, SHOP, run

_GOOD = """\
openapi: 3.1.0
info: {title: Pets, version: "1"}
paths:
  /pets/{petId}:
    get:
      operationId: readPet
      security: [{key: []}]
      parameters:
        - {name: petId, in: path, required: true, schema: {type: string, pattern: "^p"}}
      responses:
        "200":
          description: The pet.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Pet"}
              examples:
                rex: {value: {id: p1, age: 3}}
          links:
            again: {operationId: readPet}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
  schemas:
    Pet:
      type: object
      required: [id]
      properties:
        id: {type: string}
        age: {type: integer}
"""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A text to replace, and what has to be said: the line and the pointer of the value, and more."""

    good: str
    bad: str
    line: int
    pointer: str
    says: tuple[str, ...]


_READ = "/paths/~1pets~1{petId}/get"
_MISTAKES = {
    "dangling reference": Mistake(
        "#/components/schemas/Pet", "#/components/schemas/Pett", 15,
        f"{_READ}/responses/200/content/application~1json/schema/$ref", ("hint:    did you mean 'Pet'?",),
    ),
    "parameter that the path lacks": Mistake(
        "name: petId", "name: petID", 6, _READ,
        ("the path has no parameter 'petID'", "hint:    did you mean 'petId'?", "'petId' is not described"),
    ),
    "unknown place of a parameter": Mistake(
        "in: path", "in: pth", 9, f"{_READ}/parameters/0", ("allowed: path, query",)
    ),
    "pattern that is none": Mistake(
        '"^p"', '"("', 9, f"{_READ}/parameters/0/schema/pattern", ("regular expression",)
    ),
    "type that is none": Mistake(
        "type: integer", "type: integr", 29, "/components/schemas/Pet/properties/age/type", ("'integr'",)
    ),
    "unknown security scheme": Mistake(
        "[{key: []}]", "[{kei: []}]", 6, _READ, ("hint:    did you mean 'key'?",)
    ),
    "example that breaks its schema": Mistake(
        "age: 3", "age: old", 17,
        f"{_READ}/responses/200/content/application~1json/examples/rex/value/age", ("must be an integer",),
    ),
    "unknown annotation": Mistake(
        "operationId: readPet\n", "operationId: readPet\n      x-mock-operatin: {}\n", 6, _READ,
        ("hint:    did you mean 'x-mock-operation'?",),
    ),
    "annotation that breaks the vocabulary": Mistake(
        "operationId: readPet\n", "operationId: readPet\n      x-mock-operation: {behavior: reed}\n", 7,
        f"{_READ}/x-mock-operation/behavior", ("got:     reed",),
    ),
    "effect on nothing": Mistake(
        "components:\n",
        "x-mock-resources: {pets: {effects: [{\"on\": deleted, remove: petz, key: $resource#/id}]}}\ncomponents:\n",
        20, "/x-mock-resources/pets/effects/0/remove", ("hint:    did you mean 'pets'?",),
    ),
    "link to nowhere": Mistake(
        "again: {operationId: readPet}", "again: {operationId: readPets}", 19,
        f"{_READ}/responses/200/links/again", ("hint:    did you mean 'readPet'?",),
    ),
    "status that is none": Mistake(
        '"200":', '"2000":', 12, f"{_READ}/responses/2000", ("allowed: 100 to 599",)
    ),
    "text that is no YAML": Mistake("info: {title", "info: {{title", 3, "", ("line 2 column 7",)),
}  # fmt: skip


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "pets.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", _MISTAKES)
def test_planted_mistake_is_found_where_it_is(name: str, written: Callable[[str], Path]) -> None:
    mistake = _MISTAKES[name]
    assert mistake.good in _GOOD
    path = written(_GOOD.replace(mistake.good, mistake.bad, 1))
    ran = run("lint", path)
    assert ran.code == 1
    where = f"{path}:{mistake.line} at {mistake.pointer}: " if mistake.pointer else f"{path}:{mistake.line}: "
    assert where in ran.out
    for said in mistake.says:
        assert said in ran.out


def test_good_description_has_no_finding(written: Callable[[str], Path]) -> None:
    assert run("lint", written(_GOOD)).err == "0 findings\n"
    assert run("lint", PETS).code == run("lint", SHOP).code == 0


def test_unknown_version_is_found(written: Callable[[str], Path]) -> None:
    ran = run("lint", written(_GOOD.replace("3.1.0", "4.0.0")))
    assert (ran.code, ran.err) == (1, "1 finding\n")
    assert "pets.yaml" in ran.out
    assert "allowed: swagger: 2.0, openapi: 3.0, openapi: 3.1, openapi: 3.2" in ran.out


def test_repeated_operation_id_is_found(written: Callable[[str], Path]) -> None:
    document = yaml.safe_load(_GOOD)
    document["paths"]["/cats/{petId}"] = document["paths"]["/pets/{petId}"]
    ran = run("lint", written(yaml.safe_dump(document)))
    assert ran.code == 1
    assert "two operations have the same operationId" in ran.out


def test_finding_in_a_shared_schema_is_told_once(written: Callable[[str], Path]) -> None:
    document = yaml.safe_load(_GOOD.replace("type: integer", "type: integr"))
    document["paths"]["/cats/{petId}"] = {"get": {**document["paths"]["/pets/{petId}"]["get"], "operationId": "cat"}}
    ran = run("lint", written(yaml.safe_dump(document)))
    assert ran.err == "1 finding\n"


def test_operation_without_responses_is_found(written: Callable[[str], Path]) -> None:
    document = yaml.safe_load(_GOOD)
    del document["paths"]["/pets/{petId}"]["get"]["responses"]
    assert "no response is described" in run("lint", written(yaml.safe_dump(document))).out


def _file(path: Path, value: Json) -> Path:
    path.write_text(yaml.safe_dump(value))
    return path


def test_overlay_that_matches_nothing_is_found(tmp_path: Path) -> None:
    overlay = _file(
        tmp_path / "overlay.yaml",
        {"overlay": "1.0.0", "info": {"title": "o", "version": "1"},
         "actions": [{"target": "$.paths['/pest']", "update": {}}]},
    )  # fmt: skip
    ran = run("lint", PETS, "--overlay", overlay)
    assert ran.code == 1
    assert f"{overlay}:" in ran.out
    assert "the JSONPath selects nothing" in ran.out
    assert "/pest" in ran.out


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        ({"resources": {"pets": [{"id": "1", "name": ""}]}}, "at /resources/pets/0/name: "),
        ({"resources": {"pest": []}}, "did you mean 'pets'?"),
        ({"resorces": {}}, "did you mean 'resources'?"),
        ({"credentials": [{"api": "pets", "name": "x", "scheme": "key", "value": "1"}]}, "/credentials/0/scheme"),
    ],
)
def test_wrong_seed_is_found(tmp_path: Path, seed: Json, said: str) -> None:
    ran = run("lint", PETS, "--seed", _file(tmp_path / "seed.yaml", seed))
    assert ran.code == 1
    assert f"{tmp_path}/seed.yaml:" in ran.out
    assert said in ran.out


@pytest.mark.parametrize("name", pack_names())
def test_packs_have_no_finding(name: str) -> None:
    ran = run("lint", name)
    assert (ran.code, ran.out) == (0, "")
