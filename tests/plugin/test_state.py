"""``api.state``: what a double keeps, read and written by a test."""

from __future__ import annotations

import operator
import re
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contracts.testing.keeping.state import Absent, Items, State
from mock_server import Options, Sandbox, StateError
from mock_server.openapi import jsontext
from mock_server.packs import source_of
from tests.plugin.pets import NOW, Bench

SHOP = Path(__file__).resolve().parent.parent / "acceptance" / "descriptions" / "shop.yaml"


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def pets(bench: Bench) -> Items:
    return bench.state["pets"]


# Resources


def test_state_is_a_mapping_of_the_resources(bench: Bench) -> None:
    assert set(bench.state) == {"pets", "toys", "breeds", "settings"} == set(bench.state.keys())
    assert len(bench.state) == 4
    assert "pets" in bench.state
    assert "pest" not in bench.state
    assert bench.state.get("pest") is None


def test_unknown_resource_is_told_with_the_one_that_was_meant(bench: Bench) -> None:
    with pytest.raises(StateError) as failure:
        bench.state["pest"]
    assert str(failure.value) == (
        "pets has no resource 'pest'\n  allowed: breeds, pets, settings, toys\n  hint:    did you mean 'pets'?"
    )


def test_repr_counts_what_is_stored(bench: Bench, pets: Items) -> None:
    assert repr(bench.state) == "<State of pets: nothing stored>"
    pets.add(name="Rex")
    assert repr(bench.state) == "<State of pets: pets (1)>"
    assert repr(pets) == '<api.state["pets"]: 1 item>'


def test_repr_of_a_large_state_is_short() -> None:
    source = source_of("versori")
    packed = Sandbox([source], options=Options(eager=False))
    shown = repr(State(packed, packed.api("versori"), packed.universes.get("t1")))
    assert shown.startswith("<State of versori: projects (4), environments (4), ")
    assert re.search(r", and \d+ more>$", shown)
    assert shown.count("(") == 10


# Reading


def test_items_are_a_mapping_by_key(bench: Bench, pets: Items) -> None:
    rex = jsontext.loads(bench.call("POST", "/pets", {"name": "Rex"}).body)
    tom = jsontext.loads(bench.call("POST", "/pets", {"name": "Tom"}).body)
    keys = [str(rex["id"]), str(tom["id"])]
    assert list(pets) == keys
    assert len(pets) == 2
    assert keys[0] in pets
    assert rex["id"] in pets
    assert "999999" not in pets
    assert pets[keys[0]] == pets[rex["id"]] == rex
    assert dict(pets.items()) == {keys[0]: rex, keys[1]: tom}
    assert list(pets.values()) == [rex, tom]
    assert pets.get("999999") is None
    assert pets == {keys[0]: rex, keys[1]: tom}


def test_stored_form_has_what_the_api_does_not_show(bench: Bench, pets: Items) -> None:
    made = jsontext.loads(bench.call("POST", "/pets", {"name": "Rex", "chip": "x-1"}).body)
    assert "chip" not in made
    assert pets[made["id"]]["chip"] == "x-1"


def test_missing_item_is_a_key_error_that_tells_what_there_is(pets: Items) -> None:
    pets["7"] = {"name": "Rex", "createdAt": "2026-01-01T00:00:00Z"}
    with pytest.raises(KeyError) as failure:
        pets["77"]
    assert isinstance(failure.value, StateError)
    assert str(failure.value) == (
        "api.state[\"pets\"]['77']: pets has no item '77'\n  allowed: 7\n  hint:    did you mean '7'?"
    )


def test_what_is_read_is_a_copy(pets: Items) -> None:
    key = str(pets.add(name="Rex", owner={"city": "Solo"})["id"])
    pets[key]["owner"]["city"] = "Bandung"
    pets.one()["owner"]["city"] = "Bandung"
    assert pets[key]["owner"] == {"city": "Solo"}


