"""Bodies of type application/x-www-form-urlencoded and the Encoding Object (OAS 3.1 §4.8.15, WHATWG URL §5).

A form is an object. Its properties are read as the schema says they are: repeated names for arrays,
brackets for anything nested, JSON text for objects and for items that are objects (the default of the
Encoding Object), and the style that ``encoding`` states where it states one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mock_server.dataclass import dataclass
from mock_server.openapi import jsontext, percent, pointers
from mock_server.openapi.brackets import Tree, duplicate, split_name
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.shapes import Shape, coerce
from mock_server.openapi.styles import ParameterSpec, joined_decoder
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

MAX_FIELDS = 10_000
"""Forms of more fields than this are refused."""


@dataclass(frozen=True, slots=True)
class EncodingSpec:
    """How one property of a form or multipart body travels; None leaves it to the property's schema."""

    content_type: str | None = None
    style: str | None = None
    explode: bool | None = None
    allow_reserved: bool = False

    @property
    def is_json(self) -> bool:
        """Whether the property is written as JSON text."""
        name = None if self.content_type is None else parse_media_type(self.content_type)
        return name is not None and name.suffix == "json"

    @property
    def explodes(self) -> bool:
        """Whether arrays are repeated and objects spread over names; the default of style ``form``."""
        return self.explode if self.explode is not None else self.style in {None, "form", "deepObject"}


FormDecoder: TypeAlias = Callable[[str], dict[str, Json]]


def form_decoder(shape: Shape, *, encoding: Mapping[str, EncodingSpec]) -> FormDecoder:
    """A function from a form's text to the object it holds, members typed by ``shape``.

    It raises ``Undecodable`` with the keywords ``percentEncoding``, ``duplicate``, ``style``,
    ``maxParameters``, ``maxDepth``, and for JSON in fields those of ``jsontext.loads``; the pointer names
    the field.
    """
    readers = {name: _property_reader(name, shape.member(name), how) for name, how in encoding.items()}
    owners = {
        member: name
        for name, how in encoding.items()
        if how.style == "form" and how.explodes and shape.member(name).is_record
        for member in shape.member(name).properties
        if member not in shape.properties
    }

    def decode(text: str) -> dict[str, Json]:
        trees: dict[str, Tree[str]] = {}
        for name, raw in _fields(text):
            # A property may itself be called ``ids[]``.
            base, keys = (name, ()) if name in shape.properties else split_name(name)
            if base in owners:
                base, keys = owners[base], (base, *keys)
            trees.setdefault(base, Tree()).add(keys, raw)
        members = {}
        for name, tree in trees.items():
            read = readers.get(name)
            pointer = pointers.join("", name)
            if read is None:
                members[name] = tree.value(shape.member(name), _read_field, pointer)
            else:
                members[name] = read(tree, pointer)
        return members

    return decode


def _fields(text: str) -> list[tuple[str, str]]:
    pieces = [piece for piece in text.split("&") if piece]
    if len(pieces) > MAX_FIELDS:
        raise Undecodable(
            "maxParameters",
            f"the form has {len(pieces)} fields, more than {MAX_FIELDS}",
            MAX_FIELDS,
            len(pieces),
        )
    fields = []
    for piece in pieces:
        name, _, raw = piece.partition("=")
        fields.append((percent.decode_form(name), raw))
    return fields


def _read_field(raw: str, shape: Shape) -> Json:
    """One field: JSON where an object is expected and the text looks like one, else a coerced text."""
    text = percent.decode_form(raw)
    if shape.is_record and text.lstrip().startswith("{"):
        return jsontext.loads(text.encode("utf-8", "surrogatepass"))
    return coerce(text, shape)


def _property_reader(name: str, shape: Shape, how: EncodingSpec) -> Callable[[Tree[str], str], Json]:
    """A function from what was sent under a property's name, and its pointer, to the property's value."""
    if how.is_json:
        return lambda tree, pointer: _documents(tree, shape, pointer)
    if how.explodes:
        return lambda tree, pointer: tree.value(shape, _read_field, pointer)
    spec = ParameterSpec(name, "query", how.style or "form", explode=False, shape=shape)
    joined = joined_decoder(spec, percent.decode_form)

    def read(tree: Tree[str], pointer: str) -> Json:
        if tree.members or tree.items or len(tree.leaves) != 1:
            return tree.value(shape, _read_field, pointer)
        try:
            return joined(tree.leaves[0])
        except Undecodable as failure:
            raise failure.at(pointer) from None

    return read


def _documents(tree: Tree[str], shape: Shape, pointer: str) -> Json:
    """A property written as JSON: one text for the whole of it, or for an array one for each item."""
    if tree.members or tree.items:
        return tree.value(shape, _read_field, pointer)
    try:
        values = [jsontext.loads(percent.decode_form(raw).encode("utf-8", "surrogatepass")) for raw in tree.leaves]
    except Undecodable as failure:
        raise failure.at(pointer) from None
    if len(values) == 1 and (isinstance(values[0], list) or not shape.is_list):
        return values[0]
    if not shape.may_be("array"):
        raise duplicate(len(values)).at(pointer)
    return values
