"""A shop that is broken on purpose, and reports of runs on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.bench import Held, Task
from contracts.checks.registry import Family, all_checks
from contracts.coverage import Coverage
from contracts.findings import Difference, Finding, Side
from contracts.reports.material import Material, material
from contracts.running import Done, Plan, Report
from contracts.service import Caller, Reply, Service, Transport
from contracts.transports import into_universe
from contracts.wire import WireRequest
from mock_server.errors import Place
from mock_server.packs import source_of
from mock_server.sandbox import Options, Sandbox

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SHOP = Path(__file__).resolve().parents[3] / "acceptance" / "descriptions" / "shop.yaml"
BASE = "http://localhost:8080"
SECRET = "s3cr3t/of+nobody=="
ALICE = Caller("alice", {"Authorization": f"Bearer {SECRET}"}, secrets=(SECRET,))
JSON = {"Content-Type": "application/json"}


def forgetful(inner: Transport) -> Transport:
    """The shop, which loses the price of a product when it is read."""

    def send(method: str, target: str, headers: Any, body: bytes) -> Reply:
        reply = inner(method, target, headers, body)
        return replace(reply, body=without_price(reply.body)) if method == "GET" else reply

    return send


def without_price(body: bytes) -> bytes:
    """A product without its price."""
    value = json.loads(body) if body else None
    if isinstance(value, dict):
        value.pop("price", None)
    return json.dumps(value).encode() if body else body


def forgetful_app(app: WSGIApplication) -> WSGIApplication:
    """The same mistake in a WSGI application."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].startswith("/products/"):
            return app(environ, start)
        begun: list[Any] = []
        body = b"".join(app(environ, lambda *arguments: begun.append(arguments)))  # type: ignore[arg-type]  # no write callable is needed here
        status, headers, *_ = begun[0]
        start(status, [(name, value) for name, value in headers if name.lower() != "content-length"])
        return [without_price(body)]

    return answer


class Shop:
    """A shop in this process: ``service`` sends to it, ``coverage`` watches."""

    def __init__(self, *, broken: bool = True) -> None:
        sandbox = Sandbox([source_of(str(SHOP))], options=Options(limits=False))
        self.served = next(iter(sandbox.apis.values()))
        universe = sandbox.universes.get("shop")
        inner = into_universe(sandbox, self.served.name, universe)
        self.coverage = Coverage(self.served.model)
        self.service = Service(forgetful(inner) if broken else inner, base_url=BASE, reset=universe.reset,
                               watch=self.coverage.watch)  # fmt: skip

    def finding(self, *, side: Side = Side.SERVICE, name: str = "a bag") -> Finding:
        """A product is made, and reads back without its price."""
        body = json.dumps({"name": name, "price": 12.5}).encode()
        made = self.service.send(
            WireRequest("POST", "/products", JSON, body), operation_id="createProduct", caller=ALICE
        )
        target = f"/products/{made.json['id']}"
        read = self.service.send(WireRequest("GET", target, {}, b""), operation_id="getProduct", caller=ALICE)
        difference = Difference("/price", 12.5, None, "price is missing")
        place = Place(str(SHOP), "/paths/~1products~1{product_id}/get", 50)
        return Finding("read_your_write", side, "price is not shown by getProduct", "getProduct", (made, read),
                       (difference,), place, seed=7)  # fmt: skip

    def report(self, *findings: Finding) -> Report:
        """A report with these findings, and one task for each way in which a task can end."""
        all_checks()
        plan = Plan(source_of(str(SHOP)), frozenset({"read_your_write"}), closed=True)

        def task(name: str, *operations: str) -> Task:
            return Task(Family.RELATION, name, "read_your_write", operations, lambda _: Held())

        done = (
            Done(task("read_your_write products", "createProduct", "getProduct"), Held(12, 0), 0.5),
            Done(task("read_your_write reviews", "createReview"), Held(3, 3, "no product can be made"), 0.2),
            Done(task("read_your_write orders"), None, 0.1, "the service gives no answer"),
        )
        left = (task("read_your_write publishing", "publishProduct"),)
        return Report(plan, findings, done, left, 40, 1.5, datetime(2026, 1, 2, tzinfo=UTC), BASE)

    def material(self, *findings: Finding, callers: tuple[Caller, ...] = (ALICE,)) -> Material:
        """What the reports of such a run are made of."""
        report = self.report(*findings)
        return material(report, self.coverage.covered(report), callers, root=SHOP.parents[3])
