"""Transcribing: the exchanges of a test as the steps of an exchange file, without secrets and without chance values.

What the service made up becomes a marker (``contracts/expectations.py``): ``$bind`` for what has to be the same
wherever it recurs, ``$match`` for times and for texts around such values, ``$any`` for what is another one each time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from contracts.bindings import leaves
from contracts.testing.recording.hiding import HIDDEN, Hiding
from contracts.testing.recording.leaks import content_type_of, found_secrets, is_hidden, operation_of
from contracts.testing.recording.opaque import (
    ANY_TEXT,
    NOTHING,
    NOWHERE,
    Names,
    Sight,
    changes_by_itself,
    escaped,
    form_of,
    identifies,
    is_secret,
    json_of,
    looks_made,
    notation_of,
    pattern_around,
    request_sight,
    sight_of,
    stem_of,
)
from contracts.testing.recording.recorder import Taken
from mock_server.exchange.journal import REDACTED_HEADERS
from mock_server.openapi.description import Operation, Response
from mock_server.openapi.values import Json
from mock_server.sandbox import Served

_KEPT = frozenset({"accept", "content-type", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
                   "prefer", "range", "idempotency-key", "accept-language"})  # fmt: skip
_LARGEST = 200_000
_SUMS = frozenset({"total", "count", "pages"})


def transcribed(
    served: Served, exchanges: Sequence[Taken], *, base_url: str, secrets: Iterable[str] = ()
) -> list[dict[str, Json]]:
    """The steps of an exchange file. ``secrets`` are texts that must not be in it, beside those that are found."""
    hiding = Hiding([*secrets, *found_secrets(served, exchanges)])
    scribe = _Scribe(served, hiding, base_url)
    return [scribe.step(taken) for taken in in_order(exchanges)]


def in_order(exchanges: Sequence[Taken]) -> list[Taken]:
    """Exchanges in the order in which they were made; those at the same time in an order of their contents."""
    groups: list[list[Taken]] = []
    latest = 0
    for taken in sorted(exchanges, key=lambda taken: taken.number):
        if groups and taken.number < latest:
            groups[-1].append(taken)
        else:
            groups.append([taken])
        latest = max(latest, taken.ended)
    return [taken for group in groups for taken in sorted(group, key=_contents if len(group) > 1 else _begin)]


def _begin(taken: Taken) -> tuple[Any, ...]:
    return (taken.number,)


def _contents(taken: Taken) -> tuple[Any, ...]:
    return (taken.request.method, taken.path, taken.request.query, taken.request.body, taken.reply.status)


class _Scribe:
    """Writes one exchange after the other; what earlier ones have shown is known to later ones."""

    def __init__(self, served: Served, hiding: Hiding, base_url: str) -> None:
        self._served = served
        self._hiding = hiding
        self._root = base_url
        self._names = Names()
        self._redacted: dict[str, str] = {}
        self._said: set[str] = set()
        self._said_ids: set[str] = set()

    def step(self, taken: Taken) -> dict[str, Json]:
        """One step."""
        operation = operation_of(self._served, taken)
        about = _about(operation, taken.path)
        called = operation.id if operation is not None else f"{taken.request.method} of no described path"
        step: dict[str, Json] = {"name": f"{called} answers {taken.reply.status}"}
        if taken.credential is not None:
            step["credential"] = taken.credential
        step["request"] = self._request(taken, operation)
        self._hear(taken)
        step["response"] = self._response(taken, operation, about)
        return step

    # Requests

    def _request(self, taken: Taken, operation: Operation | None) -> dict[str, Json]:
        request = taken.request
        base = self._served.api.base_paths[0]
        written: dict[str, Json] = {"method": request.method, "path": base + self._path(taken.path)}
        query = self._query(request.query)
        if query:
            written["query"] = query
        content, headers = self._content(taken, operation), self._headers(taken, operation)
        if "body" in content and headers.get("Content-Type") == "application/json":
            del headers["Content-Type"]
        if headers:
            written["headers"] = headers
        return written | content

    def _path(self, path: str) -> str:
        return "/".join(self._segment(segment) for segment in path.split("/"))

    def _segment(self, segment: str) -> str:
        text = unquote(segment)
        name = self._names.of_segment(text)
        if name is not None:
            return f"{{{name}}}"
        if self._hiding.holds(text):
            return quote(self._hiding.hidden(text), safe="")
        return segment.replace("{", "%7B").replace("}", "%7D")

    def _query(self, query: str) -> dict[str, Json]:
        hidden = {scheme.parameter for scheme in self._schemes("query")}
        found: dict[str, list[Json]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name in hidden and self._is_known(value):
                continue
            secret = name in hidden or is_secret(name, None)
            found.setdefault(self._hiding.hidden(name), []).append(self._sent(name, value, secret=secret))
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}

    def _schemes(self, location: str) -> Iterator[Any]:
        return (scheme for scheme in self._served.api.security_schemes.values() if scheme.location == location)

    def _is_known(self, value: str) -> bool:
        """Whether a text is one of the double's credentials, which a step names instead."""
        return any(credential.value == value for credential in self._served.credentials)

    def _headers(self, taken: Taken, operation: Operation | None) -> dict[str, Json]:
        described = (
            {p.name.lower(): p.name for p in operation.parameters if p.location == "header"} if operation else {}
        )
        schemes = {scheme.parameter.lower(): scheme.parameter for scheme in self._schemes("header")}
        credentials = schemes | {"authorization": "Authorization"}
        found: dict[str, Json] = {}
        for name, value in taken.request.headers.items():
            if name in credentials:
                if taken.credential is None:
                    found[credentials[name]] = self._presented(value)
            elif (name in described or name in _KEPT) and name != "cookie" and (name, value) != ("accept", "*/*"):
                if name == "content-type":
                    value = re.sub(r"boundary=\"?[^\";]+\"?", "boundary=boundary", value)
                found[described.get(name, name.title())] = self._sent(name, value, secret=is_secret(name, None))
        return found

    def _presented(self, value: str) -> Json:
        """A credential that is none of the double's: one that the service gave before, or a text that is hidden."""
        scheme, space, text = value.rpartition(" ")
        name = self._names.of(text)
        return {"$text": f"{scheme}{space}{{{name}}}"} if name is not None else f"{scheme}{space}{HIDDEN}"

    def _sent(self, name: str, value: Json, *, secret: bool) -> Json:
        """A value of a request: by its name where a reply has shown it."""
        if isinstance(value, bool) or value is None:
            return value
        known = self._names.of(value) if isinstance(value, str) or identifies(name, value, error=False) else None
        if known is None and isinstance(value, str) and identifies(name, value, error=False):
            known = self._names.of_segment(value)
        if known is not None:
            return {"$bind": known}
        if secret:
            return self._redact(json.dumps(value))
        if not isinstance(value, str):
            return HIDDEN if self._hiding.given_in(json.dumps(value)) else value
        if self._hiding.holds(value) or not _is_writable(value):
            hidden = self._hiding.hidden(value) if _is_writable(value) else HIDDEN
            return self._redact(json.dumps(value)) if hidden == HIDDEN else hidden
        return self._around(value)

    def _redact(self, value: str) -> str:
        """What stands for a secret of a request: the same for equal ones, so that it plays."""
        first = HIDDEN if not self._redacted else f"{HIDDEN[:-1]} {len(self._redacted) + 1})"
        return self._redacted.setdefault(value, first)

    def _around(self, value: str) -> Json:
        """A text with values inside that a reply has shown."""
        written = value
        for text in self._names.texts():
            if text in written and "{" not in value and "}" not in value:
                written = written.replace(text, f"{{{self._names.of(text)}}}")
        return {"$text": written} if written != value else value

    def _content(self, taken: Taken, operation: Operation | None) -> dict[str, Json]:
        body, content_type = taken.request.body, taken.request.headers.get("content-type", "")
        if not body:
            return {}
        value = json_of(body)
        if value is not NOTHING and "json" in content_type and not _has_markers(value):
            return {"body": self._sent_body(value, request_sight(operation, content_type))}
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return {"text": f"({len(body)} bytes that are no text)"}
        if content_type.startswith("application/x-www-form-urlencoded"):
            return {"text": self._form(text)}
        boundary = re.search(r"boundary=\"?([^\";]+)", content_type)
        text = text.replace(boundary[1], "boundary") if boundary is not None else text
        return {"text": self._hiding.hidden(text)}

    def _form(self, text: str) -> str:
        pairs = []
        for name, value in parse_qsl(text, keep_blank_values=True):
            sent = self._sent(name, value, secret=is_secret(name, None))
            if isinstance(sent, dict):
                sent = f"{{{sent['$bind']}}}" if "$bind" in sent else sent["$text"]
            pairs.append((self._hiding.hidden(name), sent))
        return urlencode(pairs, safe="{}()", quote_via=quote)

    def _sent_body(self, value: Json, sight: Sight, name: str = "", *, secret: bool = False) -> Json:
        if isinstance(value, dict):
            members = sight.anatomy.members
            return {
                self._hiding.hidden(key): self._sent_body(inner, sight.member(key), key,
                                                          secret=is_hidden(key, members.get(key), within=secret))
                for key, inner in value.items()
            }  # fmt: skip
        if isinstance(value, list):
            return [self._sent_body(entry, sight.item(), name, secret=secret) for entry in value]
        return self._sent(name, value, secret=secret)

    def _hear(self, taken: Taken) -> None:
        """Remembers what a request says: when a reply repeats it, it is no news."""
        segments = [unquote(segment) for segment in taken.path.split("/") if segment]
        pairs = parse_qsl(taken.request.query, keep_blank_values=True)
        self._said.update(segments, (value for _, value in pairs))
        self._said_ids.update(segments, (value for name, value in pairs if identifies(name, value, error=False)))
        self._said.update(value for name, value in taken.request.headers.items() if name in _KEPT)
        body = json_of(taken.request.body)
        if body is NOTHING and taken.request.headers.get("content-type", "").startswith("application/x-www-form"):
            body = dict(parse_qsl(taken.request.body.decode("utf-8", "replace")))
        for _, name, value in leaves(body) if body is not NOTHING else ():
            if isinstance(value, str):
                self._said.add(value)
            if identifies(name, value, error=False):
                self._said_ids.add(str(value))

    # Responses

    def _response(self, taken: Taken, operation: Operation | None, about: str) -> dict[str, Json]:
        reply, content_type = taken.reply, content_type_of(taken)
        response = operation.response_for(reply.status) if operation is not None else None
        content = self._told(taken, response, content_type, about)  # first, since headers repeat what it shows
        described = {header.name.lower(): header.name for header in response.headers} if response is not None else {}
        headers: dict[str, Json] = {}
        for name, value in reply.headers:
            lower = name.lower()
            if lower == "content-type" and reply.body:
                headers["Content-Type"] = {"$match": f"^{escaped(value.partition(';')[0].strip())} *(;|$)"}
            elif lower in described and lower not in REDACTED_HEADERS:
                headers[described[lower]] = self._header(name, value, about)
        return {"status": reply.status, **({"headers": headers} if headers else {}), **content}

    def _told(self, taken: Taken, response: Response | None, content_type: str, about: str) -> dict[str, Json]:
        """What a reply's body says, nothing for one that is no text or very long."""
        body = taken.reply.body
        if len(body) > _LARGEST:
            return {}
        value = json_of(body) if "json" in content_type else NOTHING
        if value is not NOTHING and not _has_markers(value):
            sight, error = sight_of(response, content_type), taken.reply.status >= 400
            return {"body": self._without_sums(self._shown(value, sight, (), about=about, error=error), value, taken)}
        if content_type.startswith("text/"):
            text = body.decode("utf-8", "replace")
            if text and not self._hiding.holds(text):
                pattern = pattern_around(text, self._names.texts(), root=self._root)
                return {"text": text if pattern is None else {"$match": pattern}}
        return {}

    def _header(self, name: str, value: str, about: str) -> Json:
        if name.lower() in {"location", "content-location", "link"}:
            path = re.sub(r"^https?://[^/]+", "", value)
            around = pattern_around(path, self._names.texts(), root="")
            return {"$match": (around or f"^{escaped(path)}$")[1:]}  # the host is another one elsewhere
        if value.isdecimal():
            return {"$match": r"^\d+$"}
        return self._text(name, value, (name,), NOWHERE, about=about, error=False, secret=is_secret(name, None))

    def _shown(
        self, value: Json, sight: Sight, path: tuple[str, ...], *, about: str, error: bool, secret: bool = False
    ) -> Json:
        """A value of a reply, markers in place of what nobody can know."""
        if isinstance(value, dict):
            members = sight.anatomy.members
            return {
                self._hiding.hidden(key): self._shown(inner, sight.member(key), (*path, key), about=about, error=error,
                                                      secret=is_hidden(key, members.get(key), within=secret))
                for key, inner in value.items()
            }  # fmt: skip
        if isinstance(value, list):
            return [self._shown(entry, sight.item(), (*path, str(index)), about=about, error=error, secret=secret)
                    for index, entry in enumerate(value)]  # fmt: skip
        name = next((token for token in reversed(path) if not token.isdigit()), "")
        if isinstance(value, str):
            return self._text(name, value, path, sight, about=about, error=error, secret=secret)
        if isinstance(value, bool) or value is None:
            return value
        return self._number(name, value, path, about=about, secret=secret)

    def _text(
        self, name: str, value: str, path: tuple[str, ...], sight: Sight, *, about: str, error: bool, secret: bool
    ) -> Json:
        if not value or (sight.schema is not None and {"enum", "const"} & set(_flat(sight))):
            return value if not self._hiding.given_in(value) else {"$match": ANY_TEXT}
        whole = self._hiding.hidden(value) == HIDDEN
        if (secret and "**" not in value) or (whole and _is_writable(value)):
            return {"$bind": self._names.bind(value, stem_of(path, about)), "$match": ANY_TEXT}
        known = self._names.of(value)
        if known is not None and (len(value) > 5 or identifies(name, value, error=error)):
            return {"$bind": known, "$match": form_of(value, prefixed=identifies(name, value, error=error))}
        if self._hiding.holds(value) or not _is_writable(value):
            return {"$match": ANY_TEXT}
        if value in self._said:
            return value
        notation = notation_of(value)
        if notation is not None:
            return {"$match": notation}
        named = identifies(name, value, error=error)
        if named or looks_made(value):
            return {"$bind": self._names.bind(value, stem_of(path, about)), "$match": form_of(value, prefixed=named)}
        pattern = pattern_around(value, self._names.texts(), root=self._root)
        return {"$match": pattern} if pattern is not None else value

    def _number(self, name: str, value: float, path: tuple[str, ...], *, about: str, secret: bool) -> Json:
        if secret or self._hiding.given_in(json.dumps(value)):
            return {"$any": True}
        if identifies(name, value, error=False):
            if str(value) in self._said_ids and self._names.of(value) is None:
                return value
            bound = self._names.bind(value, stem_of(path, about))
            return {"$bind": bound} if bound is not None else {"$any": True}
        return {"$any": True} if changes_by_itself(name, value) else value

    def _without_sums(self, shown: Json, value: Json, taken: Taken) -> Json:
        """The body without sums over more than what it lists, which others may have added to."""
        meaning = self._served.model.meaning(taken.operation_id) if taken.operation_id is not None else None
        if meaning is None or taken.reply.status >= 400 or not isinstance(shown, dict):
            return shown
        listed = _at(value, meaning.envelope.path)
        for path, role in meaning.envelope.fields.items():
            total = _at(value, path)
            if role in _SUMS and isinstance(total, int) and not (isinstance(listed, list) and total <= len(listed)):
                shown = _placed(shown, path, {"$any": True})
        return shown


def _about(operation: Operation | None, path: str) -> str:
    """The word in a path that says what it is about."""
    parts = (operation.path if operation is not None else path).split("/")
    return next((part for part in reversed(parts) if part and "{" not in part and not any(c.isdigit() for c in part)),
                "value")  # fmt: skip


def _flat(sight: Sight) -> Mapping[str, Json]:
    found = sight.schema
    return found if isinstance(found, dict) else {}


def _has_markers(value: Json) -> bool:
    """Whether a value would be taken for a marker, which has no other spelling."""
    if isinstance(value, dict):
        return any(name.startswith("$") for name in value) or any(map(_has_markers, value.values()))
    return isinstance(value, list) and any(map(_has_markers, value))


def _is_writable(text: str) -> bool:
    """Whether YAML has room for a text: half a surrogate pair is none."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _at(value: Json, path: Sequence[str]) -> Json:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _placed(value: Json, path: Sequence[str], new: Json) -> Json:
    if not path:
        return new
    return {**value, path[0]: _placed(value[path[0]], path[1:], new)} if isinstance(value, dict) else value
