"""Products, with entity tags."""

from __future__ import annotations

import copy
import struct
from typing import Any

from flask import Blueprint, Response, request

from tests.planted_bugs.bakery.answers import answer, merged, page
from tests.planted_bugs.bakery.checking import body, number, query, violations
from tests.planted_bugs.bakery.problems import problem
from tests.planted_bugs.bakery.shop import Item, dawdle, next_number, now, planted, tenant, writing

routes = Blueprint("products", __name__)

_KNOWN = ("name", "price", "category", "stock", "status", "weight", "baked_at", "allergens")


@routes.get("/products")
def list_products() -> Response:
    asked = query("listProducts")
    found = [shown(product) for product in tenant().products.values()]
    if asked["category"] is not None:
        wanted = asked["category"]
        if planted("wrong_filter"):
            found = [product for product in found if product["category"].startswith(wanted[:1])]
        else:
            found = [product for product in found if product["category"] == wanted]
    if asked["status"] is not None and not planted("filter_ignored"):
        found = [product for product in found if product["status"] == asked["status"]]
    if asked["sort"] is not None:
        found = _sorted(found, asked["sort"], descending=asked["order"] == "desc")
    return page(found, asked, counted="products")


def _sorted(found: list[Item], name: str, *, descending: bool) -> list[Item]:
    if planted("price_sorted_as_text"):
        return sorted(found, key=lambda product: str(product[name]), reverse=descending)
    if planted("sort_direction_ignored"):
        descending = False
    return sorted(found, key=lambda product: product[name], reverse=descending)


def shown(product: Item) -> Item:
    """A product as answers show it."""
    told = dict(product)
    if planted("extra_member"):
        told["margin"] = 0.4
    if planted("null_member"):
        told.setdefault("weight", None)
    if planted("number_as_text"):
        told["price"] = str(told["price"])
    if planted("missing_member") and not told["stock"]:
        del told["stock"]
    if planted("wrong_format"):
        told["created_at"] = told["created_at"].replace("T", " ").rstrip("Z")
    return told


def _answer(product: Item, *, status: int = 200, location: str | None = None) -> Response:
    headers = {} if planted("etag_missing") else {"ETag": _etag(product["id"])}
    return answer(shown(product), status=status, location=location, headers=headers)


def _etag(product_id: int) -> str:
    version = 1 if planted("etag_never_changes") else tenant().versions[product_id]
    return f'"{product_id}-{version}"'


@routes.post("/products")
def create_product() -> Response:
    given = body("ProductInput")
    with writing(unguarded_when="id_race"):
        product = {"id": next_number("product"), **_stored(given), "created_at": now()}
        tenant().products[product["id"]] = product
        tenant().versions[product["id"]] = 1
    return _answer(product, status=201, location=f"/products/{product['id']}")


def _stored(given: Item) -> Item:
    """What is kept of what was given."""
    stored: Item = {"stock": 0, "status": "active" if planted("wrong_default") else "draft"}
    stored |= {name: copy.deepcopy(given[name]) for name in _KNOWN if name in given}
    if planted("truncated_text"):
        stored["name"] = stored["name"][:50]
    if planted("text_trimmed"):
        stored["name"] = stored["name"].strip() or stored["name"]
    if planted("case_folded"):
        stored["category"] = stored["category"].lower()
    if planted("float_drift") and "weight" in stored:
        stored["weight"] = struct.unpack("f", struct.pack("f", stored["weight"]))[0]
    if planted("timezone_dropped") and "baked_at" in stored:
        stored["baked_at"] = stored["baked_at"][:19] + "Z"
    if planted("list_deduplicated") and "allergens" in stored:
        stored["allergens"] = sorted(stored["allergens"])
    return stored


def _found(product_id: str) -> Item:
    found = tenant().products.get(number(product_id))
    if found is None:
        problem(404, "there is no such product")
    return found


@routes.get("/products/<product_id>")
def get_product(product_id: str) -> Response:
    found = _found(product_id)
    if planted("head_differs") and request.method == "HEAD":
        return answer(None, status=204)
    if planted("read_changes"):
        found["stock"] = max(0, found["stock"] - 1)
    return _answer(found)


def _precondition(product: Item, asked: Item) -> None:
    """Refuses what was meant for another version (RFC 9110 §13.1.1)."""
    tags = asked["If-Match"]
    if tags is None or planted("if_match_ignored") or tags.strip() == "*":
        return
    if _etag(product["id"]) not in [tag.strip() for tag in tags.split(",")]:
        problem(412, f"the product's entity tag is {_etag(product['id'])}")


@routes.put("/products/<product_id>")
def replace_product(product_id: str) -> Response:
    asked, given = query("replaceProduct"), body("ProductInput")
    with writing():
        old = _found(product_id)
        _precondition(old, asked)
        return _written(old, {"id": old["id"], **_stored(given), "created_at": old["created_at"]})


@routes.patch("/products/<product_id>")
def update_product(product_id: str) -> Response:
    asked, given = query("updateProduct"), body("ProductPatch", "application/merge-patch+json")
    with writing(unguarded_when="lost_update"):
        old = _found(product_id)
        _precondition(old, asked)
        if planted("lost_update"):
            dawdle()
        changes: Any = {name: value for name, value in given.items() if name in _KNOWN}
        if planted("half_written"):
            _half(old, given)
        if planted("zero_is_nothing"):
            changes = {name: value for name, value in changes.items() if value != 0}
        return _written(old, merged(old, changes))


def _half(old: Item, given: Item) -> None:
    """Stores one member after the other, and meets the wrong one when others are stored already."""
    for name in _KNOWN:
        if name in given:
            broken = violations("ProductPatch", {name: given[name]})
            if broken:
                problem(422, "the body breaks its schema", errors=broken)
            old[name] = given[name]


def _written(old: Item, new: Item) -> Response:
    tenant().products[old["id"]] = new
    tenant().versions[old["id"]] += 1
    return _answer(new)


@routes.delete("/products/<product_id>")
def delete_product(product_id: str) -> Response:
    asked = query("deleteProduct")
    with writing():
        found = _found(product_id)
        _precondition(found, asked)
        del tenant().products[found["id"]]
    return answer(None, status=204)
