"""Customers: no two of one bakery have one e-mail address."""

from __future__ import annotations

import copy
from typing import Any

from flask import Blueprint, Response

from tests.planted_bugs.bakery.answers import answer, merged, page
from tests.planted_bugs.bakery.checking import body, query, violations
from tests.planted_bugs.bakery.problems import problem
from tests.planted_bugs.bakery.shop import Item, dawdle, next_number, now, planted, shop, tenant, writing

routes = Blueprint("customers", __name__)

_ASSIGNED = frozenset({"id", "loyalty_points", "created_at", "updated_at"})
_KNOWN = ("email", "name", "phone", "address", "newsletter")


@routes.get("/customers")
def list_customers() -> Response:
    asked = query("listCustomers")
    everybody = list(tenant().customers.values())
    if planted("stale_list"):
        everybody = shop().kept.setdefault("customers", everybody)
    if planted("empty_list_404") and not everybody:
        problem(404, "there are no customers")
    return page(everybody, asked, counted="customers")


@routes.post("/customers")
def create_customer() -> Response:
    given = body("Customer")
    with writing(unguarded_when="unique_race"):
        _be_unique(given["email"], except_for="")
        if planted("unique_race"):
            dawdle()
        moment = now()
        customer = {"id": _new_id(), **_stored(given), "loyalty_points": 0, "created_at": moment,
                    "updated_at": moment}  # fmt: skip
        if planted("mass_assignment"):
            customer |= {name: given[name] for name in ("loyalty_points",) if name in given}
        tenant().customers[customer["id"]] = customer
    if planted("create_loses_member"):
        answered = dict(customer)
        customer.pop("phone", None)
        return answer(answered, status=201, location=f"/customers/{customer['id']}")
    return answer(customer, status=201, location=f"/customers/{customer['id']}")


def _new_id() -> str:
    if planted("id_reuse"):
        used = [int(key.removeprefix("cus_")) for each in shop().tenants.values() for key in each.customers]
        return f"cus_{max(used, default=0) + 1:06d}"
    return f"cus_{next_number('customer'):06d}"


def _stored(given: Item) -> Item:
    """What is kept of what was given."""
    stored = {name: copy.deepcopy(given[name]) for name in _KNOWN if name in given}
    stored.setdefault("newsletter", planted("default_not_applied"))
    if planted("email_case_folded"):
        stored["email"] = stored["email"].lower()
    return stored


def _be_unique(email: str, *, except_for: str) -> None:
    if planted("unique_not_enforced") or (except_for and planted("unique_only_at_create")):
        return
    if any(other["email"] == email and key != except_for for key, other in tenant().customers.items()):
        problem(409, "another customer has this e-mail address")


def _found(customer_id: str) -> Item:
    found = tenant().customers.get(customer_id)
    if found is None and planted("cross_tenant_read"):
        found = next((each.customers[customer_id] for each in shop().tenants.values()
                      if customer_id in each.customers), None)  # fmt: skip
    if found is None:
        problem(404, "there is no such customer")
    return found


@routes.get("/customers/<customer_id>")
def get_customer(customer_id: str) -> Response:
    found = shop().kept.get(f"deleted {customer_id}") if planted("deleted_still_read") else None
    return answer(found[0] if found else _found(customer_id))


@routes.put("/customers/<customer_id>")
def replace_customer(customer_id: str) -> Response:
    given = body("Customer")
    with writing():
        old = _found(customer_id)
        _be_unique(given["email"], except_for=customer_id)
        kept = {name: old[name] for name in _ASSIGNED}
        new = {**old, **_stored(given), **kept} if planted("put_merges") else {**_stored(given), **kept}
        new["updated_at"] = now()
        tenant().customers[customer_id] = new
    return answer(new)


@routes.patch("/customers/<customer_id>")
def update_customer(customer_id: str) -> Response:
    given = body("CustomerPatch", "application/merge-patch+json")
    with writing():
        old = _found(customer_id)
        if "email" in given:
            _be_unique(given["email"], except_for=customer_id)
        new = _patched(old, {name: value for name, value in given.items() if name in _KNOWN})
        broken = violations("Customer", new)
        if broken:
            problem(422, "the customer would break its schema", errors=broken)
        new["updated_at"] = now()
        tenant().customers[customer_id] = new
    return answer(new)


def _patched(old: Item, given: Item) -> Item:
    if planted("patch_replaces"):
        kept = {name: old[name] for name in (*_ASSIGNED, "email", "name", "newsletter")}
        return {**kept, **{name: value for name, value in given.items() if value is not None}}
    if planted("patch_replaces_inner"):
        inner: Any = {name: value for name, value in given.items() if isinstance(value, dict)}
        return {**merged(old, {n: v for n, v in given.items() if n not in inner}), **inner}
    if planted("patch_ignores_null"):
        given = {name: value for name, value in given.items() if value is not None}
    new: Item = merged(old, given)
    if planted("update_loses_member") and "phone" not in given:
        new.pop("phone", None)
    return new


@routes.delete("/customers/<customer_id>")
def delete_customer(customer_id: str) -> Response:
    with writing():
        found = _found(customer_id)
        if any(order["customer_id"] == customer_id for order in tenant().orders.values()):
            problem(409, "the customer has orders")
        if planted("delete_ineffective"):
            return answer(None, status=204)
        if planted("deleted_still_read"):
            shop().kept[f"deleted {customer_id}"] = [found]
        tenant().customers.pop(customer_id, None)
    return answer(None, status=204)
