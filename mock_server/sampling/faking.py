"""Writes ``pools.json``, the values that samples are drawn from, with Faker:

    python -m mock_server.sampling.faking > mock_server/sampling/pools.json

Samples used to call Faker, which takes a sixth of a second to import and to look for its locales. Drawing the values
beforehand also keeps samples as they are whatever version of Faker is installed, or none.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import version

import orjson

PROVIDERS = (
    "bs", "catch_phrase", "city", "color_name", "company", "file_name", "first_name", "hex_color", "iban",
    "ipv4_public", "ipv6", "isbn13", "job", "last_name", "license_plate", "mac_address", "postcode",
    "secondary_address", "state", "state_abbr", "street_address", "swift", "timezone", "user_agent", "word",
)  # fmt: skip
"""The kinds of values that there is a pool of, as Faker calls them."""

_POOL_SIZE = 97  # a prime, so that values drawn with different strides do not fall into step


def drawn_pools() -> Mapping[str, list[str]]:
    """The pool of each provider, drawn from a seed of its own so that none depends on the others."""
    from faker import Faker

    faker = Faker("en_US")
    pools = {}
    for provider in PROVIDERS:
        faker.seed_instance(provider)
        pools[provider] = [str(getattr(faker, provider)()) for _ in range(_POOL_SIZE)]
    return pools


def main() -> None:
    """Prints the file."""
    written = {"faker": version("faker"), "pools": drawn_pools()}
    sys.stdout.buffer.write(orjson.dumps(written, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main()