def test_what_is_written_is_a_copy(pets: Items) -> None:
    owner = {"city": "Solo"}
    key = str(pets.add({"name": "Rex", "owner": owner})["id"])
    owner["city"] = "Bandung"
    assert pets[key]["owner"] == {"city": "Solo"}


def test_items_are_found_by_their_members(pets: Items) -> None:
    rex = pets.add(name="Rex", status="sold", owner={"city": "Solo"})
    tom = pets.add(name="Tom", status="sold")
    assert pets.one(name="Rex") == rex
    assert pets.where(status="sold") == [rex, tom]
    assert pets.where(owner__city="Solo") == pets.where(like={"/owner/city": "Solo"}) == [rex]
    assert pets.where(name=re.compile("^T")) == [tom]
    assert pets.where(status="available") == []


def test_one_item_that_is_not_there_is_told_with_the_nearest(pets: Items) -> None:
    pets.add(name="Rex")
    with pytest.raises(Absent) as failure:
        pets.one(name="Rax")
    assert str(failure.value) == (
        "api.state[\"pets\"]: no item of pets with /name='Rax', of 1 stored\n  hint:    did you mean 'Rex'?"
    )


def test_one_item_of_several_is_refused(pets: Items) -> None:
    first, second = pets.add(name="Rex"), pets.add(name="Tom")
    with pytest.raises(StateError, match="2 items of pets with /status='available'") as failure:
        pets.one(status="available")
    assert failure.value.got == f"{first['id']}, {second['id']}"


def test_member_that_no_item_can_have_is_refused(pets: Items) -> None:
    with pytest.raises(StateError, match="has no member 'nmae'") as failure:
        pets.where(nmae="Rex")
    assert failure.value.hint == "did you mean 'name'?"


# Adding


def test_added_item_is_completed_and_readable_through_the_api(bench: Bench, pets: Items) -> None:
    rex = pets.add(name="Rex")
    assert rex["status"] == "available"
    assert rex["createdAt"] == "2026-01-02T03:04:05Z"
    assert isinstance(rex["id"], int)
    assert bench.read(f"/pets/{rex['id']}") == rex
    assert bench.read("/pets") == [rex]


def test_given_members_stand(pets: Items) -> None:
    given = {"id": 7, "name": "Rex", "status": "sold", "createdAt": "2020-01-01T00:00:00Z"}
    assert pets.add(given) == given == pets[7]
    assert pets.add({"name": "Tom"}, id=8)["id"] == 8


def test_added_items_get_keys_of_their_own(bench: Bench, pets: Items) -> None:
    keys = {pets.add(name=str(number))["id"] for number in range(20)}
    keys.add(jsontext.loads(bench.call("POST", "/pets", {"name": "Rex"}).body)["id"])
    assert len(keys) == 21 == len(pets)


def test_adding_happens_as_if_the_api_had_done_it(bench: Bench, pets: Items) -> None:
    pets.add(name="Rex")
    assert bench.events() == ["pet.created"]


def test_key_in_use_is_refused(bench: Bench, pets: Items) -> None:
    pets.add(id=7, name="Rex")
    with pytest.raises(StateError, match="pets '7' exists already"):
        pets.add(id=7, name="Tom")
    assert [pet["name"] for pet in pets.values()] == ["Rex"]
    assert bench.events() == ["pet.created"]


def test_unique_member_in_use_is_refused(bench: Bench, pets: Items) -> None:
    pets.add(id=7, name="Rex")
    pets.add(id=8, name="Tom")
    for write in (partial(pets.add, name="Rex"), partial(pets.update, 8, name="Rex")):
        with pytest.raises(StateError, match="pets '7' has name 'Rex' already") as failure:
            write()
        assert failure.value.place is not None
        assert failure.value.place.pointer == "/name"
    assert [pet["name"] for pet in pets.values()] == ["Rex", "Tom"]


