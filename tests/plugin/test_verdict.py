"""What makes a test fail in the end: requests that break the description, and what was left undone."""

from __future__ import annotations

import pytest

from contracts.testing.traffic.calls import Calls
from contracts.testing.traffic.verdict import OPT_OUT, verdict
from mock_server.exchange.faults import Fault
from mock_server.exchange.messages import RawRequest
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.values import Json
from mock_server.sandbox import Options, Sandbox
from tests.plugin.asked import FORM, TOKEN, Shop, described

MEANT = f"  a test that means to send this is marked {OPT_OUT}"

# Requests


def test_valid_requests_are_no_matter() -> None:
    shop = Shop()
    key = shop.create({"name": "Jane", "unheard": True})
    shop.send("GET", f"/customers/{key}")
    shop.send("PATCH", f"/customers/{key}", {"age": 41})
    shop.send("OPTIONS", "/customers")
    shop.send("HEAD", "/customers")
    shop.send("POST", "/orders", b"amount=5", content_type=FORM)
    assert verdict(shop.calls) == ()


def test_an_invalid_body_is_told_with_all_its_violations() -> None:
    shop = Shop()
    shop.send("POST", "/customers", {"age": "old"})
    assert verdict(shop.calls) == (
        "createCustomer violates the description:\n"
        "  r1 createCustomer POST /customers -> 422\n"
        "    body: 'name' is required but missing\n"
        "      got {'age': 'old'}, expected required ['name']\n"
        "    body/age: must be an integer, got a string ('old')\n"
        "      got 'old', expected type 'integer'\n" + MEANT,
    )


def test_a_path_that_is_not_described_is_told_with_the_nearest() -> None:
    shop = Shop()
    shop.send("GET", "/custmers")
    assert verdict(shop.calls) == (
        "a request is not described:\n"
        "  r1 (no operation) GET /custmers -> 404\n"
        "    no path of Test matches /custmers; did you mean '/customers'?\n" + MEANT,
    )


