"""The command line of contract items: ``pytest --contract NAME|FILE --contract-url URL``. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from contracts.testing.contracting.default import SECONDS

if TYPE_CHECKING:
    import pytest

    from contracts.testing.contracting.contract import Contract

MARKERS = (
    "contract: an item of an API contract",
    *(f"contract_{family}: an item of a contract, of the family {family}" for family in
      ("conformance", "agreement", "relation", "workflow", "webhook", "exchange")),
)  # fmt: skip
"""The markers that contract items carry, for ``config.addinivalue_line("markers", …)``."""


def add_options(parser: pytest.Parser) -> None:
    """Adds the options of contract items."""
    group = parser.getgroup("contract", "checks of a service against its API description")
    one, several = group.addoption, _several(group)
    one("--contract", metavar="NAME|FILE", help="The API whose contract is checked: a pack's name, or a description.")
    one("--contract-url", metavar="URL", help="Where the service is: what stands before the description's paths.")
    one("--contract-reset", metavar="URL|COMMAND|MODULE:FUNCTION", help="Resets the service to its seed.")
    one("--contract-seed", metavar="FILE", help="What the service holds after a reset, and credentials.")
    several("--contract-overlay", "FILE", "An OpenAPI Overlay to apply; repeatable.")
    several("--contract-header", "'NAME: VALUE'", "Goes with every request; ${VAR} is taken from the environment.")
    several("--contract-credential", "[SCHEME=]VAR", "The environment variable with a scheme's credential.")
    several("--contract-caller", "'name=N;header=…'", "One of several callers.")
    several("--contract-check", "NAME", "Only these checks or families.")
    several("--contract-skip", "NAME", "Not these (`apidouble checks` lists them).")
    several("--contract-include", "CHOICE", "Only these operations: an id, tag:…, path:…, method:….")
    several("--contract-exclude", "CHOICE", "Not these; they are never called.")
    one("--contract-session-header", metavar="NAME", help="A header by which a test server keeps states apart.")
    one("--contract-seconds", type=float, default=SECONDS, metavar="N", help=f"For each item. [default: {SECONDS:g}]")
    one("--contract-size", type=float, default=1.0, metavar="X", help="More, or less. [default: 1]")
    one("--contract-seed-number", type=int, default=0, metavar="N", help="Decides everything that is drawn.")
    closed = "The service holds nothing but the seed when an attempt begins. [default: with --contract-reset]"
    one("--contract-closed", action="store_true", default=None, dest="contract_closed", help=closed)
    one("--contract-open", action="store_false", default=None, dest="contract_closed", help="It may hold more.")
    one("--contract-allow-remote", action="store_true", help="Check a service that is not on this machine.")
    one("--contract-no-clean-up", action="store_true", help="Leave in an open world what was created.")


def _several(group: pytest.OptionGroup) -> Callable[[str, str, str], None]:
    def add(name: str, metavar: str, told: str) -> None:
        group.addoption(name, action="append", default=[], metavar=metavar, help=told)

    return add


def contract_of(config: pytest.Config) -> Contract | None:
    """The contract that the options name, None without ``--contract``. ``ConfigurationError`` for what is missing."""
    given = config.option
    if given.contract is None:
        return None
    if given.contract_url is None:
        from mock_server.errors import ConfigurationError

        raise ConfigurationError("--contract needs --contract-url, which says where the service is")
    from contracts.testing.contracting.contract import apidouble_contract

    headers = {}
    for text in given.contract_header:
        name, _, value = text.partition(":")
        headers[name] = value.strip()
    return apidouble_contract(
        given.contract, url=given.contract_url, reset=given.contract_reset, overlays=given.contract_overlay,
        seed=given.contract_seed, include=given.contract_include, exclude=given.contract_exclude,
        checks=given.contract_check, skip=given.contract_skip, headers=headers, credentials=given.contract_credential,
        callers=given.contract_caller, session_header=given.contract_session_header, seconds=given.contract_seconds,
        size=given.contract_size, seed_number=given.contract_seed_number, closed=given.contract_closed,
        allow_remote=given.contract_allow_remote, clean_up=not given.contract_no_clean_up,
    )  # fmt: skip
