"""Orders: what they cost, how they move on, and notes on them."""

from __future__ import annotations

import base64
from typing import Any

from flask import Blueprint, Response, request

from tests.planted_bugs.bakery import hooks
from tests.planted_bugs.bakery.answers import answer
from tests.planted_bugs.bakery.checking import body, number, query
from tests.planted_bugs.bakery.problems import problem
from tests.planted_bugs.bakery.shop import Item, next_number, now, planted, tenant, writing

routes = Blueprint("orders", __name__)

_TAX = 7
_MOVES = {"pay": ("pending", "paid"), "ship": ("paid", "shipped"), "cancel": ("pending", "cancelled")}


@routes.get("/orders")
def list_orders() -> Response:
    asked = query("listOrders")
    after = _place(asked["cursor"]) if asked["cursor"] is not None else 0
    if planted("cursor_repeats") and after:
        after -= 1
    waiting = [order for order in tenant().orders.values() if _number(order) > after]
    if asked["status"] is not None:
        waiting = [order for order in waiting if order["status"] == asked["status"]]
    shown, rest = waiting[: asked["limit"]], waiting[asked["limit"] :]
    if planted("cursor_ends_early") and len(rest) == 1:
        rest = []
    cursor = _cursor(shown[-1]) if rest else None
    if planted("cursor_skips") and rest:
        cursor = _cursor(rest[0])
    return answer({"items": shown, "next_cursor": cursor})


def _number(order: Item) -> int:
    return int(order["id"].removeprefix("ord_"))


def _cursor(order: Item) -> str:
    return base64.urlsafe_b64encode(f"after:{_number(order)}".encode()).decode()


def _place(cursor: str) -> int:
    try:
        name, _, digits = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
    except ValueError:
        name, digits = "", ""
    if name != "after" or not (digits.isascii() and digits.isdigit()):
        problem(422, "query cursor is none that was handed out")
    return int(digits[:12])


@routes.post("/orders")
def create_order() -> Response:
    key = query("createOrder")["Idempotency-Key"]
    given = body("OrderInput")
    with writing():
        kept = tenant().answers.get(key) if key is not None and not planted("idempotency_ignored") else None
        if kept is not None and kept[0] != request.get_data() and not planted("idempotency_key_of_another"):
            problem(422, "the Idempotency-Key belongs to another request")
        if kept is not None:
            return answer(kept[1], status=201, location=f"/orders/{kept[1]['id']}")
        order = _placed(given)
        if key is not None:
            tenant().answers[key] = (request.get_data(), dict(order))
    return answer(order, status=201, location=f"/orders/{order['id']}")


def _placed(given: Item) -> Item:
    if given["customer_id"] not in tenant().customers:
        problem(422, "there is no such customer", errors=[{"pointer": "/customer_id", "message": "is nobody's"}])
    order: Item = {"id": f"ord_{next_number('order'):06d}", "customer_id": given["customer_id"], "lines": [],
                   "status": "pending", "subtotal": 0, "tax": 0, "total": 0, "amount_paid": 0,
                   "placed_at": now()}  # fmt: skip
    if planted("failed_create_stays"):
        tenant().orders[order["id"]] = order
    for index, line in enumerate(given["lines"]):
        product = tenant().products.get(line["product_id"])
        if product is None:
            pointer = f"/lines/{index}/product_id"
            problem(422, "there is no such product", errors=[{"pointer": pointer, "message": "is no product's"}])
        amount = product["price"] * line["quantity"]
        order["lines"].append({"product_id": product["id"], "quantity": line["quantity"],
                               "unit_price": product["price"], "amount": amount})  # fmt: skip
    if "greeting" in given:
        order["greeting"] = given["greeting"]
    order |= _amounts(order["lines"])
    if planted("payment_taken_over") and isinstance(given.get("amount_paid"), int):
        order["amount_paid"] = given["amount_paid"]
    tenant().orders[order["id"]] = order
    return order


def _amounts(lines: list[Item]) -> Item:
    """Subtotal, tax and total in cents; half a cent of tax is rounded upwards."""
    counted = lines[:1] if planted("total_of_first_line") else lines
    subtotal = sum(line["amount"] for line in counted)
    tax = (subtotal * _TAX + 50) // 100
    if planted("tax_truncated"):
        tax = subtotal * _TAX // 100
    if planted("tax_of_each_line"):
        tax = sum((line["amount"] * _TAX + 50) // 100 for line in counted)
    return {"subtotal": subtotal, "tax": tax, "total": subtotal + tax}


def _found(order_id: str) -> Item:
    found = tenant().orders.get(order_id)
    if found is None:
        problem(404, "there is no such order")
    return found


@routes.get("/orders/<order_id>")
def get_order(order_id: str) -> Response:
    return answer(_found(order_id))


@routes.post("/orders/<order_id>/<any(pay, ship, cancel):move>")
def move_order(order_id: str, move: str) -> Response:
    before, after = _MOVES[move]
    with writing():
        order = _found(order_id)
        refused = order["status"] != before
        if planted("unpaid_is_shipped") and move == "ship" and order["status"] == "pending":
            refused = False
        if planted("paid_is_cancelled") and move == "cancel" and order["status"] == "paid":
            refused = False
        if planted("double_charge") and move == "pay" and order["status"] == "paid":
            refused = False
        if refused:
            if planted("refused_move_changes"):
                order["status"] = after
            problem(409, f"an order that is {order['status']} cannot be {after}")
        if planted("move_forgotten") and move == "cancel":
            return answer({**order, "status": after})
        order["status"] = after
        if move == "pay":
            order["amount_paid"] += order["total"]
        moved = dict(order)
    if move == "pay" and not planted("event_not_sent"):
        hooks.send(moved)
    return answer(moved)


# Notes


def _notes(order_id: str) -> dict[int, Item]:
    return tenant().notes.setdefault(_found(order_id)["id"], {})


@routes.get("/orders/<order_id>/notes")
def list_notes(order_id: str) -> Response:
    found = list(_notes(order_id).values())
    if planted("notes_of_every_order"):
        found = [note for notes in tenant().notes.values() for note in notes.values()]
    return answer({"items": found})


@routes.post("/orders/<order_id>/notes")
def create_note(order_id: str) -> Response:
    given = body("Note")
    with writing():
        notes = _notes(order_id)
        note: dict[str, Any] = {"id": next_number("note"), "order_id": order_id, "text": given["text"],
                                "created_at": now()}  # fmt: skip
        if planted("note_id_taken_over") and isinstance(given.get("id"), int):
            note["id"] = given["id"]
        notes[note["id"]] = note
    return answer(note, status=201, location=f"/orders/{order_id}/notes/{note['id']}")


def _note(order_id: str, note_id: str) -> Item:
    found = _notes(order_id).get(number(note_id))
    if found is None and planted("note_of_another_order"):
        found = next((notes[number(note_id)] for notes in tenant().notes.values() if number(note_id) in notes), None)
    if found is None:
        problem(404, "there is no such note")
    return found


@routes.get("/orders/<order_id>/notes/<note_id>")
def get_note(order_id: str, note_id: str) -> Response:
    return answer(_note(order_id, note_id))


@routes.delete("/orders/<order_id>/notes/<note_id>")
def delete_note(order_id: str, note_id: str) -> Response:
    with writing():
        note = _note(order_id, note_id)
        tenant().notes[note["order_id"]].pop(note["id"])
    return answer(None, status=204)