@pytest.mark.parametrize(
    ("method", "target", "body", "headers", "told"),
    [
        ("PUT", "/customers", {}, {}, "PUT is not described for /customers; it knows GET, HEAD, OPTIONS, POST"),
        ("POST", "/customers", b"{", {}, "body: "),
        ("POST", "/customers", ..., {}, "body: a body is required"),
        ("POST", "/customers", b"name=J", {"content_type": FORM}, f"header Content-Type: {FORM} is none of "),
        ("GET", "/search?limit=ten", ..., {}, "query limit: must be an integer, got a string ('ten')"),
        ("GET", "/search?limit=1&limit=2", ..., {}, "query limit: "),
        ("GET", "/search", ..., {"x_count": "some"}, "header X-Count: must be an integer"),
        ("GET", "/search", ..., {"cookie": "visits=x"}, "cookie visits: expected type 'integer', got (redacted)"),
        ("GET", "/search", ..., {"accept": "image/png"}, "Accept image/png takes none of application/json"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("/") else "",
)
def test_what_breaks_the_description_is_told(
    method: str, target: str, body: Json, headers: dict[str, str], told: str
) -> None:
    shop = Shop()
    status = shop.send(method, target, body, **headers).status
    assert 400 <= status < 500
    (matter,) = verdict(shop.calls)
    assert f"    {told}" in matter
    assert matter.endswith(MEANT)
    assert verdict(shop.calls, allow_invalid=True) == ()


def test_what_depends_on_state_or_caller_breaks_no_description() -> None:
    shop = Shop()
    assert shop.send("GET", "/customers/none").status == 404
    assert shop.send("GET", "/vault").status == 401
    assert shop.send("GET", "/vault?api_key=wrong").status == 401
    key = shop.create({"name": "Jane"})
    assert shop.send("PATCH", f"/customers/{key}", {"age": 2}, if_match='"other"').status == 412
    assert shop.send("GET", "/customers", prefer="code=503").status in {404, 503}
    assert shop.send("GET", "/customers", prefer="code=999").status == 400
    assert verdict(shop.calls) == ()


def test_naming_what_does_not_exist_breaks_no_description() -> None:
    shop = Shop()
    assert shop.send("POST", "/customers", {"name": "Jane", "parent": "nobody"}).status == 422
    assert shop.calls.last.refused == "invalid: parent names none of the customers, got 'nobody'"
    assert verdict(shop.calls) == ()


def test_conflicts_and_limits_break_no_description() -> None:
    shop = Shop()
    assert [shop.send("GET", "/ration").status for _ in range(2)] == [200, 429]
    assert [shop.send("POST", "/customers", {"name": "J", "_note": "n"}).status for _ in range(2)] == [201, 409]
    assert verdict(shop.calls) == ()


def test_a_fault_breaks_no_description() -> None:
    shop = Shop()
    shop.universe.faults.append(Fault("createCustomer", status=422, count=1))
    assert shop.send("POST", "/customers", {"name": "Jane"}).status == 422
    assert verdict(shop.calls, faults=shop.universe.faults) == ()


def test_equal_violations_are_told_once_with_their_number() -> None:
    shop = Shop()
    for age in range(15):
        shop.send("POST", "/customers", {"age": age})
    shop.send("POST", "/customers", {"name": 5})
    shop.send("POST", "/customers", {"name": 6})
    first, second = verdict(shop.calls)
    assert "\n  15 times in all; the others are r2, r3, r4, r5, r6, r7, r8, r9, r10, r11 and 4 more\n" in first
    assert "\n  so does r17\n" in second
    assert "got 5, expected type 'string'" in second


def test_a_verdict_stays_short_whatever_was_sent() -> None:
    shop = Shop()
    for number in range(100):
        shop.send("GET", f"/nowhere-{number}/" + "x" * 5000)
    shop.send("POST", "/customers", {"name": ["x" * 5000] * 100, "items": [5] * 40})
    told = verdict(shop.calls)
    assert len(told) == 21
    assert told[-1] == "and 81 more like these"
    assert max(map(len, told)) < 3001


def test_many_violations_of_one_request_are_counted() -> None:
    shop = Shop()
    shop.send("POST", "/customers", {"name": "Jane", "items": ["x" * 5000] * 40})
    (matter,) = verdict(shop.calls)
    assert "    and 35 more violations\n" in matter
    assert len(matter) < 3001


def test_credentials_are_in_no_verdict() -> None:
    shop = Shop()
    shop.send("GET", f"/vault?api_key={TOKEN}&lot={TOKEN}")
    shop.send("GET", f"/nowhere/{TOKEN}")
    shop.send("POST", "/customers", {"name": [TOKEN]})
    told = verdict(shop.calls)
    assert len(told) == 3
    assert TOKEN not in "".join(told)
    assert "(redacted)" in told[0]


# The double itself


def test_the_doubles_own_mistake_is_told_first_and_cannot_be_allowed() -> None:
    shop = Shop()
    shop.send("GET", "/nowhere")
    shop.send("GET", "/broken")
    shop.send("GET", "/broken")
    (matter,) = verdict(shop.calls, allow_invalid=True)
    assert verdict(shop.calls)[0] == matter
    assert matter == (
        "the double could not answer as its description says:\n"
        "  r2 broken GET /broken -> 500\n"
        "    the double's own answer to broken breaks "
        "/paths/~1broken/get/responses/200/content/application~1json: /size must be an integer, got a string ('none')\n"
        "  so does r3\n"
        "  this is a mistake of the description, an overlay or the seed, not of the client"
    )


def test_a_broken_description_is_told_as_the_doubles_own_mistake() -> None:
    told: Json = described()
    told["paths"]["/late"] = {"get": {"operationId": "late", "security": [{"nobody": []}], "responses": {}}}
    sandbox = Sandbox([Api(Documents.from_value(told), name="late")], options=Options(eager=False))
    universe = sandbox.universes.get("t1")
    sandbox.api("late").line.answer(RawRequest("GET", "/late", "", {}, b"", "http://late.test"), universe)
    (matter,) = verdict(Calls(sandbox.api("late"), universe), allow_invalid=True)
    assert matter.startswith(
        "the double could not answer as its description says:\n  r1 (no operation) GET /late -> 500"
    )
    assert "security names a scheme that /components/securitySchemes does not describe" in matter


# Faults and expectations


def test_a_fault_that_did_not_strike_is_told_with_what_was_called() -> None:
    shop = Shop()
    shop.send("GET", "/search")
    faults = [Fault("createCustomer", "shop", status=503, count=1), Fault("serch", delay=2.5, count=2),
              Fault("order", reset=True, count=3, struck=1)]  # fmt: skip
    assert verdict(shop.calls, faults=faults) == (
        "the fault for createCustomer (status 503) never struck and still waits for 1 more request\n"
        "  what was called: search (once)",
        "the fault for serch (2.5 s late) never struck and still waits for 2 more requests\n"
        "  shop has no such operation; did you mean 'search'?\n"
        "  what was called: search (once)",
        "the fault for order (the connection is reset) struck once and still waits for 3 more requests\n"
        "  what was called: search (once)",
    )


def test_faults_that_struck_or_last_for_ever_or_are_anothers_are_no_matter() -> None:
    shop = Shop()
    shop.universe.faults += [Fault("search", status=503, count=2), Fault("search", status=500)]
    for _ in range(3):
        shop.send("GET", "/search")
    others = Fault("elsewhere", "another", status=503, count=1)
    assert verdict(shop.calls, faults=[*shop.universe.faults, others, Fault("order", status=500)]) == ()


def test_a_fault_left_to_chance_need_not_strike_where_it_could_have() -> None:
    shop = Shop()
    fault = Fault("search", status=503, count=1, probability=0.01)
    assert verdict(shop.calls, faults=[fault]) == (
        "the fault for search (status 503) never struck and still waits for 1 more request\n  what was called: nothing",
    )
    shop.send("GET", "/search")
    assert verdict(shop.calls, faults=[fault]) == ()


def test_an_expectation_is_a_matter_until_it_is_met() -> None:
    shop = Shop()
    expectation = shop.calls.expectation("createCustomer", body__name="Jane")
    assert not expectation.met(shop.calls)
    assert verdict(shop.calls, expectations=[expectation]) == (
        "createCustomer was not called\n  expected: body/name 'Jane'\n  there was no request to shop",
    )
    shop.create({"name": "Jane"})
    assert expectation.met(shop.calls)
    assert verdict(shop.calls, expectations=[expectation]) == ()


@pytest.mark.parametrize(("times", "met"), [(None, True), (0, False), (1, False), (2, True), (3, False)])
def test_an_expected_number_is_exact(times: int | None, met: bool) -> None:
    shop = Shop()
    shop.send("GET", "/search")
    shop.send("GET", "/search")
    expectation = shop.calls.expectation("search", times=times)
    assert expectation.met(shop.calls) is met
    assert bool(expectation.told(shop.calls)) is not met


def test_what_must_not_be_called_is_met_while_it_is_not() -> None:
    calls: Calls = Shop().calls
    assert verdict(calls, expectations=[calls.expectation("search", times=0)]) == ()
