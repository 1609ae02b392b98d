"""An API's own sentences: words with places in them (``{field} is required``), filled in when something is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter

from mock_server.dataclass import dataclass
from mock_server.openapi.values import Json, Violation
from mock_server.openapi.wording import clipped, listed, shown

_OF_VIOLATIONS = frozenset({"field", "name", "label", "where", "got", "expected", "keyword", "detail"})


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words and the names of the places between them; a place with no name is the end."""

    parts: tuple[tuple[str, str], ...]

    def filled(self, value_of: Callable[[str], str]) -> str:
        """The words with a value in each place."""
        return "".join(words + (value_of(name) if name else "") for words, name in self.parts)


def parse_sentence(text: str, places: frozenset[str]) -> Sentence:
    """A sentence with ``{places}``; a ``ValueError`` for a place that is none of those. ``{{`` is a brace."""
    parts = []
    for words, name, specification, conversion in Formatter().parse(text):
        if name is not None and (name not in places or specification or conversion):
            raise ValueError(f"{{{name}}} is no place that can be filled in here")
        parts.append((words, name or ""))
    return Sentence(tuple(parts))


def places_for(key: str) -> frozenset[str]:
    """What a sentence may tell of a violation of one keyword: the keyword itself gives what it allows."""
    return _OF_VIOLATIONS | {keyword_of(key)}


def keyword_of(key: str) -> str:
    """The keyword that a key of ``messages`` is about: ``pattern`` for ``pattern`` and for ``phone.pattern``."""
    return key.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Sentences:
    """What an API says of violations: by keyword, by field and keyword (``phone.pattern``), or of any (``default``).

    A list index in a field may be written ``*``: ``items.*.price.minimum``.
    """

    by_key: Mapping[str, Sentence]

    def told(self, violation: Violation, field: str) -> str | None:
        """The API's sentence for a violation at a field, None where it has none."""
        found = None
        anywhere = ".".join("*" if token.isdecimal() else token for token in field.split("."))
        last = field.rpartition(".")[2]
        for key in (f"{field}.{violation.keyword}", f"{anywhere}.{violation.keyword}", f"{last}.{violation.keyword}",
                    violation.keyword, "default"):  # fmt: skip
            found = self.by_key.get(key)
            if found is not None:
                break
        if found is None:
            return None
        values = {
            "field": field or violation.where,
            "name": last or violation.where,
            "label": _label(last or violation.where),
            "where": violation.where,
            "got": _plain(violation.got),
            "keyword": violation.keyword,
            "detail": violation.message,
        }
        return found.filled(lambda name: values[name] if name in values else _plain(violation.expected))


def _plain(value: Json) -> str:
    """A value as people write it: texts without quotes, lists with commas."""
    value = clipped(value)
    return value if isinstance(value, str) else listed(value) if isinstance(value, list) else shown(value)


def _label(name: str) -> str:
    """A name as the beginning of a sentence: ``Customer id`` for ``customer_id`` and ``customerId``."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return " ".join(spaced.replace("_", " ").replace("-", " ").split()).capitalize()
