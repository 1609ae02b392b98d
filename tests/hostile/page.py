"""The page of the limits and of the hostile inputs, made by sending them, so that it says what is so.

``python -m tests.hostile.page > docs/limits.md`` writes it. Words are those under Python 3.11, whose JSON reader words
some of them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from mock_server import MockServer
from mock_server.exchange.authentication import Credential
from mock_server.exchange.messages import RawResponse
from mock_server.openapi import backtracking
from mock_server.openapi.source import DEFAULT_LIMITS
from mock_server.sandbox import MAX_BODY, Options
from mock_server.web.connections import IDLE_SECONDS, MOST_CONNECTIONS
from mock_server.web.serving import _THREADS
from tests.acceptance.lines import served
from tests.acceptance.rich_description import RICH
from tests.acceptance.test_hostile_requests import HOSTILE, Hostile, thing
from tests.acceptance.test_serving import PETS
from tests.hostile.asked import ASKED, small
from tests.hostile.asked import MAX_BODY as SMALL_BODY
from tests.hostile.limits import BOUNDS, LIMITS, Limit
from tests.hostile.sent import Got, Sent, answer
from tests.hostile.wire import RAW, Heard, Raw, heard

_HEAD = """# Limits, and hostile inputs with their answers

What a double takes, what it answers when it is sent more, and what it answers to what nobody should send. A refusal is
a problem document (RFC 9457), or has the form that the description gives errors; it names what was wrong, where, and
what is allowed. A refused request leaves no trace but its entry in the journal: the state is the very same value.

This page is made by sending all of it: `python -m tests.hostile.page > docs/limits.md`. Beyond these examples,
Hypothesis sends spoiled requests to every pack and to the control API, and bytes to both servers
(`APIDOUBLE_FUZZ=300 pytest tests/hostile` sends three hundred sequences to each).
"""

_PATTERNS = """## Patterns

A pattern in a description is not a way to stop a double. The validator (jsonschema-rs) runs it in linear time wherever
it can: `^(a+)+$` over 100,000 letters takes as long as `^a+$`. What only a backtracking engine can run (look-around,
back-references, possessive and atomic groups) has two bounds: a budget of 100,000 steps, and the length of the text
that it is tried on, since a step may look through all of it: {anywhere:,} characters, or {start:,} for a pattern that
begins with `^` and has no alternatives beside it. A text for which either is spent counts as not matching, and the
answer says so. Where such a pattern stands in a schema, a value of more than 100 parts, or with a longer text, is told
its first violation only. Names of members (`patternProperties`) have the budget of steps alone.

The double's own patterns (parameter styles, media types, base64, durations, bracketed names, tokens in listings) take
linear time; `tests/hostile/test_patterns.py` holds them to it. Python's engine never runs a pattern of a description
over what a client sends: it makes samples from patterns, and those are looked at by the validator.
"""

_SERVERS = """## What the servers themselves refuse

Bytes on a socket, sent to a double of `tests/acceptance/descriptions/pets.yaml`. What is no HTTP never comes as far as
the double: the server (granian) answers with a status alone, or closes. Both ways to serve are asked, `MockServer` and
`apidouble serve`; where they differ, both answers are shown. A chunked body that ends early is the one thing that
`apidouble serve` cannot tell from a whole one: granian's WSGI interface hands on what there was.
"""

_CONNECTIONS = """## Connections

| Limit | Default | To change it | Beyond it | Source |
| --- | --- | --- | --- | --- |
| open connections | {most:,}, or as many files as the process may open, less a few | `ulimit -Hn` | \
further ones wait in the system's queue | `web/connections.py` |
| time for the headers of a request | {idle:.0f} s | `EmbeddedServer(idle_seconds=…)` | the connection is closed | \
`web/connections.py` |
| time for a body | none | | each waiting body has one of {threads} threads of `apidouble serve`, and none of \
`MockServer`'s | `web/serving.py` |
| delayed answers at once (faults) | {threads} in `apidouble serve` | fixed | further ones wait | `web/serving.py` |

`tests/steady/test_slow_clients.py` holds them.
"""

_EXCHANGE = """## What the exchange is asked

