"""What contract checks need beyond a plain installation: the extra ``contracts``."""

from __future__ import annotations

from importlib.util import find_spec

from mock_server.errors import ConfigurationError

MODULES = (
    "hypothesis",
    "schemathesis",
    "openapi_core",
    "jsonschema",
    "pyrate_limiter",
    "rich",
    "junitparser",
    "harfile",
    "filelock",
)
"""The modules of the packages in the extra; a test holds them against ``pyproject.toml``."""


def need_extra() -> None:
    """Raises a ``ConfigurationError`` that says what to install, unless it is there."""
    missing = [name for name in MODULES if find_spec(name) is None]
    if missing:
        raise ConfigurationError("contract checks need packages that are not installed", got=f"no {', '.join(missing)}",
                                 hint="pip install 'apidouble[contracts]'")  # fmt: skip
