"""What requests to one operation may say: how their parts are read, valid or not, and the names that they have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from weakref import WeakKeyDictionary

from contracts.testing.traffic.expecting import ABSENT, Place
from mock_server.errors import ConfigurationError, nearest
from mock_server.exchange.requests import encodings_of, spec_of
from mock_server.openapi import percent
from mock_server.openapi.bodies import BodyDecoder, body_decoder
from mock_server.openapi.compile import Api
from mock_server.openapi.description import MediaType, Operation, Parameter
from mock_server.openapi.media import matches
from mock_server.openapi.querystrings import query_decoder
from mock_server.openapi.shapes import ANYTHING, Shape, shape_of
from mock_server.openapi.styles import cookie_decoder, header_decoder, path_decoder
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Direction, Json

_CLOSE = 0.8
"""How alike a header must be to a described one to be taken for a misspelling: any header may be sent."""


class Described:
    """One operation, as tests ask about requests to it. What it reads is not judged: invalid requests are read, too."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._by_root: dict[str, dict[str, Parameter]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        for parameter in operation.parameters:
            root = "query" if parameter.location == "querystring" else parameter.location
            self._by_root.setdefault(root, {})[parameter.name] = parameter
        specs = {root: {n: spec_of(p) for n, p in named.items()} for root, named in self._by_root.items()}
        self._shapes = {root: {name: spec.shape for name, spec in named.items()} for root, named in specs.items()}
        self._path = {name: path_decoder(spec) for name, spec in specs["path"].items()}
        self._query = query_decoder(list(specs["query"].values()))
        self._headers = {name: header_decoder(spec) for name, spec in specs["header"].items()}
        self._cookies = cookie_decoder(list(specs["cookie"].values()))
        body = operation.request_body
        self._content = {media.name: media for media in body.content} if body is not None else {}
        self._bodies: dict[str, BodyDecoder] = {}
        self._of_body: tuple[Shape, ...] | None = None

    # Reading

    def path(self, texts: Mapping[str, str]) -> dict[str, Json]:
        """The path parameters by name; one that cannot be read is the text that was sent."""
        return {name: _decoded(self._path.get(name, percent.decode), text) for name, text in texts.items()}

    def query(self, text: str) -> dict[str, Json]:
        """The query parameters by name, those that are not described as texts."""
        sent = query_texts(text)
        try:
            decoded = self._query(text)
        except Undecodable:
            return sent
        return {**decoded.values, **{name: sent[name] for name in decoded.unknown if name in sent}}

    def headers(self, sent: Mapping[str, str]) -> dict[str, Json]:
        """The described headers that were sent, by their described names."""
        found = {name: sent.get(name.lower()) for name in self._headers}
        return {name: _decoded(self._headers[name], text) for name, text in found.items() if text is not None}

    def cookies(self, header: str) -> dict[str, Json]:
        """The cookies by name, those that are not described as texts."""
        texts = cookie_texts(header)
        try:
            return {**texts, **self._cookies(header)}
        except Undecodable:
            return dict(texts)

    def body(self, data: bytes, content_type: str) -> Json:
        """What a body says in its media type. Raises ``Undecodable``."""
        chosen = matches(content_type, tuple(self._content)) if content_type else next(iter(self._content), None)
        if chosen is None:
            return body_value(data, content_type)
        decode = self._bodies.get(chosen)
        if decode is None:
            media = self._content[chosen]
            schema = media.schema.bundle(Direction.REQUEST) if media.schema is not None else True
            decode = self._bodies[chosen] = body_decoder(chosen, schema, encoding=encodings_of(media))
        return decode(data, content_type or chosen).value

    # Names

    def place(self, place: Place, sent: Callable[[Place], bool]) -> Place:
        """The place with its parameter's name as it is described; a ``ConfigurationError`` where there can be none.

        Refused is what the description rules out, and what looks like a misspelling of what it names, unless some
        request really has it (``sent``).
        """
        if place.root == "body":
            self._check_body(place, sent)
            return place
        if place.root not in self._by_root or not place.steps:
            return place
        name, shape = self._parameter(place, sent)
        found = Place(place.root, (name, *place.steps[1:]))
        if shape is not None:
            self._check((shape,), found, 1, sent)
        return found

    def _parameter(self, place: Place, sent: Callable[[Place], bool]) -> tuple[str, Shape | None]:
        root, wanted = place.root, place.steps[0]
        shapes = self._shapes[root]
        known = [*shapes, *self._credentials(root)]
        if wanted in known:
            return wanted, shapes.get(wanted)
        alike = [name for name in known if _words(name) == _words(wanted)]
        if len(alike) == 1:
            return alike[0], shapes.get(alike[0])
        if root in {"header", "cookie"}:
            close = get_close_matches(_words(wanted), [_words(name) for name in known], n=1, cutoff=_CLOSE)
            if not close or sent(place):
                return wanted, None
            suggested: str | None = next(name for name in known if _words(name) == close[0])
        else:
            suggested = nearest(wanted, known)
        raise ConfigurationError(
            f"{self.operation.id} describes no {root} parameter {wanted!r}",
            allowed=", ".join(known) or f"no {root} parameter is described",
            hint=_suggestion(root, (_spelled(suggested), *place.steps[1:]) if suggested is not None else None),
        )

    def _credentials(self, root: str) -> Iterator[str]:
        for requirement in self.operation.security:
            for scheme, _ in requirement:
                if scheme.location == root:
                    yield scheme.parameter
                elif root == "header" and not scheme.location:
                    yield "Authorization"

    def _check_body(self, place: Place, sent: Callable[[Place], bool]) -> None:
        if not self._content:
            if self.operation.request_body is None and not sent(Place("body")):
                raise ConfigurationError(f"{self.operation.id} describes no body", got=place.keyword,
                                         hint="expect its path, query or header parameters")  # fmt: skip
            return
        if self._of_body is None:
            self._of_body = tuple(_shape(media) for media in self._content.values())
        self._check(self._of_body, place, 0, sent)

    def _check(self, shapes: tuple[Shape, ...], place: Place, depth: int, sent: Callable[[Place], bool]) -> None:
        """Refuses a place below a value that none of the shapes has room for."""
        refusals = [_ruled_out(shape, place, depth, self.operation.id) for shape in shapes]
        firm = [refusal for refusal in refusals if refusal is not None]
        if len(firm) == len(refusals) and not sent(place):
            raise firm[0]


