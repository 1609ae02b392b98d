"""Balances, installments and serial numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil
from typing import Any

from mock_server.model.call import Call
from mock_server.model.clock import day_of, rfc3339
from mock_server.model.computed import computed
from mock_server.model.effects import effect
from mock_server.model.meaning import Meaning, Reason
from mock_server.model.outcome import Outcome
from mock_server.model.problem import Kind, Problem
from mock_server.model.work import Work
from mock_server.model.world import World
from mock_server.model.writes import Write

_SETTLED = frozenset({"paid", "void", "cancelled"})
"""The statuses of invoices on which nothing is outstanding."""


@computed("repzo-adjust-account")
def adjust_account(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """An adjustment with the client's balance before and after; a client that is known gets the new balance."""
    work, given = Work.of(world, call), dict(call.body)
    client = work.get("client", given["client"])
    earlier = work.items("adjust-account", client=given["client"])
    known = earlier[-1].get("newBalance", 0) if earlier else 0
    before = client.get("integrated_client_balance", known) if client is not None else known
    after = before + given["amount"] if given["type"] == "credit" else before - given["amount"]
    balances = {"previousBalance": before, "newBalance": after}
    item = work.create("adjust-account", {"adjustmentDate": rfc3339(world.now), **given, **balances})
    if isinstance(item, Problem):
        return item
    if client is not None:
        work.merge("client", given["client"], {"integrated_client_balance": after})
    return work.outcome(meaning.status, item)


@effect("repzo-overdue-from")
def overdue_from(work: Work, write: Write) -> None:
    """The day on which an installment becomes overdue: the one after its due date and its days of grace."""
    due = day_of(write.after["due_date"])
    try:
        day = due + timedelta(days=write.after.get("grace_period_days", 0) + 1)
    except OverflowError:
        day = date.max  # the calendar has no such day, so it is not overdue for as long as there are days
    if write.after.get("overdue_from") != day.isoformat():
        work.merge("contract-installment", write.key, {"overdue_from": day.isoformat()})


@computed("repzo-pay-installment")
def pay_installment(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """An installment paid, and the payment added to its history."""
    work, key, paid = Work.of(world, call), str(call.path["id"]), call.body
    found = work.get("contract-installment", key)
    if found is None:
        return Problem(Kind.NOT_FOUND, f"contract-installment {key!r} does not exist")
    if found["status"] not in {"pending", "overdue"}:
        return Problem(Kind.WRONG_STATE, f"the installment is {found['status']}")
    entry: dict[str, Any] = {"date": f"{paid['payment_date']}T00:00:00Z", "amount": paid["payment_amount"]}
    entry |= {
        short: paid[name]
        for short, name in (("method", "payment_method"), ("reference", "payment_reference"), ("notes", "notes"))
        if name in paid
    }
    history = [*(found.get("payment_history") or []), entry]
    item = work.merge("contract-installment", key, {**paid, "status": "paid", "payment_history": history})
    return work.outcome(meaning.status, {"success": True, "data": _shown(item)})


def _shown(item: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (item or {}).items() if name != "overdue_from"}


@computed("repzo-overdue-installments")
def overdue_installments(world: World, meaning: Meaning, call: Call) -> Outcome:
    """The overdue installments, longest overdue first; ``days_overdue`` is how many days they are at the least."""
    work, today = Work.of(world, call), world.now.date()
    found = [
        {**item, "days_overdue": (today - day_of(item["due_date"])).days}
        for item in work.items("contract-installment", status="overdue")
    ]
    found = [
        _shown(item)
        for item in sorted(found, key=lambda item: -item["days_overdue"])
        if item["days_overdue"] >= call.query.get("days_overdue", 0)
    ]
    page, per_page = call.query.get("page", 1), call.query.get("per_page", 25)
    paging = {"total": len(found), "page": page, "per_page": per_page, "pages": ceil(len(found) / per_page) or 1}
    shown = found[(page - 1) * per_page : page * per_page]
    counted = Reason("counted", f"{len(found)} overdue", f"as of {today}")
    body = {"success": True, "data": shown, "paging": paging}
    return Outcome(meaning.status, body, reads=("contract-installment",), reasons=(counted,))


@computed("repzo-next-serial")
def next_serial(world: World, meaning: Meaning, call: Call) -> Outcome | Problem:
    """The next number of the counter of a representative, warehouse and kind of invoice."""
    work = Work.of(world, call)
    counter = work.find("safe-invoice-serial-counter", **call.body)
    if counter is None:
        return Problem(Kind.NOT_FOUND, "there is no such counter for the representative, warehouse and invoice type")
    number = counter.get("current_serial", 0) + 1
    digits = str(number).zfill(counter.get("pad_length", 6))
    formatted = f"{counter.get('prefix', '')}{digits}{counter.get('suffix', '')}"
    moved = {"current_serial": number, "last_used_date": rfc3339(world.now)}
    work.merge("safe-invoice-serial-counter", counter["_id"], moved)
    return work.outcome(
        meaning.status, {"success": True, "data": {"next_serial": number, "formatted_serial": formatted}}
    )


@computed("repzo-rep-balances")
def rep_balances(world: World, meaning: Meaning, call: Call) -> Outcome:
    """What is outstanding on the invoices that a representative has made; nothing for one that nobody knows."""
    work, key = Work.of(world, call), call.query["rep"]
    rep = work.get("rep", key)
    hidden = rep is not None and rep.get("disabled", False) and not call.query.get("disabled", False)
    invoices = work.items("fullinvoices", rep=key)
    outstanding = round(sum(each.get("total", 0) for each in invoices if each.get("status") not in _SETTLED), 2)
    summary = {"rep": key, "total_outstanding_balance_of_invoices_created_by_rep": outstanding}
    data = [] if rep is None or hidden else [{"_id": key, **summary, "rep_name": rep["name"]}]
    page, per_page = call.query.get("page", 1), call.query.get("per_page", 20)
    address = f"{call.url}/rep-balance-summary"
    first = f"{address}?rep={key}&page=1&per_page={per_page}"
    shown = data if page == 1 else []
    body = {
        "total_result": len(data),
        "current_count": len(shown),
        "total_pages": 1,
        "current_page": page,
        "per_page": per_page,
        "first_page_url": first,
        "last_page_url": first,
        "next_page_url": None,
        "prev_page_url": first if page > 1 else None,
        "path": address,
        "data": shown,
        "totals": {
            "total_balances": sum(each["total_outstanding_balance_of_invoices_created_by_rep"] for each in shown)
        },
        "options": {"has_more": False, "include_documents_count": False},
    }
    return Outcome(meaning.status, body, reads=("rep", "fullinvoices"))