@pytest.mark.parametrize(
    ("item", "pointer", "said"),
    [
        ({"name": ""}, "/name", "breaks its schema"),
        ({"name": "Rex", "status": "gone"}, "/status", "available, sold"),
        ({"name": "Rex", "owner": {"city": 5}}, "/owner/city", "breaks its schema"),
        ({"name": datetime(2026, 1, 1, tzinfo=UTC)}, "/name", "this is no JSON value"),
        ({"name": "Rex", "owner": {"city": float("nan")}}, "/owner/city", "this is no JSON value"),
        ({"name": "Rex", "owner": {5: "x"}}, "/owner", "names of members are texts"),
    ],
)
def test_invalid_item_is_refused_with_its_place_and_nothing_is_stored(
    bench: Bench, pets: Items, item: dict[Any, Any], pointer: str, said: str
) -> None:
    whole = {"createdAt": "2026-01-01T00:00:00Z", **item}
    for write in (partial(pets.add, item), partial(operator.setitem, pets, "7", whole)):
        before = bench.universe.state
        with pytest.raises(StateError, match=said) as failure:
            write()
        assert failure.value.place is not None
        assert failure.value.place.file.startswith('api.state["pets"]')
        assert failure.value.place.pointer == pointer
        assert bench.universe.state is before
    assert bench.events() == []


# Writing


def test_item_is_replaced_whole(bench: Bench, pets: Items) -> None:
    pets.add(id=7, name="Rex", chip="x-1")
    kim = {"name": "Kim", "createdAt": "2026-01-01T00:00:00Z", "status": "available"}
    pets["7"] = kim
    assert pets[7] == {"id": 7, **kim}
    assert bench.read("/pets/7")["name"] == "Kim"


def test_replacing_wants_a_whole_item(pets: Items) -> None:
    with pytest.raises(StateError, match="breaks its schema"):
        pets["7"] = {"name": "Kim"}
    assert len(pets) == 0


def test_item_says_no_other_key_than_its_own(pets: Items) -> None:
    with pytest.raises(StateError) as failure:
        pets["7"] = {"id": 8, "name": "Kim", "createdAt": "2026-01-01T00:00:00Z"}
    assert str(failure.value) == (
        "api.state[\"pets\"]['7'] at /id: the item's id is not the one it is stored under\n  got:     8\n  allowed: 7"
    )


def test_update_merges_and_effects_follow(bench: Bench, pets: Items) -> None:
    pets.add(id=7, name="Rex", owner={"city": "Solo"}, chip="x-1")
    assert pets.update("7", name="Kim")["owner"] == {"city": "Solo"}
    sold = pets.update(7, {"chip": None, "status": "sold"})
    assert sold == pets[7]
    assert bench.events() == ["pet.created", "pet.updated", "pet.updated", "pet.updated"]
    assert "chip" not in pets[7]
    assert pets[7]["owner"] == {"city": "nowhere"}


def test_update_of_what_is_not_there_is_refused(pets: Items) -> None:
    with pytest.raises(Absent, match="pets has no item '7'"):
        pets.update("7", name="Kim")


def test_deleted_item_reads_as_404(bench: Bench, pets: Items) -> None:
    pets.add(id=7, name="Rex")
    del pets["7"]
    assert bench.call("GET", "/pets/7").status == 404
    assert bench.events() == ["pet.created", "pet.deleted"]
    with pytest.raises(KeyError):
        del pets["7"]


def test_cleared_resource_lists_nothing(bench: Bench, pets: Items) -> None:
    pets.add(name="Rex")
    pets.add(name="Tom")
    pets.clear()
    assert bench.read("/pets") == []
    assert len(pets) == 0
    assert bench.events()[2:] == ["pet.deleted"] * 2


# Whole


