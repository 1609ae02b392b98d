"""Secrets that are known by their names: a member ``password``, a parameter ``api_key``, the user of a URL.

What is not known by its value is known by what it is called, in JSON, forms, query strings, multipart bodies and XML,
parsed or not. The patterns never look at a text twice: a name is at most 80 characters, and what follows it is taken
whole (possessively), since the texts come from anybody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from urllib.parse import unquote, unquote_plus

from mock_server.model.anatomy import words
from mock_server.model.redaction import REDACTED
from mock_server.openapi.values import Json

_WORDS = frozenset({"password", "passwd", "passphrase", "passcode", "pwd", "secret", "pin", "cvc", "cvv",
                    "credential", "credentials", "token", "apikey", "authorization", "otp"})  # fmt: skip
_KEYS = frozenset({"api", "access", "auth", "private", "secret", "signing", "encryption", "subscription"})
_PLACES = frozenset({"page", "next", "prev", "previous", "continuation", "cursor", "sync", "skip", "resume", "start"})
"""A token that says where a list goes on opens nothing."""

_HINT = re.compile(r"pass|pwd|secret|pin|cv[cv]|credential|token|key|auth|otp|@", re.IGNORECASE)
_MEMBER = re.compile(
    r"""(?P<before>(?:(?<=[{,\s])|\A)"(?P<name>(?:[^"\\]|\\.){1,80}+)"\s*+:\s*+)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*+"?|-?\d[\d.eE+-]*+)""",
    re.DOTALL,
)
_PAIR = re.compile(
    r"""(?P<before>(?:(?<=[?&;\s"'])|\A)(?P<name>[^=&?;\s"'<>{}]{1,80}+)=)(?P<value>"[^"<>]*+"?|[^&;\s"'<>#]++)"""
)
_PART = re.compile(
    r"""(?P<before>name="(?P<name>[^"\r\n]{1,80}+)"[^\r\n]{0,200}+\r?\n(?:[^\r\n]{1,200}+\r?\n){0,5}+\r?\n)"""
    r"""(?P<value>(?:(?!\r?\n--).)++)""",
    re.DOTALL,
)
_ELEMENT = re.compile(r"""(?P<before><(?P<name>[A-Za-z_][\w.:-]{0,79}+)(?:\s[^<>]{0,300}+)?>)(?P<value>[^<]++)(?=</)""")
_USER = re.compile(r"(?P<before>:(?P<name>)//)(?P<value>[^/?#@\s\"'<>]{1,300}+)(?=@)")
_SHAPES: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_MEMBER, lambda text: str(_unquoted(text))),
    (_PAIR, lambda text: unquote_plus(text.strip('"'))),
    (_PART, str),
    (_ELEMENT, str),
    (_USER, lambda text: unquote(text.partition(":")[2] or text)),
)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether what goes by a name is nobody else's business: ``password``, ``X-Api-Key``, ``refreshToken``."""
    spelled = words(name)
    last, before = spelled[-1:], frozenset(spelled[:-1])
    if last == ("token",):
        return before.isdisjoint(_PLACES)
    return not _WORDS.isdisjoint(last) or (last == ("key",) and not _KEYS.isdisjoint(before))


def secrets_in(text: str) -> Iterator[str]:
    """The values in a text that go by secret names, as they were before they were written into it."""
    if _HINT.search(text) is not None:
        for pattern, read in _SHAPES:
            yield from (read(found["value"]) for found in pattern.finditer(text) if _is_secret(pattern, found))


def without_secrets(value: Json) -> Json:
    """A copy of a value, and of the texts in it, without what goes by a secret name."""
    if isinstance(value, str):
        return _hidden(value)
    if isinstance(value, dict):
        return {name: REDACTED if _is_told(name, member) else without_secrets(member) for name, member in value.items()}
    return [without_secrets(entry) for entry in value] if isinstance(value, list) else value


def _is_told(name: str, member: Json) -> bool:
    """Whether a member is a secret; yes and no are none."""
    return isinstance(member, str | int | float) and not isinstance(member, bool) and is_secret_name(name)


def _hidden(text: str) -> str:
    if _HINT.search(text) is None:
        return text
    for pattern, _ in _SHAPES:
        text = pattern.sub(lambda found, of=pattern: _shown(of, found), text)  # type: ignore[misc]  # a default binds it
    return text


def _shown(pattern: re.Pattern[str], found: re.Match[str]) -> str:
    if not _is_secret(pattern, found):
        return found[0]
    quoted = found["value"].startswith('"') or pattern is _MEMBER
    return found["before"] + (f'"{REDACTED}"' if quoted else REDACTED)


def _is_secret(pattern: re.Pattern[str], found: re.Match[str]) -> bool:
    if pattern is _USER:
        return True
    name = found["name"]
    if pattern is _PAIR:
        name = unquote_plus(name)
    elif pattern is _MEMBER and "\\" in name:
        name = str(_unquoted(f'"{name}"'))
    return is_secret_name(name)


def _unquoted(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip('"')
