"""From an outcome to bytes: media type, headers and body, each judged by the description before it leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from mock_server.dataclass import dataclass
from mock_server.exchange.messages import HeaderList
from mock_server.exchange.requests import encodings_of
from mock_server.model.outcome import NO_BODY, Outcome
from mock_server.openapi.bodies import BodyEncoder, body_encoder
from mock_server.openapi.description import Header, MediaType, Response
from mock_server.openapi.media import ANY_BYTES, Choice, negotiate
from mock_server.openapi.quick import quick
from mock_server.openapi.shapes import ANYTHING, shape_of
from mock_server.openapi.styles import ParameterSpec, TextDecoder, header_decoder
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Direction, Json, Violation
from mock_server.sampling import Sampler, Unsampleable

_BOUNDARY = "apidouble-5d2b7c"
_MOST_TOLD = 64  # values of Accept that are remembered
_VARY = (("Vary", "Accept"),)  # RFC 9110 §12.5.5: another Accept would have got another type
_WHY = {choice: str(choice) for choice in Choice} | {
    Choice.SUFFIX: "asked for by its suffix only; a strict server would answer 406"
}
_NO_BODY_STATUSES = frozenset({204, 205, 304})


@quick(frozen=True, slots=True)
class Rendered:
    """An answer that the description admits."""

    status: int
    headers: HeaderList
    body: bytes
    media_type: str
    negotiation: str


@dataclass(frozen=True, slots=True)
class Plainly:
    """A way to tell bodies that asks nothing of them but that they be valid."""

    content_type: tuple[str, str]
    vary: HeaderList
    media_type: str
    negotiation: str
    accepts: Callable[[Json], bool]
    encode: BodyEncoder


def _anything(_: Json) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class NotAcceptable:
    """Nothing described is acceptable to the client; ``offered`` is what is described."""

    offered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SelfViolation:
    """An answer of ours that breaks the description, which must not leave."""

    violations: tuple[Violation, ...]
    pointer: str


class ResponseRenderer:
    """Renders and judges one described response of an operation."""

    def __init__(self, response: Response, *, seed: int, epoch: datetime) -> None:
        self.response = response
        self._offered = tuple(media.name for media in response.content)
        self._media = {media.name: media for media in response.content}
        self._encoders: dict[str, BodyEncoder] = {
            media.name: _encoder(media, media.name) for media in response.content if "*" not in media.name
        }
        self._headers = tuple(_HeaderPlan.of(header, seed=seed, epoch=epoch) for header in response.headers)
        self._pointer = response.located.pointer
        self._told: dict[str | None, Plainly] = {}

    def plainly(self, body: Json, *, accept: str | None) -> Plainly | None:
        """How a plain answer with this body is told, if it may leave; None where ``render`` has more to say of it."""
        told = self._told.get(accept)
        if told is None:
            told = self._tellable(accept)
            if told is None or len(self._told) >= _MOST_TOLD:
                return None
            self._told[accept] = told
        return told if told.accepts(body) else None

    def _tellable(self, accept: str | None) -> Plainly | None:
        """The way to tell any body to a client that accepts this; None where something depends on the body."""
        if self._headers or not self._offered:
            return None
        chosen = negotiate(accept, self._offered)
        encode = self._encoders.get(chosen.media_type) if chosen is not None else None
        if chosen is None or encode is None or chosen.content_type.startswith("multipart/"):
            return None
        schema, vary = self._media[chosen.media_type].schema, _VARY if len(self._offered) > 1 else ()
        accepts = partial(schema.accepts, direction=Direction.RESPONSE) if schema is not None else _anything
        return Plainly(
            ("Content-Type", chosen.content_type), vary, chosen.media_type, _WHY[chosen.choice], accepts, encode
        )

    def render(
        self, outcome: Outcome, *, accept: str | None, headers: HeaderList
    ) -> Rendered | NotAcceptable | SelfViolation:
        """The wire form of an outcome whose holes are filled.

        ``accept`` is the request's header, None when it has none; ``headers`` are those of the answer but for
        Content-Type.
        """
        complete = self._with_headers(headers)
        broken = self._header_violations(complete)
        if broken:
            return SelfViolation(broken, self._pointer)
        if outcome.body is NO_BODY or not self._offered or outcome.status in _NO_BODY_STATUSES:
            return Rendered(outcome.status, complete, b"", "", "no content")
        picked = outcome.media_type
        chosen = negotiate(accept if picked is None else picked, self._offered)
        if chosen is None:
            return NotAcceptable(self._offered) if picked is None else self._not_described(picked)
        media = self._media[chosen.media_type]
        schema = media.schema
        if schema is not None and not schema.accepts(outcome.body, Direction.RESPONSE):
            return SelfViolation(
                schema.violations(outcome.body, Direction.RESPONSE, where="response-body"),
                media.located.pointer,
            )
        content_type = chosen.content_type
        encode = self._encoders.get(chosen.media_type)
        if encode is None:
            content_type = _in_range(content_type, outcome.body)
            encode = _encoder(media, content_type)
        if content_type.startswith("multipart/"):
            content_type = f"{content_type.partition(';')[0]}; boundary={_BOUNDARY}"
        body = encode(outcome.body)
        vary = _VARY if len(self._offered) > 1 else ()
        sent = (("Content-Type", content_type), *complete, *vary)
        return Rendered(outcome.status, sent, body, chosen.media_type, _WHY[chosen.choice])

    def _not_described(self, media_type: str) -> SelfViolation:
        message = f"{media_type} is none of {', '.join(self._offered)}"
        violation = Violation("response-header", "", "mediaType", media_type, list(self._offered), message,
                              name="Content-Type")  # fmt: skip
        return SelfViolation((violation,), self._pointer)

    def _with_headers(self, given: HeaderList) -> HeaderList:
        """The given headers, fit to be sent, and a sample for each required one that is missing."""
        if not all(value.isascii() and value.isprintable() for _, value in given):
            given = tuple((name, header_text(value)) for name, value in given)
        if not self._headers:
            return given
        present = {name.lower() for name, _ in given}
        lacking = (plan for plan in self._headers if plan.required and plan.lower not in present)
        return (*given, *((plan.name, plan.sample) for plan in lacking))

    def _header_violations(self, headers: HeaderList) -> tuple[Violation, ...]:
        found: tuple[Violation, ...] = ()
        for plan in self._headers:
            for name, text in headers:
                if name.lower() == plan.lower:
                    found += plan.violations(text)
        return found


@dataclass(frozen=True, slots=True)
class _HeaderPlan:
    name: str
    lower: str
    required: bool
    sample: str
    decode: TextDecoder
    header: Header

    @classmethod
    def of(cls, header: Header, *, seed: int, epoch: datetime) -> _HeaderPlan:
        bundle: Any = header.schema.bundle(Direction.RESPONSE) if header.schema is not None else None
        shape = shape_of(bundle, bundle) if bundle is not None else ANYTHING
        spec = ParameterSpec(header.name, "header", "simple", header.explode, shape=shape)
        sample = _sample_header(header, bundle, seed=seed, epoch=epoch) if header.required else ""
        return cls(header.name, header.name.lower(), header.required, sample, header_decoder(spec), header)

    def violations(self, text: str) -> tuple[Violation, ...]:
        schema = self.header.schema
        if schema is None:
            return ()
        try:
            value = self.decode(text)
        except Undecodable as failure:
            return (
                Violation(
                    where="response-header",
                    pointer=failure.pointer,
                    keyword=failure.keyword,
                    got=failure.got,
                    expected=failure.expected,
                    message=failure.message,
                    name=self.name,
                ),
            )
        if schema.accepts(value, Direction.RESPONSE):
            return ()
        return schema.violations(value, Direction.RESPONSE, where="response-header", name=self.name)


def _sample_header(header: Header, bundle: Json, *, seed: int, epoch: datetime) -> str:
    value: Json = header.example
    if value is None and bundle is not None:
        try:
            value = Sampler(bundle).sample(seed=seed, now=epoch, name=header.name)
        except Unsampleable:
            value = ""
    if header.explode and isinstance(value, dict):
        return ",".join(f"{name}={header_text(member)}" for name, member in value.items())
    return header_text(value)


def header_text(value: Json) -> str:
    """A JSON value as a header of style simple (RFC 6570 §3.2.2), controls and line breaks left out."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(header_text(entry) for entry in value)
    if isinstance(value, dict):
        return ",".join(f"{name},{header_text(member)}" for name, member in value.items())
    text = "" if value is None else str(value)
    return "".join(character for character in text if " " <= character <= "\xff" and character != "\x7f")


def _in_range(content_type: str, body: Json) -> str:
    """The type to answer with where a range is described: JSON for what bytes without a syntax could not say."""
    return "application/json" if content_type == ANY_BYTES and not isinstance(body, str) else content_type


def _encoder(media: MediaType, content_type: str) -> BodyEncoder:
    bundle: Any = media.schema.bundle(Direction.RESPONSE) if media.schema is not None else True
    name = bundle.get("$ref", "").rpartition("/")[2] if isinstance(bundle, dict) else ""
    return body_encoder(
        content_type, bundle, encoding=encodings_of(media), boundary=_BOUNDARY, root_name=name or "root"
    )
