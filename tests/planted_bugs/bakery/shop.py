"""What a bakery keeps: plain dictionaries for each tenant, behind one lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import current_app, g

Item = dict[str, Any]

_YIELDS = 200
"""How often a planted race gives way to other threads between its read and its write."""


@dataclass(slots=True)
class Tenant:
    """Everything of one bakery. ``versions`` count the changes of products, ``answers`` are by Idempotency-Key."""

    customers: dict[str, Item] = field(default_factory=dict)
    products: dict[int, Item] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    orders: dict[str, Item] = field(default_factory=dict)
    notes: dict[str, dict[int, Item]] = field(default_factory=dict)
    webhooks: dict[str, Item] = field(default_factory=dict)
    answers: dict[str, tuple[bytes, Item]] = field(default_factory=dict)


class Shop:
    """The state of one application. ``bug`` is the mistake that is planted in it, None for none."""

    def __init__(self, *, bug: str | None, limit: int | None) -> None:
        self.bug = bug
        self.limit = limit
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Back to empty bakeries."""
        with self.lock:
            self.tenants = {"north": Tenant(), "south": Tenant()}
            self.counters: dict[str, int] = {}
            self.calls: dict[str, tuple[float, int]] = {}
            self.kept: dict[str, list[Item]] = {}


def shop() -> Shop:
    """The state of the application that answers."""
    found: Shop = current_app.extensions["bakery"]
    return found


def tenant() -> Tenant:
    """The bakery of the caller."""
    return shop().tenants[g.tenant]


def planted(bug: str) -> bool:
    """Whether a mistake is planted."""
    return shop().bug == bug


@contextmanager
def writing(*, unguarded_when: str = "") -> Iterator[None]:
    """Holds the lock for a read and the write that follows from it."""
    if unguarded_when and planted(unguarded_when):
        yield
        return
    with shop().lock:
        yield


def dawdle() -> None:
    """Lets other threads run, as any input or output between a read and a write would."""
    for _ in range(_YIELDS):
        time.sleep(0)


def next_number(kind: str) -> int:
    """A number that no other thing of a kind ever had."""
    counters = shop().counters
    if planted("id_race") and kind == "product":
        number = counters.get(kind, 0) + 1
        dawdle()
        counters[kind] = number
        return number
    with shop().lock:
        counters[kind] = counters.get(kind, 0) + 1
        return counters[kind]


def now() -> str:
    """The time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
