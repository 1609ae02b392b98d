"""Schemathesis' settings for a campaign: phases, checks, credentials, and values that are known to exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemathesis import Config

from contracts.checks.schemathesis import CHECKS_OF_SCHEMATHESIS
from contracts.service import Caller
from mock_server.openapi.compile import Api

_KNOWN_KEY = 0.5
"""How often the last path parameter takes a value that is known to exist."""
_KNOWN_PARENT = 0.8
"""How often the others do: without its parents nothing is found."""

# The rest of 4xx is a refusal as well, whichever it is.
_EXPECTED: dict[str, dict[str, Any]] = {
    "negative_data_rejection": {"expected-statuses": ["3xx", "4xx", "5xx"]},
    "missing_required_header": {"expected-statuses": ["3xx", "4xx", "5xx"]},
    # Refusals for reasons that lie outside of the request: rights, state, preconditions, limits, payment.
    "positive_data_acceptance": {
        "expected-statuses": ["2xx", "3xx", "401", "402", "403", "404", "409", "410", "412", "413", "414", "423", "424",
                              "425", "426", "428", "429", "431", "451", "5xx"]
    },
}  # fmt: skip


def configured(
    api: Api,
    *,
    phases: Sequence[str],
    examples: int,
    seed: int,
    checks: frozenset[str],
    callers: Mapping[str, Caller | None],
    known: Mapping[str, Mapping[str, Sequence[str]]],
) -> Config:
    """The settings of one campaign.

    ``checks`` are names of ours. ``callers`` and ``known`` (values of path parameters) are by operation id.
    """
    dictionaries: dict[str, Any] = {}
    operations = []
    for operation_id, caller in callers.items():
        entry: dict[str, Any] = {"headers": dict(caller.headers) if caller is not None else {}}
        bound = _bound(known.get(operation_id, {}), dictionaries)
        if bound:
            entry["parameters"] = bound
        ref = api.refs[operation_id]
        operations.append({"include-name": f"{ref.method} {ref.template.text}", **entry})
    anonymous = not any(callers.values())
    return Config.from_dict(
        {
            "seed": seed,
            "suppress-health-check": ["all"],
            "cache": {"enabled": False},
            "continue-on-failure": True,
            "max-redirects": 0,
            "warnings": False,
            "auth": {"auto-signup": False, **_schemes(api, callers.values())},
            "checks": {"enabled": False, **_enabled(checks)},
            "phases": {"enabled": False, **{phase: {"enabled": True} for phase in phases}},
            "generation": {
                "max-examples": examples,
                "no-shrink": True,
                "database": "none",
                # A generated credential beside a real one would be taken for the one that counts.
                "with-security-parameters": anonymous,
            },
            "dictionaries": dictionaries,
            "operations": operations,
        }
    )


def _enabled(checks: frozenset[str]) -> dict[str, dict[str, Any]]:
    return {
        name: {"enabled": True, **_EXPECTED.get(name, {})}
        for name, check in CHECKS_OF_SCHEMATHESIS.items()
        if check.name in checks
    }


def _schemes(api: Api, callers: Iterable[Caller | None]) -> dict[str, Any]:
    """Credentials that travel in the query, which headers cannot carry."""
    found: dict[str, dict[str, str]] = {}
    for caller in callers:
        for name, scheme in api.security_schemes.items():
            if caller is not None and scheme.location == "query" and scheme.parameter in caller.query:
                found.setdefault(name, {"api_key": caller.query[scheme.parameter]})
    return {"openapi": found} if found else {}


def _bound(known: Mapping[str, Sequence[str]], dictionaries: dict[str, Any]) -> dict[str, Any]:
    bound = {}
    for place, (parameter, values) in enumerate(known.items(), start=1):
        name = f"known{len(dictionaries)}"
        dictionaries[name] = {"values": list(values)}
        probability = _KNOWN_KEY if place == len(known) else _KNOWN_PARENT
        bound[f"path.{parameter}"] = {"dictionary": name, "probability": probability}
    return bound
