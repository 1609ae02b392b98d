"""From documents to operations: one pass over the paths at start-up, each operation compiled when first used.

Start-up costs time in proportion to the number of paths, not to the size of the schemas, so a description of 13 MB
answers its first request about as fast as it can be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from urllib.parse import SplitResult, unquote, urlsplit

from mock_server.dataclass import dataclass
from mock_server.errors import DescriptionError, did_you_mean
from mock_server.openapi import pointers
from mock_server.openapi.contents import ContentReader
from mock_server.openapi.description import Operation, SecurityRequirement, SecurityScheme
from mock_server.openapi.dialects import Dialect, dialect_of
from mock_server.openapi.documents import Documents, Located
from mock_server.openapi.parameters import ParameterReader
from mock_server.openapi.schemas import Schemas
from mock_server.openapi.skeleton import check, part, texts
from mock_server.openapi.templates import PathMatch, PathMatcher, PathTemplate, parse_template
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class OperationRef:
    """An operation known by its place only, not compiled yet. ``method`` is upper case."""

    id: str
    method: str
    template: PathTemplate
    item: Located
    operation: Located


class Api:
    """One compiled description: which operation a request belongs to, and what that operation says.

    Safe to share between threads: operations compile on first use, and compiling one twice gives equal values.
    """

    def __init__(self, documents: Documents, *, name: str) -> None:
        self.documents = documents
        self.name = name
        root = documents.value(documents.root)
        self.dialect: Dialect = _dialect(documents)
        _check_root(documents)
        self.root: Mapping[str, Json] = root
        self.schemas = Schemas(documents, self.dialect)
        info = root.get("info") or {}
        self.title = str(info.get("title", name))
        self.version = str(info.get("version", ""))
        urls = _server_urls(root, self.dialect)
        self.base_paths = _base_paths(urls)
        self.origins = _origins(urls)
        self.refs: Mapping[str, OperationRef] = MappingProxyType(
            {ref.id: ref for ref in _operation_refs(documents, self.dialect)}
        )
        self.security_schemes = _security_schemes(documents, self.dialect)
        self._matcher: PathMatcher[str] = PathMatcher(_by_template(self.refs.values()))
        self._compiled: dict[str, Operation] = {}
        self._contents = ContentReader(documents, self.schemas, self.dialect)
        self._parameters = ParameterReader(documents, self.schemas, self.dialect, self._contents)

    @property
    def extensions(self) -> Mapping[str, Json]:
        """The ``x-`` fields at the root of the description."""
        return {key: value for key, value in self.root.items() if key.startswith("x-")}

    def match(self, method: str, path: str) -> PathMatch[str]:
        """The operation id for a request's method and raw path; the path has no base path in front of it."""
        return self._matcher.match(method, path)

    def candidates(self, path: str) -> tuple[str, ...]:
        """The path templates that a raw path fits, best first."""
        return self._matcher.candidates(path)

    def operation(self, operation_id: str) -> Operation:
        """The compiled operation; a ``DescriptionError`` when there is none of that id or it is broken."""
        compiled = self._compiled.get(operation_id)
        if compiled is None:
            ref = self.refs.get(operation_id)
            if ref is None:
                raise DescriptionError(
                    f"{self.name} has no operation {operation_id!r}", hint=did_you_mean(operation_id, self.refs)
                )
            compiled = self._compiled[operation_id] = self._compile(ref)
        return compiled

    def compiled_ids(self) -> tuple[str, ...]:
        """The operations compiled so far."""
        return tuple(self._compiled)

    def operations(self) -> Iterator[Operation]:
        """Every operation, compiled, in the order of the description."""
        for operation_id in self.refs:
            yield self.operation(operation_id)

    def _compile(self, ref: OperationRef) -> Operation:
        value = ref.operation.value
        check(self.documents, ref.item, "a path item")
        check(self.documents, ref.operation, "an operation")
        parameters, body_parameters = self._parameters.read(ref.item, ref.operation)
        return Operation(
            id=ref.id,
            method=ref.method,
            path=ref.template.text,
            summary=str(value.get("summary", "")),
            tags=tuple(str(tag) for tag in value.get("tags") or ()),
            deprecated=bool(value.get("deprecated", False)),
            parameters=parameters,
            request_body=self._contents.request_body(ref.operation, body_parameters),
            responses=MappingProxyType(self._contents.responses(ref.operation)),
            security=self._security(ref),
            extensions={key: entry for key, entry in value.items() if key.startswith("x-")},
            located=ref.operation,
        )

    def _security(self, ref: OperationRef) -> tuple[SecurityRequirement, ...]:
        declared = ref.operation.value.get("security", self.root.get("security"))
        if not declared:
            return ()
        return tuple(self._requirement(entry, ref) for entry in declared)

    def _requirement(self, entry: Json, ref: OperationRef) -> SecurityRequirement:
        pairs = []
        for name, scopes in entry.items():
            place = Located(ref.operation.uri, pointers.join(ref.operation.pointer, "security"), scopes)
            scheme = self.security_schemes.get(name)
            if scheme is None:
                raise DescriptionError(
                    f"security names a scheme that {self.dialect.security_schemes} does not describe",
                    place=self.documents.place(ref.operation.uri, ref.operation.pointer),
                    got=name,
                    allowed=", ".join(self.security_schemes) or "none is described",
                    hint=did_you_mean(name, self.security_schemes),
                )
            pairs.append((scheme, texts(self.documents, place, f"the scopes of {name!r}")))
        return tuple(pairs)


