"""What is sold: contacts from registrations, tickets, bookings, and purchases that become transactions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.expressions import Joined
from mock_server.openapi.values import Json

from .moments import milliseconds
from .money import percentage
from .tokens import digest, made

_OPEN = timedelta(hours=24)  # from createdAt to expiresAt in the examples (seed 000, lines 514 and 1286)
_PAGE = "https://app.l4yercak3.com/checkout/"  # seed 000, line 1284
_CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@computed("layercake-contact-from-event")
def contact_from_event(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The contact with an attendee's address, linked to the event; a new one where there is none."""
    work = Work.of(world, call)
    event, person = call.body["eventId"], call.body["attendeeData"]
    if work.get("events", event) is None:
        return _unknown("event", event)
    known = work.find("contacts", where={"/customProperties/email": person["email"]})
    if known is None:
        name = f"{person['firstName']} {person['lastName']}"
        properties = {**person, "linkedEventIds": [event]}
        contact = work.create("contacts", {"displayName": name, "customProperties": properties})
        if isinstance(contact, Problem):
            return contact
        return work.outcome(201, world.model.answers.shown(meaning, contact))
    linked = known["customProperties"].get("linkedEventIds", [])
    if event not in linked:
        work.merge("contacts", known["id"], {"customProperties": {"linkedEventIds": [*linked, event]}})
    shown = world.model.answers.shown(meaning, work.get("contacts", known["id"]))
    why = Reason("status", "200", f"{known['id']} has this address already")
    return work.outcome(200, shown, reasons=(why,))


# Places


