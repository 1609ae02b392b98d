"""What the pytest plugin costs: one isolated test with three calls, pytest's start-up, and a thousand tests at once.

    pip install pytest-httpserver responses pytest-random-order pytest-xdist httpx
    python benchmarks/pytest_plugin.py

pytest-httpserver and responses do the same three calls in the same run, with answers written by hand: they check nothing and
remember nothing. Every figure is the median of some rounds, each with a run of every candidate.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

DESCRIPTION = Path(__file__).resolve().parent.parent / "tests" / "acceptance" / "descriptions" / "shop.yaml"
PRODUCT = {"name": "Oak table", "price": 250}

CALLS = """
def three_calls(session, base):
    made = session.post(base + "/products", json={"name": "Oak table", "price": 250})
    assert made.status_code == 201
    assert session.get(base + f"/products/{made.json()['id']}").json()["name"] == "Oak table"
    assert len(session.get(base + "/products").json()["data"]) >= 1
"""

SUITES = {
    "nothing (pytest alone)": """
@pytest.mark.parametrize("number", range({tests}))
def test(number):
    pass
""",
    "apidouble in process, requests": """
@pytest.mark.parametrize("number", range({tests}))
def test(mock_api, number):
    api = mock_api({description!r})
    three_calls(api.session(), "")
""",
    "apidouble in process, httpx": """
@pytest.mark.parametrize("number", range({tests}))
def test(mock_api, number):
    with mock_api({description!r}).client() as client:
        three_calls(client, "")
""",
    "apidouble, intercepted": """
@pytest.mark.parametrize("number", range({tests}))
def test(mock_api, number):
    with mock_api({description!r}).intercept("https://shop.example"), requests.Session() as session:
        three_calls(session, "https://shop.example")
""",
    "apidouble live": """
@pytest.mark.parametrize("number", range({tests}))
def test(mock_api, number):
    with requests.Session() as session:
        three_calls(session, mock_api({description!r}).url)
""",
    "responses (in process)": """
import responses

@responses.activate
@pytest.mark.parametrize("number", range({tests}))
def test(number):
    base, item = "https://shop.example", {{"id": 1, "name": "Oak table", "price": 250}}
    responses.post(base + "/products", json=item, status=201)
    responses.get(base + "/products/1", json=item)
    responses.get(base + "/products", json={{"data": [item]}})
    with requests.Session() as session:
        three_calls(session, base)
""",
    "pytest-httpserver (live)": """
@pytest.mark.parametrize("number", range({tests}))
def test(httpserver, number):
    item = {{"id": 1, "name": "Oak table", "price": 250}}
    httpserver.expect_request("/products", method="POST").respond_with_json(item, status=201)
    httpserver.expect_request("/products/1").respond_with_json(item)
    httpserver.expect_request("/products", method="GET").respond_with_json({{"data": [item]}})
    with requests.Session() as session:
        three_calls(session, httpserver.url_for("").rstrip("/"))
""",
}

SHARE = """
import time
from contracts.testing.doubles import MockApis

SPENT = [0.0]

def timed(name):
    plain = getattr(MockApis, name)
    def call(*given, **more):
        begun = time.perf_counter()
        try:
            return plain(*given, **more)
        finally:
            SPENT[0] += time.perf_counter() - begun
    setattr(MockApis, name, call)

for name in ("__init__", "__call__", "verdict", "leave"):
    timed(name)

def pytest_sessionstart(session):
    session.config.begun = time.perf_counter()

def pytest_sessionfinish(session):
    output = getattr(session.config, "workeroutput", None)
    told = (SPENT[0], time.perf_counter() - session.config.begun)
    if output is not None:
        output["share"] = told

def pytest_testnodedown(node, error):
    spent, whole = node.workeroutput["share"]
    print(f"\\nSHARE {spent} {whole}")
