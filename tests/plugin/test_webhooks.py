"""``api.webhooks``: what a double sends, captured and answered."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.receiving.receiver import receiving
from contracts.testing.hooks.mailbox import is_below, mailbox_of
from mock_server import ConfigurationError
from mock_server.openapi import jsontext
from mock_server.openapi.values import Json
from tests.plugin.shop import HMAC, HOOK, Bench
from tests.unit.webhooks.shop import OTHER, SECRET, description

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@pytest.fixture
def bench() -> Bench:
    return Bench()


# Reading


def test_delivery_tells_what_was_sent_and_how_it_was_answered(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK, secret=SECRET)
    order = bench.order()
    (delivery,) = bench.webhooks
    assert (delivery.type, delivery.url, delivery.state, delivery.reason) == ("order.created", HOOK, "delivered", "")
    assert delivery.json == {"id": delivery.event_id, "type": "order.created", "data": order}
    assert jsontext.loads(delivery.body) == delivery.json
    assert delivery.headers["x-event"] == "order.created"
    assert delivery.headers["webhook-id"] == delivery.event_id
    assert [(attempt.status, attempt.error) for attempt in delivery.attempts] == [(200, "")]


def test_looking_delivers_what_is_due_and_nothing_before(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.order()
    assert bench.universe.outbox.is_open
    assert len(bench.webhooks) == 1
    assert not bench.universe.outbox.is_open


def test_deliver_gives_what_was_tried_just_now(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.order("table")
    assert [each.json["data"]["item"] for each in bench.webhooks.deliver()] == ["table"]
    bench.order("chair")
    assert [each.json["data"]["item"] for each in bench.webhooks.deliver()] == ["chair"]
    assert bench.webhooks.deliver() == ()
    assert len(bench.webhooks) == 2


def test_webhooks_are_a_sequence_oldest_first(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    for item in ("a", "b", "c"):
        bench.order(item)
    assert bench.webhooks[0].json["data"]["item"] == "a"
    assert bench.webhooks[-1].json["data"]["item"] == "c"
    assert [each.json["data"]["item"] for each in bench.webhooks[1:]] == ["b", "c"]
    assert bench.webhooks[0] in bench.webhooks
    assert repr(bench.webhooks) == "<Webhooks of shop: 3 deliveries>"


def test_missing_delivery_says_that_nobody_is_subscribed(bench: Bench) -> None:
    with pytest.raises(IndexError, match="there is no webhook 0: no event has happened"):
        bench.webhooks[0]
    bench.order()
    with pytest.raises(IndexError, match="1 event has happened, and nobody was subscribed"):
        bench.webhooks[0]
    bench.webhooks.subscribe(HOOK)
    bench.order()
    with pytest.raises(IndexError, match="there is no webhook 1: there is 1"):
        bench.webhooks[1]


def test_looking_at_it_in_a_failure_delivers_nothing(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.order()
    assert repr(bench.webhooks) == "<Webhooks of shop: 1 delivery>"
    assert bench.universe.outbox.is_open


def test_deliveries_of_other_tests_are_not_shown(bench: Bench) -> None:
    other, theirs = bench.test("t2")
    for webhooks in (bench.webhooks, theirs):
        webhooks.subscribe(HOOK)
    bench.order("mine")
    bench.order("theirs", other)
    assert [each.json["data"]["item"] for each in bench.webhooks] == ["mine"]
    assert [each.json["data"]["item"] for each in theirs] == ["theirs"]
    assert [each.headers["x-event"] for each in theirs] == ["order.created"]


def test_tests_in_threads_get_their_own_messages(bench: Bench) -> None:
    found: dict[int, list[str]] = {}
    begin = threading.Barrier(6)

    def run(number: int) -> None:
        universe, webhooks = bench.test(f"thread-{number}")
        webhooks.subscribe(HOOK)
        webhooks.answer(HOOK, status=200 + number)
        begin.wait(10)
        for _ in range(10):
            bench.order(f"item {number}", universe)
        found[number] = [f"{each.json['data']['item']} {each.attempts[0].status}" for each in webhooks]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {number: [f"item {number} {200 + number}"] * 10 for number in range(6)}


def test_reset_forgets_deliveries_subscribers_and_answers(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.answer(HOOK, status=500)
    bench.order()
    assert bench.webhooks[0].state == "pending"
    bench.universe.reset()
    assert len(bench.webhooks) == 0
    bench.webhooks.subscribe(HOOK)
    bench.order()
    assert bench.webhooks[0].state == "delivered"


def test_what_has_no_mailbox_goes_nowhere(bench: Bench) -> None:
    universe = bench.sandbox.universes.get("bare")
    universe.outbox.add_target("http://127.0.0.1:9/in")
    bench.order(universe=universe)
    (delivery,) = bench.sandbox.deliver_due(universe)
    assert [attempt.status for attempt in delivery.attempts] == [200]


# Signatures


def test_signature_is_checked_by_standard_webhooks(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK, secret=SECRET)
    bench.order()
    delivery = bench.webhooks[0]
    assert delivery.verified(SECRET)
    delivery.assert_verified(SECRET)
    assert not delivery.verified(OTHER)
    with pytest.raises(AssertionError, match="header webhook-signature does not verify") as failure:
        delivery.assert_verified(OTHER)
    assert "order.created to http://app.test/in is not signed with this secret" in str(failure.value)


def test_signature_is_checked_by_the_apis_own_hmac() -> None:
    bench = Bench(description(signature=HMAC))
    bench.webhooks.subscribe(HOOK, secret="s3cret")
    bench.order()
    delivery = bench.webhooks[0]
    assert re.fullmatch("sha256=[0-9a-f]{64}", delivery.headers["x-signature"])
    assert delivery.verified("s3cret")
    assert not delivery.verified("another")


@pytest.mark.parametrize("signature", [{"scheme": "standard-webhooks"}, HMAC])
def test_unsigned_delivery_is_not_verified(signature: Json) -> None:
    bench = Bench(description(signature=signature))
    bench.webhooks.subscribe(HOOK)
    bench.order()
    assert not bench.webhooks[0].verified(SECRET)


def test_delivery_that_was_not_sent_is_not_verified(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK, secret=SECRET)
    bench.order()
    (queued,) = bench.webhooks._listed()
    assert not queued.verified(SECRET)
    assert queued.json["data"]["item"] == "table"
    with pytest.raises(AssertionError, match="it was not sent yet"):
        queued.assert_verified(SECRET)


def test_secret_that_cannot_sign_is_refused_at_once(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="cannot sign by Standard Webhooks"):
        bench.webhooks.subscribe(HOOK, secret="not base64!")
    assert bench.universe.outbox.targets == ()


def test_secrets_are_not_shown(bench: Bench) -> None:
    target = bench.webhooks.subscribe(HOOK, secret=SECRET)
    bench.order()
    assert SECRET not in repr(target) + repr(bench.webhooks[0]) + str(bench.webhooks[0])


# Subscribers


def test_subscriber_gets_the_events_that_it_named(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK, events=["order.changed"])
    bench.order()
    assert len(bench.webhooks) == 0
    assert [event.type for event in bench.webhooks.events] == ["order.created"]


@pytest.mark.parametrize("url", ["app.test/in", "ftp://app.test", "http://", "http://[", ""])
def test_subscriber_has_a_url(bench: Bench, url: str) -> None:
    with pytest.raises(ConfigurationError, match="webhooks go to a URL"):
        bench.webhooks.subscribe(url)


def test_events_are_a_list(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="a list of types") as failure:
        bench.webhooks.subscribe(HOOK, events="order.created")
    assert failure.value.hint == 'events=["order.created"]'


def test_events_tell_of_what_nobody_was_subscribed_to(bench: Bench) -> None:
    order = bench.order()
    bench.webhooks.subscribe(HOOK)
    bench.order("chair")
    first, second = bench.webhooks.events
    assert (first.type, first.resource, first.key, first.urls) == ("order.created", "orders", order["id"], ())
    assert first.json["data"] == order
    assert first.violations == ()
    assert second.urls == (HOOK,)


# Receivers


def test_receiver_that_fails_gets_the_event_again_by_the_clock(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.answer(HOOK, status=503, times=2)
    bench.order()
    assert [attempt.status for attempt in bench.webhooks[0].attempts] == [503]
    bench.clock.advance("PT5S")
    bench.clock.advance("PT5M")
    delivery = bench.webhooks[0]
    assert [attempt.status for attempt in delivery.attempts] == [503, 503, 200]
    assert [message.headers["x-attempt"] for message in delivery.messages] == ["1", "2", "3"]
    assert delivery.headers["x-attempt"] == "3"
    assert delivery.delivered


def test_receiver_that_always_fails_is_given_up(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.answer(HOOK, status=500)
    bench.order()
    bench.clock.advance("P1D")
    delivery = bench.webhooks[0]
    assert (delivery.state, len(delivery.attempts)) == ("failed", 3)
    assert str(delivery) == (
        f"order.created to {HOOK}: failed (500, 500, 500): the receiver answered 500, and there are no more retries"
    )


def test_receiver_may_give_no_answer(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.answer(HOOK, status=None, times=1)
    bench.order()
    (attempt,) = bench.webhooks[0].attempts
    assert (attempt.status, attempt.error) == (None, "no answer within 2 s")


def test_receiver_may_ask_to_wait(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.answer(HOOK, status=503, times=1, retry_after="60")
    bench.order()
    bench.clock.advance("PT59S")
    assert [attempt.status for attempt in bench.webhooks[0].attempts] == [503]
    bench.clock.advance("PT1S")
    first, second = (attempt.time for attempt in bench.webhooks[0].attempts)
    assert second - first == timedelta(seconds=60)


def test_receiver_that_was_told_last_answers_first(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.answer("http://app.test", status=202)
    bench.webhooks.answer(HOOK, status=204, times=1)
    bench.order("a")
    bench.order("b")
    assert [each.attempts[0].status for each in bench.webhooks] == [204, 202]


def test_other_urls_are_answered_with_200(bench: Bench) -> None:
    bench.webhooks.subscribe("http://app.test.example/in")
    bench.webhooks.answer("http://app.test", status=500)
    bench.order()
    assert bench.webhooks[0].delivered


@pytest.mark.parametrize(
    ("url", "prefix", "below"),
    [
        ("http://a.test/in", "http://a.test", True),
        ("http://a.test/in?x=1", "http://a.test/in", True),
        ("http://a.test/in", "http://a.test/in", True),
        ("http://a.test/in/2", "http://a.test/in/", True),
        ("http://a.test/inner", "http://a.test/in", False),
        ("http://a.test.example/", "http://a.test", False),
        ("http://b.test/", "http://a.test", False),
    ],
)
def test_prefix_ends_where_a_part_of_the_url_ends(url: str, prefix: str, below: bool) -> None:
    assert is_below(url, prefix) is below


class Inbox:
    """A receiver as a WSGI application."""

    def __init__(self, status: str = "204 No Content") -> None:
        self.status = status
        self.got: list[tuple[str, str, bytes]] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.got.append((environ["HTTP_HOST"] + environ["PATH_INFO"], environ["HTTP_X_EVENT"], body))
        start_response(self.status, [])
        return [b""]


def test_deliveries_go_into_a_wsgi_application(bench: Bench) -> None:
    inbox = Inbox()
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.deliver_to("http://app.test", inbox)
    bench.order()
    delivery = bench.webhooks[0]
    assert inbox.got == [("app.test/in", "order.created", delivery.body)]
    assert [attempt.status for attempt in delivery.attempts] == [204]


def test_application_that_refuses_gets_the_event_again(bench: Bench) -> None:
    inbox = Inbox("500 Oops")
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.deliver_to("http://app.test", inbox)
    bench.order()
    assert bench.webhooks[0].state == "pending"
    inbox.status = "200 OK"
    bench.clock.advance("PT5S")
    assert len(inbox.got) == 2
    assert bench.webhooks[0].delivered


def test_application_that_raises_is_a_500_and_is_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def broken(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise ValueError("no such order")

    bench.webhooks.subscribe(HOOK)
    bench.webhooks.deliver_to(HOOK, broken)
    bench.order()
    with caplog.at_level(logging.ERROR, logger="apidouble"):
        (attempt,) = bench.webhooks[0].attempts
    assert (attempt.status, attempt.error) == (500, "the receiver raised ValueError: no such order")
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_application_may_call_the_api_while_it_receives(bench: Bench) -> None:
    def reorders(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if bench.universe.state.counter("shop/orders#made") < 3:
            bench.order("again")
        len(bench.webhooks)
        start_response("200 OK", [])
        return [b""]

    bench.webhooks.subscribe(HOOK)
    bench.webhooks.deliver_to(HOOK, reorders)
    bench.order()
    assert [each.json["data"]["item"] for each in bench.webhooks] == ["table", "again", "again"]
    assert all(each.delivered for each in bench.webhooks)


def test_deliveries_go_over_loopback_when_asked_to(bench: Bench) -> None:
    with receiving() as receiver:
        path = receiver.fresh()
        bench.webhooks.subscribe(receiver.url + path)
        bench.webhooks.subscribe("http://app.test/in")
        bench.webhooks.deliver_to(receiver.url, "network")
        bench.order()
        assert [each.attempts[0].status for each in bench.webhooks] == [204, 200]
        assert [got.body for got in receiver.got(path)] == [bench.webhooks[0].body]


def test_other_machines_are_not_delivered_to(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="delivers to this machine only"):
        bench.webhooks.deliver_to("https://example.com/hooks", "network")


def test_receiver_is_an_application_or_the_network(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="into a WSGI application or over the network"):
        bench.webhooks.deliver_to(HOOK, "netwrok")  # type: ignore[arg-type]  # the mistake that is told of


@pytest.mark.parametrize(("status", "times"), [(42, None), (500, 0)])
def test_receiver_cannot_answer_what_is_no_answer(bench: Bench, status: int, times: int | None) -> None:
    with pytest.raises(ConfigurationError):
        bench.webhooks.answer(HOOK, status=status, times=times)
    assert mailbox_of(bench.universe).receivers == ()


def test_answers_that_nothing_came_for_are_told(bench: Bench) -> None:
    bench.webhooks.subscribe(HOOK)
    bench.webhooks.answer(HOOK, status=500, times=2)
    bench.webhooks.answer("http://other.test", status=500)  # whenever something should come
    bench.order()
    assert bench.webhooks.missed() == (
        "api.webhooks.answer('http://app.test/in', status=500, times=2): 1 of 2 deliveries came",
    )
    bench.clock.advance("PT5S")
    assert bench.webhooks.missed() == ()
