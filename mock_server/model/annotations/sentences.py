"""Reading an API's own sentences out of annotations."""

from __future__ import annotations

from collections.abc import Mapping

from mock_server.errors import AnnotationError
from mock_server.model.annotations.reader import AnnotationReader
from mock_server.model.sentences import Sentence, Sentences, parse_sentence, places_for
from mock_server.openapi import pointers


def sentence(reader: AnnotationReader, text: str | None, places: frozenset[str], pointer: str) -> Sentence | None:
    """A sentence with places to fill in; an ``AnnotationError`` for a place that means nothing there."""
    if text is None:
        return None
    try:
        return parse_sentence(text, places)
    except ValueError as error:
        listed = ", ".join(f"{{{name}}}" for name in sorted(places))
        raise AnnotationError(
            f"this sentence cannot be filled in: {error}",
            place=reader.place(pointer),
            got=text,
            allowed=listed,
            hint="write {{ and }} for braces",
        ) from None


def read_sentences(reader: AnnotationReader, values: Mapping[str, str] | None, pointer: str) -> Sentences | None:
    """What an ``x-mock-errors`` annotation says of violations, by its keys; None where it says nothing."""
    if not values:
        return None
    found = {}
    for key, text in values.items():
        parsed = sentence(reader, text, places_for(key), pointers.join(pointer, key))
        assert parsed is not None
        found[key] = parsed
    return Sentences(found)
