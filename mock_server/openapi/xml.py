"""XML bodies by the XML Object (OAS 3.1 §4.8.26): elements to JSON values and back.

Reading goes by local names; a namespace or prefix other than the described one is not held against the
sender. DTDs and entities are refused (no expansion, no external resources). What XML cannot say is decided
here: ``xsi:nil`` is null; an empty unwrapped array leaves no trace; elements and attributes that the schema
does not name become members under their local name, so that the validator sees them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from mock_server.openapi import pointers
from mock_server.openapi.expansion import plain
from mock_server.openapi.shapes import ANYTHING, Shape, coerce, shape_of
from mock_server.openapi.undecodable import Undecodable, excerpt
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_DEPTH = 100
"""Elements nested deeper than this are refused."""

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f"{{{_XSI}}}nil"
# Letters that every parser takes in a name: XML 1.0 (fourth edition) Appendix B, in the scripts most written.
_LETTERS = (
    "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0131\u0410-\u044f\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3"
)
_NOT_IN_NAMES = re.compile(f"[^{_LETTERS}0-9_.-]")
_NAME_START = re.compile(f"[{_LETTERS}_]")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_INLINE = frozenset({"text", "cdata"})


def xml_decoder(shape: Shape) -> Callable[[bytes], Json]:
    """A function from an XML document to the value of its root element.

    ``Undecodable`` comes with the keywords ``xml`` (not well-formed, a DTD or entity, a root element of
    another name than the schema's ``xml.name``) and ``maxDepth``.
    """

    def decode(data: bytes) -> Json:
        # Imported where there is XML: few APIs have any, and all would wait for its parsers.
        from defusedxml.ElementTree import ParseError, fromstring

        try:
            root = fromstring(data, forbid_dtd=True)
        except (ParseError, ValueError, LookupError) as error:
            raise Undecodable(
                "xml",
                f"the XML cannot be read: {str(error) or type(error).__name__}",
                "a well-formed XML document without DTD or entities",
                excerpt(data[:80].decode("utf-8", "replace")),
            ) from None
        name = _local(root.tag)
        if shape.xml.name is not None and name != shape.xml.name:
            message = f"the root element is {excerpt(name)!r}, not {shape.xml.name!r}"
            raise Undecodable("xml", message, shape.xml.name, excerpt(name))
        return _value(root, shape, "", 1)

    return decode


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _value(element: Element, shape: Shape, pointer: str, depth: int) -> Json:
    if depth > MAX_DEPTH:
        message = f"elements are nested deeper than {MAX_DEPTH} levels"
        raise Undecodable("maxDepth", message, MAX_DEPTH, f"more than {MAX_DEPTH} levels")
    if element.get(_NIL) in {"true", "1"}:
        return None
    if shape.is_list:
        return _items(list(element), shape, pointer, depth)
    if shape.is_record or len(element) or (element.attrib and not shape.is_scalar):
        return _members(element, shape if shape.may_be("object") else ANYTHING, pointer, depth)
    return _text(element.text or "", shape)


def _text(text: str, shape: Shape) -> Json:
    return coerce(text if shape.may_be("string") else text.strip(), shape)


def _items(elements: list[Element], shape: Shape, pointer: str, depth: int) -> list[Json]:
    return [
        _value(element, shape.item(index), pointers.join(pointer, index), depth + 1)
        for index, element in enumerate(elements)
    ]


def _members(element: Element, shape: Shape, pointer: str, depth: int) -> dict[str, Json]:
    attributes = {_local(name): text for name, text in element.attrib.items()}
    children: dict[str, list[Element]] = {}
    for child in element:
        children.setdefault(_local(child.tag), []).append(child)
    members: dict[str, Json] = {}
    for key, expected in shape.properties.items():
        here = pointers.join(pointer, key)
        if expected.xml.node_type == "attribute":
            if (text := attributes.pop(expected.xml.name or key, None)) is not None:
                members[key] = _text(text, expected)
        elif expected.xml.node_type in _INLINE:
            members[key] = _text(element.text or "", expected)
        elif found := children.pop(_element_name(key, expected), None):
            members[key] = _read_property(found, expected, here, depth)
    for name, text in attributes.items():
        members.setdefault(name, _text(text, shape.member(name)))
    for name, found in children.items():
        rest = shape.member(name) if name not in shape.properties else ANYTHING
        members.setdefault(name, _read_property(found, rest, pointers.join(pointer, name), depth))
    return members


def _element_name(key: str, shape: Shape) -> str:
    """The name of the elements that hold a property: of its items, for an array that is not wrapped."""
    if shape.is_list and shape.xml.node_type != "element":
        return (shape.items or ANYTHING).xml.name or key
    return shape.xml.name or key


def _read_property(found: list[Element], shape: Shape, pointer: str, depth: int) -> Json:
    if shape.is_list and shape.xml.node_type != "element":
        return _items(found, shape, pointer, depth)
    if len(found) == 1:
        return _value(found[0], shape, pointer, depth + 1)
    # A repeated element where one is expected: the validator sees the list and says what is wrong.
    return [_value(element, shape, pointers.join(pointer, i), depth + 1) for i, element in enumerate(found)]


def xml_dumps(value: Json, bundle: Json, schema: Json, root_name: str) -> bytes:
    """The XML document of a value; ``root_name`` names the root element where the schema does not."""
    return xml_encoder(shape_of(bundle, schema), root_name=root_name)(value)


def xml_encoder(shape: Shape, *, root_name: str) -> Callable[[Json], bytes]:
    """A function from a value to its XML document in UTF-8."""

    def encode(value: Json) -> bytes:
        body = "".join(_written(shape.xml.name or root_name, value, shape))
        return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body.encode("utf-8")

    return encode


def _written(name: str, value: Json, shape: Shape) -> Iterator[str]:
    """The pieces of one element."""
    tag, start = _start(name, shape)
    if value is None:
        yield f'<{start} xmlns:xsi="{_XSI}" xsi:nil="true"/>'
    elif isinstance(value, dict):
        yield f"<{start}{''.join(_attributes(value, shape))}>"
        yield from _content(value, shape)
        yield f"</{tag}>"
    elif isinstance(value, list):
        item_name = (shape.items or ANYTHING).xml.name or name
        yield f"<{start}>"
        for index, item in enumerate(value):
            yield from _written(item_name, item, shape.item(index))
        yield f"</{tag}>"
    else:
        yield f"<{start}>{_escaped(plain(value))}</{tag}>"


def _start(name: str, shape: Shape) -> tuple[str, str]:
    """The qualified name of an element, and the same with the declaration of its namespace."""
    hint = shape.xml
    local = _xml_name(name)
    if hint.namespace is None:
        return local, local
    if hint.prefix is None:
        return local, f"{local} xmlns={quoteattr(hint.namespace)}"
    tag = f"{hint.prefix}:{local}"
    return tag, f"{tag} xmlns:{hint.prefix}={quoteattr(hint.namespace)}"


def _attributes(value: dict[str, Json], shape: Shape) -> Iterator[str]:
    for key, child in value.items():
        expected = shape.properties.get(key, ANYTHING)
        if expected.xml.node_type != "attribute" or child is None:
            continue
        name, declared = _start(expected.xml.name or key, expected)
        if expected.xml.prefix is None:  # an attribute without a prefix is in no namespace (XML Names §6.2)
            name, declared = (_xml_name(name),) * 2
        text = _NOT_IN_XML.sub("\ufffd", plain(child))
        yield f"{declared.removeprefix(name)} {name}={quoteattr(text)}"


def _content(value: dict[str, Json], shape: Shape) -> Iterator[str]:
    for key, child in value.items():
        expected = shape.member(key)
        node_type = expected.xml.node_type
        if node_type in _INLINE:
            yield _escaped(plain(child))
        elif isinstance(child, list) and node_type != "element":
            name = (expected.items or ANYTHING).xml.name or key
            for index, item in enumerate(child):
                yield from _written(name, item, expected.item(index))
        elif node_type != "attribute":
            yield from _written(expected.xml.name or key, child, expected)


def _escaped(text: str) -> str:
    return escape(_NOT_IN_XML.sub("\ufffd", text), {"\r": "&#13;"})


def _xml_name(name: str) -> str:
    """The name with characters replaced that an XML name cannot have."""
    local = _NOT_IN_NAMES.sub("_", name)
    return local if _NAME_START.match(local) else f"_{local}"