def load_api(
    path: Path,
    *,
    name: str | None = None,
    overlays: Sequence[Path] = (),
    allow_remote: bool = False,
    allow_outside: bool = False,
    cache: Path | None = None,
) -> Api:
    """The API that a description file describes, overlays applied in order.

    ``name`` defaults to a slug of the file's name. Raises ``DescriptionError`` with file, pointer and line.
    """
    documents = Documents.load(
        path, overlays=overlays, allow_remote=allow_remote, allow_outside=allow_outside, cache=cache
    )
    return Api(documents, name=name or slug(path))


def slug(path: Path) -> str:
    """A URL-safe name for a description file: ``Pet Store.v2.yaml`` becomes ``pet-store-v2``."""
    stem = path.name.removesuffix(path.suffix)
    if stem.lower() in {"openapi", "swagger", "api"} and path.resolve().parent.name:
        stem = path.resolve().parent.name
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-") or "api"


def _check_root(documents: Documents) -> None:
    """Refuses a description whose own fields are not what they should be; what lies below is checked when used."""
    root = documents.value(documents.root)
    check(documents, Located(documents.root, "", root), "a description")
    if root.get("components") is not None:
        check(documents, Located(documents.root, "/components", root["components"]), "components")
    for index, server in enumerate(root.get("servers") or ()):
        check(documents, Located(documents.root, f"/servers/{index}", server), "a server")


def _dialect(documents: Documents) -> Dialect:
    try:
        return dialect_of(documents.value(documents.root), file=documents.root)
    except DescriptionError as error:
        pointer = error.place.pointer if error.place is not None else ""
        raise error.at(documents.place(documents.root, pointer)) from None


def _by_template(refs: Iterable[OperationRef]) -> list[tuple[PathTemplate, dict[str, str]]]:
    table: dict[str, tuple[PathTemplate, dict[str, str]]] = {}
    for ref in refs:
        table.setdefault(ref.template.text, (ref.template, {}))[1][ref.method] = ref.id
    return list(table.values())


def _operation_refs(documents: Documents, dialect: Dialect) -> Iterator[OperationRef]:
    root = documents.value(documents.root)
    paths = root.get("paths") or {}
    if not isinstance(paths, dict):
        raise DescriptionError(
            "paths is a mapping", place=documents.place(documents.root, "/paths"), got=type(paths).__name__
        )
    taken: set[str] = set()
    for text, value in paths.items():
        if text.startswith("x-"):
            continue
        pointer = pointers.join("/paths", text)
        place = Located(documents.root, pointer, value)
        try:
            template = parse_template(text.partition("?")[0].partition("#")[0])
        except DescriptionError as error:
            raise error.at(documents.place(documents.root, pointer)) from None
        item = documents.follow(place)
        for method, operation in _methods(item, dialect, documents):
            wanted = str(operation.value.get("operationId") or _made_up_id(method, text))
            operation_id, count = wanted, 2
            while operation_id in taken:
                operation_id, count = f"{wanted}_{count}", count + 1
            taken.add(operation_id)
            yield OperationRef(operation_id, method, template, item, operation)


