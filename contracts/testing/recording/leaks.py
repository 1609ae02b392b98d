"""Leaks: the secrets that recorded exchanges tell of themselves, beside those that were given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl

from contracts.testing.recording.opaque import Sight, is_secret, json_of, request_sight, sight_of
from contracts.testing.recording.recorder import Taken
from mock_server.exchange.journal import REDACTED_HEADERS
from mock_server.model.anatomy import Member, words
from mock_server.openapi.description import Operation
from mock_server.openapi.values import Json
from mock_server.sandbox import Served

_SHORTEST = 6
"""What is shorter is hidden where it stands, but not looked for elsewhere."""


def found_secrets(served: Served, exchanges: Sequence[Taken]) -> Iterator[str]:
    """The secrets that the exchanges themselves tell of: credentials, cookies, members that are secret."""
    schemes = served.api.security_schemes.values()
    headers = REDACTED_HEADERS | {scheme.parameter.lower() for scheme in schemes if scheme.location == "header"}
    parameters = {scheme.parameter for scheme in schemes if scheme.location == "query"}
    yield from _long(value for credential in served.credentials for value in (credential.value,))
    for taken in exchanges:
        request = taken.request
        for name, value in (*request.headers.items(), *taken.reply.headers):
            if name.lower() in {"cookie", "set-cookie"}:
                yield from _long(part.partition("=")[2].strip() for part in value.split(";")
                                 if part.partition("=")[0].strip().lower() not in _ATTRIBUTES)  # fmt: skip
            elif name.lower() in headers:
                yield from _long([value.rpartition(" ")[2]])
        yield from _long(value for name, value in parse_qsl(request.query) if name in parameters)
        operation = operation_of(served, taken)
        sent = request_sight(operation, request.headers.get("content-type", ""))
        yield from _secret_members(json_of(request.body), sent)
        response = operation.response_for(taken.reply.status) if operation is not None else None
        yield from _secret_members(json_of(taken.reply.body), sight_of(response, content_type_of(taken)))


_ATTRIBUTES = frozenset({"path", "domain", "expires", "max-age", "samesite", "secure", "httponly", "version"})


def is_hidden(name: str, member: Member | None, *, within: bool) -> bool:
    """Whether a member is secret, perhaps since it is ``within`` one that is; but not what only says what that is."""
    return is_secret(name, member) or (within and _TELLING.isdisjoint(words(name)[-1:]))


_TELLING = frozenset({"type", "kind", "format", "title", "name", "label", "description", "id", "ids", "in", "at",
                      "required", "enabled", "status"})  # fmt: skip


def _long(texts: Iterable[str]) -> Iterator[str]:
    return (text for text in texts if len(text) >= _SHORTEST)


def _secret_members(value: Json, sight: Sight, *, secret: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        members = sight.anatomy.members
        for name, inner in value.items():
            hidden = is_hidden(name, members.get(name), within=secret)
            yield from _secret_members(inner, sight.member(name), secret=hidden)
    elif isinstance(value, list):
        for entry in value:
            yield from _secret_members(entry, sight.item(), secret=secret)
    elif secret and isinstance(value, str):
        yield from _long([value])


def operation_of(served: Served, taken: Taken) -> Operation | None:
    """The operation of an exchange, None for one that leads to none."""
    return served.api.operation(taken.operation_id) if taken.operation_id is not None else None


def content_type_of(taken: Taken) -> str:
    """The Content-Type of a reply, "" for one without."""
    return next((value for name, value in taken.reply.headers if name.lower() == "content-type"), "")
