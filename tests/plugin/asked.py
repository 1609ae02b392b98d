"""A shop that can be asked in process, in a universe of its own each time, for the tests about requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from itertools import count
from typing import Any

from contracts.testing.traffic.calls import Calls
from mock_server.exchange.authentication import Authenticator, Credential
from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.exchange.universe import Universe
from mock_server.model.redaction import Secrets
from mock_server.openapi.compile import Api
from mock_server.openapi.documents import Documents
from mock_server.openapi.values import Json
from mock_server.sandbox import Options, Sandbox
from tests.unit.model.doubles import answers, array, document, operation, path_parameters, ref, takes, thing

TEXT: Json = {"type": "string"}
INTEGER: Json = {"type": "integer"}
FORM = "application/x-www-form-urlencoded"
TOKEN = "sk_live_0123456789"

CUSTOMER: Json = {
    "name": TEXT,
    "age": INTEGER,
    "address": thing({"city": TEXT, "postal-code": TEXT}, additionalProperties=False),
    "items": array(thing({"sku": TEXT, "price": {"type": "number"}})),
    "first__name": TEXT,
    "_note": TEXT,
    "parent": TEXT,
    "metadata": {"type": "object", "additionalProperties": True},
}
PARENT: Json = {"resource": "customers", "mustExist": True}
QUERY: Json = {"limit": INTEGER, "page-size": INTEGER, "tags": array(TEXT)}

_numbers = count(1)


def described() -> dict[str, Any]:
    """Customers, orders that are sent as forms, a search with every kind of parameter, and what takes a key."""
    customer = ref("Customer")
    search = operation(answers(array(TEXT)), query=QUERY, operationId="search")
    search["parameters"] += [
        {"name": "filter", "in": "query", "style": "deepObject", "explode": True, "schema": thing({"status": TEXT})},
        {"name": "Idempotency-Key", "in": "header", "schema": TEXT},
        {"name": "X-Count", "in": "header", "schema": INTEGER},
        {"name": "visits", "in": "cookie", "schema": INTEGER},
    ]
    written = thing(CUSTOMER, "name")
    paths = {
        "/customers": {
            "get": operation(answers(array(customer)), operationId="listCustomers"),
            "post": operation(
                answers(customer, 201), operationId="createCustomer", requestBody={"required": True, **takes(written)}
            ),
        },
        "/customers/{customerId}": {
            "parameters": path_parameters(customerId=TEXT),
            "get": operation(answers(customer), operationId="getCustomer"),
            "patch": operation(
                answers(customer, headers={"ETag": {"schema": TEXT}}),
                body=thing(CUSTOMER),
                operationId="updateCustomer",
            ),
            "delete": operation(answers(status=204), operationId="deleteCustomer"),
        },
        "/search": {"get": search},
        "/orders": {
            "post": operation(
                answers(thing({"ok": {"type": "boolean"}})),
                operationId="order",
                requestBody=takes(thing({"amount": INTEGER, "note": TEXT}), FORM),
            )
        },
        "/vault": {
            "get": operation(
                answers(thing({})), operationId="openVault", security=[{"key": []}], query={"lot": INTEGER}
            )
        },
        "/ration": {"get": operation(answers(thing({})), operationId="ration")},
        "/broken": {
            "get": operation(
                answers(thing({"size": INTEGER})),
                operationId="broken",
                **{"x-mock-operation": {"behavior": "sample", "body": {"size": "none"}}},
            )
        },
    }
    few = {"few": {"window": "PT1H", "limit": 1, "operations": ["ration"]}}
    kept = {"customers": {"unique": [["_note"]], "references": {"parent": PARENT}}}
    told = document(paths, {"Customer": thing({"id": TEXT, **CUSTOMER}, "id", "name")},
                    **{"x-mock-limits": few, "x-mock-resources": kept})  # fmt: skip
    told["components"]["securitySchemes"] = {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}
    return told


@cache
def _sandbox(journal: int) -> Sandbox:
    api = Api(Documents.from_value(described()), name="shop")
    sandbox = Sandbox([api], options=Options(journal=journal, clock=lambda: 1_770_000_000.0))
    known = Credential(name="alice", scheme="key", value=TOKEN, description="")
    sandbox.api("shop").line.authenticator = Authenticator([known], verifiers={})
    return sandbox


class Shop:
    """The shop as it is at the beginning, and what it was asked."""

    def __init__(self, *, journal: int = 10_000) -> None:
        sandbox = _sandbox(journal)
        self.served = sandbox.api("shop")
        self.universe: Universe = sandbox.universes.get(f"t{next(_numbers)}")
        self.calls = Calls(self.served, self.universe, secrets=lambda: Secrets.of([TOKEN]))

    def send(self, method: str, target: str, body: Json = ..., **headers: str) -> RawResponse:
        """The answer to one request; a body goes as JSON, bytes as they are, and headers with their underscores."""
        path, _, query = target.partition("?")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else b"" if body is ... else json.dumps(body).encode()
        if data:
            sent.setdefault("content-type", "application/json")
        return self.served.line.answer(RawRequest(method, path, query, sent, data, "http://shop.test"), self.universe)

    def create(self, body: Mapping[str, Json]) -> str:
        """The key of a customer that is made."""
        answer = self.send("POST", "/customers", dict(body))
        assert answer.status == 201, answer.body
        key = json.loads(answer.body)["id"]
        assert isinstance(key, str)
        return key