def _methods(item: Located, dialect: Dialect, documents: Documents) -> Iterator[tuple[str, Located]]:
    if not isinstance(item.value, dict):
        raise DescriptionError(
            "a path item is a mapping of methods to operations",
            place=documents.place(item.uri, item.pointer),
            got=type(item.value).__name__,
        )
    for method in dialect.methods:
        if isinstance(item.value.get(method), dict):
            yield method.upper(), Located(item.uri, pointers.join(item.pointer, method), item.value[method])
    if dialect.additional_operations:
        check(documents, item, "a path item")
        for method, value in (item.value.get("additionalOperations") or {}).items():
            pointer = pointers.join(item.pointer, "additionalOperations", method)
            yield method, Located(item.uri, pointer, value)


def _made_up_id(method: str, path: str) -> str:
    words = [word for word in re.split(r"[^A-Za-z0-9{}]+", path) if word]
    plain = [(word, re.sub("[{}]", "", word)) for word in words]
    named = ["By" * word.startswith("{") + bare[:1].upper() + bare[1:] for word, bare in plain]
    return method.lower() + ("".join(named) or "Root")


def _server_urls(root: Mapping[str, Json], dialect: Dialect) -> list[SplitResult]:
    """Where the description says that the API is: URLs, absolute or not, with the defaults of their variables."""
    if not dialect.servers:
        host, path = str(root.get("host") or ""), str(root.get("basePath") or "")
        schemes = root.get("schemes") or ["https"]
        texts = [f"{scheme}://{host}{path}" for scheme in schemes] if host else [path]
    else:
        texts = [_server_url(server) for server in root.get("servers") or () if isinstance(server, dict)] or ["/"]
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(urlsplit(text))
    return found


def _server_url(server: Mapping[str, Json]) -> str:
    url = str(server.get("url", "/"))
    for name, variable in (server.get("variables") or {}).items():
        url = url.replace("{" + name + "}", str(variable.get("default", "")))
    return url


def _base_paths(urls: Iterable[SplitResult]) -> tuple[str, ...]:
    """The path prefixes under which servers are described, longest first, without a trailing slash; never empty."""
    found = [unquote(url.path).strip("/") for url in urls]
    paths = {"/" + path if path and "{" not in path else "" for path in found} or {""}
    return tuple(sorted(paths, key=lambda path: (-len(path), path)))


def _origins(urls: Iterable[SplitResult]) -> tuple[str, ...]:
    """Scheme and host of the servers that are described with them, in their order."""
    found = (f"{url.scheme}://{url.netloc}" for url in urls if url.scheme in {"http", "https"} and url.netloc)
    return tuple(dict.fromkeys(origin for origin in found if "{" not in origin))


def _security_schemes(documents: Documents, dialect: Dialect) -> Mapping[str, SecurityScheme]:
    try:
        container = pointers.lookup(documents.value(documents.root), dialect.security_schemes)
    except LookupError:
        return {}
    schemes = {}
    for name, value in (container or {}).items():
        located = Located(documents.root, pointers.join(dialect.security_schemes, name), value)
        scheme = part(documents, located, "a security scheme")
        for flow, told in (scheme.value.get("flows") or {}).items():
            if isinstance(told, dict):
                check(documents, Located(scheme.uri, pointers.join(scheme.pointer, "flows", flow), told), "a flow")
        schemes[name] = _security_scheme(name, scheme.value)
    return schemes


def _security_scheme(name: str, value: Mapping[str, Json]) -> SecurityScheme:
    kind = str(value.get("type", ""))
    scheme = str(value.get("scheme", "")).lower()
    if kind == "basic":  # Swagger 2.0
        kind, scheme = "http", "basic"
    if kind in {"oauth2", "openIdConnect"}:
        scheme = "bearer"
    flows = value.get("flows") or {"": value}
    scopes = [scope for flow in flows.values() if isinstance(flow, dict) for scope in flow.get("scopes") or {}]
    return SecurityScheme(
        name=name,
        kind=kind,
        location=str(value.get("in", "")) if kind == "apiKey" else "",
        parameter=str(value.get("name", "")) if kind == "apiKey" else "",
        scheme=scheme,
        scopes=tuple(dict.fromkeys(scopes)),
        description=str(value.get("description", "")),
        extensions={key: entry for key, entry in value.items() if key.startswith("x-")},
    )