@computed("layercake-issue-ticket")
def issue_ticket(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A ticket with a code of its own, one more of the product sold and one more person registered."""
    work = Work.of(world, call)
    refusal = _take_places(work, call.body["productId"], call.body["eventId"], 1)
    if refusal is not None:
        return refusal
    told = ("attendeeName", "attendeeEmail", "productId", "eventId")
    properties: dict[str, Json] = {
        "qrCode": _code(work),
        **{name: call.body[name] for name in told},
        "checkedIn": False,
        "checkedInAt": None,
    }
    if "formResponseData" in call.body:
        properties["formResponseData"] = call.body["formResponseData"]
    return _created(work, meaning, "tickets", {"customProperties": properties})


@computed("layercake-book")
def book(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """Several places at once, or none."""
    work = Work.of(world, call)
    quantity = call.body.get("quantity", 1)
    refusal = _take_places(work, call.body["productId"], call.body["eventId"], quantity)
    if refusal is not None:
        return refusal
    told = ("eventId", "productId", "attendeeEmail", "attendeeName")
    properties = {**{name: call.body[name] for name in told}, "quantity": quantity}
    return _created(work, meaning, "bookings", {"customProperties": properties})


def _take_places(work: Work, product_id: str, event_id: str, quantity: int) -> Problem | None:
    """Sells so many of a product and registers so many people for an event, or says why that cannot be."""
    product = work.get("products", product_id)
    if product is None:
        return _unknown("product", product_id)
    event = work.get("events", event_id)
    if event is None:
        return _unknown("event", event_id)
    if event["status"] in {"completed", "cancelled"}:
        return Problem(Kind.WRONG_STATE, f"{event['displayName']} is {event['status']}")
    refusal = _not_for_sale(product, quantity)
    if refusal is not None:
        return refusal
    held = event["customProperties"]
    capacity, registered = held.get("capacity"), held["registeredCount"]
    if capacity is not None and registered + quantity > capacity:
        left = max(capacity - registered, 0)
        return Problem(Kind.CONFLICT, f"{event['displayName']} has {left} of {capacity} places left")
    _sell(work, product, quantity)
    work.merge("events", event_id, {"customProperties": {"registeredCount": registered + quantity}})
    return None


def _not_for_sale(product: dict[str, Json], quantity: int) -> Problem | None:
    name, held = product["displayName"], product["customProperties"]
    if product["status"] != "active":
        return Problem(Kind.WRONG_STATE, f"{name} is not for sale: it is {product['status']}")
    stock = held.get("quantity")
    if stock is not None and held["sold"] + quantity > stock:
        return Problem(Kind.CONFLICT, f"{name} has {max(stock - held['sold'], 0)} of {stock} left")
    return None


def _sell(work: Work, product: dict[str, Json], quantity: int) -> None:
    sold = product["customProperties"]["sold"] + quantity
    work.merge("products", product["id"], {"customProperties": {"sold": sold}})


def _code(work: Work) -> str:
    """A code that no ticket of the organization has: ``TKT-7QK2M9-WRD``."""
    number = made(work.world, "tickets")
    while True:
        drawn = bytes.fromhex(digest(work.world, "ticket", work.tenant, number))
        letters = "".join(_CODE_LETTERS[byte % len(_CODE_LETTERS)] for byte in drawn[:9])
        code = f"TKT-{letters[:6]}-{letters[6:]}"
        if work.find("tickets", where={"/customProperties/qrCode": code}) is None:
            return code
        number += 1


# Purchases


@computed("layercake-open-checkout")
def open_checkout(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A session at today's price, open for a day."""
    work = Work.of(world, call)
    product = work.get("products", call.body["productId"])
    if product is None:
        return _unknown("product", call.body["productId"])
    quantity = call.body.get("quantity", 1)
    refusal = _not_for_sale(product, quantity)
    if refusal is not None:
        return refusal
    told = ("productId", "customerEmail", "successUrl", "cancelUrl")
    members = {
        **{name: call.body[name] for name in told},
        "quantity": quantity,
        "unitPrice": product["customProperties"]["price"],
        "currency": product["customProperties"]["currency"],
        "status": "open",
        "expiresAt": milliseconds(world.now + _OPEN),
    }
    session = work.create("checkout-sessions", members)
    if isinstance(session, Problem):
        return session
    key = session["sessionId"]
    body = {"sessionId": key, "checkoutUrl": Joined((_PAGE, key)), "expiresAt": session["expiresAt"]}
    return work.outcome(meaning.status, body)


@computed("layercake-confirm-checkout")
def confirm_checkout(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The transaction that a session becomes; the same one however often it is confirmed."""
    work = Work.of(world, call)
    key = call.body["sessionId"]
    session = work.get("checkout-sessions", key)
    if session is None:
        return _unknown("checkout session", key)
    if "transactionId" in session:
        held = work.get("transactions", session["transactionId"])
        why = Reason("unchanged", session["transactionId"], "the session was confirmed before")
        return work.outcome(meaning.status, world.model.answers.shown(meaning, held), reasons=(why,))
    if session["expiresAt"] <= milliseconds(world.now):
        return Problem(Kind.WRONG_STATE, "the checkout session has expired")
    product = work.get("products", session["productId"])
    if product is None:
        return Problem(Kind.WRONG_STATE, f"the product {session['productId']} is no longer sold")
    refusal = _not_for_sale(product, session["quantity"])
    if refusal is not None:
        return refusal
    _sell(work, product, session["quantity"])
    transaction = work.create("transactions", _transaction(world, session, product))
    if isinstance(transaction, Problem):
        return transaction
    work.merge("checkout-sessions", key, {"status": "completed", "transactionId": transaction["id"]})
    return work.outcome(meaning.status, world.model.answers.shown(meaning, transaction))


def _transaction(world: World, session: dict[str, Json], product: dict[str, Json]) -> dict[str, Any]:
    subtotal = session["quantity"] * session["unitPrice"]
    tax = percentage(subtotal, world.tables["layercake"]["sales_tax_rate"])
    item = {
        "productId": product["id"],
        "productName": product["displayName"],
        "quantity": session["quantity"],
        "unitPrice": session["unitPrice"],
        "total": subtotal,
    }
    properties = {
        "lineItems": [item],
        "subtotal": subtotal,
        "tax": tax,
        "total": subtotal + tax,
        "currency": session["currency"],
        "customerEmail": session["customerEmail"],
        "paymentMethod": "card",
    }
    return {"status": "completed", "customProperties": properties}


def _created(work: Work, meaning: Meaning, resource: str, members: dict[str, Json]) -> Outcome | Problem:
    item = work.create(resource, members)
    if isinstance(item, Problem):
        return item
    return work.outcome(meaning.status, work.world.model.answers.shown(meaning, item))


def _unknown(what: str, key: str) -> Problem:
    return Problem(Kind.NOT_FOUND, f"there is no {what} {key}")
