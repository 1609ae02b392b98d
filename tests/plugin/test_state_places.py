"""``api.state``: what is nested, one tenant's, the only one, or taken to exist."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts.testing.keeping.state import Absent, Items, State
from mock_server import Options, Sandbox, StateError
from mock_server.packs import source_of
from tests.plugin.pets import NOW, Bench
from tests.unit.exchange.tenanted import source_in


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def pets(bench: Bench) -> Items:
    return bench.state["pets"]


# Nested


def test_nested_items_go_by_their_parents_keys(bench: Bench, pets: Items) -> None:
    pets.add(id=7, name="Rex")
    toys = bench.state["toys"].below(7)
    ball = toys.add(label="ball")
    assert ball["petId"] == 7
    assert list(toys) == [ball["id"]]
    assert bench.read("/pets/7/toys") == [ball]
    assert list(bench.state["toys"]) == [f"7/{ball['id']}"]
    assert bench.state["toys"][f"7/{ball['id']}"] == toys[ball["id"]] == ball
    assert repr(toys) == "<api.state[\"toys\"].below('7'): 1 item>"


def test_nested_items_are_written_below_their_parent(bench: Bench, pets: Items) -> None:
    toys = bench.state["toys"]
    for key in (7, 8):
        pets.add(id=key, name=str(key))
        toys.below(key)["t"] = {"label": "ball"}
    toys["7/u"] = {"label": "bone"}
    toys.update("8/t", label="rope")
    assert [toy["label"] for toy in bench.read("/pets/7/toys")] == ["ball", "bone"]
    assert toys.below("8")["t"]["label"] == "rope"
    del toys["7/t"]
    assert list(toys) == ["7/u", "8/t"]
    toys.below(7).clear()
    assert list(toys) == ["8/t"]


def test_nested_item_wants_its_parent(bench: Bench) -> None:
    toys = bench.state["toys"]
    with pytest.raises(StateError) as failure:
        toys.add(label="ball")
    assert str(failure.value) == (
        'api.state["toys"]: an item of toys is kept below a parent\n  hint:    say which: .below(<key of pets>)'
    )
    with pytest.raises(StateError, match="'t' is no key of toys") as short:
        toys["t"]
    assert short.value.allowed == "<key of pets>/<id>"


def test_item_below_another_parent_than_it_says_is_refused(bench: Bench) -> None:
    with pytest.raises(StateError, match="the item's petId is not the one it is stored under"):
        bench.state["toys"].below(7)["t"] = {"label": "ball", "petId": 8}


def test_resource_is_not_nested_deeper_than_it_is(bench: Bench) -> None:
    with pytest.raises(StateError, match="not nested that deeply") as failure:
        bench.state["pets"].below("7")
    assert failure.value.allowed == "nothing: it is not nested"


# One thing, and what nobody creates


def test_single_thing_is_read_and_replaced(bench: Bench) -> None:
    settings = bench.state["settings"]
    settings.value = {"colour": "blue"}
    assert settings.value == {"colour": "blue"} == bench.read("/settings")
    with pytest.raises(StateError, match="red, blue"):
        settings.value = {"colour": "green"}
    assert settings.value == {"colour": "blue"}
    assert repr(settings) == '<api.state["settings"]: 1 item>'


def test_items_of_many_have_no_value(pets: Items) -> None:
    with pytest.raises(StateError, match="there are many pets"):
        assert pets.value


def test_open_resource_gives_samples_and_counts_what_is_stored(bench: Bench) -> None:
    breeds = bench.state["breeds"]
    sample = breeds["collie"]
    assert sample == bench.read("/breeds/collie")
    assert len(breeds) == 0
    assert "collie" not in breeds
    breeds["collie"] = {"name": "Collie"}
    assert bench.read("/breeds/collie") == {"id": "collie", "name": "Collie"}
    assert "collie" in breeds
    del breeds["collie"]
    assert bench.call("GET", "/breeds/collie").status == 404


def test_first_write_to_an_open_resource_keeps_what_the_api_lists(bench: Bench) -> None:
    listed = bench.read("/breeds")
    assert listed
    bench.state["breeds"]["collie"] = {"name": "Collie"}
    assert bench.read("/breeds") == [*listed, {"id": "collie", "name": "Collie"}]
    assert len(bench.state["breeds"]) == len(listed) + 1


# Tenants


def tenanted(folder: Path) -> State:
    """The state of an API that keeps two organizations apart."""
    shared = Sandbox([source_in(folder)], options=Options(clock=lambda: NOW))
    return State(shared, shared.api("test"), shared.universes.get("t1"))


@pytest.fixture
def contacts(tmp_path: Path) -> Items:
    return tenanted(tmp_path)["contacts"]


def test_items_of_all_tenants_are_seen_unless_one_is_named(contacts: Items) -> None:
    assert list(contacts) == ["c1", "c2"]
    assert list(contacts.of_tenant("org_b")) == ["c2"]
    assert contacts["c2"] == contacts.of_tenant("org_b")["c2"]
    with pytest.raises(Absent, match="contacts has no item 'c1'"):
        contacts.of_tenant("org_b")["c1"]


def test_new_item_is_the_tenants(contacts: Items) -> None:
    made = contacts.of_tenant("org_b").add(email="kim@b.example")
    assert made["orgId"] == "org_b"
    assert len(contacts.of_tenant("org_b")) == 2
    assert contacts.add({"$tenant": "org_a", "email": "kim@a.example"})["orgId"] == "org_a"
    assert contacts.add(orgId="org_a", email="tim@a.example")["orgId"] == "org_a"


def test_item_that_is_nobodys_is_refused_with_the_tenants_that_there_are(contacts: Items) -> None:
    with pytest.raises(StateError) as failure:
        contacts.add(email="kim@b.example")
    assert str(failure.value) == (
        'api.state["contacts"]: an item of contacts is one tenant\'s\n'
        "  allowed: 'org_a', 'org_b'\n"
        "  hint:    say whose: .of_tenant(…), or $tenant in the item"
    )


def test_new_item_is_of_whoever_has_its_parent_or_its_neighbours(tmp_path: Path) -> None:
    notes = tenanted(tmp_path)["notes"]
    notes.below("c2").add(id="n3", text="more of b")
    assert list(notes.of_tenant("org_b")) == ["c2/n2", "c2/n3"]
    packed = Sandbox([source_of("kirimdev")], options=Options(clock=lambda: NOW, eager=False))
    contacts = State(packed, packed.api("kirimdev"), packed.universes.get("t1"))["contacts"]
    account, _, _ = next(iter(contacts)).partition("/")
    made = contacts.below(account).add(phone_number="+6281200000001")
    (tenant,) = {partition.scope[0] for _, partition, _ in contacts.below(account)._shelf.entries()}
    assert contacts.of_tenant(tenant).below(account)[made["id"]] == made


def test_item_that_two_tenants_have_wants_one_named(contacts: Items) -> None:
    contacts.of_tenant("org_b")["c1"] = {"email": "ann@b.example"}
    with pytest.raises(StateError, match="several tenants have an item 'c1'") as failure:
        contacts["c1"]
    assert failure.value.allowed == ".of_tenant('org_a') or .of_tenant('org_b')"
    assert contacts.of_tenant("org_b")["c1"]["email"] == "ann@b.example"
    assert [contact["email"] for contact in contacts.where(id="c1")] == ["ann@a.example", "ann@b.example"]


def test_item_is_updated_and_deleted_whosever_it_is(contacts: Items) -> None:
    assert contacts.update("c2", email="new@b.example")["orgId"] == "org_b"
    del contacts["c2"]
    assert list(contacts) == ["c1"]


def test_item_does_not_change_hands(contacts: Items) -> None:
    with pytest.raises(StateError, match="another tenant's") as failure:
        contacts.of_tenant("org_a").add(orgId="org_b", email="x@b.example")
    assert (failure.value.got, failure.value.allowed) == ("org_b", "org_a")
    assert len(contacts) == 2
    with pytest.raises(StateError, match="another tenant's"):
        contacts.of_tenant("org_a")["c1"] = {"orgId": "org_b", "email": "x@b.example"}
    with pytest.raises(StateError):
        contacts.update("c1", orgId="org_b")
    assert contacts["c1"]["orgId"] == "org_a"


def test_one_tenants_items_are_cleared(contacts: Items) -> None:
    contacts.of_tenant("org_a").clear()
    assert list(contacts) == ["c2"]


def test_what_all_share_has_no_tenant(tmp_path: Path) -> None:
    state = tenanted(tmp_path)
    with pytest.raises(StateError, match="plans is no tenant's own") as failure:
        state["plans"].of_tenant("org_a")
    assert failure.value.hint == "leave of_tenant out"


def test_items_can_stand_where_a_mapping_is_wanted(pets: Items) -> None:
    def names(held: Mapping[str, dict[str, Any]]) -> list[str]:
        return [item["name"] for item in held.values()]

    pets.add(name="Rex")
    assert names(pets) == ["Rex"]
