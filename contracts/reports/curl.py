"""A sequence as shell commands: ``curl`` for each request, ``jq`` for what a later one takes from a reply."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator

from contracts.bindings import ETAG, LOCATION, Origin, tokens_of
from contracts.findings import Finding
from contracts.reports.secrets import Pieces, Secrets, Variable
from contracts.reports.steps import Step, steps_of
from mock_server.errors import visible

_LARGEST = 20_000
"""Bytes of a body that are written into a command."""

_PLAIN = re.compile(r"[\w@%+=:,./~?&;#\[\](){}<>*|'^ -]*\Z", re.ASCII)
"""Text that means itself between double quotes, in every shell."""


def curl(finding: Finding, secrets: Secrets, base_url: str) -> str:
    """The commands that send a finding's sequence; ``$BASE`` and the credentials' variables are to be set before."""
    found = [f"BASE={shlex.quote(secrets.hidden(visible(base_url)))}"]
    script = steps_of(finding, secrets)
    steps = script.steps
    used = {piece.name for step in steps for piece in _pieces(step) if isinstance(piece, Variable)}
    for number, step in enumerate(steps):
        at_once = " &" if number in script.race else ""
        saved = [(name, origin) for name, origin in step.saves if name in used]
        found += [f"{command}{at_once}" for command in _commands(step, saved)]
    found += ["wait  # those with & are sent at the same moment"] if script.race else []
    return "\n".join(found) + "\n"


def _pieces(step: Step) -> Iterator[str | Variable]:
    yield from step.target
    for _, value in step.headers:
        yield from value
    if isinstance(step.body, tuple):
        yield from step.body


def _commands(step: Step, saves: list[tuple[str, Origin]]) -> Iterator[str]:
    """One request, and the lines that keep what later requests need of its reply."""
    if not saves:
        yield _curl(step)
    elif len(saves) == 1:
        name, origin = saves[0]
        yield f"{name.upper()}=$({_curl(step, headers=not origin.at.startswith('/'))} | {_picked(origin)})"
    else:
        yield f"REPLY=$({_curl(step, headers=True)})"
        for name, origin in saves:
            body = "" if not origin.at.startswith("/") else " | sed '1,/^\\r*$/d'"
            yield f"{name.upper()}=$(printf '%s' \"$REPLY\"{body} | {_picked(origin)})"


def _picked(origin: Origin) -> str:
    """What takes a value out of a reply that is piped in."""
    if origin.at == ETAG:
        return "tr -d '\\r' | sed -n 's/^[Ee][Tt][Aa][Gg]: *//p'"
    if origin.at == LOCATION:
        return "tr -d '\\r' | sed -n 's/^[Ll]ocation: .*[/]//p'"
    tokens = tokens_of(origin.at)
    path = "".join(f"[{token}]" if token.isdigit() else _member(token) for token in tokens)
    return f"jq -r {shlex.quote('.' + path.removeprefix('.'))}"


def _member(name: str) -> str:
    return f".{name}" if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else f"[{json.dumps(name)}]"


def _curl(step: Step, *, headers: bool = False) -> str:
    method = step.recorded.request.method
    words = ["curl -sS" + ("i" if headers else "")]
    if method == "HEAD":
        words[0] += " -I"
    elif method != "GET" or step.body is not None:
        words[0] += f" -X {shlex.quote(method)}"
    target = "".join(piece for piece in step.target if isinstance(piece, str))
    if any(mark in target for mark in "[]{}"):
        words[0] += " --globoff"
    if "/." in target:
        words[0] += " --path-as-is"
    words[0] += f" {_quoted((Variable('BASE'), *step.target))}"
    words += [f"-H {_quoted((f'{name}: ' if value else f'{name};', *value))}" for name, value in step.headers]
    body = step.body
    before = ""
    if isinstance(body, bytes) or (body is not None and sum(len(p) for p in body if isinstance(p, str)) > _LARGEST):
        data = body if isinstance(body, bytes) else "".join(p for p in body if isinstance(p, str)).encode()
        before = _printf(data)
        words.append("--data-binary @-")
    elif body is not None:
        words.append(f"--data-raw {_quoted(body)}")
    return before + " \\\n  ".join(words)


def _printf(data: bytes) -> str:
    """Bytes from octal escapes, which every printf knows; a body too long for a command line is cut, and says so."""
    shown = "".join(f"\\{byte:03o}" for byte in data[: _LARGEST // 4])
    cut = f": the first {_LARGEST // 4} of {len(data)} bytes;" if len(data) > _LARGEST // 4 else ""
    return (f": 'the body is cut{cut} the finding file has it whole'; " if cut else "") + f"printf '{shown}' | "


def _quoted(text: Pieces) -> str:
    """A text for a shell: in single quotes where nothing varies, else in double quotes."""
    if not any(isinstance(piece, Variable) for piece in text):
        return shlex.quote(_unbroken("".join(piece for piece in text if isinstance(piece, str))))
    if all(isinstance(piece, Variable) or _PLAIN.match(piece) for piece in text):
        inner = ""
        for number, piece in enumerate(text):
            if isinstance(piece, Variable):
                after = text[number + 1] if number + 1 < len(text) else ""
                follows = isinstance(after, str) and bool(re.match(r"[\w\[]", after))
                inner += f"${{{piece.name.upper()}}}" if follows else f"${piece.name.upper()}"
            else:
                inner += piece
        return f'"{inner}"'
    return "".join(f'"${piece.name.upper()}"' if isinstance(piece, Variable) else shlex.quote(_unbroken(piece))
                   for piece in text)  # fmt: skip


def _unbroken(text: str) -> str:
    """A text without what would break the terminal that it is printed on."""
    return visible(text)