"""


def run(folder: Path, *options: str, plugins: bool = True) -> tuple[float, str]:
    """Runs pytest in a folder; the seconds it took and what it printed. A red suite ends the benchmark."""
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "" if plugins else "1"}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-s", "--no-header", *options, str(folder)], text=True,
                          capture_output=True, cwd=folder, env=environ)  # fmt: skip
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - begun, done.stdout


def suite(folder: Path, body: str, tests: int) -> Path:
    """A folder with one test module."""
    folder.mkdir(exist_ok=True)
    text = "import pytest\nimport requests\n" + CALLS + body.format(tests=tests, description=str(DESCRIPTION))
    (folder / "test_calls.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


PLUGINS = {
    "pytest alone": [],
    "apidouble": ["-p", "contracts.pytest_plugin"],
    "pytest-httpserver": ["-p", "pytest_httpserver.pytest_plugin"],
}


def start_up(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds that pytest takes for one empty test, with one plugin installed and unused."""
    empty = suite(folder / "empty", "", 1)
    (empty / "test_calls.py").write_text("def test():\n    pass\n")
    found: dict[str, list[float]] = {name: [] for name in PLUGINS}
    for number in range(rounds + 1):
        for name, options in PLUGINS.items():
            seconds, _ = run(empty, *options, plugins=False)
            if number:  # the first writes byte code
                found[name].append(seconds)
    return found


def per_test(folder: Path, rounds: int, tests: int) -> dict[str, list[float]]:
    """Seconds for one test of each suite, without what starting and ending takes."""
    found: dict[str, list[float]] = {name: [] for name in SUITES}
    for _ in range(rounds):
        for number, (name, body) in enumerate(SUITES.items()):
            few, _ = run(suite(folder / f"few{number}", body, 1))
            many, _ = run(suite(folder / f"many{number}", body, tests + 1))
            found[name].append((many - few) / tests)
    return found


def thousand(folder: Path, tests: int) -> list[str]:
    """A thousand isolated tests in random order on two workers: whether they are green, and the plugin's share."""
    body = SUITES["apidouble in process, requests"] + """
@pytest.mark.parametrize("number", range({tests}))
def test_nothing_is_left_of_others(mock_api, number):
    session = mock_api({description!r}).session()
    assert session.get("/products").json()["data"] == []
    session.post("/products", json={{"name": f"Number {{number}}", "price": 1}})
"""  # fmt: skip
    where = suite(folder / "thousand", body, tests // 2)
    (where / "conftest.py").write_text(SHARE)
    seconds, printed = run(where, "-n", "2", "--random-order")
    shares = [tuple(map(float, line.split()[1:])) for line in printed.splitlines() if line.startswith("SHARE")]
    spent, whole = (sum(part) for part in zip(*shares, strict=True))
    passed = next(line for line in printed.splitlines() if " passed" in line)
    return [f"  {passed.strip('= ')}", f"  the plugin's own part (making, judging and leaving doubles): {spent:.2f} s of "
            f"{whole:.2f} s on the workers, {spent / whole:.1%}; {seconds:.1f} s in all"]  # fmt: skip


def table(title: str, found: dict[str, list[float]], base: str, *, scale: float, unit: str) -> None:
    """Prints medians with their spread, and how much more they are than the base."""
    print(f"\n{title}")
    zero = statistics.median(found[base])
    for name, values in found.items():
        middle = statistics.median(values)
        print(f"  {name:34} {middle * scale:8.2f} {unit}  (min {min(values) * scale:.2f}, max {max(values) * scale:.2f})"
              f"  {(middle - zero) * scale:+8.2f} {unit} over {base}")  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--tests", type=int, default=300)
    asked = options.parse_args()
    packages = ("apidouble", "pytest", "pytest-httpserver", "responses", "requests", "httpx")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; "
          + ", ".join(f"{name} {metadata.version(name)}" for name in packages))  # fmt: skip
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        table("pytest with one empty test, the plugin installed and unused", start_up(folder, asked.rounds * 2),
              "pytest alone", scale=1000, unit="ms")  # fmt: skip
        table(f"one isolated test with three calls (of {asked.tests})", per_test(folder, asked.rounds, asked.tests),
              "nothing (pytest alone)", scale=1000, unit="ms")  # fmt: skip
        print("\n1,000 isolated tests, random order, -n 2")
        print("\n".join(thousand(folder, 1000)))


if __name__ == "__main__":
    main()
