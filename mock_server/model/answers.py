"""What operations answer: the item in its envelope, a documented example, or a sample that agrees with the
call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mock_server.model.anatomy import Anatomy, anatomy_of, dissect, words
from mock_server.model.call import Call
from mock_server.model.inference.bodies import has_content, json_media, response_schema, schema_at
from mock_server.model.meaning import Meaning, Resource
from mock_server.model.outcome import NO_BODY
from mock_server.model.presentation import View, sampled_body, view_of
from mock_server.openapi.expressions import Context
from mock_server.openapi.schemas import Schema
from mock_server.openapi.values import Direction, Json

_DONE = frozenset({"deleted", "success", "ok", "removed", "archived", "acknowledged"})
_MISSING: Any = object()


class Answers:
    """The answers of one API's operations; what they need of the description is worked out once."""

    def __init__(self, *, seed: int, epoch: datetime) -> None:
        self._seed = seed
        self._epoch = epoch
        self._views: dict[tuple[str, int], View] = {}
        self._samples: dict[str, Json] = {}
        self._showing: dict[str, bool] = {}

    def view(self, meaning: Meaning) -> View:
        """How the operation's success response shows a stored value."""
        found = self._views.get((meaning.operation_id, meaning.status))
        if found is None:
            found = view_of(meaning, seed=self._seed, now=self._epoch)
            self._views[(meaning.operation_id, meaning.status)] = found
        return found

    def shown(self, meaning: Meaning, value: Json) -> Json:
        """The body that shows one item; NO_BODY where the response describes none."""
        if not has_content(meaning.response):
            return NO_BODY
        view = self.view(meaning)
        return view.body(view.item(value))

    def about(self, meaning: Meaning, call: Call, value: Json, *, context: Context) -> Json:
        """The body of an operation that acted on an item: the item, or a sample that agrees with it."""
        if not has_content(meaning.response):
            return NO_BODY
        if meaning.body is not None:
            return meaning.body.evaluate(context)
        if self._shows_item(meaning):
            return self.shown(meaning, value)
        sampled = self.sampled(meaning, call)
        if isinstance(sampled, dict) and isinstance(value, dict):
            told = {n: True for n, m in sampled.items() if n.lower() in _DONE and isinstance(m, bool)}
            return {**sampled, **{n: value[n] for n in sampled if n in value}, **told}
        return sampled

    def _shows_item(self, meaning: Meaning) -> bool:
        found = self._showing.get(meaning.operation_id)
        if found is None:
            schema, resource = response_schema(meaning.response), meaning.resource
            found = schema is None or resource is None or _is_item(schema, meaning.envelope.path, resource)
            self._showing[meaning.operation_id] = found
        return found

    def documented(self, meaning: Meaning, call: Call) -> tuple[Json, tuple[str, str]]:
        """The documented example that fits its schema, else a sample that repeats the call's parameters; and
        why."""
        media = json_media(meaning.response.content) if meaning.response is not None else None
        if media is None:
            return NO_BODY, ("none", "the response describes no content")
        for example in media.examples:
            if media.schema is None or media.schema.accepts(example.value, Direction.RESPONSE):
                return example.value, (
                    f"example {example.name}".strip(),
                    "documented, and valid for its schema",
                )
        why = "no documented example is valid" if media.examples else "no example is documented"
        return self.sampled(meaning, call), ("sample", why)

    def sampled(self, meaning: Meaning, call: Call) -> Json:
        """A sample of the success response for a call."""
        schema = response_schema(meaning.response)
        if schema is None:
            return ""
        body = self._samples.get(meaning.operation_id, _MISSING)
        if body is _MISSING:
            body = sampled_body(schema, seed=self._seed, now=self._epoch, name=meaning.operation_id)
            self._samples[meaning.operation_id] = body
        if not isinstance(body, dict):
            return body
        told = _named_alike(body, {**call.query, **call.path})
        bound = {**body, **told}
        return bound if told and schema.accepts(bound, Direction.RESPONSE) else body


def _named_alike(body: Mapping[str, Json], given: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters of a call by the names of the members that are called like them."""
    by_words = {words(name): value for name, value in given.items()}
    return {name: by_words[words(name)] for name in body if words(name) in by_words} if by_words else {}


def shown_anatomy(schema: Schema, path: tuple[str, ...]) -> Anatomy:
    """The anatomy of the part of a response where the item, or the list of items, is."""
    if not path:
        return anatomy_of(schema)
    bundle = schema.bundle(Direction.RESPONSE)
    return dissect(bundle, schema_at(bundle, path))


def _is_item(schema: Schema, path: tuple[str, ...], resource: Resource) -> bool:
    """Whether a response shows a resource: it asks for nothing else, and half of what it describes is the
    item's."""
    shown, known = shown_anatomy(schema, path), set(resource.anatomy.members)
    if not shown.members or not shown.required <= known:
        return False
    return len(set(shown.members) & known) * 2 >= len(shown.members)
