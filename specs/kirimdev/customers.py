"""Customers: the accounts that they have, the links by which they get them, and where their names are shown."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta

from mock_server.model.call import Call
from mock_server.model.clock import rfc3339
from mock_server.model.computed import computed
from mock_server.model.effects import effect
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import NO_BODY, Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.model.writes import Write
from mock_server.openapi.values import Json

from .tokens import made_up

LINK_HOURS = 72
"""How long a setup link is good when its maker does not say."""
SETUP_PAGE = "https://connect.kirimdev.example/setup/"


@computed("kirimdev-get-customer")
def get_customer(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A customer and the accounts that are the customer's."""
    work = Work.of(world, call)
    customer = work.get("customers", call.path["id"])
    if customer is None:
        return Problem(Kind.NOT_FOUND, f"customer {call.path['id']!r} does not exist")
    names = ("phone_number_id", "phone_number", "name", "status", "onboarded_at")
    accounts = [
        {name: account.get(name) for name in names} for account in work.items("accounts", customer_id=customer["id"])
    ]
    return work.outcome(meaning.status, {"data": {**customer, "whatsapp_accounts": accounts}})


@computed("kirimdev-create-setup-link")
def create_setup_link(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """A setup link and its address, which is not shown again."""
    work = Work.of(world, call)
    customer = work.get("customers", call.path["id"])
    if customer is None:
        return Problem(Kind.NOT_FOUND, f"customer {call.path['id']!r} does not exist")
    if customer["status"] == "archived":
        return Problem(Kind.INVALID, "An archived customer connects no accounts.", code="customer_archived")
    given = call.body if call.body is not NO_BODY else {}
    ordinal = len(work.items("setup_links", scope=(customer["id"],)))
    token_bytes = made_up("setup link", customer["id"], str(ordinal), rfc3339(world.now))
    token = base64.urlsafe_b64encode(token_bytes).decode().rstrip("=")
    link = work.create(
        "setup_links",
        {
            "object": "customer_setup_link",
            "customer_id": customer["id"],
            "token_last4": token[-4:],
            "expires_at": rfc3339(world.now + timedelta(hours=given.get("expires_in_hours", LINK_HOURS))),
            "consumed_at": None,
            "success_redirect_url": given.get("success_redirect_url"),
            "failure_redirect_url": given.get("failure_redirect_url"),
        },
        scope=(customer["id"],),
    )
    if isinstance(link, Problem):
        return link
    return work.outcome(
        meaning.status,
        {"data": {**link, "setup_url": SETUP_PAGE + token}},
        reasons=(Reason("token", token[-4:], "only its end is stored"),),
    )


@effect("kirimdev-account-connected")
def account_connected(work: Work, write: Write) -> Problem | None:
    """A setup link that was used brings its customer an account, and makes a pending customer active."""
    customer = work.get("customers", write.item["customer_id"])
    if customer is None:
        return None
    if customer["status"] == "pending":
        work.put("customers", customer["id"], {**customer, "status": "active"})
    digits = int.from_bytes(hashlib.sha256(write.key.encode()).digest()[:4])
    number = f"+62811{digits % 10**8:08}"
    account = work.create(
        "accounts",
        {
            "object": "whatsapp_account",
            "phone_number": number,
            "name": customer["name"],
            "status": "connected",
            "customer_id": customer["id"],
            "onboarded_at": rfc3339(work.world.now),
        },
    )
    if isinstance(account, Problem):
        return account
    owner = {"id": customer["id"], "name": customer["name"]}
    embedded = {"phone_number": number, "phone_number_id": account["phone_number_id"], "customer": owner}
    work.put("accounts", account["phone_number_id"], {**account, "embedded": embedded})
    return None


@effect("kirimdev-customer-renamed")
def customer_renamed(work: Work, write: Write) -> Problem | None:
    """A customer's name goes wherever the customer's accounts are shown."""
    for account in work.items("accounts", customer_id=write.key):
        owner = {"id": write.key, "name": write.item["name"]}
        embedded = {**account["embedded"], "customer": owner}
        work.put("accounts", account["phone_number_id"], {**account, "embedded": embedded})
        for resource, item in _below(work, account["phone_number_id"]):
            shown = {**item, "whatsapp_account": embedded}
            work.put(resource, item["id"], shown, scope=(account["phone_number_id"],))
    return None


def _below(work: Work, phone_number_id: str) -> Iterator[tuple[str, dict[str, Json]]]:
    """What shows the account that it belongs to."""
    for resource in ("contacts", "conversations", "templates"):
        for item in work.items(resource, scope=(phone_number_id,)):
            yield resource, item
