"""What is asked of every server: the customers workload, its bodies and the 10,000 customers of a list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

DESCRIPTION = Path(__file__).resolve().parents[1] / "customers.yaml"
SEEDED = 10_000
PAGE = 50

NEW: dict[str, Any] = {
    "name": "Grace Hopper",
    "email": "grace@navy.example",
    "phone": "+12025550143",
    "status": "active",
    "credit_limit": 5000,
    "birth_date": "1906-12-09",
    "tags": ["cobol", "navy"],
    "address": {"street": "1 Yard Road", "city": "Arlington", "postal_code": "22202", "country": "US"},
}
VALID = json.dumps(NEW).encode()
INVALID = json.dumps({**NEW, "status": "gone"}).encode()
"""One mistake, a value that the enum does not have: every validator has to look, and none has to explain much."""


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request. ``statuses`` are the first digits of the statuses that count as done right."""

    name: str
    summary: str
    method: str
    statuses: str
    body: bytes = b""


GET_ONE = Work("W1", "GET one", "GET", "2")
POST_VALID = Work("W2", "POST valid", "POST", "2", VALID)
POST_INVALID = Work("W3", "POST invalid", "POST", "4", INVALID)
LIST_PAGE = Work("W4", f"page of {PAGE} of {SEEDED:,}", "GET", "2")
WORKS = (GET_ONE, POST_VALID, POST_INVALID, LIST_PAGE)
IN_TURN = (GET_ONE, POST_INVALID, LIST_PAGE, POST_VALID)
"""The order of a turn: what adds customers comes last, so that the list has as many as it says."""


def customers(count: int, *, key: bool = True) -> list[dict[str, Any]]:
    """So many different customers, the same in every run; with an ``id`` from 1 on where ``key`` is set."""
    born = date(1950, 1, 1)
    return [
        ({"id": number} if key else {})
        | {
            "name": f"Customer {number}",
            "email": f"customer.{number}@shop{number % 97}.example",
            "phone": f"+1202{5550000 + number}",
            "status": ("lead", "active", "suspended", "closed")[number % 4],
            "credit_limit": number % 1000 * 25,
            "birth_date": (born + timedelta(days=number)).isoformat(),
            "tags": [f"region-{number % 12}", f"year-{number % 30}"],
            "address": {
                "street": f"{number % 300 + 1} Main Street",
                "city": f"City {number % 50}",
                "postal_code": f"{10000 + number}",
                "country": ("DE", "EG", "FR", "GB", "IN", "JP", "NG", "US")[number % 8],
            },
        }
        for number in range(1, count + 1)
    ]
