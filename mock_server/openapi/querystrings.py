"""Query strings: one text in which all query parameters of an operation share the names.

A name belongs, in this order, to the parameter of that name, to the array or object parameter it extends
with brackets (``ids[]``, ``filter[age][gte]``), to the exploded object that has a property of that name, to
the first exploded object that invites members it does not name, and else to nobody: it is reported as
unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from mock_server.dataclass import dataclass
from mock_server.openapi import percent
from mock_server.openapi.brackets import Tree, duplicate, split_name
from mock_server.openapi.forms import FORM, form_decoder
from mock_server.openapi.quick import quick
from mock_server.openapi.shapes import ANYTHING, Shape, coerce, coercer
from mock_server.openapi.styles import (
    ParameterSpec,
    check_style,
    content_decoder,
    joined_decoder,
    scalar_decoder,
)
from mock_server.openapi.undecodable import Undecodable
from mock_server.openapi.values import Json

MAX_PARAMETERS = 1000
"""Query strings of more ``name=value`` pairs than this are refused."""


@quick(frozen=True, slots=True)
class DecodedQuery:
    """What a query string says.

    ``values`` holds the decoded parameters that were sent, by parameter name; ``unknown`` the sent names
    that belong to no parameter, in order; ``empty`` the parameters sent without a value under
    ``allowEmptyValue``, whose value is then ``""`` whatever their schema says; ``text`` the query string as
    it came.
    """

    values: Mapping[str, Json]
    unknown: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    text: str = ""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The raw, still encoded names and values in the order sent."""
        pieces = (piece.partition("=") for piece in self.text.split("&") if piece)
        return tuple((name, value) for name, _, value in pieces)


QueryDecoder: TypeAlias = Callable[[str], DecodedQuery]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the texts sent under one name become the value of a parameter."""

    decode: Callable[[list[str]], Json]
    may_be_empty: bool


def query_decoder(specs: Sequence[ParameterSpec]) -> QueryDecoder:
    """A function from a raw query string (without ``?``) to the values of these parameters.

    It raises ``Undecodable`` with the keywords ``percentEncoding``, ``duplicate`` (a single value sent
    twice), ``style``, ``maxParameters``, ``maxDepth``, and for JSON in parameters those of
    ``jsontext.loads``.
    """
    for spec in specs:
        check_style(spec)
    whole = next((spec for spec in specs if spec.location == "querystring"), None)
    if whole is not None:
        return _whole_decoder(whole)
    plans = {
        spec.name: _Plan(_texts_decoder(spec), spec.allow_empty_value and _needs_value(spec))
        for spec in specs
        if not _is_spread(spec)
    }
    claim = _claimant(specs)
    shapes = {spec.name: spec.shape for spec in specs}

    def decode(query: str) -> DecodedQuery:
        sent = _sent(query)
        values: dict[str, Json] = {}
        left: list[str] = []
        empty: tuple[str, ...] = ()
        name = ""
        try:
            for name, raws in sent.items():
                plan = plans.get(name)
                if plan is None:
                    left.append(name)
                elif plan.may_be_empty and raws == [""]:
                    empty += (name,)
                    values[name] = ""
                else:
                    values[name] = plan.decode(raws)
        except Undecodable as failure:
            raise failure.at("", name=name) from None
        if not left:
            return DecodedQuery(values, (), empty, query)
        return DecodedQuery(values, _read_rest(left, sent, query, values, claim, shapes), empty, query)

    return decode


def _sent(query: str) -> dict[str, list[str]]:
    """The raw values by decoded name."""
    sent: dict[str, list[str]] = {}
    if not query:
        return sent
    pieces = query.split("&")
    if len(pieces) > MAX_PARAMETERS:
        raise Undecodable(
            "maxParameters",
            f"the query string has {len(pieces)} parameters, more than {MAX_PARAMETERS}",
            MAX_PARAMETERS,
            len(pieces),
        )
    for piece in pieces:
        name, _, raw = piece.partition("=")
        if "%" in name or "+" in name:
            name = percent.decode_form(name)
        if name in sent:
            sent[name].append(raw)
        elif piece:
            sent[name] = [raw]
    return sent


def _is_spread(spec: ParameterSpec) -> bool:
    """Whether the parameter's own name does not appear: only its properties do, as names or in brackets."""
    return (
        spec.media_type is None
        and spec.shape.is_record
        and (spec.style == "deepObject" or (spec.style == "form" and spec.explode))
    )


