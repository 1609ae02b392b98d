"""The independent judge: openapi-core and jsonschema say whether a message is as the description says.

Nothing here shares code with the double but the class of errors, so that a mistake in one of the two shows as
a disagreement. OpenAPI 3.0, 3.1 and 3.2 are judged; Swagger 2.0 is not: openapi-core has no validator for it.
Nor are XML bodies, which openapi-core does not turn into the values that their schemas speak of.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema_path import SchemaPath
from jsonschema_path.handlers import default_handlers
from jsonschema_path.readers import PathReader
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from mock_server.dataclass import dataclass
from mock_server.errors import DescriptionError, UnresolvedReference

_HOST = "http://judged.test"
_VERSION = re.compile(r"3\.[012](\.|\Z)")
_JSON_SUFFIX = re.compile(r"\+json\Z")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message is valid, and if not, why: one sentence for each reason."""

    valid: bool
    reasons: tuple[str, ...]


@dataclass(slots=True)  # not frozen: openapi-core writes the path parameters into it
class _Request:
    """A request as openapi-core wants it (``openapi_core.protocols.Request``)."""

    host_url: str
    path: str
    method: str
    parameters: RequestParameters
    content_type: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class _Response:
    """A response as openapi-core wants it (``openapi_core.protocols.Response``)."""

    status_code: int
    headers: Headers
    content_type: str
    data: bytes


class Judge:
    """Judges requests and responses of one API.

    ``description`` is a document or the path of one, in OpenAPI 3.0, 3.1 or 3.2; a ``DescriptionError`` for
    anything else. URLs start with the base path of a described server, or with the API's own paths at once.
    References lead to files alone, and to none outside of the description's folder unless ``outside`` allows them.
    """

    def __init__(self, description: Mapping[str, Any] | Path, *, outside: bool = False) -> None:
        if isinstance(description, Path):
            document, base_uri = PathReader(description).read()
        else:
            document, base_uri = description, ""
        version = str(document.get("openapi", document.get("swagger", "")))
        if "openapi" not in document or not _VERSION.match(version):
            raise DescriptionError(
                "the judge does not know this version of OpenAPI",
                got=version,
                allowed="openapi: 3.0, 3.1 or 3.2",
            )
        self._base_paths = tuple(_base_paths(document.get("servers") or ()))
        # The message came from somewhere else than the described servers; its path alone is judged.
        anywhere = _spelled_out(_anywhere(document))
        suffixed = (name for name in _media_types(document) if _JSON_SUFFIX.search(name))
        readable: dict[str, Callable[[bytes], Any]] = dict.fromkeys(suffixed, _read_json)
        readable |= dict.fromkeys(("application/octet-stream", "application/pdf"), _read_binary)
        readable |= dict.fromkeys((name for name in _media_types(document) if name.startswith("text/")), _read_text)
        config = Config(
            spec_validator_cls=None,  # type: ignore[arg-type]  # None means that messages are judged, not the document
            extra_media_type_deserializers=readable,
            extra_format_validators=_FORMATS,
        )
        folder = description.parent if isinstance(description, Path) else None
        path = SchemaPath.from_dict(anywhere, base_uri=base_uri, handlers=_handlers(folder, outside=outside))
        self._api = OpenAPI(path, config=config)

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Whether a request is valid; ``url`` with its query, absolute or not, ``body`` empty for none."""
        request = self._request(method, url, headers, body)
        return _verdict(lambda: self._api.iter_request_errors(request))

    def response(self, method: str, url: str, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> Verdict:
        """Whether a response to ``method url`` is valid: its status, headers, media type and body."""
        request = self._request(method, url, {}, b"")
        sent = Headers(list(headers))
        response = _Response(status, sent, sent.get("content-type", ""), body)
        return _verdict(lambda: self._api.iter_response_errors(request, response))

    def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> _Request:
        parts = urlsplit(url)
        base = next((base for base in self._base_paths if parts.path.startswith(base + "/")), "")
        sent = Headers(dict(headers))
        parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)),
            header=sent,
            cookie=ImmutableMultiDict(_cookies(sent.get("cookie", ""))),
        )
        # An encoded slash is data and must not come to divide segments before the template is matched.
        path = unquote(re.sub("%2[Ff]", "%252F", parts.path[len(base) :]))
        content_type = sent.get("content-type", "application/octet-stream")
        return _Request(_HOST, path, method.lower(), parameters, content_type, body or None)


def _handlers(folder: Path | None, *, outside: bool) -> dict[str, Callable[[str], Any]]:
    """What reads the documents that references lead to; its own handlers fetch from any host and read any file."""
    read = default_handlers["file"]

    def refuse(uri: str) -> Any:
        raise UnresolvedReference("this reference leads to another host", got=uri, allowed="files")

    @cache  # or a file would be read again for each reference to it, in every message
    def file(uri: str) -> Any:
        real = os.path.realpath(unquote(urlsplit(uri).path))
        if not outside and (folder is None or not Path(real).is_relative_to(os.path.realpath(folder))):
            raise UnresolvedReference("this reference leads out of the description's folder", got=uri)
        return read(uri)

    return {**dict.fromkeys(default_handlers, refuse), "file": file}


def _verdict(errors: Callable[[], Iterable[Exception]]) -> Verdict:
    try:
        reasons = tuple(dict.fromkeys(reason for error in errors() for reason in _reasons(error)))
    except Exception as error:
        # openapi-core stumbles over some bodies that it cannot read. A crash is never a verdict in favour.
        reasons = tuple(_reasons(error))
    return Verdict(not reasons, reasons)


def _reasons(error: BaseException) -> Iterator[str]:
    """An error and what led to it; where schemas were broken, each place in the value."""
    broken = list(getattr(error, "schema_errors", ()))
    for schema_error in broken:
        pointer = "".join(f"/{token}" for token in schema_error.absolute_path)
        yield f"{pointer or 'the value'}: {schema_error.message}"
    if broken:
        return
    cause = error.__cause__
    if cause is None:
        yield f"{type(error).__name__}: {error}"
        return
    for reason in _reasons(cause):
        yield f"{type(error).__name__}: {reason}"


def _base_paths(servers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for server in servers:
        variables = server.get("variables") or {}
        url = str(server.get("url", "/"))
        for name, variable in variables.items():
            url = url.replace("{" + name + "}", str(variable.get("default", "")))
        path = urlsplit(url).path.rstrip("/")
        if path:
            yield path


def _anywhere(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document that says nothing of servers, neither of its own nor of those of single paths and operations."""
    found = {name: member for name, member in document.items() if name != "servers"}
    paths = found.get("paths")
    if isinstance(paths, dict):
        found["paths"] = {path: _serverless(item, levels=2) for path, item in paths.items()}
    return found


