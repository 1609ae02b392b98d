"""Who may do what: API keys with roles, and how many requests one may make."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import g, request

from tests.planted_bugs.bakery.problems import problem
from tests.planted_bugs.bakery.shop import planted, shop

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Key:
    """An API key: whose it is, its roles, and whether its time is over."""

    tenant: str
    roles: frozenset[str]
    expired: bool = False


_BOTH = frozenset({"read", "write"})
KEYS = {
    "bakery_north_readwrite": Key("north", _BOTH),
    "bakery_south_readwrite": Key("south", _BOTH),
    "bakery_north_readonly": Key("north", frozenset({"read"})),
    "bakery_north_expired": Key("north", _BOTH, expired=True),
}


def admit() -> None:
    """Lets a request in whose key has the role that its method takes; before each request."""
    if request.routing_exception is not None or request.endpoint in {None, "reset"}:
        return
    if planted("ignored_auth") and request.endpoint == "orders.get_order":
        g.tenant = "north"
        return
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    key = KEYS.get(value.strip()) if scheme.lower() == "bearer" else None
    if key is None and planted("unknown_key_accepted") and value:
        key = KEYS["bakery_north_readwrite"]
    if key is None:
        _challenge("there is no such key" if value else "a key is needed")
    elif key.expired and not planted("expired_key_accepted"):
        _challenge("the key has expired")
    else:
        role = "read" if request.method in {"GET", "HEAD"} else "write"
        if role not in key.roles and not planted("roles_ignored"):
            problem(403, f"the key has not the role {role}")
        _count(value)
        g.tenant = key.tenant


def _challenge(detail: str) -> None:
    headers = {} if planted("challenge_missing") else {"WWW-Authenticate": 'Bearer realm="bakery"'}
    problem(401, detail, headers=headers)


def _count(value: str) -> None:
    limit = shop().limit
    if limit is None:
        return
    with shop().lock:
        moment = time.monotonic()
        begun, calls = shop().calls.get(value, (moment, 0))
        if moment - begun >= _MINUTE:
            begun, calls = moment, 0
        shop().calls[value] = (begun, calls + 1)
    if calls >= limit:
        rest = max(1, round(begun + _MINUTE - moment))
        headers = {} if planted("retry_after_missing") else {"Retry-After": str(rest)}
        problem(429, f"more than {limit} requests in a minute", headers=headers)
