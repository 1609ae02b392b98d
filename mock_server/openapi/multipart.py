"""Bodies of type multipart/form-data (RFC 7578, OAS 3.1 §4.8.14.4): parts to an object and back.

A part that holds bytes becomes a string of the same length (each byte one character, ISO 8859-1), so that a
schema can judge its presence and length; the bytes themselves stay in ``Part``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_content_disposition

from mock_server.dataclass import dataclass
from mock_server.openapi import jsontext, pointers
from mock_server.openapi.brackets import Tree, duplicate, split_name
from mock_server.openapi.charsets import decode_text
from mock_server.openapi.expansion import plain
from mock_server.openapi.forms import EncodingSpec
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.shapes import Shape, coerce
from mock_server.openapi.undecodable import Undecodable, excerpt
from mock_server.openapi.values import Json

MAX_PARTS = 1000
"""Bodies of more parts than this are refused."""

_MAX_HEADER = 8192  # bytes of one header line of a part
_MAX_HEADERS = 16  # of one part; RFC 7578 knows three
_DEFAULT = EncodingSpec()


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it was sent; ``filename`` and ``content_type`` are None when it names none."""

    name: str
    filename: str | None
    content_type: str | None
    headers: tuple[tuple[str, str], ...]
    data: bytes


MultipartDecoder: TypeAlias = Callable[[bytes, str], tuple[Json, tuple[Part, ...]]]


def multipart_decoder(shape: Shape, *, encoding: Mapping[str, EncodingSpec]) -> MultipartDecoder:
    """A function from a body and its Content-Type to the object it holds and the parts it came in.

    A part is read as JSON when it says so, when ``encoding`` says so, or when the schema expects an object
    there; as bytes when the schema or the part's own content type says so, or when it is a file and the
    schema says nothing; else as text, typed by the schema. Repeated names are arrays, brackets nest.
    ``Undecodable`` comes with the keywords ``multipart``, ``maxParameters``, ``charset``, ``duplicate``,
    ``style``, ``maxDepth`` and those of ``jsontext.loads``.
    """

    def decode(data: bytes, content_type: str) -> tuple[Json, tuple[Part, ...]]:
        parts = read_parts(data, content_type)
        trees: dict[str, Tree[Part]] = {}
        for part in parts:
            # A property may itself be called ``ids[]``.
            base, keys = (part.name, ()) if part.name in shape.properties else split_name(part.name)
            trees.setdefault(base, Tree()).add(keys, part)
        value = {
            name: _property(tree, shape.member(name), encoding.get(name, _DEFAULT), pointers.join("", name))
            for name, tree in trees.items()
        }
        return value, parts

    return decode


def read_parts(data: bytes, content_type: str) -> tuple[Part, ...]:
    """The parts of a body; an ``Undecodable`` with keyword ``multipart`` when it is broken."""
    media_type = parse_media_type(content_type)
    boundary = None if media_type is None else media_type.parameter("boundary")
    if not boundary:
        raise _broken("its Content-Type names no boundary", excerpt(content_type))
    parts: list[Part] = []
    segment: MultipartSegment | None = None
    chunks: list[bytes] = []
    try:
        parser = PushMultipartParser(
            boundary,
            max_header_size=_MAX_HEADER,
            max_header_count=_MAX_HEADERS,
            max_segment_count=MAX_PARTS + 1,
        )
        for event in parser.parse(data):
            if isinstance(event, MultipartSegment):
                segment, chunks = event, []
                if len(parts) == MAX_PARTS:
                    raise _too_many()
            elif event is not None:
                chunks.append(bytes(event))
            elif segment is not None:
                parts.append(_part(segment, b"".join(chunks)))
        parser.close()
    except (MultipartError, ValueError, LookupError) as error:
        raise _broken(str(error), excerpt(data[:80].decode("latin-1"))) from None
    return tuple(parts)


def _part(segment: MultipartSegment, data: bytes) -> Part:
    if not segment.name and not _is_named(segment):
        raise _broken("a part has no name", excerpt(str(segment.headerlist)))
    headers = tuple((str(name), str(value)) for name, value in segment.headerlist)
    content_type = next((value for name, value in headers if name.lower() == "content-type"), None)
    return Part(segment.name, segment.filename, content_type, headers, data)


