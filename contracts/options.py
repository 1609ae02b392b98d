"""What a user writes on a command line, read: times, rates, headers with variables, callers, choices of operations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from contracts.callers import given_caller
from contracts.exchanges import carried
from contracts.service import Caller
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.model.call import Principal
from mock_server.openapi.compile import Api

_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")
_RATE = re.compile(r"(\d+)/(?:(\d+)\s*)?(s|sec|second|m|min|minute|h|hour)s?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token (RFC 9110 §5.6.2)
_CALLER = ("name", "header", "query", "scheme", "scopes", "tenant", "plan")


def seconds_of(text: str) -> float:
    """A time in seconds: ``90``, ``90s``, ``5m``, ``1h30m``."""
    found = _TIME.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise ConfigurationError("this is no time", got=text, allowed="90, 90s, 5m, 1h30m")
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + rest


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests there may be in how many seconds."""

    requests: int
    seconds: float


def rate_of(text: str) -> Rate:
    """A rate: ``50/s``, ``600/m``, ``10/2s``."""
    found = _RATE.fullmatch(text.strip())
    if found is None or int(found[1]) == 0 or found[2] == "0":
        raise ConfigurationError("this is no rate", got=text, allowed="50/s, 600/m, 10/2s")
    return Rate(int(found[1]), int(found[2] or 1) * _UNITS[found[3][0]])


def expanded(text: str, environ: Mapping[str, str]) -> str:
    """A text with the values of its variables: ``${TOKEN}`` anywhere, or ``env:TOKEN`` alone."""

    def value(name: str) -> str:
        if not environ.get(name):
            raise ConfigurationError(f"the environment variable {name} is not set", hint=f"export {name}=…")
        return environ[name]

    if text.startswith("env:"):
        return value(text.removeprefix("env:"))
    return _VARIABLE.sub(lambda found: value(found[1]), text)


def header_of(text: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """A header as curl takes it, ``Name: value``, with its variables' values."""
    name, colon, value = text.partition(":")
    if not colon or not _HEADER_NAME.fullmatch(name.strip()):
        # What stands there may be a secret, so it is not shown.
        raise ConfigurationError("a header has a name and a value", allowed="Name: value",
                                 hint="for example --header 'Authorization: Bearer ${TOKEN}'")  # fmt: skip
    found = expanded(value.strip(), environ)
    if "\n" in found or "\r" in found:
        raise ConfigurationError("the value of a header is one line", got=f"{name}: (several lines)")
    return name.strip(), found


def caller_of(api: Api, text: str, environ: Mapping[str, str]) -> Caller:
    """One caller: ``name=tenant-b;header=Authorization: Bearer ${B}``, with ``scopes``, ``tenant``, ``plan`` if known.

    ``header`` and ``query`` (``name:value``) may be repeated. A caller without ``scheme`` satisfies every one; callers
    of different names see different tenants, unless ``tenant`` says otherwise.
    """
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    told: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        member, equals, value = part.partition("=")
        if not equals or member not in _CALLER:
            raise ConfigurationError("a caller has no such member", got=member, allowed=", ".join(_CALLER),
                                     hint=did_you_mean(member, _CALLER))  # fmt: skip
        if member == "header":
            headers |= dict([header_of(value, environ)])
        elif member == "query":
            query |= dict([header_of(value, environ)])
        else:
            told[member] = value
    if "name" not in told:
        raise ConfigurationError("a caller has a name", allowed="name=…;header=…")
    return _told(api, given_caller(api, headers, query=query, name=told["name"]), told)


def _told(api: Api, caller: Caller, told: Mapping[str, str]) -> Caller:
    scheme = told.get("scheme")
    if scheme is not None and scheme not in api.security_schemes:
        raise _no_scheme(api, scheme)
    scopes = frozenset(told["scopes"].replace(",", " ").split()) if "scopes" in told else None
    principal = Principal(caller.name, scheme or next(iter(api.security_schemes), ""), scopes,
                          told.get("tenant", caller.name), told.get("plan"))  # fmt: skip
    schemes = frozenset({scheme}) if scheme is not None else caller.schemes
    return Caller(caller.name, caller.headers, caller.query, schemes, principal, caller.secrets)


def environment_caller(api: Api, text: str, environ: Mapping[str, str]) -> Caller:
    """The caller whose credential an environment variable has: ``VAR``, or ``SCHEME=VAR`` where schemes are several."""
    named, equals, variable = text.rpartition("=")
    scheme = named if equals else next(iter(api.security_schemes), "")
    if scheme not in api.security_schemes:
        raise _no_scheme(api, scheme)
    value = expanded(f"env:{variable}", environ)
    sent = carried(api.security_schemes[scheme], value)
    principal = Principal(scheme, scheme, None, "given")
    return Caller(scheme, sent.headers, sent.query, frozenset({scheme}), principal, (value, *sent.headers.values()))


def _no_scheme(api: Api, name: str) -> ConfigurationError:
    return ConfigurationError(
        "the description has no such security scheme",
        got=name or "none at all",
        allowed=", ".join(api.security_schemes) or "it describes none",
        hint=did_you_mean(name, api.security_schemes),
    )


def operations_of(api: Api, included: Sequence[str], excluded: Sequence[str]) -> tuple[str, ...] | None:
    """The operations that choices leave, None for all of them.

    A choice is an operation id, ``tag:…``, ``path:…`` or ``method:…``; each may have ``*``. One that fits no operation
    is a ``ConfigurationError``.
    """
    if not included and not excluded:
        return None
    kept = {name for choice in included for name in _chosen(api, choice)} if included else set(api.refs)
    kept -= {name for choice in excluded for name in _chosen(api, choice)}
    if not kept:
        raise ConfigurationError("these choices leave no operation to check", got=" ".join((*included, *excluded)))
    return tuple(name for name in api.refs if name in kept)


def _chosen(api: Api, choice: str) -> frozenset[str]:
    found = frozenset(name for name in api.refs if any(fnmatchcase(text, choice) for text in _called(api, name)))
    if not found:
        known = sorted({text for name in api.refs for text in _called(api, name)})
        raise ConfigurationError("no operation is chosen by this", got=choice,
                                 allowed="an operation id, tag:…, path:… or method:…, with * for anything",
                                 hint=did_you_mean(choice, known))  # fmt: skip
    return found


def _called(api: Api, name: str) -> Iterator[str]:
    """What an operation goes by in a choice."""
    ref = api.refs[name]
    yield name
    yield f"path:{ref.template.text}"
    yield f"method:{ref.method}"
    for tag in ref.operation.value.get("tags") or ():
        yield f"tag:{tag}"
