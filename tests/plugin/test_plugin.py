"""The plugin in pytest: what it gives a test, what fails one, and what it says then."""

from __future__ import annotations

import os
import subprocess
import sys
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import pytest

# A run of pytest inside this process forgets what it has imported; what is there before stays.
for _name in ("clients.adapters", "clients.intercepting", "clients.transports", "doubles", "recording.records"):
    import_module(f"contracts.testing.{_name}")
import_module("mock_server.web.embedded")

SHOP = Path(__file__).resolve().parent.parent / "acceptance" / "descriptions" / "shop.yaml"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with the shop's description, which the ini file names."""
    pytester.makefile(".yaml", shop=SHOP.read_text())
    pytester.makeini("[pytest]\nmock_api = shop.yaml\naddopts = -p no:schemathesis\n")
    return pytester


def outcome(suite: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    """Runs a module with this body in this process."""
    suite.makepyfile("import pytest\nimport requests\n\n" + body)
    return suite.runpytest_inprocess(*options)


def test_a_request_that_violates_the_description_fails_a_test_that_passed(suite: pytest.Pytester) -> None:
    result = outcome(
        suite,
        """
def test_create(mock_api):
    assert mock_api().session().post("/products", json={"name": "", "price": 250}).status_code == 422
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*createProduct*", "*body/name*", "*@pytest.mark.mock_api(allow_invalid=True)*"])
    assert "pytest_plugin.py" not in result.stdout.str(), "the plugin shows its own lines"


def test_who_violates_it_on_purpose_says_so(suite: pytest.Pytester) -> None:
    outcome(
        suite,
        """
@pytest.mark.mock_api(allow_invalid=True)
def test_create(mock_api):
    assert mock_api().session().post("/products", json={"name": ""}).status_code == 422
""",
    ).assert_outcomes(passed=1)


def test_a_failed_test_tells_what_its_client_did_wrong(suite: pytest.Pytester) -> None:
    result = outcome(
        suite,
        """
def test_create(mock_api):
    assert mock_api().session().post("/products", json={"nmae": "Oak"}).status_code == 201
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 422 == 201*", "*mock_api*", "*is 'nmae' a misspelling of it*"])


def test_a_fault_that_nobody_met_fails_the_test(suite: pytest.Pytester) -> None:
    result = outcome(
        suite,
        """
def test_nothing(mock_api):
    mock_api().fail("createProduct", status=503, times=2)
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*createProduct*0*2*"])


def test_an_expectation_that_is_not_met_fails_the_test(suite: pytest.Pytester) -> None:
    result = outcome(
        suite,
        """
def test_create(mock_api):
    api = mock_api()
    api.expect("createProduct", body__name="Oak")
    api.session().post("/products", json={"name": "Ash", "price": 2})
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*body/name: expected 'Oak', got 'Ash'*"])


def test_a_request_that_is_not_intercepted_fails_the_test_though_the_code_swallowed_it(suite: pytest.Pytester) -> None:
    result = outcome(
        suite,
        """
def test_swallowed(mock_api):
    with mock_api().intercept("https://shop.example"):
        try:
            requests.get("https://elsewhere.example/products")
        except requests.RequestException:
            pass
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*GET https://elsewhere.example/products*", "*allow=*"])


def test_a_violation_before_a_reset_still_counts(suite: pytest.Pytester) -> None:
    result = outcome(
        suite,
        """
def test_reset(mock_api):
    api = mock_api()
    api.session().post("/products", json={"name": ""})
    api.reset()
""",
    )
    result.assert_outcomes(failed=1)


def test_live_and_in_process_are_one_double(suite: pytest.Pytester) -> None:
    outcome(
        suite,
        """
def test_both(mock_api):
    api = mock_api()
    requests.post(api.url + "/products", json={"name": "Oak", "price": 2}, timeout=5)
    assert [each["name"] for each in api.session().get("/products").json()["data"]] == ["Oak"]
    assert [call.operation_id for call in api.requests] == ["createProduct", "listProducts"]
    with api.intercept("https://shop.example"):
        assert requests.get(api.url + "/products", timeout=5).ok
""",
    ).assert_outcomes(passed=1)


def test_the_live_server_starts_once_and_each_test_is_told_when_it_is_over(suite: pytest.Pytester) -> None:
    outcome(
        suite,
        """
urls = []

@pytest.mark.parametrize("number", range(3))
def test_live(mock_api, number):
    urls.append(mock_api().url)
    assert requests.get(urls[-1] + "/products", timeout=5).json()["data"] == []

def test_over():
    assert len({url.split("/__session__/")[0] for url in urls}) == 1
    assert len(set(urls)) == 3
    gone = requests.get(urls[0] + "/products", timeout=5)
    assert gone.status_code == 410
    assert "outlived its test" in gone.json()["detail"]
""",
    ).assert_outcomes(passed=4)


def test_markers_add_up_and_the_closest_wins(suite: pytest.Pytester) -> None:
    outcome(
        suite,
        """
@pytest.mark.mock_api("shop.yaml", frozen_at="2026-03-01T08:00:00Z", allow_invalid=True)
class TestMarked:
    @pytest.mark.mock_api(frozen_at="2027-03-01T08:00:00Z", faults={"listProducts": {"status": 503}})
    def test_closest(self, mock_api):
        api = mock_api()
        assert api.clock.now.isoformat() == "2027-03-01T08:00:00+00:00"
        assert api.session().get("/products").status_code == 503
        assert api.session().get("/nothing").status_code == 404

    @pytest.mark.mock_api("kirimdev")
    def test_of_another_api(self, mock_api):
        assert mock_api().clock.now.year != 2026 or mock_api().clock.now.month != 3
""",
    ).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('@pytest.mark.mock_api(sede=1)\ndef test(mock_api): mock_api()', "*no such argument*sede*mean 'seed'*"),
        ('def test(mock_api): mock_api("shp.yaml")', "*no such description file*shp.yaml*"),
        ('def test(mock_api): mock_api("kirimdv")', "*no API pack*kirimdv*did you mean 'kirimdev'*"),
        ('def test(mock_api): mock_api().fail("createProdukt", status=503)', "*createProdukt*createProduct*"),
        ('def test(mock_api): mock_api().fail("createProduct")', "*neither status nor delay nor reset*"),
        ('def test(mock_api): mock_api(frozen_at="yesterday")', "*RFC 3339*yesterday*"),
        ('def test(mock_api): mock_api(overlays=["nope.yaml"])', "*no such file*nope.yaml*"),
        ('def test(mock_api): mock_api().session("platform")', "*platform*"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_with_what_can(suite: pytest.Pytester, body: str, told: str) -> None:
    result = outcome(suite, body)
    assert result.ret == 1
    text = " ".join(line.strip().removeprefix("E").strip() for line in result.outlines)
    assert fnmatch(text, told), text


def test_a_suite_that_uses_nothing_of_it_imports_nothing_of_it(suite: pytest.Pytester) -> None:
    suite.makepyfile("""
import sys

def test_nothing():
    heavy = {"flask", "granian", "hypothesis", "schemathesis", "openapi_core", "requests", "httpx", "jsonschema_rs"}
    assert not heavy & set(sys.modules)
    assert "mock_server.sandbox" not in sys.modules
""")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "contracts.pytest_plugin"], capture_output=True,
                          text=True, env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_threads_of_one_test_share_its_double_and_nothing_else(suite: pytest.Pytester) -> None:
    outcome(
        suite,
        """
from concurrent.futures import ThreadPoolExecutor

def test_threads(mock_api):
    api = mock_api()
    def create(number):
        return api.session().post("/products", json={"name": f"Number {number}", "price": 1}).status_code
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(create, range(40))) == [201] * 40
    assert len(api.state["products"]) == 40
""",
    ).assert_outcomes(passed=1)


def test_a_fault_may_answer_what_a_gateway_would(suite: pytest.Pytester) -> None:
    outcome(
        suite,
        """
def test_gateway(mock_api):
    api = mock_api()
    api.fail("listProducts", status=502, headers={"Content-Type": "text/html"}, body="<h1>Bad Gateway</h1>")
    api.fail("listProducts", status=503, headers={"Retry-After": "5"})
    session = api.session()
    assert session.get("/products").text == "<h1>Bad Gateway</h1>"
    busy = session.get("/products")
    assert (busy.status_code, busy.headers["Retry-After"], busy.json()["status"]) == (503, "5", 503)
    assert session.get("/products").ok
""",
    ).assert_outcomes(passed=1)


def test_every_public_name_is_there_and_has_words_of_its_own() -> None:
    public = import_module("contracts.testing")
    assert sorted(public.__all__) == sorted(public._HOMES)
    for name in public.__all__:
        assert getattr(public, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'MockAPI'"):
        _ = public.MockAPI
