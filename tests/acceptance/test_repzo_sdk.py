"""The vendor's own client, npm's ``repzo``, against the double: five services created, found, changed and removed.

The package is installed into a temporary folder, which takes the registry; without node, npm or the registry the
tests are skipped and say so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mock_server import MockServer
from mock_server.openapi.values import Json

PACKAGES = ("repzo@1.0.254", "axios@0.26.1")
"""The SDK needs axios and names it for its own development only, so whoever installs it has to bring one."""
SCRIPT = Path(__file__).with_name("repzo_sdk.mjs")
SERVICES = ("client", "brand", "tag", "tax", "warehouse")


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside the installed package."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("the vendor's SDK takes node and npm, which are not here")
    folder = tmp_path_factory.mktemp("sdk")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", *PACKAGES]
    try:
        installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install {PACKAGES} within two minutes")
    if installed.returncode != 0:
        pytest.skip(f"npm could not install {PACKAGES}: {installed.stderr.strip()[-300:]}")
    return Path(shutil.copy(SCRIPT, folder))


@pytest.fixture(scope="module")
def told(sdk: Path) -> dict[str, Any]:
    """What the SDK got, by service."""
    with MockServer("repzo") as server:
        key = next(known.value for known in server.sandbox.api("repzo").credentials if known.name == "company")
        ran = subprocess.run(
            ["node", sdk.name, server.url, key],
            cwd=sdk.parent, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(ran.stdout)
    return result


def test_the_sdk_ran_all_five_services(told: dict[str, Any]) -> None:
    assert set(told) == {*SERVICES, "unknown"}


@pytest.mark.parametrize("service", SERVICES)
def test_what_the_sdk_creates_it_finds_and_gets(told: dict[str, Any], service: str) -> None:
    cycle = told[service]
    created: Json = cycle["created"]
    assert created | cycle["body"] == created
    assert len(created["_id"]) == 24
    assert cycle["found"]["data"] == [created]
    assert cycle["found"]["total_result"] == 1
    assert cycle["got"] == created


@pytest.mark.parametrize("service", SERVICES)
def test_what_the_sdk_updates_keeps_its_other_members(told: dict[str, Any], service: str) -> None:
    cycle = told[service]
    expected = cycle["body"] | cycle["changes"] | {"_id": cycle["created"]["_id"]}
    assert cycle["updated"] | expected == cycle["updated"]
    assert cycle["updated"]["createdAt"] == cycle["created"]["createdAt"]


@pytest.mark.parametrize("service", SERVICES)
def test_what_the_sdk_removes_is_answered_once_more_and_gone(told: dict[str, Any], service: str) -> None:
    cycle = told[service]
    assert cycle["removed"]["_id"] == cycle["created"]["_id"]
    assert cycle["left"]["data"] == []
    assert cycle["gone"]["status"] == 404


@pytest.mark.parametrize("service", SERVICES)
def test_the_sdk_reads_pages_as_its_types_say(told: dict[str, Any], service: str) -> None:
    page = told[service]["page"]
    assert (page["current_page"], page["per_page"], page["current_count"]) == (1, 1, 1)
    assert page["total_pages"] == page["total_result"] >= 1
    assert page["first_page_url"].endswith("page=1") or "page=1&" in page["first_page_url"]
    assert page["prev_page_url"] is None


def test_the_sdk_is_refused_with_a_key_that_nobody_has(told: dict[str, Any]) -> None:
    assert told["unknown"]["status"] == 401
    assert told["unknown"]["data"]["success"] is False
