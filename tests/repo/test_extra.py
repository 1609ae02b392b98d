"""A plain installation, without the extra ``contracts``: what needs it says so, and nothing else does."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from contracts.extra import MODULES, need_extra
from mock_server import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
INSTALL = "pip install 'apidouble[contracts]'"

# What stands before each script: the packages of the extra cannot be found.
ABSENT = f"import sys; sys.modules.update(dict.fromkeys({MODULES!r})); "


def test_every_package_that_brings_a_module_of_ours_is_looked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[\[<>=!]", line)[0].replace("-", "_") for line in project["optional-dependencies"]["contracts"]}
    formats = {"fqdn", "idna", "isoduration", "jsonpointer", "rfc3339_validator", "rfc3986_validator", "uri_template",
               "webcolors"}  # fmt: skip  # which jsonschema looks for itself
    assert named - formats == set(MODULES)


def test_what_is_missing_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    need_extra()
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ConfigurationError) as caught:
        need_extra()
    assert "no hypothesis" in str(caught.value)
    assert INSTALL in str(caught.value)


@pytest.mark.parametrize(
    "command",
    [
        ["check", "kirimdev", "--url", "http://127.0.0.1:1"],
        ["checks"],
        ["replay", str(ROOT / "pyproject.toml"), "--url", "http://127.0.0.1:1"],
    ],
)
def test_commands_say_what_to_install(command: list[str]) -> None:
    script = f"{ABSENT} sys.argv = ['apidouble', *{command!r}]; from mock_server.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert INSTALL in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["from_operation", "contract_state_machine", "apidouble_contract"])
def test_what_a_suite_imports_says_what_to_install(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"{ABSENT} from contracts.testing import {name}"], capture_output=True,
                          text=True, timeout=60, check=False)  # fmt: skip
    assert INSTALL in done.stderr
    assert "ModuleNotFoundError" not in done.stderr


def test_doubles_need_nothing_of_it() -> None:
    script = f"""{ABSENT}
from pathlib import Path
from contracts.testing.doubles import MockApis, Wanted
from contracts.testing.worker import Worker
import contracts.testing.recording.records
apis = MockApis(Worker(), Wanted(), [Path()])
api = apis("kirimdev")
assert api.session("platform").post("/customers", json={{"name": "Jane"}}).ok
api.requests.assert_called("createCustomer", body__name="Jane")
assert apis.verdict() == ()
api.webhooks.subscribe("http://app.test")
print(len(api.webhooks), api.clock.now.year > 2000, len(api.state["customers"]) > 3)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "0 True True", done.stderr