Sent to the same description in process, past servers and the limits of heads: every one of these comes as far as the
double, whatever host it runs under.
"""

_APPLICATION = """## Heads, bodies, sessions and the control API

Sent to the description of `tests/acceptance/rich_description.py`, with a few patterns added, where bodies of {body:,}
bytes are taken.
"""

_GROUPS = {
    "no JSON at all": "JSON texts",
    "a key with line breaks": "Keys that make addresses",
    "another content type": "Media types",
    "multipart without boundary": "Multipart bodies",
    "XML entity bomb": "XML",
    "form of 10,000 brackets": "Forms",
    "copies that double": "Patches",
    "path that climbs": "Paths",
    "10,000 parameters": "Queries",
    "header number that is none": "Headers",
    "an unknown method": "Methods",
}
"""The hostile request that begins each group of them."""

PAGE = Path(__file__).resolve().parents[2] / "docs" / "limits.md"

_WORDED_BY = (3, 11)  # the Python whose JSON reader words some of the answers as the page has them
_LONGEST = 150
_USUAL = {("Content-Type", "application/json"), ("Mock-Session", "controlled")}  # of most requests, so not shown
_SEED = {"Content-Type": "application/json"}


def limits_page() -> str:
    """The page as Markdown."""
    head, connections, patterns, descriptions, application, exchange, servers = texts()
    parts = [head, *_limits(), *bounds(), connections, patterns, descriptions, application, *_application(),
             exchange, *_requests(), servers, *_raw()]  # fmt: skip
    return "\n".join(parts).rstrip() + "\n"


def texts() -> tuple[str, ...]:
    """What stands between the tables."""
    patterns = _PATTERNS.format(anywhere=backtracking.ANYWHERE, start=backtracking.FROM_THE_START)
    connections = _CONNECTIONS.format(most=MOST_CONNECTIONS, idle=IDLE_SECONDS, threads=_THREADS)
    application = _APPLICATION.format(body=SMALL_BODY)
    return _HEAD, connections, patterns, _description(), application, _EXCHANGE, _SERVERS


# Limits


def _limits() -> Iterator[str]:
    yield "## One request\n"
    yield "| Limit | Default | To change it | Beyond it | Source |"
    yield "| --- | --- | --- | --- | --- |"
    for limit in LIMITS:
        yield limit_row(limit, limit.ask(limit.most + limit.step))
    yield ""


def limit_row(limit: Limit, got: Got) -> str:
    """The row of a limit, by the answer to what is beyond it."""
    default, words = limit.default, said(got.body)
    if limit.name == "request body":  # asked where less is taken, which is cheaper to send
        default, words = f"{MAX_BODY:,} bytes", words.replace(f" {limit.most} ", f" {MAX_BODY} ")
    return f"| {limit.name} | {default} | {limit.change or 'fixed'} | {got.status}: {_cell(words)} | `{limit.source}` |"


def bounds() -> Iterator[str]:
    """The table of what is remembered."""
    yield "## What is remembered\n"
    yield "The state itself grows with what clients store; `POST /__mock__/reset` and fresh universes let go of it.\n"
    yield "| What | At most | To change it | Beyond it | Source |"
    yield "| --- | --- | --- | --- | --- |"
    for bound in BOUNDS:
        most = bound.change.partition(", ")[2].removesuffix(" by default") or f"{bound.most:,}"
        change = bound.change.partition(",")[0] or "fixed"
        yield f"| {bound.name} | {most} | {change} | {bound.then} | `{bound.source}` |"
    yield ""


def _description() -> str:
    limits = DEFAULT_LIMITS
    return f"""## Descriptions

