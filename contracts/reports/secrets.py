"""Secrets: the credentials of callers, and texts without them.

Every report goes through here. A secret becomes the name of an environment variable (``$TOKEN``), so that what is
printed can still be run by someone who has it.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote, quote_plus

from contracts.service import Caller, Recorded, Reply
from mock_server.dataclass import dataclass
from mock_server.model.secretnames import is_secret_name, secrets_in
from mock_server.openapi.values import Json

_SHORTEST = 4
"""Secrets of fewer characters would be found in every word."""

_OPEN = frozenset({"accept", "accept-language", "accept-encoding", "content-type", "user-agent"})
"""Headers that a user may give with each request, which are no secret."""

_OPAQUE = re.compile(r"(?=\D*\d)\S{8,}|\S{20,}")
"""What a service hands out is hidden where it looks like that: a word would be hidden in every sentence."""

_SCHEMED = re.compile(r"[A-Za-z][\w-]* (\S+)\Z")


@dataclass(frozen=True, slots=True)
class Variable:
    """A part of a text that is not known when it is written: a credential, or a value of an earlier reply."""

    name: str


Pieces: TypeAlias = tuple[str | Variable, ...]
"""A text with variables in it."""


class Secrets:
    """The secrets of some callers. ``names`` gives the variable of each secret text."""

    def __init__(self, callers: Iterable[Caller] = ()) -> None:
        known = {caller.name: caller for caller in callers}
        self.names: Mapping[str, str] = dict(_named(known.values()))
        forms = {form: name for text, name in self.names.items() for form in _forms(text)}
        self._forms = {form: forms[form] for form in sorted(forms, key=len, reverse=True)}
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if self._forms else None

    def pieces(self, text: str) -> Pieces:
        """A text, with a variable in place of each secret."""
        if self._pattern is None or not text:
            return (text,)
        found: list[str | Variable] = []
        end = 0
        for match in self._pattern.finditer(text):
            found += [text[end : match.start()], Variable(self._forms[match.group()])]
            end = match.end()
        return tuple(piece for piece in (*found, text[end:]) if piece != "")

    def hidden(self, text: str) -> str:
        """A text with ``$NAME`` in place of each secret."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: f"${self._forms[match.group()]}", text)

    def hidden_bytes(self, body: bytes) -> bytes:
        """Bytes with ``$NAME`` in place of each secret."""
        for form, name in self._forms.items():
            body = body.replace(form.encode("utf-8", "surrogatepass"), f"${name}".encode())
        return body

    def hidden_in(self, value: Json) -> Any:
        """A JSON value without secrets, in names of members as well."""
        if isinstance(value, str):
            return self.hidden(value)
        if isinstance(value, dict):
            return {self.hidden(name): self.hidden_in(entry) for name, entry in value.items()}
        if isinstance(value, list | tuple):
            return [self.hidden_in(entry) for entry in value]
        if isinstance(value, int) and not isinstance(value, bool) and str(value) in self._forms:
            return f"${self._forms[str(value)]}"
        return value

    def revealed(self, text: str) -> str:
        """A text with the secrets in their places again: the other way round than ``hidden``."""
        values = {name: secret for secret, name in self.names.items()}
        return re.sub(r"\$([A-Z][A-Z0-9_]*)", lambda match: values.get(match[1], match[0]), text)


def handed_out(exchanges: Iterable[Recorded]) -> Iterator[Caller]:
    """The secrets that a service made up in its replies, as those of a caller by the name of ``service``."""
    texts = dict.fromkeys(text for recorded in exchanges for text in _made(recorded.reply))
    if texts:
        yield Caller("service", secrets=tuple(texts))


def _made(reply: Reply) -> Iterator[str]:
    for name, value in reply.headers:
        if name.lower() == "set-cookie":
            found: Iterable[str] = [value.partition(";")[0].partition("=")[2].strip().strip('"')]
        else:
            found = _without_scheme(value) if is_secret_name(name) else ()
        yield from filter(_OPAQUE.fullmatch, found)
    yield from filter(_OPAQUE.fullmatch, secrets_in(reply.body.decode("utf-8", "replace")))


def _named(callers: Iterable[Caller]) -> Iterator[tuple[str, str]]:
    """Each secret text with the name of its variable; what goes over the wire first."""
    several = list(callers)
    taken: set[str] = set()
    seen: set[str] = set()
    for caller in several:
        own = re.sub(r"\W+", "_", caller.name, flags=re.ASCII).strip("_").upper()
        base = "TOKEN" if len(several) == 1 or not own else f"TOKEN_{own}"
        for text in dict.fromkeys(_texts(caller)):
            if text in seen:
                continue
            number, name = 1, base
            while name in taken:
                number += 1
                name = f"{base}_{number}"
            taken.add(name)
            seen.add(text)
            yield text, name


def _texts(caller: Caller) -> Iterator[str]:
    open_values = {value for name, value in caller.headers.items() if name.lower() in _OPEN}
    for name, value in caller.headers.items():
        if name.lower() == "cookie":
            yield from (text for pair in value.split(";") if len(text := pair.partition("=")[2].strip()) >= _SHORTEST)
        elif name.lower() not in _OPEN:
            yield from _without_scheme(value)
    for value in caller.query.values():
        yield from _without_scheme(value)
    for value in caller.secrets:
        if value not in open_values:
            yield from _without_scheme(value)


def _without_scheme(value: str) -> Iterator[str]:
    match = _SCHEMED.match(value)
    text = match[1] if match else value
    if len(text) >= _SHORTEST:
        yield text


def _forms(text: str) -> set[str]:
    """How a text may be written inside of others: as it is, in a URL, in JSON, in Base64."""
    encoded = text.encode("utf-8", "surrogateescape")
    return {
        text,
        quote(text, safe=""),
        quote(text),
        quote_plus(text),
        json.dumps(text)[1:-1],
        b64encode(encoded).decode(),
    }
