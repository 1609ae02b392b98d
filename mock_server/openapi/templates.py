"""Which path template a request path belongs to (OAS 3.1 §4.8.8.2, "Path Templating Matching").

A trie over path segments. Concrete segments go before partly templated ones (``{id}.json``), those before whole
parameters; among equals the template that is concrete earlier wins. A template that also has the method wins over a
more concrete one that has not, since servers route by method and path together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from enum import Enum
from types import MappingProxyType
from typing import Generic, TypeVar
from urllib.parse import unquote

from mock_server.dataclass import dataclass
from mock_server.errors import DescriptionError
from mock_server.openapi.quick import quick

Target = TypeVar("Target")

_PARAMETER = re.compile(r"\{([^{}/]*)\}")
_NO_VALUES: Mapping[str, str] = MappingProxyType({})


class Fit(Enum):
    """How far a request was matched: not at all, by its path only, or by path and method."""

    NONE = "none"
    PATH_ONLY = "path-only"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path with ``{parameters}``, split into segments.

    ``parameters`` are the names in order of appearance.
    """

    text: str
    segments: tuple[str, ...]
    parameters: tuple[str, ...]

    @property
    def shape(self) -> str:
        """The template without its parameter names; two templates of one shape match the same paths."""
        return _PARAMETER.sub("{}", self.text)


def parse_template(text: str) -> PathTemplate:
    """The parsed template; a ``DescriptionError`` for braces that do not pair or a name used twice."""
    if not text.startswith("/"):
        raise DescriptionError("a path template starts with a slash", got=text, allowed="/…")
    names = tuple(_PARAMETER.findall(text))
    if "{" in _PARAMETER.sub("", text) or "}" in _PARAMETER.sub("", text) or "" in names:
        raise DescriptionError("the braces of this path template do not pair", got=text, allowed="/things/{id}")
    if len(set(names)) != len(names):
        raise DescriptionError("a path template names a parameter twice", got=text)
    return PathTemplate(text, tuple(text.split("/")[1:]), names)


@quick(frozen=True, slots=True)
class PathMatch(Generic[Target]):
    """What the matcher found: ``target`` for FULL; ``methods`` are those of the matched path otherwise.

    ``values`` holds the raw, still percent-encoded text of each path parameter.
    """

    fit: Fit
    target: Target | None
    values: Mapping[str, str]
    methods: tuple[str, ...]


@dataclass(slots=True)
class _Leaf(Generic[Target]):
    """The end of a path: what each method leads to, with the template whose parameter names it uses."""

    targets: dict[str, tuple[PathTemplate, Target]]

    @property
    def text(self) -> str:
        return next(iter(self.targets.values()))[0].text


@dataclass(slots=True)
class _Node(Generic[Target]):
    literals: dict[str, _Node[Target]] = field(default_factory=dict)
    partial: list[tuple[re.Pattern[str], str, _Node[Target]]] = field(default_factory=list)
    parameter: _Node[Target] | None = None
    leaf: _Leaf[Target] | None = None


