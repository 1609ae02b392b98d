"""Webhooks: what was and is to be delivered, and to whom besides those who subscribed through an API."""

from __future__ import annotations

from flask import Response

from mock_server.errors import StateError, did_you_mean
from mock_server.web.control.blueprint import body, concealed, control, query, sandbox, universe
from mock_server.web.responses import json_response, no_content
from mock_server.webhooks.delivery import Delivery


@control.get("/webhooks/deliveries")
def list_deliveries() -> Response:
    """The deliveries that every filter admits, oldest first."""
    here = universe()
    found = [each for each in here.outbox.listed(sandbox().courier.refresh(here)) if _admitted(each)]
    limit = query("limit")
    if limit is not None:
        found = found[max(0, len(found) - limit) :]
    return json_response({"deliveries": concealed([delivery.as_json() for delivery in found])})


def _admitted(delivery: Delivery) -> bool:
    state, event, target = query("state"), query("event"), query("target")
    return (
        (state is None or delivery.standing.value == state)
        and (event is None or event in {delivery.event.type, delivery.event.id})
        and (target is None or target in {delivery.recipient.id, delivery.recipient.url})
    )


@control.post("/webhooks/deliveries/<delivery_id>/redeliver")
def redeliver(delivery_id: str) -> Response:
    """A delivery, due again."""
    here = universe()
    return json_response(concealed(here.outbox.redeliver(delivery_id, here.clock.now()).as_json()))


@control.get("/webhooks/targets")
def list_targets() -> Response:
    """The URLs that get events without a subscription."""
    targets = (*sandbox().courier.targets, *universe().outbox.targets)
    return json_response({"targets": concealed([target.as_json(redact=not query("secrets")) for target in targets])})


@control.post("/webhooks/targets")
def add_target() -> Response:
    """A URL that gets the universe's events from now on."""
    asked = body()
    target = universe().outbox.add_target(asked["url"], events=asked.get("events", ()), secret=asked.get("secret"))
    return json_response(concealed(target.as_json(redact=not query("secrets"))), 201)


@control.delete("/webhooks/targets")
def clear_targets() -> Response:
    """Every target of the universe, forgotten."""
    universe().outbox.clear_targets()
    return no_content()


@control.delete("/webhooks/targets/<target_id>")
def remove_target(target_id: str) -> Response:
    """One target, forgotten."""
    outbox = universe().outbox
    if not outbox.remove_target(target_id):
        known = [target.id for target in outbox.targets]
        given = target_id in {target.id for target in sandbox().courier.targets}
        raise StateError(
            f"the target {target_id!r} was given at start and stays" if given else f"there is no target {target_id!r}",
            hint=did_you_mean(target_id, known),
        )
    return no_content()
