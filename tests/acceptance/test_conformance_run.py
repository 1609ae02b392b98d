"""A conformance run of a pack against its own double, in process: a correct service is blamed for nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.callers import seeded_callers
from contracts.checks.registry import chosen
from contracts.running import Plan, run
from contracts.service import Service, Watch
from contracts.transports import into_universe
from mock_server import Options, pack
from mock_server.sandbox import Sandbox

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


NAME = "kirimdev"
OPERATIONS = ("listAccounts", "createLabel", "updateContact", "syncTemplates", "createWebhookSubscription")


def test_a_double_is_blamed_for_nothing() -> None:
    box = Sandbox([pack(NAME)], options=Options(limits=False, clock=NOON.timestamp))
    (served,) = box.apis.values()
    universe = box.universes.default

    def service(number: int, watch: Watch) -> Service:
        transport = into_universe(box, served.name, universe)
        return Service(transport, base_url="http://double.test", reset=universe.reset, watch=watch)

    checks = chosen(("conformance",), ())
    plan = Plan(pack(NAME), checks, operations=OPERATIONS, closed=True, seconds=20, scale=0.2, clock=NOON.timestamp)
    report = run(plan, service, seeded_callers(served, now=NOON))
    assert not [finding for finding in report.findings if finding.fails]
    assert not [ended.error for ended in report.done if ended.error]
    assert report.exchanges > 50