def _serverless(value: Any, *, levels: int) -> Any:
    if not isinstance(value, dict) or levels == 0:
        return value
    members = ((name, member) for name, member in value.items() if name != "servers")
    return {name: _serverless(member, levels=levels - 1) for name, member in members}


def _spelled_out(value: Any) -> Any:
    """A document without boolean schemas in media types and parameters, at which openapi-core stumbles."""
    if isinstance(value, Mapping):
        meant: dict[bool, Any] = {True: {}, False: {"not": {}}}
        return {
            name: meant[member] if name == "schema" and isinstance(member, bool) else _spelled_out(member)
            for name, member in value.items()
        }
    return [_spelled_out(item) for item in value] if isinstance(value, list) else value


def _media_types(value: Any) -> Iterator[str]:
    """Every media type in the ``content`` maps of a document."""
    if isinstance(value, Mapping):
        content = value.get("content")
        if isinstance(content, Mapping):
            yield from (str(name) for name in content)
        for member in value.values():
            yield from _media_types(member)
    elif isinstance(value, list):
        for item in value:
            yield from _media_types(item)


def _read_json(body: bytes, **_: str) -> Any:
    return json.loads(body)


def _read_text(body: bytes, **_: str) -> str:
    return body.decode("utf-8")


def _read_binary(body: bytes, **_: str) -> str:
    """Bytes as the string that ``type: string`` speaks of (OAS 3.0 §4.7.24), one character each."""
    return body.decode("latin-1")


def _is(name: str, value: Any) -> bool:
    """Whether an IRI is the URI of a format once it is ASCII (RFC 3987 §3.1)."""
    ascii_only = re.sub(r"[^\x00-\x7f]+", lambda beyond: quote(beyond[0]), value) if isinstance(value, str) else value
    return _URIS.conforms(ascii_only, name)


_URIS = FormatChecker(["uri", "uri-reference"])
_FORMATS: dict[str, Callable[[Any], bool]] = {
    "iri": partial(_is, "uri"),
    "iri-reference": partial(_is, "uri-reference"),
    # openapi-core's own is that of JSON Schema draft 3, which had no offsets (RFC 3339 §5.6, full-time).
    "time": partial(Draft202012Validator.FORMAT_CHECKER.conforms, format="time"),
}
"""What jsonschema leaves to rfc3987-syntax, which takes seconds to import, and what openapi-core reads otherwise."""


def _cookies(header: str) -> list[tuple[str, str]]:
    try:
        return [(name, morsel.value) for name, morsel in SimpleCookie(header).items()]
    except CookieError:
        return []
