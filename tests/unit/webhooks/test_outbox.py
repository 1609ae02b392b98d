"""The outbox: order for each recipient, bounds, and what is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mock_server import StateError
from mock_server.model.events import Event
from mock_server.webhooks.delivery import Delivery, Recipient, Standing
from mock_server.webhooks.outbox import Outbox
from mock_server.webhooks.retrying import failed

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def delivery(recipient: str = "a", kind: str = "ping") -> Delivery:
    return Delivery("shop", Event(kind, {}), Recipient(recipient, "http://localhost/"), NOW, NOW)


def as_it_is(found: Delivery) -> Delivery:
    return found


def claimed(outbox: Outbox, now: datetime = NOW) -> Delivery:
    found = outbox.claim(now, as_it_is)
    assert found is not None
    return found


def test_deliveries_to_one_recipient_are_claimed_one_after_the_other() -> None:
    outbox = Outbox()
    outbox.add([delivery(kind="first"), delivery(kind="second")])
    first = claimed(outbox)
    assert outbox.claim(NOW, as_it_is) is None
    outbox.settle(replace(first, standing=Standing.DELIVERED))
    assert claimed(outbox).event.type == "second"


def test_delivery_that_waits_holds_up_those_behind_it() -> None:
    outbox = Outbox()
    outbox.add([delivery(kind="first"), delivery(kind="second")])
    outbox.settle(replace(claimed(outbox), due=NOW + timedelta(minutes=1)))
    assert outbox.claim(NOW, as_it_is) is None
    assert outbox.next_due() == NOW + timedelta(minutes=1)
    assert claimed(outbox, NOW + timedelta(minutes=1)).event.type == "first"


def test_recipients_do_not_wait_for_each_other() -> None:
    outbox = Outbox()
    outbox.add([delivery("a"), delivery("b")])
    assert {claimed(outbox).recipient.id, claimed(outbox).recipient.id} == {"a", "b"}


def test_what_turns_out_to_be_in_vain_is_passed_over() -> None:
    outbox = Outbox()
    outbox.add([delivery(kind="first"), delivery(kind="second")])
    found = outbox.claim(NOW, lambda one: failed(one, "gone") if one.event.type == "first" else one)
    assert found is not None
    assert found.event.type == "second"
    assert [each.standing for each in outbox.listed(as_it_is)] == [Standing.FAILED, Standing.PENDING]


def test_settled_delivery_may_be_had_again_behind_the_others() -> None:
    outbox = Outbox()
    outbox.add([delivery(kind="first"), delivery(kind="second")])
    first = claimed(outbox)
    outbox.settle(failed(first, "no"))
    assert outbox.redeliver(first.id, NOW).standing is Standing.PENDING
    second = claimed(outbox)
    assert second.event.type == "second"
    outbox.settle(replace(second, standing=Standing.DELIVERED))
    assert claimed(outbox).id == first.id


def test_delivery_under_way_is_not_queued_twice() -> None:
    outbox = Outbox()
    outbox.add([delivery()])
    outbox.redeliver(claimed(outbox).id, NOW)
    assert outbox.claim(NOW, as_it_is) is None


def test_unknown_delivery_cannot_be_had_again() -> None:
    with pytest.raises(StateError, match="no delivery 'd9'"):
        Outbox().redeliver("d9", NOW)


def test_settled_deliveries_are_forgotten_first() -> None:
    outbox = Outbox(capacity=2)
    outbox.add([delivery("a", "open")])
    outbox.add([failed(delivery("b", "settled"), "no")])
    outbox.add([delivery("c", "new")])
    assert [each.event.type for each in outbox.listed(as_it_is)] == ["open", "new"]


def test_oldest_open_delivery_is_forgotten_when_all_are_open() -> None:
    outbox = Outbox(capacity=2)
    outbox.add([delivery(kind=str(number)) for number in range(3)])
    assert [each.event.type for each in outbox.listed(as_it_is)] == ["1", "2"]
    assert claimed(outbox).event.type == "1"


def test_attempt_that_ends_after_a_reset_leaves_no_trace() -> None:
    outbox = Outbox()
    outbox.add([delivery()])
    old = claimed(outbox)
    outbox.clear()
    outbox.add([delivery(kind="new")])
    new = claimed(outbox)
    outbox.settle(replace(old, standing=Standing.DELIVERED))
    assert outbox.claim(NOW, as_it_is) is None, "the new one is still under way"
    assert [each.id for each in outbox.listed(as_it_is)] == [new.id]
    assert new.id != old.id
