"""Candidate strings: by format, by name, by pattern, and as plain words."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from mock_server.sampling import names
from mock_server.sampling.patterns import matches, some_matching, strings_matching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server.sampling.names import Maker
    from mock_server.sampling.scene import Scene
    from mock_server.sampling.shapes import Shape

_LONGEST = 1_000_000  # a longer string is a test of memory, not a sample
_TRIES_PER_FORMAT = 4


def _uri(scene: Scene) -> str:
    maker = names.text_maker(scene.name, scene.parent)
    return names.picture(scene) if maker is names.picture else names.web_address(scene)


def _base64(scene: Scene) -> str:
    return b64encode(scene.drawn("catch_phrase").encode()).decode()


def _time(scene: Scene) -> str:
    return names.moment_for(scene).strftime("%H:%M:%SZ")


_FORMATS: dict[str, Maker] = {
    "date-time": lambda scene: names.timestamp(names.moment_for(scene)),
    "date": lambda scene: names.moment_for(scene).strftime("%Y-%m-%d"),
    "time": _time,
    "duration": lambda scene: f"PT{scene.rng.randint(5, 55)}M",
    "email": names.email,
    "idn-email": names.email,
    "hostname": lambda scene: f"{names.slug(scene)[:40].strip('-')}.example.com",
    "idn-hostname": lambda scene: f"{names.slug(scene)[:40].strip('-')}.example.com",
    "ipv4": lambda scene: scene.own("ipv4_public"),
    "ipv6": lambda scene: scene.own("ipv6"),
    "uri": _uri,
    "url": _uri,
    "iri": _uri,
    "uri-reference": lambda scene: f"/{names.slug(scene)}",
    "iri-reference": lambda scene: f"/{names.slug(scene)}",
    "uri-template": lambda scene: f"https://www.example.com/{names.slug(scene)}/{{id}}",
    "uuid": names.identifier,
    "json-pointer": lambda scene: f"/items/{scene.rng.randint(0, 9)}",
    "relative-json-pointer": lambda scene: f"{scene.rng.randint(0, 9)}/items",
    "regex": lambda scene: "^[a-z]+$",
    "byte": _base64,
    "base64": _base64,
    "base64url": _base64,
    "binary": lambda scene: scene.drawn("catch_phrase"),
    "password": lambda scene: f"{scene.drawn('city').replace(' ', '')}-{scene.rng.randint(1000, 9999)}!",
}

# The shortest value of a format, for where the usual one is too long.
_SHORT_FORMATS = {
    "email": "a@b.io",
    "idn-email": "a@b.io",
    "hostname": "a.io",
    "idn-hostname": "a.io",
    "ipv4": "9.9.9.9",
    "ipv6": "::1",
    "uri": "a:b",
    "url": "a:b",
    "iri": "a:b",
    "uri-reference": "/",
    "iri-reference": "/",
    "uri-template": "/",
    "json-pointer": "",
    "regex": "a",
    "duration": "P1D",
}


def strings(shape: Shape, scene: Scene) -> Iterator[str]:
    """Candidate strings of an admitted length that match the patterns; the caller checks formats."""
    if shape.min_length > min(_LONGEST, _LONGEST if shape.max_length is None else shape.max_length):
        return
    for text in _raw(shape, scene):
        if shape.fits_length(text) and all(matches(pattern, text) for pattern in shape.patterns):
            yield text


def _raw(shape: Shape, scene: Scene) -> Iterator[str]:
    named = names.text_maker(scene.name, scene.parent)
    if shape.format in _FORMATS:
        yield from _formatted(shape.format, shape, scene)
    elif shape.format is not None:
        named = names.text_maker(shape.format, "") or named
    if shape.media_type is not None or shape.encoding is not None:
        yield _encoded(shape, scene)
    if scene.fresh and shape.format is None:
        yield f"{scene.drawn('word')}-{scene.variant}"  # after earlier values turned out not to be different
    if named is not None:
        made = named(scene)
        yield made
        yield from names.abbreviations(named)
        yield fitted(made, shape.min_length, shape.max_length)
    for pattern in shape.patterns:
        some = some_matching(pattern, min_length=shape.min_length, max_length=shape.max_length)
        if some:
            yield scene.rng.choice(some)
        yield from strings_matching(pattern, scene.rng, min_length=shape.min_length, max_length=shape.max_length)
    for provider in ("word", "catch_phrase", "city", "color_name"):
        yield fitted(scene.drawn(provider), shape.min_length, shape.max_length)


def _formatted(kind: str, shape: Shape, scene: Scene) -> Iterator[str]:
    maker = _FORMATS[kind]
    for _ in range(_TRIES_PER_FORMAT):
        yield maker(scene)
    if kind in _SHORT_FORMATS:
        yield _SHORT_FORMATS[kind]
    lacking = shape.min_length - len(maker(scene))
    if lacking > 0:
        yield from _lengthened(kind, maker(scene), lacking)
    if kind == "date-time":
        precise = names.moment_for(scene)
        yield precise.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        yield precise.strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _lengthened(kind: str, text: str, lacking: int) -> Iterator[str]:
    if kind in (
        "uri",
        "url",
        "iri",
        "uri-reference",
        "iri-reference",
        "uri-template",
        "json-pointer",
        "regex",
        "binary",
    ):
        yield text + "a" * lacking
    elif kind in ("email", "idn-email", "hostname", "idn-hostname"):
        yield text[:-3] + ("a" * 40 + ".") * (lacking // 41) + "a" * (lacking % 41) + text[-3:]
    elif kind == "password":
        yield fitted(text, len(text) + lacking, None)
    elif kind in ("byte", "base64", "base64url"):
        yield b64encode(fitted(text, len(text) + lacking, None).encode()).decode()


def _encoded(shape: Shape, scene: Scene) -> str:
    text = '{"message": "hello"}' if shape.media_type == "application/json" else scene.drawn("catch_phrase")
    return b64encode(text.encode()).decode() if shape.encoding in ("base64", "base64url") else text


def fitted(text: str, least: int, most: int | None) -> str:
    """``text`` cut at a word where it is longer than ``most``, or repeated until it is ``least`` long."""
    if len(text) < least:
        words = text + " "
        text = (words * (least // len(words) + 1))[:least]
        return text[:-1] + "s" if text.endswith(" ") else text
    if most is None or len(text) <= most:
        return text
    cut = text[:most]
    at_word = cut.rpartition(" ")[0] if not text[most : most + 1].isspace() else cut
    return at_word if len(at_word) >= max(least, most // 2) else cut