A description that is no use is refused at start, with file and line: more than {limits.max_bytes:,} bytes, more than
{limits.max_depth} levels, more than {limits.max_nodes:,} values once its aliases are expanded, tags that make objects,
references that leave its folder or its host (`tests/unit/openapi/`).
"""


# Inputs


def _requests() -> Iterator[str]:
    double = served(RICH, credentials=[Credential("tester", "token", "right")])
    double.send("POST", "/things", headers=_SEED, body=thing(id="known", tags=["a"]))
    for hostile in HOSTILE:
        if hostile.name in _GROUPS:
            yield f"\n### {_GROUPS[hostile.name]}\n"
            yield from _heading()
        got = double.send(hostile.method, hostile.target, headers=hostile.headers, body=hostile.body)
        yield hostile_row(hostile, got)
    yield ""


def hostile_row(hostile: Hostile, got: RawResponse) -> str:
    """The row of a request to the line."""
    return _row(hostile.name, _asked(hostile), got.status, said(got.body))


def _application() -> Iterator[str]:
    yield from _heading()
    for name, (_, sent) in ASKED.items():
        yield asked_row(name, sent, answer(small().application, sent))
    yield ""


def asked_row(name: str, sent: Sent, got: Got) -> str:
    """The row of a request to the application."""
    return _row(name, _written(sent), got.status, said(got.body))


def _raw() -> Iterator[str]:
    yield from _heading()
    with MockServer(PETS, options=Options()) as running:
        for raw in RAW:
            yield from raw_rows(raw, heard(running.port, raw.sent, ends=raw.ends))


def raw_rows(raw: Raw, found: Heard) -> Iterator[str]:
    """The rows of bytes on a socket: what the embedded server answers, and the served one where that differs."""
    yield _row(raw.name, _bytes(raw), found.status, found.words)
    if raw.served is not None:
        yield _row("", "the same to `apidouble serve`", raw.served, "")


def on_the_page(row: str) -> bool:
    """Whether the page has a row; where another Python words an answer otherwise, whether it has all but the words."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return row in lines or (sys.version_info[:2] != _WORDED_BY and _wordless(row) in map(_wordless, lines))


def _wordless(row: str) -> str:
    return row.rpartition(" | ")[0]


def _heading() -> Iterator[str]:
    yield "| What | Sent | Status | Words |"
    yield "| --- | --- | --- | --- |"


def _row(name: str, sent: str, status: int, words: str) -> str:
    return f"| {_cell(name)} | {sent} | {status or 'closed'} | {_cell(words)} |"


def _asked(hostile: Hostile) -> str:
    return _request(hostile.method, hostile.target, tuple(hostile.headers.items()), hostile.body)


def _written(sent: Sent) -> str:
    headers = sent.headers
    if sent.length is not None:
        headers = (*headers, ("Content-Length", sent.length))
    if sent.chunked:
        headers = (*headers, ("Transfer-Encoding", "chunked"))
    return _request(sent.method, sent.target, headers, sent.body)


def _request(method: str, target: str, headers: tuple[tuple[str, str], ...], body: bytes) -> str:
    """A request in few words: the line, the headers that matter, the beginning of the body."""
    shown = [_code(f"{method} {target}".strip())]
    told = [header for header in headers if header not in _USUAL]
    shown += [_code(f"{name}: {value}") for name, value in told[:3]]
    if len(told) > 3:
        shown.append(f"and {len(told) - 3} more")
    if body:
        shown.append(_code(body.decode("latin-1")))
    return " ".join(shown)


def _bytes(raw: Raw) -> str:
    """The bytes without what all of them have."""
    text = raw.sent.decode("latin-1")
    for common in ("Host: a\r\n", "Connection: close\r\n", "Content-Type: application/json\r\n"):
        text = text.replace(common, "")
    return (_code(text) if text else "nothing") + (", then the end" if raw.ends else "")


def _code(text: str) -> str:
    """A text as code: escaped as a Python literal would be, a long one by its beginning and size."""
    shown = re.sub(r"[^ -~]", lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
    if len(shown) > 60:
        shown = f"{shown[:45]}…"
        return f"{_fenced(shown)} ({len(text):,} characters)"
    return _fenced(shown)


def _fenced(text: str) -> str:
    text = text.replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def said(body: bytes) -> str:
    """The detail of a problem, else the beginning of the body."""
    try:
        value = json.loads(body)
    except ValueError:
        return ""
    return str(value["detail"]) if isinstance(value, dict) and "detail" in value else ""


def _cell(text: str) -> str:
    plain = re.sub(r"[^ -~…§]", lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
    short = plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
    return re.sub(r"([|<>*_`\\])", r"\\\1", short)


if __name__ == "__main__":
    sys.stdout.write(limits_page())
