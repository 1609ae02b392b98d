"""What ``apidouble serve`` prints at start: each API with its credentials and something to try."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click

from mock_server.exchange.authentication import Credential
from mock_server.model.anatomy import anatomy_of
from mock_server.model.inference.bodies import json_media, request_schema
from mock_server.openapi import jsontext
from mock_server.openapi.compile import OperationRef
from mock_server.openapi.description import Operation
from mock_server.openapi.values import Direction
from mock_server.sampling import Sampler, Unsampleable
from mock_server.sandbox import Sandbox, Served
from mock_server.web.credentials import credential_text
from mock_server.web.ports import url_host

_CREDENTIALS = 6
_CREDENTIALS_OF_MANY = 2
_MANY_APIS = 4
_LONG_CREDENTIAL = 76
_LONG_BODY = 300
_LOOKED_AT = 400
"""How many operations are looked at for one to try: the rest of a large API is not worth the wait."""


def banner(sandbox: Sandbox, *, host: str, port: int, token: str | None) -> Iterator[str]:
    """The lines to print: each API's URL and credentials, a curl line to try, and the control API."""
    root = f"http://{url_host(host)}:{port}"
    yield click.style("apidouble", bold=True) + f" serves {_count(sandbox)}; stop it with Ctrl-C"
    few = _CREDENTIALS if len(sandbox.apis) < _MANY_APIS else _CREDENTIALS_OF_MANY
    for name, served in sandbox.apis.items():
        yield ""
        yield from _api(served, f"{root}/{name}" if len(sandbox.apis) > 1 else root, root, few=few)
    yield ""
    yield f"control API: {root}/__mock__/openapi.json"
    if token is not None:
        yield f"  wants Authorization: Bearer {token}"


def _count(sandbox: Sandbox) -> str:
    return f"{counted(len(sandbox.apis), 'API')} with " + counted(
        sum(len(served.api.refs) for served in sandbox.apis.values()), "operation"
    )


def counted(number: int, noun: str) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _api(served: Served, url: str, root: str, *, few: int) -> Iterator[str]:
    yield click.style(f"{served.api.title} {served.api.version}".strip(), bold=True)
    yield f"  {click.style(url, fg='cyan')}   {counted(len(served.api.refs), 'operation')}"
    shown = _worth_showing(served)[:few]
    for credential, text in shown:
        about = f"   {credential.description}" if credential.description else ""
        yield f"  {credential.name}: {text}{click.style(about, dim=True)}"
    hidden = len(served.credentials) - len(shown)
    if hidden or any("…" in text for _, text in shown):
        yield f"  every credential, in full: {root}/__mock__/apis"
    example = curl_example(served, url)
    if example is not None:
        yield f"  try: {example}"


def _worth_showing(served: Served) -> list[tuple[Credential, str]]:
    """A few credentials to type or paste: short ones as they are, one token as the command that prints it."""
    found: list[tuple[Credential, str]] = []
    has_token = False
    for credential in served.credentials:
        text = credential_text(served, credential)
        if credential.verified:
            if has_token:
                continue
            has_token = True
            scopes = "".join(f" --scope {shlex.quote(scope)}" for scope in credential.scopes or ())
            text = f'"Authorization: Bearer $(apidouble token {served.name}{scopes})"'
        elif len(text) > _LONG_CREDENTIAL:
            text = text[: _LONG_CREDENTIAL - 1] + "…"
        found.append((credential, text))
    return found


def curl_example(served: Served, url: str) -> str | None:
    """A curl line that creates something, or else reads something; None when no operation is that simple."""
    simple = [
        ref
        for ref in list(served.api.refs.values())[:_LOOKED_AT]
        if ref.method in {"POST", "GET"} and not ref.template.parameters
    ]
    for ref in sorted(simple, key=lambda ref: ref.method != "POST"):
        line = _curl(served, ref, url)
        if line is not None:
            return line
    return None


def _curl(served: Served, ref: OperationRef, url: str) -> str | None:
    operation = served.api.operation(ref.id)
    if any(parameter.required for parameter in operation.parameters):
        return None
    parts = ["curl"]
    if operation.security and () not in operation.security:
        credential = _credential(served, operation)
        if credential is None:
            return None
        parts += ["-H", credential_text(served, credential)]
    if ref.method == "POST":
        body = _body(served, operation)
        if body is None:
            return None
        parts += ["-H", "Content-Type: application/json", "-d", body]
    base = served.api.base_paths[0]
    return shlex.join([*parts, f"{url}{base}{ref.template.text}"])


def _credential(served: Served, operation: Operation) -> Credential | None:
    """A credential short enough to type that satisfies the operation by a header alone."""
    for (scheme, _), *others in operation.security:
        if others or scheme.location in {"query", "cookie"}:
            continue
        for credential in served.credentials:
            fitting = credential.scheme == scheme.name and credential.expires is None and not credential.verified
            if fitting and len(credential.value) <= _LONG_CREDENTIAL:
                return credential
    return None


def _body(served: Served, operation: Operation) -> str | None:
    schema = request_schema(operation)
    media = json_media(operation.request_body.content) if operation.request_body is not None else None
    if schema is None or media is None or anatomy_of(schema, Direction.REQUEST).is_array:
        return None
    for example in media.examples:
        if schema.accepts(example.value, Direction.REQUEST):
            return jsontext.dumps(example.value).decode()
    try:
        sampled = Sampler(schema.bundle(Direction.REQUEST), direction=Direction.REQUEST).sample(
            seed=served.model.seed, now=served.model.epoch
        )
    except Unsampleable:
        return None
    text = jsontext.dumps(sampled).decode()
    return text if len(text) <= _LONG_BODY else None
