"""Messages: what is refused, what is queued and how it will end, and the receipts for those that came in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mock_server.model.call import Call
from mock_server.model.clock import moment_of, rfc3339
from mock_server.model.computed import computed
from mock_server.model.effects import effect
from mock_server.model.meaning import Meaning
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.model.writes import Write

WINDOW = timedelta(hours=24)
"""How long after a contact's last message anything may be sent to them; later, templates only."""


@computed("kirimdev-send-message")
def send_message(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A queued message, or the receipt for one that came in."""
    work = Work.of(world, call)
    account = call.related["account"]
    if "type" not in call.body:
        return _read_receipt(work, meaning, account, call.body)
    number = "+" + call.body["to"].removeprefix("+")
    scope = (account["phone_number_id"],)
    contact = work.find("contacts", scope=scope, phone_number=number)
    template = _template(work, scope, call.body) if call.body["type"] == "template" else None
    refusal = _refusal(account, _owner(work, account), contact, template)
    if refusal is not None:
        return refusal
    message = work.create(
        "messages",
        {
            "object": "message",
            "direction": "outbound",
            "type": call.body["type"],
            "phone_number_id": account["phone_number_id"],
            "contact_number": number,
            "provider_message_id": None,
            "content": call.body[call.body["type"]],
            "error": None,
            "sent_at": None,
            "delivered_at": None,
            "read_at": None,
            "fate": _fate(world.now, call.body["type"], contact, template),
        },
        scope=scope,
    )
    if isinstance(message, Problem):
        return message
    return work.outcome(meaning.status, {"data": {name: message[name] for name in message if name != "fate"}})


def _read_receipt(
    work: Work, meaning: Meaning, account: Mapping[str, Any], body: Mapping[str, Any]
) -> Outcome | Problem:
    scope = (account["phone_number_id"],)
    found = work.find("messages", scope=scope, provider_message_id=body["message_id"], direction="inbound")
    if found is None:
        return Problem(Kind.NOT_FOUND, f"no inbound message of this account is {body['message_id']!r}")
    if found["status"] != "read":
        work.put("messages", found["id"], {**found, "status": "read", "read_at": rfc3339(work.world.now)}, scope=scope)
    result = {
        "object": "read_receipt",
        "message_id": body["message_id"],
        "status": "read",
        "typing_indicator": "typing_indicator" in body,
    }
    return work.outcome(meaning.status, {"data": result})


def _template(work: Work, scope: tuple[str, ...], body: Mapping[str, Any]) -> dict[str, Any]:
    """The template that a message names; an empty one when the account has none of that name and language."""
    wanted = body["template"]
    found = work.find("templates", scope=scope, name=wanted["name"], language=wanted["language"]["code"])
    return found or {}


def _owner(work: Work, account: Mapping[str, Any]) -> dict[str, Any] | None:
    return work.get("customers", account["customer_id"]) if account["customer_id"] is not None else None


def _refusal(
    account: Mapping[str, Any],
    owner: Mapping[str, Any] | None,
    contact: Mapping[str, Any] | None,
    template: Mapping[str, Any] | None,
) -> Problem | None:
    """Why a message is not even queued. Nothing is held against a number that is no contact yet."""
    if account["status"] == "restricted":
        return _unmet("account_restricted", "Meta has restricted this WhatsApp account.")
    if account["status"] == "disconnected":
        return _unmet("upstream_error", "This WhatsApp account is disconnected.")
    if owner is not None and owner["status"] in {"suspended", "archived"}:
        return _unmet("customer_suspended", f"The customer who owns this WhatsApp account is {owner['status']}.")
    if contact is not None and contact["consent_status"] != "granted":
        return _unmet("consent_required", "The recipient has not agreed to get messages.")
    if contact is not None and contact["marketing_opted_out"] and (template or {}).get("category") == "marketing":
        return _unmet("marketing_opted_out", "The recipient has stopped marketing messages from this business.")
    return None


def _unmet(code: str, sentence: str) -> Problem:
    return Problem(Kind.INVALID, sentence, status=422, code=code)


def _fate(
    now: datetime, kind: str, contact: Mapping[str, Any] | None, template: Mapping[str, Any] | None
) -> str | None:
    """The error code with which a queued message will fail; None when it will arrive."""
    if template is not None:
        if not template:
            return "template_not_found"
        return "template_paused" if template["status"] != "approved" else None
    heard = contact.get("last_inbound_at") if contact is not None else None
    if heard is None:
        return None
    return "outside_24h_window" if now - moment_of(heard) > WINDOW else None


@effect("kirimdev-message-said")
def message_said(work: Work, write: Write) -> Problem | None:
    """A message moves its conversation on; one that came in opens the contact's window."""
    message = write.item
    scope = (message["phone_number_id"],)
    contact = work.find("contacts", scope=scope, phone_number=message["contact_number"])
    if contact is None:
        return None
    if message["direction"] == "inbound":
        work.put("contacts", contact["id"], {**contact, "last_inbound_at": message["created_at"]}, scope=scope)
    conversation = work.find("conversations", scope=scope, where={"/contact/id": contact["id"]}, status="open")
    if conversation is not None:
        moved = {**conversation, "last_message_at": message["created_at"]}
        work.put("conversations", conversation["id"], moved, scope=scope)
    return None
