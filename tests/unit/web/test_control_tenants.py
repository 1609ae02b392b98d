"""Tenants in the control API: how one is named, and that what is read can be put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from mock_server import Options, create_app
from mock_server.openapi.values import Json
from tests.unit.exchange.tenanted import SEED, A, B, source_in
from tests.unit.model.doubles import NOW
from tests.unit.web.controlled import Double

ANN = {"id": "c1", "orgId": "org_a", "email": "ann@a.example"}
BOB = {"id": "c2", "orgId": "org_b", "email": "bob@b.example"}
NEW = {"email": "kim@x.example"}


@pytest.fixture
def shop(tmp_path: Path) -> Double:
    return Double(create_app(source_in(tmp_path), options=Options(clock=NOW.timestamp)))


def emails(shop: Double, key: str) -> list[str]:
    return [contact["email"] for contact in shop.call("GET", "/contacts", headers={"X-Key": key}).json]


# Reading


def test_resource_is_everybodys_unless_a_tenant_is_named(shop: Double) -> None:
    assert shop.control("GET", "/state/test/contacts").json == [ANN, BOB]
    assert shop.control("GET", "/state/test/contacts?tenant=org_b").json == [BOB]
    assert shop.control("GET", "/state/test/contacts?tenant=org_c").json == []


def test_items_without_the_property_name_their_tenant(shop: Double) -> None:
    companies = shop.control("GET", "/state/test/companies").json
    assert companies[0] == {"$tenant": "org_a", "id": "co1", "name": "Acorn"}


def test_nested_items_name_it_by_scope(shop: Double) -> None:
    name = next(n for n in shop.control("GET", "/state/test").json if n.endswith("notes"))
    notes = shop.control("GET", f"/state/test/{name}").json
    assert notes[0] == {"tenant": "org_a", "scope": ["c1"], "items": [{"id": "n1", "text": "of a"}]}
    assert shop.control("GET", f"/state/test/{name}/c2/n2").json["text"] == "of b"


def test_item_is_found_whosever_it_is(shop: Double) -> None:
    assert shop.control("GET", "/state/test/contacts/c2").json == BOB
    assert shop.control("GET", "/state/test/companies/co2").json["$tenant"] == "org_b"
    assert shop.control("GET", "/state/test/contacts/c2?tenant=org_a").status_code == 404


def test_state_that_was_read_can_be_put_back(shop: Double) -> None:
    before = shop.control("GET", "/state/test").json
    shop.control("DELETE", "/state/test/contacts")
    shop.call("POST", "/companies", json={"name": "Cedar"}, headers={"X-Key": A})
    assert shop.control("PUT", "/state/test", json=before).json == before
    assert (emails(shop, A), emails(shop, B)) == (["ann@a.example"], ["bob@b.example"])


# Writing


def test_resource_is_replaced_for_all_tenants_or_for_one(shop: Double) -> None:
    shop.control("PUT", "/state/test/contacts?tenant=org_a", json=[{"id": "c9", **NEW}])
    assert (emails(shop, A), emails(shop, B)) == (["kim@x.example"], ["bob@b.example"])
    shop.control("PATCH", "/state/test", json={"contacts": [BOB]})
    assert (emails(shop, A), emails(shop, B)) == ([], ["bob@b.example"])


def test_resource_is_cleared_for_all_tenants_or_for_one(shop: Double) -> None:
    shop.control("DELETE", "/state/test/contacts?tenant=org_a")
    assert (emails(shop, A), emails(shop, B)) == ([], ["bob@b.example"])
    shop.control("DELETE", "/state/test/contacts")
    assert emails(shop, B) == []


@pytest.mark.parametrize(
    ("target", "item"),
    [
        ("/state/test/contacts/c9?tenant=org_a", NEW),
        ("/state/test/contacts/c9", {**NEW, "orgId": "org_a"}),
        ("/state/test/contacts/c9", {**NEW, "$tenant": "org_a"}),
    ],
)
def test_new_item_is_of_the_tenant_that_is_named(shop: Double, target: str, item: Json) -> None:
    stored = shop.control("PUT", target, json=item)
    assert stored.json == {"id": "c9", "orgId": "org_a", **NEW}
    assert emails(shop, A) == ["ann@a.example", "kim@x.example"]
    event = shop.control("GET", "/events").json["events"][0]
    assert event["tenant"] == "org_a"


def test_new_item_that_names_no_tenant_is_refused(shop: Double) -> None:
    refused = shop.control("PUT", "/state/test/contacts/c9", json=NEW)
    assert refused.status_code in {400, 404, 422}
    assert "is one tenant's" in refused.json["detail"]


def test_known_item_need_not_name_its_tenant(shop: Double) -> None:
    assert shop.control("PATCH", "/state/test/contacts/c1", json=NEW).json == {**ANN, **NEW}
    assert emails(shop, A) == ["kim@x.example"]
    shop.control("DELETE", "/state/test/contacts/c1")
    assert emails(shop, A) == []


@pytest.mark.parametrize("patch", [{"orgId": "org_b"}, {"$tenant": "org_b"}])
def test_item_does_not_change_hands(shop: Double, patch: Json) -> None:
    refused = shop.control("PATCH", "/state/test/contacts/c1", json=patch)
    assert refused.status_code >= 400
    assert (emails(shop, A), emails(shop, B)) == (["ann@a.example"], ["bob@b.example"])


def test_key_that_two_tenants_have_needs_the_tenant(tmp_path: Path) -> None:
    contacts = [{"id": "c", "orgId": f"org_{x}", "email": f"{x}@x.example"} for x in "ab"]
    seed = {**SEED, "resources": {**SEED["resources"], "contacts": contacts, "notes": []}}
    shop = Double(create_app(source_in(tmp_path, seed=seed), options=Options(clock=NOW.timestamp)))
    refused = shop.control("GET", "/state/test/contacts/c")
    assert refused.status_code == 404
    assert "several tenants" in refused.json["detail"]
    assert shop.control("GET", "/state/test/contacts/c?tenant=org_b").json["email"] == "b@x.example"


def test_tenant_of_a_shared_resource_is_refused(shop: Double) -> None:
    assert shop.control("GET", "/state/test/plans?tenant=org_a").status_code == 404
    assert shop.control("GET", "/state/test/plans").json == [{"id": "p1", "name": "Free"}]


# Credentials


def test_written_key_works_and_removed_key_does_not(shop: Double) -> None:
    key = {"orgId": "org_b", "name": "CI", "secret": "sk_" + "c" * 24, "status": "active"}
    shop.control("PUT", "/state/test/keys/k9", json=key)
    assert emails(shop, key["secret"]) == ["bob@b.example"]
    shop.control("PATCH", "/state/test/keys/k9", json={"status": "revoked"})
    assert shop.call("GET", "/contacts", headers={"X-Key": key["secret"]}).status_code == 401
    shop.control("DELETE", "/state/test/keys/key-a")
    assert shop.call("GET", "/contacts", headers={"X-Key": A}).status_code == 401


def test_listed_credentials_are_those_of_the_seeded_items(shop: Double) -> None:
    (api,) = shop.control("GET", "/apis").json["apis"]
    assert {each["name"]: each["value"] for each in api["credentials"]}["a"] == A
