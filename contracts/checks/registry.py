"""Every check under its name: what it is about, where it comes from, which fault it shows."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from importlib import import_module

from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, did_you_mean


class Family(StrEnum):
    """How a check works, in the order in which a run makes them."""

    CONFORMANCE = "conformance"
    """One exchange against the description: Schemathesis' generators, and two validators."""
    AGREEMENT = "agreement"
    """A sequence of requests against what the model predicts."""
    RELATION = "relation"
    """Exchanges against each other; the model predicts nothing."""
    WORKFLOW = "workflow"
    """Documented stories in several steps (Arazzo)."""
    WEBHOOK = "webhook"
    """What the service sends by itself."""
    EXCHANGE = "exchange"
    """Transcripts written by hand from the vendor's document."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong with a service.

    ``fault`` is its code in the Web Fuzzing Commons catalogue, None where that has none. ``summary`` is a sentence
    that says what must hold, ``source`` the clause or document that says so, ``example`` a bug that it finds.
    """

    name: str
    family: Family
    summary: str
    source: str
    fault: int | None = None
    example: str = ""


CHECKS: dict[str, Check] = {}


def check(
    name: str, family: Family, *, summary: str, source: str, fault: int | None = None, example: str = ""
) -> Check:
    """Registers a check; each module in this package calls it at import, once for every check that it makes."""
    if name in CHECKS:
        raise ConfigurationError("two checks go by one name", got=name)
    found = CHECKS[name] = Check(name, family, summary, source, fault, example)
    return found


@cache
def all_checks() -> Mapping[str, Check]:
    """Every check by its name, by family and then by name."""
    package = import_module("contracts.checks")
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"contracts.checks.{module.name}")
    families = list(Family)
    return dict(sorted(CHECKS.items(), key=lambda entry: (families.index(entry[1].family), entry[0])))


def chosen(only: tuple[str, ...], skipped: tuple[str, ...]) -> frozenset[str]:
    """The names of the checks to make: those of ``only`` (names or families; none given means all) without ``skipped``.

    A ``ConfigurationError`` for a name that is neither a check nor a family.
    """
    names = frozenset(_named(only)) if only else frozenset(all_checks())
    return names - frozenset(_named(skipped))


def _named(words: tuple[str, ...]) -> Iterator[str]:
    known = all_checks()
    for word in words:
        of_family = [name for name, found in known.items() if found.family == word]
        if word not in known and not of_family:
            offered = (*Family, *known)
            raise ConfigurationError("there is no such check", got=word, allowed="a name of `apidouble checks`, or a "
                                     f"family: {', '.join(Family)}", hint=did_you_mean(word, offered))  # fmt: skip
        yield from of_family or (word,)
