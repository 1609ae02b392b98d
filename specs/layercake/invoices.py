"""Invoices: their totals, and the client's name on them."""

from __future__ import annotations

from typing import Any

from mock_server.model.behaviours.reading import existing
from mock_server.model.call import Call
from mock_server.model.computed import computed
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.patches import merge_patch
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.openapi.values import Json

from .money import percentage, times

_DEFAULTS = {"taxRate": 0, "currency": "EUR"}
_NOT_KEPT = frozenset({"organizationId", "customFields"})
_RECKONED = frozenset({"invoiceNumber", "clientName", "subtotal", "tax", "total"})
"""What no caller decides, even by a custom field."""


@computed("layercake-draft-invoice")
def draft_invoice(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A draft with the next number and its totals."""
    work = Work.of(world, call)
    properties = _reckoned(work, {**_DEFAULTS, **_given(call)})
    if isinstance(properties, Problem):
        return properties
    invoice = work.create("invoices", {"customProperties": properties})
    if isinstance(invoice, Problem):
        return invoice
    return work.outcome(meaning.status, world.model.answers.shown(meaning, invoice))


@computed("layercake-change-invoice")
def change_invoice(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A draft with what was sent merged in and its totals worked out anew."""
    found = existing(world, meaning, call)
    if isinstance(found, Problem):
        return found
    _, _, key, entry = found
    if entry.value["status"] != "draft":
        return Problem(Kind.WRONG_STATE, f"only a draft can be changed, and the invoice is {entry.value['status']}")
    work = Work.of(world, call)
    properties = _reckoned(work, merge_patch(entry.value["customProperties"], _given(call)))
    if isinstance(properties, Problem):
        return properties
    invoice = work.put("invoices", key, {**entry.value, "customProperties": properties})
    return work.outcome(meaning.status, world.model.answers.shown(meaning, invoice))


def _given(call: Call) -> dict[str, Json]:
    """What a request says of an invoice's properties, custom fields among it."""
    sent = {**call.body.get("customFields", {}), **call.body}
    return {name: value for name, value in sent.items() if name not in _NOT_KEPT | _RECKONED}


def _reckoned(work: Work, properties: dict[str, Json]) -> dict[str, Any] | Problem:
    """An invoice's properties with its client's name and its totals."""
    name = _client_name(work, properties["clientId"])
    if name is None:
        return Problem(Kind.NOT_FOUND, f"there is no contact or company {properties['clientId']}")
    items = [{**item, "total": times(item["unitPrice"], item["quantity"])} for item in properties["lineItems"]]
    subtotal = sum(item["total"] for item in items)
    tax = percentage(subtotal, properties["taxRate"])
    return {
        **properties,
        "clientName": name,
        "lineItems": items,
        "subtotal": subtotal,
        "tax": tax,
        "total": subtotal + tax,
    }


def _client_name(work: Work, key: str) -> str | None:
    """The company of a contact, or the contact's own name, or that of a company; None for nobody."""
    contact = work.get("contacts", key)
    if contact is not None:
        return str(contact["customProperties"].get("company") or contact["displayName"])
    company = work.get("companies", key)
    return str(company["displayName"]) if company is not None else None