def _may_nest(spec: ParameterSpec) -> bool:
    """Whether brackets after the parameter's name lead into its value."""
    types = spec.shape.types
    return spec.style == "deepObject" or not types or not types.isdisjoint({"array", "object"})


def _needs_value(spec: ParameterSpec) -> bool:
    return bool(spec.shape.types) and "string" not in spec.shape.types


def _texts_decoder(spec: ParameterSpec) -> Callable[[list[str]], Json]:
    """A decoder of all the raw texts sent under a parameter's name."""
    shape = spec.shape
    unescape = percent.decode_form
    if spec.media_type is None and shape.is_list and (spec.explode or spec.style == "deepObject"):
        return _repeated_decoder(shape)
    one = joined_decoder(spec, unescape)

    def decode(raws: list[str]) -> Json:
        if len(raws) == 1:
            return one(raws[0])
        if shape.is_list and spec.media_type is None:
            values = [one(raw) for raw in raws]
            return [item for value in values for item in (value if isinstance(value, list) else [value])]
        if not shape.types and spec.media_type is None:
            return [unescape(raw) for raw in raws]
        raise duplicate(len(raws))

    return decode


def _repeated_decoder(shape: Shape) -> Callable[[list[str]], Json]:
    item = coercer(shape.items or ANYTHING)
    scalar = scalar_decoder(shape, percent.decode_form) if shape.is_scalar else None

    def decode(raws: list[str]) -> Json:
        if scalar is not None and len(raws) == 1:
            return scalar(raws[0])
        if shape.prefix:
            return [coerce(percent.decode_form(raw), shape.item(index)) for index, raw in enumerate(raws)]
        return [item(percent.decode_form(raw)) for raw in raws]

    return decode


_Claim: TypeAlias = "tuple[str, tuple[str, ...]] | None"


def _claimant(specs: Sequence[ParameterSpec]) -> Callable[[str], _Claim]:
    """A function from a sent name to the parameter it belongs to and the keys inside it, or None."""
    plain = [spec for spec in specs if spec.media_type is None]
    nested = {spec.name for spec in plain if _may_nest(spec)}
    spread = [spec for spec in plain if _is_spread(spec) and spec.style == "form"]
    owners = {name: spec.name for spec in reversed(spread) for name in spec.shape.properties}
    catch_all = next((spec.name for spec in spread if spec.shape.free_form), None)

    def claim(sent_name: str) -> _Claim:
        base, keys = split_name(sent_name)
        if keys and base in nested:
            return base, keys
        owner = owners.get(base, catch_all)
        if sent_name in owners:  # a property may itself be called ``ids[]``
            return owners[sent_name], (sent_name,)
        return None if owner is None else (owner, (base, *keys))

    return claim


def _read_rest(
    left: list[str],
    sent: dict[str, list[str]],
    query: str,
    values: dict[str, Json],
    claim: Callable[[str], _Claim],
    shapes: Mapping[str, Shape],
) -> tuple[str, ...]:
    """Reads the names that are no parameter's own into ``values``; what remains is unknown."""
    claims = {name: claim(name) for name in left}
    trees: dict[str, Tree[str]] = {}
    for piece in query.split("&"):  # once more in the order sent, which tells where a new item begins
        sent_name, _, raw = piece.partition("=")
        claimed = claims.get(percent.decode_form(sent_name))
        if claimed is not None:
            name, keys = claimed
            if name not in trees:
                trees[name] = Tree(leaves=list(sent[name]) if name in values else [])
            if sent_name:
                trees[name].add(keys, raw)
            else:  # a member without a name, not a new item of a list
                trees[name].members.setdefault("", Tree()).leaves.append(raw)
    for name, tree in trees.items():
        try:
            values[name] = tree.value(shapes[name], _read_text)
        except Undecodable as failure:
            raise failure.at("", name=name) from None
    return tuple(name for name, claimed in claims.items() if claimed is None)


def _read_text(raw: str, shape: Shape) -> Json:
    return coerce(percent.decode_form(raw), shape)


def _whole_decoder(spec: ParameterSpec) -> QueryDecoder:
    """The decoder of OAS 3.2's ``in: querystring``: the query string is one document of a media type."""
    if spec.media_type in {None, FORM}:
        read = form_decoder(spec.shape, encoding={})
    else:
        assert spec.media_type is not None
        read = content_decoder(spec.media_type, percent.decode, spec.shape)

    def decode(query: str) -> DecodedQuery:
        if not query:
            return DecodedQuery({})
        try:
            return DecodedQuery({spec.name: read(query)}, text=query)
        except Undecodable as failure:
            raise failure.at("", name=spec.name) from None

    return decode
