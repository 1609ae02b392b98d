"""Recording: what reaches the real service, what comes back, and what is kept of it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask, Response, request

from contracts.service import Unreachable
from contracts.testing.recording.realservice import credential_of
from contracts.testing.recording.recorder import NotWhileRecording, Recorder, real_service
from contracts.testing.traffic.calls import Calls
from contracts.testing.traffic.verdict import verdict
from contracts.wire import WireRequest, received
from mock_server.errors import ConfigurationError
from tests.planted_bugs.bakery import create_app
from tests.planted_bugs.serving import listening
from tests.plugin.recorded import Client, recorder_of, sandbox, universe

REAL = "real_token_9d2f71c4"
NORTH = "bakery_north_readwrite"


def echo() -> Flask:
    """A service that answers what it has received, as JSON."""
    app = Flask("echo")

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @app.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def answered(path: str) -> Response:
        shown = {
            "raw": request.environ["REQUEST_URI"],
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": request.get_data(as_text=True),
        }
        response = Response(json.dumps(shown), status=200, content_type="application/json")
        response.headers["Location"] = request.url_root + path.removesuffix("/") + "/new"
        response.headers["Keep-Alive"] = "timeout=5"
        return response

    return app


@contextmanager
def echoing(**given: Any) -> Iterator[Recorder]:
    """A recorder before the service that answers what it has received."""
    with listening(echo()) as url:
        yield recorder_of("bakery", url, universe=universe("bakery", "echo"), **given)


def client(recorder: Recorder, *, credential: str | None = "north") -> Client:
    return Client(recorder.served, recorder, credential=credential)


# Violations


def test_what_violates_the_description_fails_the_test_whoever_answers_it() -> None:
    with echoing() as recorder:
        client(recorder)("GET", "/customers")
        assert verdict(Calls(recorder.served, recorder.universe)) == ()
        client(recorder)("POST", "/customers", {"nmae": "Jane"})
        client(recorder)("GET", "/custmers")
        invalid, unknown = verdict(Calls(recorder.served, recorder.universe))
    assert "violates the description" in invalid
    assert "is not described" in unknown
    assert "GET /custmers" in unknown


# Credentials


def test_the_given_header_replaces_the_credential_of_the_double() -> None:
    with echoing(headers=["Authorization: Bearer ${TOKEN}"], environ={"TOKEN": REAL}) as recorder:
        _, shown = client(recorder)("GET", "/customers")
    assert shown["headers"]["authorization"] == f"Bearer {REAL}"
    assert NORTH not in json.dumps(shown)


def test_each_credential_of_the_double_may_have_one_of_its_own() -> None:
    credentials = ["north=Authorization: Bearer real-north", "south=Authorization: Bearer real-south"]
    with echoing(credentials=credentials) as recorder:
        sent = [client(recorder, credential=name)("GET", "/customers")[1] for name in ("north", "south")]
    assert [shown["headers"]["authorization"] for shown in sent] == ["Bearer real-north", "Bearer real-south"]
    assert [taken.credential for taken in recorder.exchanges] == ["north", "south"]


def test_a_header_that_is_no_credential_goes_with_every_request() -> None:
    with echoing(headers=["X-Workspace: 7", "Authorization: Bearer real"]) as recorder:
        _, shown = client(recorder, credential=None)("GET", "/customers")
    assert shown["headers"]["x-workspace"] == "7"
    assert "authorization" not in shown["headers"]


def test_a_wrong_credential_goes_out_as_it_is_since_the_test_wants_to_be_refused() -> None:
    with listening(create_app()) as url:
        recorder = recorder_of("bakery", url, universe=universe("bakery", "wrong"),
                               headers=[f"Authorization: Bearer {NORTH}"])  # fmt: skip
        send = client(recorder, credential=None)
        assert send("GET", "/customers", headers={"authorization": "Bearer wrong_key_123"})[0] == 401
        assert send("GET", "/customers")[0] == 401
        assert client(recorder)("GET", "/customers")[0] == 200


def test_what_the_service_has_handed_out_goes_out_as_it_is() -> None:
    with echoing(headers=["Authorization: Bearer real"]) as recorder:
        send = client(recorder, credential=None)
        send("POST", "/customers", {"name": "tok_given_by_the_service"})
        _, shown = send("GET", "/customers", headers={"authorization": "Bearer tok_given_by_the_service"})
    assert shown["headers"]["authorization"] == "Bearer tok_given_by_the_service"


def test_a_credential_without_a_real_one_is_a_reason_to_skip() -> None:
    with echoing(credentials=["north=Authorization: Bearer real-north"]) as recorder:
        with pytest.raises(NotWhileRecording, match="'south', and no real one was given") as caught:
            client(recorder, credential="south")("GET", "/customers")
        assert recorder.failure is caught.value
    assert "--mock-api-record-credential 'south=Authorization: Bearer ${TOKEN}'" in str(caught.value)
    assert recorder.exchanges == ()


def test_an_expired_credential_is_not_played_with_a_valid_one() -> None:
    with echoing(headers=["Authorization: Bearer real"]) as recorder, pytest.raises(NotWhileRecording):
        client(recorder, credential="north-expired")("GET", "/customers")


def test_the_journal_and_what_is_kept_have_no_real_credential() -> None:
    with echoing(headers=[f"Authorization: Bearer {REAL}"]) as recorder:
        client(recorder)("GET", "/customers")
    (entry,), (taken,) = list(recorder.universe.journal), recorder.exchanges
    assert REAL not in repr(entry.request)
    assert REAL not in repr(taken.request)
    assert REAL in recorder.service.secrets


def test_a_credential_that_the_double_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'north'"):
        real_service(sandbox("bakery").api("bakery"), "https://x.example", credentials=["nort=Authorization: Bearer x"])


def test_a_credential_may_name_its_api_where_several_are_recorded() -> None:
    given = ["bakery/north=Authorization: Bearer a", "kirimdev/platform=Authorization: Bearer b"]
    service = real_service(sandbox("bakery").api("bakery"), "https://x.example", credentials=given)
    assert service.named == {"north": {"Authorization": "Bearer a"}}


def test_a_finding_does_not_show_the_credential_that_the_service_repeats() -> None:
    with echoing(headers=[f"Authorization: Bearer {REAL}"]) as recorder:
        client(recorder)("GET", "/customers")
    (finding,) = recorder.findings
    shown = finding.sentence + repr([(one.got, one.message) for one in finding.differences])
    assert "(redacted)" in shown
    assert REAL not in shown


def test_a_credential_without_a_name_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        credential_of("Authorization: Bearer hush-hush", {})
    assert "hush" not in str(caught.value)


# The wire


def test_paths_queries_and_bodies_go_out_as_they_were_written() -> None:
    with echoing() as recorder:
        sent = WireRequest("POST", "/customers/a%2Fb?x=%7E&y=a+b", {"content-type": "text/plain"}, "größer".encode())
        shown = json.loads(recorder(received(sent)).body)
    assert shown["raw"] == "/customers/a%2Fb?x=%7E&y=a+b"
    assert shown["body"] == "größer"


def test_what_is_between_two_hops_stays_there() -> None:
    with echoing() as recorder:
        headers = {
            "connection": "x-mine",
            "te": "trailers",
            "accept-encoding": "br",
            "x-mine": "1",
            "host": "double.test",
        }
        response = recorder(received(WireRequest("GET", "/customers", headers, b"")))
    shown = json.loads(response.body)["headers"]
    assert shown["x-mine"] == "1"
    assert shown["accept-encoding"] == "identity"
    assert "te" not in shown
    assert shown["host"].startswith("127.0.0.1:")
    told = {name.lower() for name, _ in response.headers}
    assert told.isdisjoint({"keep-alive", "connection", "transfer-encoding", "content-length"})


def test_a_place_on_the_service_becomes_one_on_the_double() -> None:
    with echoing() as recorder:
        response = recorder(received(WireRequest("POST", "/customers", {}, b""), url="http://bakery.test"))
    assert dict(response.headers)["Location"] == "http://bakery.test/customers/new"


@pytest.mark.parametrize(
    ("suffix", "path", "expected"),
    [
        ("", "/products", "/v1/products"),
        ("", "/v1/products", "/v1/products"),
        ("/", "/v1/products", "/products"),
        ("/", "/products", "/products"),
        ("/shop/v2", "/v1/products", "/shop/v2/products"),
        ("/shop/v2/", "/products?q=1", "/shop/v2/products?q=1"),
    ],
)
def test_the_base_path_of_the_url_takes_the_place_of_the_described_one(suffix: str, path: str, expected: str) -> None:
    with listening(echo()) as url:
        recorder = recorder_of("shop", url + suffix, universe=universe("shop", "base"))
        response = recorder(received(WireRequest("GET", path, {}, b""), url="http://shop.test"))
    assert json.loads(response.body)["raw"] == expected
    assert recorder.exchanges[0].path == "/products"
    base = "/v1" if path.startswith("/v1") else ""
    assert dict(response.headers)["Location"] == f"http://shop.test{base}/products/new"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://api.example.com", "in the clear"),
        ("http://10.0.0.7:8080/v1", "in the clear"),
        ("ftp://api.example.com", "no URL of a service"),
        ("api.example.com", "no URL of a service"),
        ("https://me:hush@api.example.com", "and nothing else"),
        ("https://api.example.com/?key=hush", "and nothing else"),
        ("https://api.example.com:port", "no URL of a service"),
    ],
)
def test_a_url_that_would_tell_secrets_or_leads_nowhere_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        real_service(sandbox("bakery").api("bakery"), url)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "http://api.localhost:1"]
)
def test_this_machine_may_be_spoken_to_in_the_clear(url: str) -> None:
    assert real_service(sandbox("bakery").api("bakery"), url).bare


def test_a_service_that_is_not_there_is_told_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    served = sandbox("bakery").api("bakery")
    service = real_service(served, f"http://127.0.0.1:{port}")
    first, second = (Recorder(service, served, universe("bakery", name)) for name in ("one", "two"))
    with pytest.raises(Unreachable, match="gives no answer"):
        client(first)("GET", "/customers")
    with pytest.raises(NotWhileRecording, match="could not be reached"):
        client(second)("GET", "/customers")
    assert isinstance(first.failure, Unreachable)


# What is kept


def test_the_journal_has_the_exchange_as_it_has_one_with_the_double() -> None:
    with listening(create_app()) as url:
        recorder = recorder_of("bakery", url, universe=universe("bakery", "journal"))
        status, customer = client(recorder)("POST", "/customers", {"name": "Jane", "email": "jane@example.com"})
    assert status == 201
    (entry,) = recorder.universe.journal
    assert (entry.trace.operation_id, entry.trace.principal, entry.api) == ("createCustomer", "north", "bakery")
    assert json.loads(entry.response.body) == customer
    assert entry.trace.violations == ()
    assert entry.as_json()["request"]["headers"]["authorization"] == "(redacted)"


def test_a_request_that_breaks_the_description_is_noted_as_the_line_does() -> None:
    sent = {"name": 7}
    with listening(create_app()) as url:
        recorder = recorder_of("bakery", url, universe=universe("bakery", "broken"))
        assert client(recorder)("POST", "/customers", sent)[0] == 422
    within = universe("bakery", "broken-double")
    Client(recorder.served, lambda request: recorder.served.line.answer(request, within), credential="north")(
        "POST", "/customers", sent
    )
    (noted,), (expected,) = list(recorder.universe.journal), list(within.journal)
    assert noted.trace.violations == expected.trace.violations != ()


def test_a_path_that_nobody_describes_goes_out_all_the_same() -> None:
    with echoing() as recorder:
        client(recorder)("GET", "/nowhere/at/all")
    assert [taken.operation_id for taken in recorder.exchanges] == [None]
    assert recorder.findings == ()


def test_a_correct_service_has_no_findings() -> None:
    with listening(create_app()) as url:
        recorder = recorder_of("bakery", url, universe=universe("bakery", "correct"))
        send = client(recorder)
        _, customer = send("POST", "/customers", {"name": "Jane", "email": "jane@example.com"})
        send("GET", f"/customers/{customer['id']}")
        send("GET", "/customers")
        send("GET", "/customers/nobody")
    assert recorder.findings == ()


def test_a_reply_that_breaks_the_description_is_a_finding_told_once() -> None:
    with echoing() as recorder:
        send = client(recorder)
        send("GET", "/customers")
        send("GET", "/customers")
    (finding,) = recorder.findings
    assert (finding.check, finding.operation_id) == ("reply_schema", "listCustomers")
    assert "not as described" in finding.sentence


def test_threads_may_record_at_once() -> None:
    with listening(create_app()) as url:
        recorder = recorder_of("bakery", url, universe=universe("bakery", "threads"))
        send = client(recorder)
        with ThreadPoolExecutor(4) as threads:
            made = list(threads.map(
                lambda n: send("POST", "/customers", {"name": f"No {n}", "email": f"n{n}@example.com"})[0], range(12)
            ))  # fmt: skip
    assert made == [201] * 12
    assert len(recorder.exchanges) == 12
    assert len({taken.number for taken in recorder.exchanges}) == 12
    assert len({entry.id for entry in recorder.universe.journal}) == 12
