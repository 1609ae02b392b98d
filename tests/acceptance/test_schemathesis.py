"""An outside judge: Schemathesis' own command line, all checks and phases, against what we serve.

Where it finds a refusal that we stand by, the expected status is in ``ARGUED`` with the reason.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mock_server import MockServer, Options, pack

SHOP = Path(__file__).parent / "descriptions" / "shop.yaml"

ARGUED = {
    "shop": """
# A cursor that was never given out is refused; that it is any string is all the description can say.
[[operations]]
include-name = "GET /products"
[operations.checks]
positive_data_acceptance.expected-statuses = ["2xx", "400"]

# If-Match that does not match is 412 (RFC 9110 §13.1.1); a JSON Patch may assume what is not there (RFC 5789 §2.2).
[[operations]]
include-name = "PATCH /products/{product_id}"
[operations.checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409", "412", "422"]
""",
    "cloudvelous-analytics": """
# date_from after date_to is refused, which a description cannot say.
[[operations]]
include-name = "GET /api/analytics/leads"
[operations.checks]
positive_data_acceptance.expected-statuses = ["2xx", "422"]
""",
}


def judged(name: str, description: Path, url: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """One run of the command line, small and with a fixed seed."""
    config = folder / "schemathesis.toml"
    config.write_text(ARGUED.get(name, ""))
    command = Path(sys.executable).parent / "schemathesis"
    return subprocess.run(
        [command, "--config-file", config, "run", description, "--url", url, "--checks", "all",
         "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "15", "--seed", "1",
         "--generation-database", "none", "--no-color", *more],
        capture_output=True, text=True, check=False, cwd=folder, timeout=240,
    )  # fmt: skip


def test_schemathesis_finds_nothing_in_a_plain_description(tmp_path: Path) -> None:
    with MockServer(SHOP) as server:
        found = judged("shop", SHOP, server.url, tmp_path)
    assert found.returncode == 0, found.stdout[-6000:]
    assert int(re.findall(r"(\d+) generated", found.stdout)[0]) > 50


@pytest.mark.parametrize("name", ["cloudvelous-crm", "cloudvelous-ai", "cloudvelous-analytics"])
def test_schemathesis_finds_nothing_in_the_packs(name: str, tmp_path: Path) -> None:
    source = pack(name)
    # Analytics has two ways to authenticate; given one that is good, Schemathesis' bad other one is rightly ignored.
    skipped = ("--exclude-checks", "ignored_auth") if name.endswith("analytics") else ()
    with MockServer(source, options=Options(limits=False)) as server:
        key = [c.value for c in server.sandbox.api(name).credentials if c.name == "api-key"]
        headers = [part for value in key for part in ("-H", f"X-API-Key: {value}")]
        found = judged(name, source.description, server.url, tmp_path, *headers, *skipped)
    assert found.returncode == 0, found.stdout[-6000:]
    assert int(re.findall(r"(\d+) generated", found.stdout)[0]) > 50
