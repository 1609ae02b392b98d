"""The courier's threads, with a sender of our own in place of the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from mock_server import Options, Sandbox, compile_api
from mock_server.exchange.messages import RawRequest
from mock_server.openapi import jsontext
from mock_server.openapi.values import Json
from mock_server.webhooks.message import Message
from mock_server.webhooks.options import WebhookOptions
from mock_server.webhooks.queueing import Webhooks
from mock_server.webhooks.retrying import Reply
from tests.unit.webhooks.shop import NOW, Shop, description

SOON = 10.0


class Inbox:
    """Keeps messages; lets a test wait for them."""

    def __init__(self, *replies: Reply) -> None:
        self.messages: list[Message] = []
        self.threads: set[str] = set()
        self._replies = list(replies)
        self._changed = threading.Condition()

    def __call__(self, message: Message) -> Reply:
        with self._changed:
            self.messages.append(message)
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()
            return self._replies.pop(0) if self._replies else Reply(204)

    def got(self, number: int) -> list[Json]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages) >= number, SOON)
            return [jsontext.loads(message.body) for message in self.messages]


@contextmanager
def running(inbox: Inbox, document: Json | None = None) -> Iterator[Sandbox]:
    api = compile_api(document if document is not None else description(), name="shop")
    webhooks = WebhookOptions(targets=("http://localhost:9/all",), send=inbox)
    sandbox = Sandbox([api], options=Options(webhooks=webhooks))
    try:
        yield sandbox
    finally:
        sandbox.close()


def order(sandbox: Sandbox, item: str = "table", session: str = "default") -> None:
    headers = {"content-type": "application/json"}
    request = RawRequest("POST", "/orders", "", headers, jsontext.dumps({"item": item}), "http://shop.test")
    assert sandbox.api("shop").line.answer(request, sandbox.universes.get(session)).status == 201


def working() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "apidouble-webhooks"}


def test_sandbox_without_deliveries_has_no_thread() -> None:
    before = working()
    with running(Inbox()):
        assert working() <= before


def test_events_are_delivered_by_themselves_and_the_threads_end() -> None:
    inbox, before = Inbox(), working()
    with running(inbox) as sandbox:
        for number in range(20):
            order(sandbox, str(number))
        assert [payload["data"]["item"] for payload in inbox.got(20)] == [str(number) for number in range(20)]
        assert inbox.threads == {"apidouble-webhooks"}
        for thread in working() - before:
            thread.join(SOON)
        assert working() <= before


def test_every_universe_is_delivered_for() -> None:
    inbox = Inbox()
    with running(inbox) as sandbox:
        for name in ("a", "b", "c"):
            order(sandbox, name, session=name)
        assert {payload["data"]["item"] for payload in inbox.got(3)} == {"a", "b", "c"}


def test_clock_that_is_moved_makes_retries_due() -> None:
    inbox = Inbox(Reply(500))
    with running(inbox) as sandbox:
        order(sandbox)
        inbox.got(1)
        here = sandbox.universes.default
        here.clock = here.clock.advanced(timedelta(hours=1))
        here.watch(here)
        inbox.got(2)


def test_closed_sandbox_delivers_nothing_until_it_is_started_again() -> None:
    inbox = Inbox()
    with running(inbox) as sandbox:
        sandbox.close()
        order(sandbox)
        assert inbox.messages == []
        sandbox.courier.start()
        inbox.got(1)


def test_sender_that_fails_fails_the_delivery_only() -> None:
    def broken(message: Message) -> Reply:
        raise RuntimeError("oops")

    webhooks = WebhookOptions(targets=("http://localhost:9/all",), send=broken, background=False)
    sandbox = Sandbox([compile_api(description(), name="shop")], options=Options(webhooks=webhooks))
    order(sandbox)
    (delivery,) = sandbox.deliver_due()
    assert delivery.reason.startswith("apidouble failed: RuntimeError")


def test_dropped_universe_sends_nothing_more() -> None:
    shop = Shop(targets=("http://localhost:9/all",))
    other = shop.sandbox.universes.get("other")
    shop.universe = other
    shop.made("/orders", {"item": "table"})
    shop.sandbox.universes.drop("other")
    assert shop.sandbox.deliver_due(other) == ()


def test_timed_transition_is_told_though_nobody_looks() -> None:
    document = description()
    document["x-mock-resources"]["orders"]["states"] = {
        "property": "status",
        "initial": "new",
        "transitions": {"send": {"from": ["new"], "to": "sent", "after": "PT0.05S"}},
    }
    inbox = Inbox()
    with running(inbox, document) as sandbox:
        order(sandbox)
        assert [payload["type"] for payload in inbox.got(2)] == ["order.created", "order.changed"]


def test_wait_counts_from_the_beginning_of_the_attempt() -> None:
    def slow(message: Message) -> Reply:
        here = sandbox.universes.default
        here.clock = here.clock.advanced(timedelta(seconds=5))  # meanwhile, elsewhere
        return Reply(500)

    webhooks = WebhookOptions(targets=("http://localhost:9/all",), send=slow, background=False)
    settings = Options(clock=lambda: NOW, webhooks=webhooks)
    sandbox = Sandbox([compile_api(description(retries=["PT5S"]), name="shop")], options=settings)
    order(sandbox)
    assert len(sandbox.deliver_due()) == 2


def test_a_failure_while_queueing_undoes_nothing_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop()
    shop.subscribe()

    def broken(*_: object, **__: object) -> None:
        raise ValueError("no such luck")

    monkeypatch.setattr(Webhooks, "deliveries", broken)
    order = shop.made("/orders", {"item": "tea"})
    assert shop.call("GET", f"/orders/{order['id']}").status == 200
    assert shop.deliver() == []
    assert "while queueing evt_" in caplog.text
