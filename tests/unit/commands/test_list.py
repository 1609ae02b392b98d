"""``apidouble list``, and what every command has in common."""

from __future__ import annotations

import json
from functools import cache

import pytest

from mock_server import __version__, pack_names
from tests.unit.commands.running import PETS, run


def test_packs_are_listed_by_name() -> None:
    ran = run("list")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == list(pack_names())


@cache
def packs_as_json() -> str:
    return run("list", "--json").out


def test_json_has_a_stable_shape() -> None:
    listed = json.loads(packs_as_json())
    assert [entry["name"] for entry in listed] == list(pack_names())
    for entry in listed:
        assert set(entry) == {
            "name", "title", "version", "base_path", "operations", "documented", "inferred", "marked"
        }  # fmt: skip
        assert entry["documented"] + entry["inferred"] == entry["operations"] > 0


def test_a_pack_is_counted_by_what_is_documented_and_what_inferred() -> None:
    listed = {entry["name"]: entry for entry in json.loads(packs_as_json())}
    assert listed["layercake"]["operations"] == 77
    assert listed["repzo"]["operations"] == 435
    assert listed["versori"]["operations"] >= 100
    assert listed["kirimdev"]["operations"] >= 25
    assert listed["kirimdev"]["documented"] >= 12
    assert sum(entry["operations"] for name, entry in listed.items() if name.startswith("cloudvelous-")) == 10
    found = listed["kirimdev"]
    first = run("list", "kirimdev").out.splitlines()[0]
    assert f"{found['operations']} operations, {found['documented']} documented, {found['inferred']} inferred" in first


def test_description_is_listed_by_its_operations() -> None:
    ran = run("list", PETS)
    assert ran.out.splitlines() == [
        "Pets 1: 4 operations",
        "  GET    listPets    /pets          list pets",
        "  POST   createPet   /pets          create pets",
        "  GET    readPet     /pets/{petId}  read pets",
        "  PUT    replacePet  /pets/{petId}  replace pets",
    ]
    assert json.loads(run("list", PETS, "--json").out)[0]["base_path"] == "/v2"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "nosuchpack"), "there is no API pack 'nosuchpack'"),
        (("list", "nosuchfile.yaml"), "there is no such description file"),
        (("lst",), "there is no command 'lst'; did you mean 'list'?"),
        (("list", "--jsn"), "No such option"),
        (("infer",), "Missing argument 'NAME|FILE'"),
        (("serve", "--port", "x"), "'x' is not a valid integer range"),
        (("serve", "--port", "65536"), "65536 is not in the range"),
        (("serve", "a.yaml", "b.yaml", "--overlay", str(PETS)), "--overlay and --seed go with one description"),
        (("lint", "--overlay", "nosuch.yaml", str(PETS)), "does not exist"),
        (("lint", "--overlay", str(PETS)), "--overlay and --seed go with one description"),
        (("token", str(PETS)), "pets has no security scheme whose tokens can be minted"),
        (("token", str(PETS), "--claim", "x"), "'x' is not NAME=JSON"),
        ((), "Usage: apidouble"),
    ],
)
def test_wrong_usage_exits_2_and_says_why(arguments: tuple[str, ...], said: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("command", ["serve", "list", "lint", "infer", "token"])
def test_every_command_explains_itself(command: str) -> None:
    ran = run(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: apidouble {command} ")


def test_version_is_the_package_s() -> None:
    assert run("--version").out == f"apidouble, version {__version__}\n"