def _is_named(segment: MultipartSegment) -> bool:
    """Whether a part names its field at all; the parser gives "" for one that does not, too."""
    return parse_content_disposition(segment.header("Content-Disposition", ""))[1] is not None


def _broken(reason: str, got: str) -> Undecodable:
    return Undecodable(
        "multipart",
        f"the multipart body cannot be read: {reason}",
        "parts separated and ended by the boundary of the Content-Type (RFC 2046 §5.1)",
        got,
    )


def _too_many() -> Undecodable:
    message = f"the body has more than {MAX_PARTS} parts"
    return Undecodable("maxParameters", message, MAX_PARTS, f"more than {MAX_PARTS}")


def _property(tree: Tree[Part], shape: Shape, how: EncodingSpec, pointer: str) -> Json:
    def read(part: Part, expected: Shape) -> Json:
        return _read_part(part, expected, how)

    lone = tree.leaves[0] if len(tree.leaves) == 1 and not tree.items and not tree.members else None
    if lone is not None and shape.is_list and _is_json(lone, shape, how):
        try:
            value = read(lone, shape)
        except Undecodable as failure:
            raise failure.at(pointer) from None
        return value if isinstance(value, list) else [value]
    if len(tree.leaves) > 1 and shape.is_record:
        raise duplicate(len(tree.leaves)).at(pointer)
    return tree.value(shape, read, pointer)


def _is_json(part: Part, shape: Shape, how: EncodingSpec) -> bool:
    sent = None if part.content_type is None else parse_media_type(part.content_type)
    if sent is not None and sent.essence != "text/plain":
        return sent.suffix == "json"
    return how.is_json or shape.is_record


def _read_part(part: Part, shape: Shape, how: EncodingSpec) -> Json:
    if _is_json(part, shape, how):
        return jsontext.loads(part.data)
    sent = None if part.content_type is None else parse_media_type(part.content_type)
    is_file = part.filename is not None and not shape.types
    if shape.binary or is_file or (sent is not None and sent.type != "text"):
        return part.data.decode("latin-1")
    return coerce(decode_text(part.data, part.content_type or ""), shape)


def multipart_encoder(shape: Shape, *, encoding: Mapping[str, EncodingSpec], boundary: str) -> Callable[[Json], bytes]:
    """A function from an object to a multipart body with this boundary; what is no object becomes one part, ``file``.

    Arrays become repeated parts, objects JSON parts, binary strings files of ``application/octet-stream``.
    """

    def encode(value: Json) -> bytes:
        members = value if isinstance(value, dict) else {"file": value}
        blocks = [
            _block(name, item, shape.member(name), encoding.get(name, _DEFAULT))
            for name, child in members.items()
            for item in (child if isinstance(child, list) else [child])
        ]
        start = f"--{boundary}\r\n".encode()
        return b"".join(start + block for block in blocks) + f"--{boundary}--\r\n".encode()

    return encode


def _block(name: str, value: Json, shape: Shape, how: EncodingSpec) -> bytes:
    if shape.is_list and shape.items is not None:
        shape = shape.items
    disposition = f'form-data; name="{_quoted(name)}"'
    content_type = how.content_type
    if isinstance(value, dict | list) or how.is_json:
        data = jsontext.dumps(value)
        content_type = content_type or "application/json"
    elif isinstance(value, str) and shape.binary:
        data = value.encode("latin-1", "replace")
        disposition += f'; filename="{_quoted(name)}"'
        content_type = content_type or "application/octet-stream"
    else:
        data = plain(value).encode()
    lines = f"Content-Disposition: {disposition}\r\n"
    if content_type is not None:
        lines += f"Content-Type: {content_type}\r\n"
    return lines.encode() + b"\r\n" + data + b"\r\n"


def _quoted(name: str) -> str:
    """A name inside double quotes, escaped as browsers do (WHATWG HTML §4.10.21.8)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