def test_state_that_was_read_can_be_loaded_again(bench: Bench, pets: Items) -> None:
    pets.add(id=7, name="Rex")
    bench.state["toys"].below(7).add(label="ball")
    before = bench.state.as_dict()
    pets.clear()
    bench.state.load(before)
    assert bench.state.as_dict() == before
    assert pets[7]["name"] == "Rex"


def test_loading_replaces_all_or_what_it_names(bench: Bench, pets: Items) -> None:
    rex = {"id": 7, "name": "Rex", "createdAt": "2026-01-01T00:00:00Z"}
    bench.state["settings"].value = {"colour": "red"}
    bench.state.load({"pets": [rex]}, keep_others=True)
    assert bench.state["settings"].value == {"colour": "red"}
    bench.state.load({"pets": [rex]})
    assert len(bench.state["settings"]) == 0
    assert dict(pets) == {"7": rex}


def test_loading_what_is_invalid_changes_nothing(bench: Bench, pets: Items) -> None:
    pets.add(name="Rex")
    before = bench.universe.state
    with pytest.raises(StateError) as failure:
        bench.state.load({"breeds": [], "pets": [{"id": 1, "name": ""}]})
    assert str(failure.value).startswith("api.state.load(…) at /pets/0")
    with pytest.raises(StateError, match="no resource is called 'pest'") as misspelt:
        bench.state.load({"pest": []})
    assert misspelt.value.hint == "did you mean 'pets'?"
    assert bench.universe.state is before


def test_loaded_items_are_copies(bench: Bench, pets: Items) -> None:
    rex = {"id": 7, "name": "Rex", "createdAt": "2026-01-01T00:00:00Z"}
    bench.state.load({"pets": [rex]})
    rex["name"] = "Tom"
    bench.state.as_dict()["pets"][0]["name"] = "Kim"
    assert pets[7]["name"] == "Rex"


def test_cleared_state_has_nothing(bench: Bench, pets: Items) -> None:
    pets.add(name="Rex")
    bench.state.clear()
    assert bench.state.as_dict() == {}
    assert bench.read("/pets") == []


def test_state_of_another_test_stays_as_it_is(bench: Bench, pets: Items) -> None:
    other = State(bench.sandbox, bench.sandbox.api("pets"), bench.sandbox.universes.get("other"))
    pets.add(name="Rex")
    assert len(other["pets"]) == 0


def test_failure_shows_the_line_of_the_test_and_the_message(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_it(mock_api):
            mock_api("shop.yaml").state["products"].add(name=5, price=1)
        """
    )
    pytester.makefile(".yaml", shop=SHOP.read_text(encoding="utf-8"))
    result = pytester.runpytest_subprocess("-p", "no:schemathesis")
    text = result.stdout.str()
    assert 'api.state["products"] at /name: this item of products breaks its schema' in text
    assert "stored.py" not in text
    assert "shelves.py" not in text


# Time and threads


def test_what_is_due_has_happened_before_anybody_looks() -> None:
    packed = Sandbox([source_of("kirimdev")], options=Options(clock=lambda: NOW, eager=False))
    universe = packed.universes.get("t1")
    state = State(packed, packed.api("kirimdev"), universe)
    link = state["setup_links"].where(status="active")[0]
    universe.clock = universe.clock.frozen(datetime.fromisoformat(link["expires_at"]) + timedelta(seconds=1))
    assert state["setup_links"].one(id=link["id"])["status"] == "expired"
    assert state["setup_links"].below(link["customer_id"])[link["id"]]["status"] == "expired"


def test_threads_that_write_at_once_lose_nothing(bench: Bench, pets: Items) -> None:
    begin = threading.Barrier(6)

    def write(number: int) -> None:
        begin.wait(10)
        for each in range(20):
            pets.add(name=f"{number}-{each}")
            bench.call("POST", "/pets", {"name": f"{number}-{each}-api"})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(pets) == len(pets.where()) == 240
    assert len({pet["id"] for pet in pets.values()}) == 240
