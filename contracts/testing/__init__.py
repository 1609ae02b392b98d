"""What test suites use: the types of what ``mock_api`` gives, and contract checks as tests.

Every name is imported when it is first used, so that a suite which only annotates its fixtures waits for nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contracts.service import NOT_JSON
    from contracts.testing.api import MockApi
    from contracts.testing.clock import Clock
    from contracts.testing.contracting.contract import Contract, apidouble_contract
    from contracts.testing.contracting.machine import ContractMachine, contract_state_machine
    from contracts.testing.contracting.strategies import ValidRequest, from_operation, from_response
    from contracts.testing.credentials import Credential, Credentials, UnknownCredential
    from contracts.testing.doubles import MockApis
    from contracts.testing.hooks.webhooks import Delivery, Event, Webhooks
    from contracts.testing.keeping.shelves import Absent
    from contracts.testing.keeping.state import State
    from contracts.testing.keeping.stored import Item, Items
    from contracts.testing.traffic.calls import Calls
    from contracts.testing.traffic.exchange import Exchange
    from contracts.testing.traffic.expecting import ABSENT

_HOMES = {
    "ABSENT": "traffic.expecting",
    "Absent": "keeping.shelves",
    "Calls": "traffic.calls",
    "Clock": "clock",
    "Contract": "contracting.contract",
    "ContractMachine": "contracting.machine",
    "Credential": "credentials",
    "Credentials": "credentials",
    "Delivery": "hooks.webhooks",
    "Event": "hooks.webhooks",
    "Exchange": "traffic.exchange",
    "Item": "keeping.stored",
    "Items": "keeping.stored",
    "MockApi": "api",
    "MockApis": "doubles",
    "NOT_JSON": "traffic.exchange",
    "State": "keeping.state",
    "UnknownCredential": "credentials",
    "ValidRequest": "contracting.strategies",
    "Webhooks": "hooks.webhooks",
    "apidouble_contract": "contracting.contract",
    "contract_state_machine": "contracting.machine",
    "from_operation": "contracting.strategies",
    "from_response": "contracting.strategies",
}

__all__ = [
    "ABSENT",
    "NOT_JSON",
    "Absent",
    "Calls",
    "Clock",
    "Contract",
    "ContractMachine",
    "Credential",
    "Credentials",
    "Delivery",
    "Event",
    "Exchange",
    "Item",
    "Items",
    "MockApi",
    "MockApis",
    "State",
    "UnknownCredential",
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
    if _HOMES[name].startswith("contracting."):
        from contracts.extra import need_extra

        need_extra()
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
