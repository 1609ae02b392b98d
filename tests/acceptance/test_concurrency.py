"""Money, counters and serial numbers while eight threads hammer one resource over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from mock_server import MockServer, Options, pack
from mock_server.openapi.values import Json

THREADS = 8


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(pack("layercake"), pack("repzo"), pack("kirimdev"), options=Options(limits=False)) as running:
        yield running


class Caller:
    """Sends requests of one API with one credential, in a session of its own; safe to share between threads."""

    def __init__(self, server: MockServer, api: str, credential: str, session: str) -> None:
        base = f"{server.url}/__session__/{session}"
        listed = requests.get(f"{base}/__mock__/apis", timeout=30).json()["apis"]
        known = next(entry for entry in listed if entry["name"] == api)["credentials"]
        found = next(entry for entry in known if entry["name"] == credential)
        self.base = f"{base}/{api}"
        self.headers = {found["parameter"]: found["value"]}

    def __call__(self, method: str, path: str, body: Json = None, **headers: str) -> tuple[int, Any]:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        response = requests.request(method, self.base + path, json=body, headers=sent, timeout=30)
        return response.status_code, response.json() if response.content else None


def hammer(times: int, call: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(times)))


def test_no_more_is_sold_than_there_is_and_every_sale_is_paid_once(server: MockServer) -> None:
    caller = Caller(server, "layercake", "document-key", "sales")
    product = {
        "organizationId": "org_xxx", "name": "Last seats", "subtype": "ticket", "price": 3333, "currency": "EUR",
        "quantity": 10,
    }  # fmt: skip
    _, made = caller("POST", "/api/v1/products", product)
    before = caller("GET", "/api/v1/transactions?organizationId=org_xxx")[1]["transactions"]
    session = {
        "organizationId": "org_xxx", "productId": made["id"], "customerEmail": "customer@example.com",
        "successUrl": "https://myapp.example/success", "cancelUrl": "https://myapp.example/cancel",
    }  # fmt: skip
    opened = [caller("POST", "/api/v1/checkout/sessions", session)[1]["sessionId"] for _ in range(14)]

    def confirm(at: int) -> tuple[str, int, Any]:
        key = opened[at % len(opened)]
        return key, *caller("POST", "/api/v1/checkout/confirm", {"sessionId": key})

    # Every session is confirmed twice, by whichever threads come first.
    answers = hammer(2 * len(opened), confirm)
    paid = {key: body["id"] for key, status, body in answers if status == 200}
    assert len(paid) == 10, Counter(status for _, status, _ in answers)
    assert {body["id"] for key, status, body in answers if status == 200} == set(paid.values())
    assert not {status for _, status, _ in answers} - {200, 400}
    assert caller("GET", f"/api/v1/products/{made['id']}")[1]["customProperties"]["sold"] == 10
    after = caller("GET", "/api/v1/transactions?organizationId=org_xxx")[1]["transactions"]
    new = [entry for entry in after if entry["id"] not in {old["id"] for old in before}]
    assert {entry["id"] for entry in new} == set(paid.values())
    for entry in new:
        sums = entry["customProperties"]
        assert sums["total"] == sums["subtotal"] + sums["tax"]


def test_invoice_numbers_have_no_gap_and_no_repeat(server: MockServer) -> None:
    caller = Caller(server, "layercake", "sundlof-key", "invoices")
    draft = {
        "organizationId": "org_sundlof", "clientId": "obj_contact_amina", "dueDate": "2026-01-31", "taxRate": 25,
        "lineItems": [{"description": "Poster", "quantity": 3, "unitPrice": 3333}],
    }  # fmt: skip
    unknown = {**draft, "clientId": "obj_contact_nobody"}
    answers = hammer(40, lambda at: caller("POST", "/api/v1/invoices", unknown if at % 4 == 3 else draft))
    numbers = sorted(body["displayName"] for status, body in answers if status == 201)
    assert len(numbers) == 30
    assert [int(number.rpartition("-")[2]) for number in numbers] == list(range(1, 31))
    assert {status for status, _ in answers} == {201, 404}


def test_a_serial_counter_gives_each_number_once(server: MockServer) -> None:
    caller = Caller(server, "repzo", "company", "serials")
    _, listed = caller("GET", "/safe-invoice-serial-counter")
    counter = listed["data"][0]
    asked = {name: counter[name] for name in ("rep", "warehouse", "invoice_type")}
    answers = hammer(40, lambda _: caller("POST", "/safe-invoice-serial-counter/next", asked))
    assert {status for status, _ in answers} == {200}, answers[0]
    numbers = sorted(body["data"]["next_serial"] for _, body in answers)
    first = counter["current_serial"] + 1
    assert numbers == list(range(first, first + 40))


def test_one_idempotency_key_does_the_work_once(server: MockServer) -> None:
    caller = Caller(server, "kirimdev", "platform", "once")
    message = {"to": "+6281200010006", "type": "text", "text": {"body": "Your order is ready."}}
    path = "/v1/106540352242922/messages"
    answers = hammer(16, lambda _: caller("POST", path, message, Idempotency_Key="order-1-ready"))
    assert {status for status, _ in answers} == {200}, answers[0]
    assert len({body["data"]["id"] for _, body in answers}) == 1