def described(api: Api, operation_id: str) -> Described:
    """The operation of an API by its id, made once for a process. The id is known to exist."""
    known = _KNOWN.setdefault(api, {})
    found = known.get(operation_id)
    if found is None:
        found = known[operation_id] = Described(api.operation(operation_id))
    return found


_KNOWN: WeakKeyDictionary[Api, dict[str, Described]] = WeakKeyDictionary()


def query_texts(text: str) -> dict[str, Json]:
    """The names and texts of a query string; a name that is sent more than once has a list of them."""
    found: dict[str, Json] = {}
    for piece in text.split("&") if text else ():
        name, _, raw = piece.partition("=")
        name, value = _decoded(percent.decode_form, name), _decoded(percent.decode_form, raw)
        known = found.get(name, ABSENT)
        found[name] = value if known is ABSENT else [*known, value] if isinstance(known, list) else [known, value]
    return found


def cookie_texts(header: str) -> dict[str, Json]:
    """The names and texts of a Cookie header."""
    pairs = (piece.strip().partition("=") for piece in header.split(";") if piece.strip())
    return {name: value for name, _, value in pairs}


def body_value(data: bytes, content_type: str) -> Json:
    """What a body says in a media type that nobody described; without one, JSON. Raises ``Undecodable``."""
    sent = content_type or "application/json"
    return body_decoder(sent, True)(data, sent).value


def _decoded(decode: Callable[[str], Json], text: str) -> Json:
    try:
        return decode(text)
    except Undecodable:
        return text


def _shape(media: MediaType) -> Shape:
    if media.schema is None:
        return ANYTHING
    bundle = media.schema.bundle(Direction.REQUEST)
    return shape_of(bundle, bundle)


def _words(name: str) -> str:
    """A name without its case and separators: ``customerId`` and ``customer_id`` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _spelled(name: str) -> str:
    """A parameter's name as a keyword can spell it: ``Idempotency-Key`` becomes ``idempotency_key``."""
    return name if name.isidentifier() else re.sub(r"\W", "_", name.lower())


def _suggestion(root: str, steps: tuple[str, ...] | None) -> str | None:
    return f"did you mean {Place(root, steps).keyword!r}?" if steps is not None else None


def _ruled_out(shape: Shape, place: Place, depth: int, operation_id: str) -> ConfigurationError | None:
    """Why a value of this shape has nothing at a place, from the step ``depth`` on; None where it may have."""
    for index, step in enumerate(place.steps[depth:], depth):
        here = Place(place.root, place.steps[:index])
        if shape.is_list and (step.isdecimal() or not shape.may_be("object")):
            if not step.isdecimal():
                entry = Place(place.root, (*here.steps, "0", *place.steps[index:]))
                return ConfigurationError(f"{here} of {operation_id} is a list", got=place.keyword,
                                          hint=f"name an entry by its position: {entry.keyword}")  # fmt: skip
            shape = shape.item(int(step))
        elif not shape.may_be("object") and not shape.may_be("array"):
            kinds = " or ".join(sorted(shape.types))
            return ConfigurationError(f"{here} of {operation_id} is of type {kinds} and has no members",
                                      got=place.keyword, allowed=here.keyword)  # fmt: skip
        elif step in shape.properties:
            shape = shape.properties[step]
        else:
            close = None if shape.free_form else nearest(step, shape.properties)
            if shape.additional is not None and close is None:
                return None
            meant = (*here.steps, close, *place.steps[index + 1 :]) if close is not None else None
            return ConfigurationError(f"{operation_id} describes no {here.below(step)}",
                                      allowed=", ".join(shape.properties) or "no members",
                                      hint=_suggestion(place.root, meant))  # fmt: skip
    return None
