"""Time, effects and serial numbers where each tenant has its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mock_server.openapi.values import Json
from tests.unit.exchange.tenanted import A, B, Tenanted, described, seeded_with, tenanted

COMPANIES: Json = [
    {"id": "co1", "name": "Same", "$tenant": "org_a"},
    {"id": "co2", "name": "Same", "$tenant": "org_b"},
]


def with_rules(**resources: Json) -> dict[str, Any]:
    """The description with more said of its resources."""
    made = described()
    known: dict[str, Any] = made["x-mock-resources"]
    made["x-mock-resources"] = known | {name: {**known.get(name, {}), **more} for name, more in resources.items()}
    return made


@pytest.fixture
def renaming(tmp_path: Path) -> Tenanted:
    """A new contact renames its company, chosen by name; a contact that is left alone for a minute goes stale."""
    rename = {"on": "created", "update": "companies", "where": {"name": "Same"}, "set": {"name": "$resource#/email"}}
    transitions = {
        "stale": {"from": ["fresh"], "to": "stale", "after": "PT1M"},
        "wake": {"from": ["stale"], "to": "fresh"},
    }
    states = {"property": "state", "transitions": transitions}
    note = {"on": "updated", "when": "$resource#/state == 'stale'", "create": "companies",
            "set": {"name": "stale {$resource#/email}"}}  # fmt: skip
    description = with_rules(contacts={"effects": [rename, note], "states": states})
    return tenanted(tmp_path, description, seeded_with(companies=COMPANIES))


def names(double: Tenanted, key: str) -> list[str]:
    return [company["name"] for company in double.send("GET", "/companies", key=key).json]


def test_an_effect_stays_in_the_tenant_of_the_item_that_was_written(renaming: Tenanted) -> None:
    renaming.send("POST", "/contacts", {"email": "new@a.example"}, key=A)
    assert names(renaming, A) == ["new@a.example"]
    assert names(renaming, B) == ["Same"]


def test_a_timer_and_its_effects_stay_in_the_tenant_of_their_item(renaming: Tenanted) -> None:
    renaming.send("POST", "/contacts", {"email": "new@b.example", "state": "fresh"}, key=B)
    renaming.advance(61)
    assert names(renaming, B) == ["new@b.example", "stale new@b.example"]
    assert names(renaming, A) == ["Same"]


def test_each_tenant_counts_on_its_own(tmp_path: Path) -> None:
    double = tenanted(tmp_path, with_rules(companies={"serials": {"/name": "C{number}"}}))
    made = [double.send("POST", "/companies", {}, key=key).json["name"] for key in (A, B, A)]
    assert made == ["C1", "C1", "C2"]


def test_a_credential_that_a_timer_revokes_is_refused_at_once(tmp_path: Path) -> None:
    states = {"property": "status", "transitions": {"revoke": {"from": ["active"], "to": "revoked", "after": "PT1H"}}}
    double = tenanted(tmp_path, with_rules(keys={"states": states}))
    assert double.send("GET", "/contacts", key=A).status == 200
    double.advance(3600)
    assert double.send("GET", "/contacts", key=A).status == 401
