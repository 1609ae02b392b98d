"""An exchange as it is listed: without the credentials in it, wherever they stand a second time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Set
from typing import Any
from urllib.parse import unquote_plus

from mock_server.exchange.messages import RawRequest, RawResponse
from mock_server.model.redaction import REDACTED, Secrets
from mock_server.model.secretnames import is_secret_name, secrets_in, without_secrets
from mock_server.openapi.values import Json

_SHORTEST = 6
"""What is shorter is hidden where its name says what it is, but not looked for elsewhere."""


def concealed(shown: dict[str, Json], request: RawRequest, response: RawResponse, names: Set[str]) -> dict[str, Json]:
    """What is listed of an exchange; ``names`` are the lower-case names of what carries credentials."""
    known = Secrets.of(_told(request, response, names), shortest=_SHORTEST)
    violations = [_violation(each) for each in shown["violations"]]
    told = {name: shown[name] for name in ("url", "request", "response", "explanation")}
    told["violations"] = violations
    hidden: dict[str, Json] = without_secrets(known.hidden_in(told) if known.texts else told)
    return {**shown, **hidden}


def hides(name: str, names: Set[str]) -> bool:
    """Whether the value of a header or a query parameter is a credential, by its name as it was sent."""
    plain = unquote_plus(name)
    return plain.lower() in names or is_secret_name(plain)


def _told(request: RawRequest, response: RawResponse, names: Set[str]) -> Iterator[str]:
    """The secrets that an exchange tells of itself."""
    yield from _in_headers(request.headers.items(), names)
    yield from _in_headers(response.headers, names)
    for pair in request.query.split("&"):
        name, _, value = pair.partition("=")
        if hides(name, names):
            yield unquote_plus(value)
    for body in (request.body, response.body):
        yield from secrets_in(body.decode("utf-8", "replace"))


def _in_headers(headers: Iterable[tuple[str, str]], names: Set[str]) -> Iterator[str]:
    for name, value in headers:
        if name.lower() in {"cookie", "set-cookie"}:
            pairs = value.split(";") if name.lower() == "cookie" else value.split(";")[:1]
            yield from (pair.partition("=")[2].strip().strip('"') for pair in pairs)
        elif hides(name, names):
            scheme, _, rest = value.partition(" ")
            yield value
            yield rest.strip()
            if scheme.lower() == "basic":
                yield from _basic(rest.strip())


def _basic(value: str) -> Iterator[str]:
    """What stands behind a Basic credential (RFC 7617): both together, and the password."""
    try:
        text = base64.b64decode(value).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return
    yield from (text, text.partition(":")[2])


def _violation(violation: dict[str, Any]) -> dict[str, Any]:
    """A violation without the value, where that is a secret by its name."""
    name = str(violation.get("pointer") or "").rpartition("/")[2] or str(violation.get("name") or "")
    got = violation.get("got")
    if got is None or not is_secret_name(name):
        return violation
    message = str(violation.get("message", "")).replace(str(got), REDACTED)
    return {**violation, "got": REDACTED, "message": message}
