"""openapi-core's verdict on a response, whatever the size of the description.

openapi-core looks through all paths for each message and copies what it is given, so for a description in one file it
gets a document for each path: that path and what it refers to, word for word.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from contracts.judge import Judge, Verdict
from mock_server.openapi.documents import Documents
from tests.public.lifting import lifted
from tests.public.readings import readable

_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "QUERY"})


class Court:
    """Judges the responses of one API by the documents that describe it, path by path."""

    def __init__(self, documents: Documents, *, whole: bool) -> None:
        root: Any = documents.value(documents.root)
        self._root: dict[str, Any] = lifted(root) if "swagger" in root else root
        self._paths: dict[str, list[str]] = {}
        for path in self._root.get("paths") or {}:
            self._paths.setdefault(_bare(path), []).append(path)
        self._judges: dict[tuple[str, str], Judge] = {}
        self._children = _children(self._root)
        self._whole = Judge(documents.files()[0].resolve()) if whole else None

    def verdict(self, template: str, method: str, url: str, status: int, headers: Any, body: bytes) -> Verdict:
        """Whether a response to ``method url`` is as ``template`` describes it."""
        if self._whole is not None:
            return self._whole.response(method, url, status, headers, body)
        if (judge := self._judges.get((template, method))) is None:
            judge = self._judges[template, method] = Judge(self._excerpt(template, method))
        return judge.response(method if method in _METHODS else "GET", url, status, headers, body)

    def _excerpt(self, template: str, method: str) -> dict[str, Any]:
        items = [self._root["paths"][path] for path in self._paths[template]]
        item = next((each for each in items if method.lower() in each), items[0])
        others = item.get("additionalOperations") or {}
        if method in others:
            item = {"get": others[method]}  # openapi-core knows no methods but those of HTTP
        kept: dict[str, Any] = {name: value for name, value in self._root.items() if name not in {"paths", "components",
                                "webhooks"}}  # fmt: skip
        kept["paths"] = {_numbered(template): item}
        waiting, seen = [item], set[str]()
        while waiting:
            for reference in _references(waiting.pop()):
                for name in (reference, *self._children.get(reference, ())):
                    if name not in seen:
                        seen.add(name)
                        waiting.append(_copied(name, self._root, kept))
        return readable(kept)


def _numbered(template: str) -> str:
    """A template with plain names for its parameters: openapi-core cannot read ``{a.b}`` and the like."""
    count = itertools.count(1)
    return re.sub(r"\{[^{}]*\}", lambda _: f"{{p{next(count)}}}", unquote(template))


def _bare(path: str) -> str:
    """A template without query and fragment, which no path has (RFC 3986 §3.3)."""
    return path.partition("?")[0].partition("#")[0]


def _references(value: Any) -> Iterator[str]:
    """Every local reference in a value, those of discriminators' mappings among them."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            mapping = (each.get("discriminator") or {}) if isinstance(each.get("discriminator"), dict) else {}
            for target in (mapping.get("mapping") or {}).values():
                yield target if target.startswith("#") else f"#/components/schemas/{target}"
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, str) and each.startswith("#/"):
            yield each


def _children(root: Mapping[str, Any]) -> dict[str, list[str]]:
    """The schemas that extend another by allOf: a discriminator names them without a reference (OAS 3.0 §4.7.25)."""
    found: dict[str, list[str]] = {}
    for name, schema in ((root.get("components") or {}).get("schemas") or {}).items():
        parts = schema.get("allOf") if isinstance(schema, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and isinstance(part.get("$ref"), str):
                found.setdefault(part["$ref"], []).append(f"#/components/schemas/{name}")
    return found


def _copied(reference: str, root: Mapping[str, Any], kept: dict[str, Any]) -> Any:
    """The value that a local reference leads to, put at the same place of ``kept``; None where it leads nowhere."""
    tokens = [unquote(token).replace("~1", "/").replace("~0", "~") for token in reference[2:].split("/")]
    tokens = tokens[:3] if tokens[0] == "components" else tokens[:2]
    source, target = root, kept
    for token in tokens[:-1]:
        source, target = source.get(token, {}), target.setdefault(token, {})
    if tokens[-1] not in source:
        return None
    target.setdefault(tokens[-1], source[tokens[-1]])
    return source[tokens[-1]]
