"""``apidouble infer``: the report, and an overlay that changes nothing until it is edited."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from mock_server import ApiSource, Options, Sandbox, pack
from mock_server.commands.infer import overlay_text
from mock_server.model.meaning import Meaning, Resource
from mock_server.openapi.values import Json
from tests.unit.commands.running import PETS, SHOP, run

_UNSAID = {"reasons", "inferred", "resource", "response", "schema", "anatomy", "item"}
"""The fields that say why, or that are what another field was read from."""


def test_report_names_resources_and_what_operations_do() -> None:
    assert run("infer", PETS).out.splitlines() == [
        "pets  /pets/{petId}, key id",
        "  GET    /pets  list",
        "  POST   /pets  create",
        "  GET    /pets/{petId}  read",
        "  PUT    /pets/{petId}  replace",
    ]


def test_report_tells_what_happens_by_itself(tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.yaml"
    transitions = {"sell": {"from": ["available"], "to": "sold", "after": "P1D"},
                   "expire": {"to": "sold", "at": "$resource#/born"}}  # fmt: skip
    pets = {
        "states": {"property": "status", "transitions": transitions},
        "effects": [{"on": ["deleted", "created"], "when": "$resource#/id == 1", "remove": "pets", "key": "2"}],
        "serials": {"/tag": "P-{number}"},
    }
    action = {"target": "$", "update": {"x-mock-resources": {"pets": pets}}}
    info = {"title": "Time", "version": "1"}
    overlay.write_text(yaml.safe_dump({"overlay": "1.0.0", "info": info, "actions": [action]}, sort_keys=False))
    assert run("infer", PETS, "--overlay", overlay).out.splitlines()[1:5] == [
        "    sell: available → sold after P1D",
        "    expire: any state → sold at $resource#/born",
        "    on created, deleted when $resource#/id == 1: remove pets",
        "    /tag: numbered P-{number}",
    ]


def test_explained_report_gives_a_reason_for_every_guess() -> None:
    lines = run("infer", PETS, "--explain").out.splitlines()
    assert "    key: id  (matches path parameter 'petId')" in lines
    assert all(line.endswith(")") for line in lines if line.startswith("    "))


def _meanings(source: ApiSource) -> dict[str, Any]:
    sandbox = Sandbox([source], options=Options(eager=False, clock=lambda: 1e9))
    served = next(iter(sandbox.apis.values()))
    found: dict[str, Any] = {}
    for operation_id in served.api.refs:
        meaning = served.model.meaning(operation_id)
        found[operation_id] = _facts(meaning), _facts(meaning.resource)
    return found


def _facts(value: Meaning | Resource | None) -> Json:
    if value is None:
        return None
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.name not in _UNSAID}


@pytest.mark.parametrize("source", [ApiSource("pets", PETS), ApiSource("shop", SHOP)], ids=lambda s: s.name)
def test_written_overlay_changes_nothing(source: ApiSource, tmp_path: Path) -> None:
    target = tmp_path / "overlay.yaml"
    ran = run("infer", source.description, "--write", target)
    assert ran.code == 0
    assert f"apidouble serve {source.description} --overlay {target}" in ran.out
    laid_over = dataclasses.replace(source, overlays=(target,))
    assert _meanings(laid_over) == _meanings(source)
    assert run("lint", source.description, "--overlay", target).code == 0


def test_overlay_of_a_pack_keeps_what_its_own_overlay_says(tmp_path: Path) -> None:
    source = pack("cloudvelous-crm")
    target = tmp_path / "overlay.yaml"
    assert run("infer", source.name, "--write", target).code == 0
    laid_over = dataclasses.replace(source, overlays=(*source.overlays, target))
    assert _meanings(laid_over) == _meanings(source)


def test_overlay_has_a_target_for_every_operation_and_says_why() -> None:
    served = next(iter(Sandbox([ApiSource("pets", PETS)], options=Options(eager=False)).apis.values()))
    text = overlay_text(served)
    targets = [action["target"] for action in yaml.safe_load(text)["actions"]]
    assert targets == [
        "$",
        "$.paths['/pets'].get",
        "$.paths['/pets'].post",
        "$.paths['/pets/{petId}'].get",
        "$.paths['/pets/{petId}'].put",
    ]
    assert "# key: id (matches path parameter 'petId')" in text.splitlines()


def test_edited_overlay_is_obeyed(tmp_path: Path) -> None:
    target = tmp_path / "overlay.yaml"
    run("infer", PETS, "--write", target)
    target.write_text(target.read_text().replace("existence: created", "existence: any"))
    assert "existence: any" in run("infer", PETS, "--overlay", target, "--explain").out


def test_overlay_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    ran = run("infer", PETS, "--write", tmp_path / "missing" / "overlay.yaml")
    assert ran.code == 2
    assert "the overlay cannot be written" in ran.err
