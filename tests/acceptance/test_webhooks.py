"""Webhooks over HTTP: a live double that delivers to a live receiver."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mock_server import MockServer, Options, compile_api
from mock_server.openapi.values import Json
from mock_server.webhooks.options import WebhookOptions
from tests.acceptance.receiver import SOON, Receiver, receiving
from tests.acceptance.test_serving import serving
from tests.unit.webhooks.shop import OTHER, SECRET, description


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def shared() -> Iterator[MockServer]:
    with MockServer(compile_api(description(), name="shop")) as server:
        yield server


@pytest.fixture
def shop(shared: MockServer) -> MockServer:
    control(shared, "POST", "/reset")
    return shared


def send(server: MockServer, method: str, path: str, value: Json = None) -> Any:
    response = requests.request(method, server.url + path, json=value, timeout=SOON)
    assert response.status_code < 300, response.text
    return response.json() if response.content else None


def control(server: MockServer, method: str, path: str, value: Json = None) -> Any:
    return send(server, method, f"/__mock__{path}", value)


def subscribe(server: MockServer, receiver: Receiver, **more: Json) -> Any:
    hook = {"url": f"{receiver.url}/in", "events": ["*"], "secret": SECRET, "status": "active", **more}
    return send(server, "POST", "/hooks", hook)


def order(server: MockServer, item: str = "table") -> Any:
    return send(server, "POST", "/orders", {"item": item})


def deliveries(server: MockServer, query: str = "") -> Any:
    return control(server, "GET", f"/webhooks/deliveries{query}")["deliveries"]


def once(server: MockServer, condition: Callable[[Any], Any], query: str = "") -> Any:
    """The deliveries as soon as a condition holds for them: what the receiver got is noted a moment later."""
    for _ in range(1000):
        found = deliveries(server, query)
        if condition(found):
            return found
    raise AssertionError(deliveries(server))


def settled(server: MockServer, number: int, state: str) -> Any:
    """The deliveries in a state, once there are so many."""
    return once(server, lambda found: len(found) >= number, f"?state={state}")


def test_event_arrives_signed(shop: MockServer, receiver: Receiver) -> None:
    subscribe(shop, receiver)
    made = order(shop)
    (got,) = receiver.got(1)
    assert got.path == "/in"
    assert got.json == {"id": got.headers["webhook-id"], "type": "order.created", "data": made}
    assert got.is_signed_by(SECRET)
    assert not got.is_signed_by(OTHER)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["host"] == receiver.url.removeprefix("http://")
    assert (got.headers["x-event"], got.headers["x-attempt"]) == ("order.created", "1")
    (delivery,) = settled(shop, 1, "delivered")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [204]


def test_refused_delivery_is_tried_again_when_its_time_has_come(shop: MockServer, receiver: Receiver) -> None:
    receiver.answers = [(500, {}), (500, {})]
    subscribe(shop, receiver)
    control(shop, "POST", "/clock", {"freeze": True})
    order(shop)
    receiver.got(1)
    control(shop, "POST", "/clock", {"advance": "PT5S"})
    receiver.got(2)
    control(shop, "POST", "/clock", {"advance": "PT5M"})
    got = receiver.got(3)
    assert {each.headers["webhook-id"] for each in got} == {got[0].headers["webhook-id"]}
    assert all(each.is_signed_by(SECRET) for each in got)
    assert [each.headers["x-attempt"] for each in got] == ["1", "2", "3"]
    (delivery,) = settled(shop, 1, "delivered")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 500, 204]


def test_retry_after_is_respected(shop: MockServer, receiver: Receiver) -> None:
    receiver.answers = [(503, {"Retry-After": "60"})]
    subscribe(shop, receiver)
    control(shop, "POST", "/clock", {"freeze": "2026-05-01T12:00:00Z"})
    order(shop)
    receiver.got(1)
    control(shop, "POST", "/clock", {"advance": "PT30S"})
    (pending,) = once(shop, lambda found: found[0]["attempts"])
    assert pending["due"] == "2026-05-01T12:01:00Z"
    control(shop, "POST", "/clock", {"advance": "PT30S"})
    receiver.got(2)


def test_delivery_is_given_up_after_the_last_retry(shop: MockServer, receiver: Receiver) -> None:
    receiver.answers = [(500, {})] * 3
    subscribe(shop, receiver)
    control(shop, "POST", "/clock", {"freeze": True})
    order(shop)
    for number in (1, 2, 3):
        receiver.got(number)
        control(shop, "POST", "/clock", {"advance": "PT1H"})
    (failed,) = settled(shop, 1, "failed")
    assert failed["reason"] == "the receiver answered 500, and there are no more retries"
    control(shop, "POST", f"/webhooks/deliveries/{failed['id']}/redeliver")
    assert receiver.got(4)[3].headers["webhook-id"] == failed["event"]["id"]


def test_redirect_is_not_followed(shop: MockServer, receiver: Receiver) -> None:
    receiver.answers = [(302, {"Location": f"{receiver.url}/elsewhere"})]
    subscribe(shop, receiver)
    control(shop, "POST", "/clock", {"freeze": True})
    order(shop)
    receiver.got(1)
    control(shop, "POST", "/clock", {"advance": "PT5S"})
    assert [got.path for got in receiver.got(2)] == ["/in", "/in"]


def test_events_of_one_subscription_arrive_in_order(shop: MockServer, receiver: Receiver) -> None:
    receiver.answers = [(500, {})]
    subscribe(shop, receiver)
    control(shop, "POST", "/clock", {"freeze": True})
    made = [order(shop, item) for item in ("table", "chair", "lamp")]
    receiver.got(1)
    control(shop, "POST", "/clock", {"advance": "PT5S"})
    got = receiver.got(4)
    assert [each.json["data"]["item"] for each in got] == ["table", "table", "chair", "lamp"]
    assert [each.json["data"]["id"] for each in got[1:]] == [each["id"] for each in made]


def test_one_subscription_does_not_wait_for_another(shop: MockServer, receiver: Receiver) -> None:
    with receiving() as broken:
        broken.answers = [(500, {})] * 9
        subscribe(shop, broken)
        subscribe(shop, receiver)
        order(shop)
        order(shop)
        assert len(receiver.got(2)) == 2


def test_subscription_gets_the_types_it_lists(shop: MockServer, receiver: Receiver) -> None:
    subscribe(shop, receiver, events=["order.changed"])
    made = order(shop)
    send(shop, "PATCH", f"/orders/{made['id']}", {"status": "sent"})
    assert [got.json["type"] for got in receiver.got(1)] == ["order.changed"]
    assert len(deliveries(shop)) == 1


def test_both_secrets_sign_while_a_rotation_overlaps(shop: MockServer, receiver: Receiver) -> None:
    control(shop, "POST", "/clock", {"freeze": "2026-05-01T12:00:00Z"})
    hook = subscribe(shop, receiver)
    rotated = {"secret": OTHER, "oldSecret": SECRET, "oldUntil": "2026-05-02T12:00:00Z"}
    send(shop, "PATCH", f"/hooks/{hook['id']}", rotated)
    order(shop)
    (during,) = receiver.got(1)
    assert during.is_signed_by(SECRET)
    assert during.is_signed_by(OTHER)
    control(shop, "POST", "/clock", {"advance": "P1D"})
    order(shop)
    after = receiver.got(2)[1]
    assert not after.is_signed_by(SECRET)
    assert after.is_signed_by(OTHER)


def test_paused_subscription_keeps_what_is_queued_and_gets_nothing_new(shop: MockServer, receiver: Receiver) -> None:
    receiver.answers = [(500, {})]
    hook = subscribe(shop, receiver)
    control(shop, "POST", "/clock", {"freeze": True})
    order(shop, "before")
    receiver.got(1)
    send(shop, "PATCH", f"/hooks/{hook['id']}", {"status": "paused"})
    order(shop, "meanwhile")
    control(shop, "POST", "/clock", {"advance": "PT1H"})
    assert [each["payload"]["data"]["item"] for each in settled(shop, 1, "held")] == ["before"]
    assert len(receiver) == 1
    send(shop, "PATCH", f"/hooks/{hook['id']}", {"status": "active"})
    assert [got.json["data"]["item"] for got in receiver.got(2)] == ["before", "before"]


def test_removed_subscription_cancels_what_is_queued(shop: MockServer, receiver: Receiver) -> None:
    receiver.answers = [(500, {})]
    hook = subscribe(shop, receiver)
    control(shop, "POST", "/clock", {"freeze": True})
    order(shop)
    receiver.got(1)
    send(shop, "DELETE", f"/hooks/{hook['id']}")
    (failed,) = settled(shop, 1, "failed")
    assert failed["reason"] == f"cancelled: shop/hooks/{hook['id']} is gone"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example.com/in", "hooks.example.com is not on this machine and not allowed"),
        ("http://169.254.169.254/latest", "169.254.169.254 is not on this machine"),
        ("http://0.0.0.0:1/", "0.0.0.0 is not on this machine"),
        ("ftp://localhost/", "is no http or https URL"),
        ("http://someone:secret@localhost/", "carries no user name and password"),
        ("http://[oops/", "is no"),
        ("", "is no http or https URL"),
    ],
)
def test_target_beyond_this_machine_is_refused(shop: MockServer, url: str, reason: str) -> None:
    send(shop, "POST", "/hooks", {"url": url, "events": ["*"], "status": "active"})
    order(shop)
    (failed,) = settled(shop, 1, "failed")
    assert reason in failed["reason"]
    assert failed["attempts"] == []


def test_connection_that_nobody_takes_is_a_failed_attempt(shop: MockServer, receiver: Receiver) -> None:
    with receiving() as gone:
        pass
    subscribe(shop, gone)
    order(shop)
    (found,) = once(shop, lambda found: found[0]["attempts"])
    assert "refused or unreachable" in found["attempts"][0]["error"]
    assert found["state"] == "pending"


def test_configured_target_gets_events_without_a_subscription(shop: MockServer, receiver: Receiver) -> None:
    target = control(shop, "POST", "/webhooks/targets", {"url": f"{receiver.url}/t", "secret": SECRET})
    order(shop)
    (got,) = receiver.got(1)
    assert got.path == "/t"
    assert got.is_signed_by(SECRET)
    control(shop, "DELETE", f"/webhooks/targets/{target['id']}")
    order(shop)
    assert len(deliveries(shop)) == 1


def test_test_delivery_reaches_its_subscription_alone(shop: MockServer, receiver: Receiver) -> None:
    with receiving() as other:
        hook = subscribe(shop, receiver, events=[])
        subscribe(shop, other)
        send(shop, "POST", f"/hooks/{hook['id']}/test")
        (got,) = receiver.got(1)
        assert got.json == {"hook": hook["id"], "id": got.headers["webhook-id"]}
        assert [each["recipient"] for each in deliveries(shop)] == [f"shop/hooks/{hook['id']}"]


def test_threads_start_with_a_delivery_and_end_with_the_server(receiver: Receiver) -> None:
    others = _threads()
    options = Options(webhooks=WebhookOptions(targets=(receiver.url,)))
    with MockServer(compile_api(description(), name="shop"), options=options) as server:
        assert _threads() <= others
        receiver.answers = [(500, {})]
        order(server)
        receiver.got(1)
        assert _threads() - others
    assert _threads() <= others


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "apidouble-webhooks"}


def test_serve_delivers_to_the_targets_it_is_given(tmp_path: Path, receiver: Receiver) -> None:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(description()))
    with serving(str(file), "--webhook", f"{receiver.url}/all") as served:
        requests.post(f"{served.url}/orders", json={"item": "table"}, timeout=SOON)
        (got,) = receiver.got(1)
        code, said, _ = served.stop(signal.SIGINT)
    assert (got.path, got.json["type"]) == ("/all", "order.created")
    assert (code, "Traceback" in said) == (0, False)


def test_serve_refuses_a_target_that_nothing_would_be_sent_to() -> None:
    command = [sys.executable, "-m", "mock_server", "serve", "--webhook", "http://hooks.example.com/"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "--allow-webhook-host hooks.example.com" in done.stderr
