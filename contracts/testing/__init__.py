"""What test suites use: the types of what ``mock_api`` gives, and contract checks as tests.

Every name is imported when it is first used, so that a suite which only annotates its fixtures waits for nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contracts.testing.api import MockApi
    from contracts.testing.calls import Calls
    from contracts.testing.contract import Contract, apidouble_contract
    from contracts.testing.credentials import Credential, Credentials
    from contracts.testing.doubles import MockApis
    from contracts.testing.exchange import Exchange
    from contracts.testing.expecting import ABSENT
    from contracts.testing.machine import contract_state_machine
    from contracts.testing.state import State
    from contracts.testing.strategies import ValidRequest, from_operation, from_response
    from contracts.testing.webhooks import Delivery, Event, Webhooks

_HOMES = {
    "ABSENT": "expecting",
    "Calls": "calls",
    "Contract": "contract",
    "Credential": "credentials",
    "Credentials": "credentials",
    "Delivery": "webhooks",
    "Event": "webhooks",
    "Exchange": "exchange",
    "MockApi": "api",
    "MockApis": "doubles",
    "State": "state",
    "ValidRequest": "strategies",
    "Webhooks": "webhooks",
    "apidouble_contract": "contract",
    "contract_state_machine": "machine",
    "from_operation": "strategies",
    "from_response": "strategies",
}

__all__ = [
    "ABSENT",
    "Calls",
    "Contract",
    "Credential",
    "Credentials",
    "Delivery",
    "Event",
    "Exchange",
    "MockApi",
    "MockApis",
    "State",
    "ValidRequest",
    "Webhooks",
    "apidouble_contract",
    "contract_state_machine",
    "from_operation",
    "from_response",
]


def __getattr__(name: str) -> Any:
    """A public name from its module (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