def _is_whole_parameter(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}") and segment.count("{") == 1


def _segment_pattern(segment: str) -> re.Pattern[str]:
    """A segment such as ``{base}...{head}`` as an expression; parameters are at least one character long."""
    pieces = _PARAMETER.split(segment)
    pattern = "".join(re.escape(p) if i % 2 == 0 else "([^/]+?)" for i, p in enumerate(pieces))
    return re.compile(pattern + r"\Z")


class PathMatcher(Generic[Target]):
    """Finds the target registered for a method and a path. Immutable once filled at start-up."""

    def __init__(self, templates: Iterable[tuple[PathTemplate, Mapping[str, Target]]]) -> None:
        self._root: _Node[Target] = _Node()
        self._concrete: dict[tuple[str, str], PathMatch[Target]] = {}
        for template, targets in templates:
            self._insert(template, dict(targets))

    def _insert(self, template: PathTemplate, targets: dict[str, Target]) -> None:
        node = self._root
        for segment in template.segments:
            node = _child(node, segment)
        if node.leaf is None:
            node.leaf = _Leaf({})
        clash = set(targets) & set(node.leaf.targets)
        if clash:
            raise DescriptionError(
                "two paths differ only in their parameters' names",
                got=f"{node.leaf.text} and {template.text}, both with {', '.join(sorted(clash)).upper()}",
                hint="keep one of them; a request could not be told apart",
            )
        node.leaf.targets.update({method: (template, target) for method, target in targets.items()})
        if "{" not in template.text:
            # Nothing else can win against it, so it need not be looked for.
            self._concrete.update({(method, template.text): PathMatch(Fit.FULL, target, _NO_VALUES, ())
                                   for method, target in targets.items()})  # fmt: skip

    def match(self, method: str, path: str) -> PathMatch[Target]:
        """The best match of an upper-case method and a raw path (no query, percent-encoding kept)."""
        concrete = self._concrete.get((method, path))
        if concrete is not None:
            return concrete
        node: _Node[Target] | None = self._root
        texts: list[str] = []
        segments = path.split("/")[1:]
        # Nearly every path is found without looking back: concrete segments first is the precedence itself.
        for segment in segments:
            assert node is not None
            child = node.literals.get(segment)
            if child is None:
                if node.partial or "%" in segment or not segment:
                    return self._search(method, segments)
                child = node.parameter
                texts.append(segment)
            node = child
            if node is None:
                return self._search(method, segments)
        found = node.leaf.targets.get(method) if node is not None and node.leaf is not None else None
        if found is None:
            return self._search(method, segments)
        template, target = found
        return PathMatch(Fit.FULL, target, dict(zip(template.parameters, texts, strict=True)), ())

    def candidates(self, path: str) -> tuple[str, ...]:
        """The templates that fit a path, best first."""
        return tuple(leaf.text for leaf, _ in _leaves(self._root, path.split("/")[1:], 0, ()))

    def _search(self, method: str, segments: list[str]) -> PathMatch[Target]:
        """The first template that has the method; else what the best one has instead."""
        first: _Leaf[Target] | None = None
        for leaf, texts in _leaves(self._root, segments, 0, ()):
            found = leaf.targets.get(method)
            if found is not None:
                template, target = found
                return PathMatch(Fit.FULL, target, dict(zip(template.parameters, texts, strict=True)), ())
            if first is None:
                first = leaf
        if first is None:
            return PathMatch(Fit.NONE, None, {}, ())
        return PathMatch(Fit.PATH_ONLY, None, {}, tuple(first.targets))


def _child(node: _Node[Target], segment: str) -> _Node[Target]:
    if _is_whole_parameter(segment):
        if node.parameter is None:
            node.parameter = _Node()
        return node.parameter
    if "{" not in segment:
        return node.literals.setdefault(segment, _Node())
    shape = _PARAMETER.sub("{}", segment)
    for _, known, existing in node.partial:
        if known == shape:
            return existing
    child: _Node[Target] = _Node()
    node.partial.append((_segment_pattern(segment), shape, child))
    # More literal text is more specific.
    node.partial.sort(key=lambda entry: -len(entry[1].replace("{}", "")))
    return child


def _leaves(
    node: _Node[Target], segments: list[str], at: int, texts: tuple[str, ...]
) -> Iterator[tuple[_Leaf[Target], tuple[str, ...]]]:
    if at == len(segments):
        if node.leaf is not None:
            yield node.leaf, texts
        return
    segment = segments[at]
    literal = node.literals.get(unquote(segment) if "%" in segment else segment)
    if literal is not None:
        yield from _leaves(literal, segments, at + 1, texts)
    for pattern, _, child in node.partial:
        found = pattern.match(segment)
        if found is not None:
            yield from _leaves(child, segments, at + 1, texts + found.groups())
    if node.parameter is not None and segment:
        yield from _leaves(node.parameter, segments, at + 1, (*texts, segment))
