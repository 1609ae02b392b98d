"""Each format is what its readers take, and none of them shows a secret or breaks on odd bytes."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml
from pydantic_sarif.model import (  # type: ignore[import-untyped]  # generated, unmarked
    StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif,
)

from contracts.findings import Difference, Side
from contracts.replaying import write_finding
from contracts.reports.curl import curl
from contracts.reports.github import github_commands, github_summary
from contracts.reports.har import har
from contracts.reports.html import html
from contracts.reports.json import json_report
from contracts.reports.junit import junit
from contracts.reports.material import Material
from contracts.reports.pytest_code import pytest_code
from contracts.reports.sarif import sarif
from contracts.reports.terminal import terminal
from contracts.service import Caller, Recorded, Reply
from contracts.wire import WireRequest

from .broken_shop import ALICE, BASE, SECRET, Shop

FORMATS: dict[str, Callable[[Material], str]] = {
    "terminal": terminal,
    "coloured": lambda made: terminal(made, colour=True),
    "junit": junit,
    "sarif": sarif,
    "json": json_report,
    "har": har,
    "github commands": github_commands,
    "github summary": github_summary,
    "html": html,
}


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


@pytest.fixture(scope="module")
def made(shop: Shop) -> Material:
    finding = shop.finding()
    question = replace(shop.finding(side=Side.DOUBLE), check="model_content", remedy="- target: $.paths")
    accepted = replace(finding, check="put_replaces", accepted="known since May")
    return shop.material(finding, question, accepted)


def test_junit_is_read_by_a_parser_and_counts_what_was_made(made: Material) -> None:
    text = junit(made)
    suites = JUnitXml.fromstring(text.encode())
    assert (suites.tests, suites.failures, suites.errors, suites.skipped) == (4, 1, 1, 2)
    cases = {case.get("name"): case for case in ElementTree.fromstring(text).iter("testcase")}
    failure = cases["read_your_write products"].find("failure")
    assert failure is not None
    assert failure.get("type") == "read_your_write"
    assert "curl" in (failure.text or "")


def test_sarif_satisfies_the_published_schema(made: Material) -> None:
    log = Sarif.model_validate_json(sarif(made))
    results = log.runs[0].results or []
    assert [str(result.level.value) for result in results if result.level] == ["error", "note", "note"]
    assert results[2].suppressions
    first = json.loads(sarif(made))["runs"][0]["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "tests/acceptance/descriptions/shop.yaml"
    assert place["region"] == {"startLine": 50, "snippet": {"text": "      operationId: getProduct"}}
    assert first["partialFingerprints"] == {"apidouble/v1": made.findings[0].fingerprint}


def test_sarif_rules_lead_to_their_page_where_one_is_known(made: Material) -> None:
    with_home = replace(made, home="https://docs.example/")
    rules = json.loads(sarif(with_home))["runs"][0]["tool"]["driver"]["rules"]
    assert "https://docs.example/docs/checks.md#read_your_write" in {rule["helpUri"] for rule in rules}
    Sarif.model_validate_json(sarif(with_home))


def test_har_has_every_exchange_of_the_findings(made: Material) -> None:
    log = json.loads(har(made))["log"]
    assert log["version"] == "1.2"
    assert [entry["request"]["method"] for entry in log["entries"]] == ["POST", "GET"] * 3
    assert log["entries"][0]["request"]["url"] == f"{BASE}/products"
    for entry in log["entries"]:
        assert set(entry) >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
        assert set(entry["response"]) >= {"status", "statusText", "httpVersion", "cookies", "headers", "content",
                                          "redirectURL", "headersSize", "bodySize"}  # fmt: skip


def test_workflow_commands_escape_what_would_end_them(shop: Shop) -> None:
    finding = replace(shop.finding(), sentence="50% off,\nor: more", operation_id="a,b:c")
    line = github_commands(shop.material(finding)).splitlines()
    assert len(line) == 1
    assert line[0].startswith(
        "::error file=tests/acceptance/descriptions/shop.yaml,line=50,title=read_your_write a%2Cb%3Ac::"
    )
    assert "50%25 off,%0Aor: more" in line[0]


def test_summary_keeps_markup_of_replies_as_text(shop: Shop) -> None:
    finding = replace(shop.finding(), differences=(Difference("/a|b", "<b>", "`x`", ""),))
    text = github_summary(shop.material(finding))
    assert "/a\\|b" in text
    assert "<b>" not in text


def test_page_needs_nothing_from_elsewhere_and_is_well_formed(made: Material) -> None:
    page = html(made)
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert not {name for name, _ in attrs} & {"src", "href", "action"}
            opened.append(tag)

    Reader().feed(page)
    assert opened.count("details") > 3
    assert "default-src 'none'" in page


def test_page_shows_markup_of_replies_as_text(shop: Shop) -> None:
    finding = shop.finding(name="<script>alert(1)</script>")
    assert "<script>alert" not in html(shop.material(finding))


def test_json_names_its_version_and_says_everything_of_a_finding(made: Material) -> None:
    value = json.loads(json_report(made))
    assert value["apidouble"] == {"report": 1}
    assert value["holds"] is False
    first = value["findings"][0]
    assert (first["check"], first["fails"], first["seed"]) == ("read_your_write", True, 7)
    assert [task["outcome"] for task in value["tasks"]] == ["made", "fruitless", "error", "left"]


def test_terminal_tells_what_where_and_how_to_see_it(made: Material) -> None:
    text = terminal(made)
    for part in ("Finding 1 of 2", "Price is not shown by getProduct.", "the service", "shop.yaml:50", "- 12.5",
                 "+ null", 'curl -sS "$BASE/products/$PRODUCT_ID"', "--seed-number 7", "What would settle it",
                 "The contract does not hold: 1 finding, 1 question, 1 accepted"):  # fmt: skip
        assert part in text, part
    assert "\x1b" not in text
    assert "\x1b[" in terminal(made, colour=True)


@pytest.mark.parametrize("format_", FORMATS)
def test_no_report_shows_a_secret(shop: Shop, format_: str) -> None:
    leaky = Caller("bob smith", {"X-Api-Key": 'bob\'s "key" 1'}, {"token": "tok&en/7"}, secrets=("tok&en/7",))
    sent = WireRequest("POST", f"/products?token={quote('tok&en/7', safe='')}", {"X-Api-Key": "bob's \"key\" 1"},
                       b"\xff" + SECRET.encode() + b64encode(SECRET.encode()))  # fmt: skip
    body = json.dumps({"echo": SECRET, SECRET: ['bob\'s "key" 1'], "n": f"x{SECRET}y"}).encode()
    told = Recorded(1, "createProduct", sent, Reply(200, (("Location", f"/products/{SECRET}"),), body), leaky)
    finding = replace(shop.finding(), sentence=f"it says {SECRET}", notes=(SECRET,), remedy=f"- {SECRET}",
                      sequence=(*shop.finding().sequence, told), operation_id="createProduct",
                      differences=(Difference(f"/{SECRET}", SECRET, {"a": "tok&en/7"}, SECRET),))  # fmt: skip
    text = FORMATS[format_](shop.material(finding, callers=(ALICE, leaky)))
    for secret in (SECRET, quote(SECRET, safe=""), b64encode(SECRET.encode()).decode(), "tok&en/7", "tok&amp;en/7",
                   "tok%26en", 'bob\'s "key"', 'bob\'s \\"key', "bob&#x27;s &quot;key"):  # fmt: skip
        assert secret not in text, secret


def test_no_finding_file_has_a_secret(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("findings") / "finding.json"
    write_finding(replace(shop.finding(), notes=(SECRET,)), path)
    assert SECRET not in path.read_text(encoding="utf-8")


ODD = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"\x1b[2J\x00", b"]]>", b"'\"$(id)`id`\\", b'{"a": 1e999}', b"[" * 5000, b"x" * 50_000]),
    st.sampled_from(['"\u2028\ud7ff\ufffe\U0001f600"'.encode(), b"\r\n::error::"]),
)
ODD_TEXT = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["\x1b[31m", "`$(id)`'\"", "a\r\n\r\nb", "~bound~x~", "%00|<b>"]),
)


@settings(max_examples=20, deadline=None)
@given(sent=ODD, came=ODD, text=ODD_TEXT, kind=st.sampled_from(["application/json", "text/plain", "image/png", "€"]))
def test_odd_bytes_break_no_report(sent: bytes, came: bytes, text: str, kind: str) -> None:
    headers = {"Content-Type": kind, "X-Odd": text}
    first = Recorded(1, "createProduct", WireRequest("POST", "/products", headers, sent), Reply(201, (), came))
    second = Recorded(2, "getProduct", WireRequest("GET", f"/products/{quote(text, errors='replace')}", {}, b""),
                      Reply(200, (("X", text),), sent))  # fmt: skip
    base = ODD_SHOP.finding()
    finding = replace(base, sentence=text, sequence=(first, second), notes=(text,),
                      differences=(Difference(f"/{text}", text, came, text),))  # fmt: skip
    told = ODD_SHOP.material(finding)
    for format_, write in FORMATS.items():
        shown = write(told)
        shown.encode()
        if format_ != "coloured":
            assert not {mark for mark in shown if ord(mark) < 32} - {"\n", "\t"}, format_
        assert len(shown) < 5_000_000
    ElementTree.fromstring(junit(told))
    json.loads(har(told))
    Sarif.model_validate_json(sarif(told))
    compile(pytest_code(finding, told.secrets, BASE), "test", "exec")
    checked = subprocess.run(["bash", "-n"], input=curl(finding, told.secrets, BASE).encode(), capture_output=True,
                             check=False)  # fmt: skip
    assert checked.returncode == 0, checked.stderr


ODD_SHOP = Shop()
