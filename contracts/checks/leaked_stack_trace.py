"""An error does not tell strangers how the service is built: no stack traces, no debug pages."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from urllib.parse import unquote

from contracts.checks.registry import Family, check
from contracts.findings import Difference, Finding
from contracts.judging import Exchange, judges_reply
from contracts.replies import UNREAD, is_coded, json_body, syntax
from contracts.wire import WireRequest
from mock_server.openapi import pointers
from mock_server.openapi.bodies import Syntax
from mock_server.openapi.values import Json

CHECK = check(
    "leaked_stack_trace",
    Family.CONFORMANCE,
    summary="The body of an error has no stack trace and is no debug page.",
    source="CWE-209; OWASP API Security 2023, API8: detailed error messages",
    fault=209,
    example="a 500 with a Python traceback",
)

_LONGEST = 100_000
"""Characters of a text that are looked at."""

_SHOWN = 120

# Each pattern is one line of a trace: a file with a line number where a language writes it, which no prose does.
_TRACES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "Python": re.compile(r'Traceback \(most recent call last\):|File "[^"\n]{1,300}", line \d{1,6}, in [\w<]'),
        "Java": re.compile(r"\bat (?:[\w.$@-]{1,200}/)?[\w$]{1,200}(?:\.[\w$<>]{1,200}){1,20}\("
                           r"(?:[\w$-]{1,200}\.(?:java|kt|scala|groovy):\d{1,6}|Native Method|Unknown Source)\)"),
        "Node.js": re.compile(r"\bat (?:[^\n()]{1,200} \()?(?:file://|node:|/|[A-Za-z]:\\)"
                              r"[^\n():]{1,300}:\d{1,6}:\d{1,6}\b"),
        "Go": re.compile(r"goroutine \d{1,9} \[[^\]\n]{1,80}\]:|\.go:\d{1,6} \+0x[0-9a-f]{1,16}"),
        "Ruby": re.compile(r"\.rb:\d{1,6}:in [`'\u2018][^'\n]{1,200}['\u2019]"),
        "PHP": re.compile(r"#\d{1,4} [^\s(]{1,300}\.php\(\d{1,6}\): |PHP (?:Fatal|Parse) error: |"
                          r"\.php(?:</b>)? on line (?:<b>)?\d{1,6}"),
        ".NET": re.compile(r"\bat [\w.`<>+\[\],]{1,300}\([^()\n]{0,300}\) in [^\n]{1,300}:line \d{1,6}|"
                           r"\bat (?:System|Microsoft)\.[\w.`<>+\[\],]{1,300}\([^()\n]{0,300}\)"),
        "Rust": re.compile(r"thread '[^'\n]{1,80}' (?:\(\d+\) )?panicked at "),
        "Elixir": re.compile(r"\([\w-]{1,60} \d[\w.-]{0,30}\) [\w./-]{1,200}\.exs?:\d{1,6}: "),
    }
)  # fmt: skip

_PAGES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "Werkzeug": re.compile(r"<title>[^<]{0,300}// Werkzeug Debugger</title>"),
        "Django": re.compile(r"You(?:'|\u2019|&#x27;)re seeing this error because you have <code>DEBUG = True</code>"),
        "Laravel": re.compile(r"window\.ignite\(|<title>[^<]{0,300}Whoops!|class=\"Whoops container\""),
        "Rails": re.compile(r"<title>Action Controller: Exception caught</title>"),
        "ASP.NET": re.compile(r"<title>[^<]{0,300}</title>[^\n]*\n?[^\n]*Server Error in '[^'\n]{0,200}' Application|"
                              r"<span><H1>Server Error in '[^'\n]{0,200}' Application"),
        "Symfony": re.compile(r"<!-- [^\n]{1,300} \(\d{3} [\w ]{1,60}\) -->\s*<!DOCTYPE html>"),
    }
)  # fmt: skip


@judges_reply(CHECK)
def has_no_stack_trace(exchange: Exchange) -> Iterator[Finding]:
    """A line of a stack trace, or a framework's debug page, in the body of an error."""
    recorded = exchange.recorded
    if recorded.status < 400 or not recorded.reply.body or is_coded(exchange):
        return
    for pointer, text in _texts(exchange):
        found = _leaked(text[:_LONGEST])
        if found is None:
            continue
        kind, line = found
        if _sent(recorded.request, line):
            continue  # what the client wrote itself comes back
        difference = Difference(pointer, "an error in the words of the API", line, f"is from {kind}")
        yield exchange.finding(CHECK, f"the reply with {recorded.status} has {kind}", difference)
        return


def _texts(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """The texts of a body: the strings of JSON, each at its pointer, or all of anything else."""
    body = exchange.recorded.reply.body
    if syntax(exchange) is Syntax.JSON or body[:1] in {b"{", b"["}:
        value = json_body(body).value
        if value is not UNREAD:
            yield from _strings(value, "")
            return
    text = body.decode("utf-8", "replace")
    yield "", text
    if "&" in text:
        yield "", html.unescape(text)


def _sent(request: WireRequest, text: str) -> bool:
    said = request.body.decode("utf-8", "replace")
    return text in said or json.dumps(text)[1:-1] in said or text in unquote(request.target)


def _strings(value: Json, pointer: str) -> Iterator[tuple[str, str]]:
    pending: list[tuple[str, Json]] = [(pointer, value)]
    while pending:
        where, here = pending.pop()
        if isinstance(here, str):
            yield where, here
        elif isinstance(here, dict):
            pending += [(pointers.join(where, name), member) for name, member in here.items()]
        elif isinstance(here, list):
            pending += [(pointers.join(where, str(index)), item) for index, item in enumerate(here)]


def _leaked(text: str) -> tuple[str, str] | None:
    """What leaks out of a text, and the line that shows it."""
    for language, pattern in _TRACES.items():
        found = pattern.search(text)
        if found is not None:
            return f"a stack trace of {language}", _line(text, found)
    for framework, pattern in _PAGES.items():
        found = pattern.search(text)
        if found is not None:
            return f"a debug page of {framework}", found[0][:_SHOWN]
    return None


def _line(text: str, found: re.Match[str]) -> str:
    """The line in which something was found, as far as there is room to show it."""
    begin = max(text.rfind("\n", 0, found.start()) + 1, found.start() - _SHOWN // 2)
    return text[begin : max(found.end(), begin)].strip()[: 2 * _SHOWN]
