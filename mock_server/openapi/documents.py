"""Every file of one API description, loaded once on demand and addressed by URI.

The URI of a file is its path relative to the folder of the description, percent-encoded ("openapi.yaml",
"schemas/lead.json", "../shared.yaml"); a remote document's is its URL.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

import orjson

from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, Place, UnresolvedReference, did_you_mean
from mock_server.openapi import pointers, source
from mock_server.openapi.cache import digest_of, recall, remember
from mock_server.openapi.values import Json

_REMOTE = re.compile(r"https?://", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")  # RFC 3986 §3.1
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")  # a backslash is a separator on some systems and a letter on others
_ANCHORS = ("$anchor", "$dynamicAnchor")


@dataclass(frozen=True, slots=True)
class Located:
    """A value and where it was found: the document's URI and a JSON pointer into that document."""

    uri: str
    pointer: str
    value: Json


@dataclass(frozen=True, slots=True)
class Access:
    """What references may lead to, and how it is read.

    ``remote`` allows http and https URLs, ``outside`` files that are not below the description's own folder.
    ``cache`` is a folder for what has been parsed before.
    """

    remote: bool = False
    outside: bool = False
    limits: source.Limits = source.DEFAULT_LIMITS
    cache: Path | None = None


@dataclass(frozen=True, slots=True)
class _Document:
    """One loaded document: what messages call it, its value, and the file it came from, if any.

    ``digests`` are of the files that it was made of, overlays included.
    """

    name: str
    value: Json
    file: Path | None = None
    digests: Mapping[Path, str] = field(default_factory=dict)


class Documents:
    """Every file of one API description, loaded once on demand. Safe to use from several threads."""

    root: str
    """The URI of the description's own document."""

    def __init__(
        self, root: str, document: _Document, *, folder: Path | None, access: Access, overlays: Sequence[Path]
    ) -> None:
        self.root = root
        self._folder = folder
        self._access = access
        self._overlays = tuple(overlays)
        self._loaded = {root: document}
        self._lock = threading.Lock()
        self._resolved: dict[tuple[str, str], Located] = {}
        self._addresses: dict[tuple[str, str], str] = {}
        self._anchors: dict[str, dict[str, str]] = {}
        self._lines: dict[str, dict[str, int]] = {}

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        overlays: Sequence[Path] = (),
        allow_remote: bool = False,
        allow_outside: bool = False,
        limits: source.Limits = source.DEFAULT_LIMITS,
        cache: Path | None = None,
    ) -> Documents:
        """The documents of the description in the file ``path``, which ``overlays`` patch in their order.

        ``SourceError`` or ``OverlayError`` when a file cannot be used. References to http(s) URLs and to
        files outside the description's folder are refused unless allowed. ``cache`` is a folder that makes
        the next load faster; it may be deleted at any time.
        """
        access = Access(remote=allow_remote, outside=allow_outside, limits=limits, cache=cache)
        patched = _overlaid(path, overlays, access) if overlays else _read(path, access)
        return cls(quote(path.name), patched, folder=path.parent, access=access, overlays=overlays)

    @classmethod
    def from_value(
        cls,
        value: Json,
        *,
        name: str = "description",
        folder: Path | None = None,
        overlays: Sequence[Json] = (),
        limits: source.Limits = source.DEFAULT_LIMITS,
    ) -> Documents:
        """The documents of a description in memory, which ``overlays`` (values too) patch in their order.

        ``name`` is its URI and what messages call it. Relative references start from ``folder``; without one,
        the description cannot refer to files.
        """
        patched = source.checked(value, name=name, limits=limits)
        for number, each in enumerate(overlays, start=1):
            from mock_server.openapi import overlay

            checked = source.checked(each, name=f"overlay {number}", limits=limits)
            patched = overlay.apply(patched, overlay.overlay_from(checked, name=f"overlay {number}"))
        document = _Document(name, patched)
        return cls(quote(name), document, folder=folder, access=Access(limits=limits), overlays=())

    def value(self, uri: str) -> Json:
        """The whole document at ``uri``, loaded if it has not been yet."""
        return self._document(uri).value

    def resolve(self, ref: str, base: str) -> Located:
        """What the reference ``ref``, written in the document ``base``, leads to (RFC 3986 §5, RFC 6901 §6).

        An ``UnresolvedReference`` names the reference, its place and the nearest thing that exists.
        """
        found = self._resolved.get((ref, base))
        if found is None:
            found = self._resolved[ref, base] = self._resolve(ref, base)
        return found

    def _resolve(self, ref: str, base: str) -> Located:
        address, _, fragment = ref.partition("#")
        try:
            uri = base
            if address:
                uri = self._addresses.get((address, base)) or self._address(address, base)
                self._addresses[address, base] = uri
            return self._within(uri, unquote(fragment))
        except UnresolvedReference as error:
            raise UnresolvedReference(
                error.problem,
                place=self._place_of_reference(ref, base),
                got=ref,
                allowed=error.allowed,
                hint=error.hint or self._forgotten_hash(ref, base),
            ) from error

    def follow(self, located: Located) -> Located:
        """The first value that is not a Reference Object, following ``$ref`` after ``$ref`` from ``located``.

        Not for schemas, where ``$ref`` has siblings and a base URI of its own (JSON Schema Core §8.2.3).
        """
        passed: dict[str, int] = {}  # each step and its number; a hostile chain may have thousands
        here = located
        while isinstance(here.value, dict) and isinstance(ref := here.value.get("$ref"), str):
            step = f"{here.uri}#{here.pointer}"
            if step in passed:
                raise UnresolvedReference(
                    "references lead in a circle",
                    place=self.place(here.uri, here.pointer),
                    got=" -> ".join([*list(passed)[passed[step] :], step]),
                    hint="let one of them hold the value itself",
                )
            passed[step] = len(passed)
            here = self.resolve(ref, here.uri)
        return here

    def anchor(self, uri: str, name: str) -> Located | None:
        """The value in the document ``uri`` that names itself ``name`` by ``$anchor``, or None.

        ``$dynamicAnchor`` counts as well (JSON Schema Core §8.2.2), and so does draft 7's ``$id: "#name"``.
        """
        if uri not in self._anchors:
            self._anchors[uri] = _anchors_of(self.value(uri))
        pointer = self._anchors[uri].get(name)
        return None if pointer is None else Located(uri, pointer, pointers.lookup(self.value(uri), pointer))

    def place(self, uri: str, pointer: str) -> Place:
        """File, pointer and line of a value, for a message; the line is the nearest ancestor's if need be.

        The first call for a document walks its whole text, which takes seconds for megabytes.
        """
        document = self._loaded.get(uri)
        if document is None or document.file is None:
            return Place(uri if document is None else document.name, pointer)
        if uri not in self._lines:
            with contextlib.suppress(OSError):
                self._lines[uri] = source.lines(document.file.read_bytes())
        return Place(document.name, pointer, source.nearest_line(self._lines.get(uri, {}), pointer))

    def files(self) -> tuple[Path, ...]:
        """The files read so far: the description, its overlays, and what references led to."""
        loaded = (document.file for document in tuple(self._loaded.values()))
        return (*(file for file in loaded if file is not None), *self._overlays)

    def digests(self) -> dict[Path, str]:
        """What was in each file that was read so far, as ``cache.digest_of`` tells."""
        return {file: digest for document in tuple(self._loaded.values()) for file, digest in document.digests.items()}

    def base_of(self, uri: str) -> str:
        """The absolute URI that relative references in a document start from (RFC 3986 §5.1).

        A document in memory that was given no folder has none, and ``uri`` comes back as it is.
        """
        if _REMOTE.match(uri) or self._folder is None:
            return uri
        return Path(os.path.abspath(self._folder / unquote(uri))).as_uri()

    def _document(self, uri: str) -> _Document:
        document = self._loaded.get(uri)
        if document is None:
            with self._lock:
                document = self._loaded.get(uri)
                if document is None:
                    document = self._loaded[uri] = self._load(uri)
        return document

    def _load(self, uri: str) -> _Document:
        if _REMOTE.match(uri):
            if not self._access.remote:
                raise UnresolvedReference(
                    "this reference leads to another host",
                    got=uri,
                    allowed="files below the description's folder",
                    hint="keep a copy beside the description, or allow remote references (allow_remote)",
                )
            from mock_server.openapi.fetching import fetched  # with the HTTP client, for those who refer to URLs

            data = fetched(uri, self._access.limits)
            name = urlsplit(uri)._replace(query="").geturl()
            value = source.parse(data, name=name, limits=self._access.limits, cache=self._access.cache)
            return _Document(uri, value)
        return _read(self._file(uri), self._access)

    def _file(self, uri: str) -> Path:
        """The file a URI stands for, if it may be read."""
        if self._folder is None:
            raise UnresolvedReference(
                "a description in memory has no folder, so it cannot refer to files",
                got=uri,
                hint="pass folder=, or put what is referred to into the description",
            )
        file = self._folder / unquote(uri)
        # The real path, since a symbolic link inside the folder may lead out of it.
        inside = Path(os.path.realpath(file)).is_relative_to(os.path.realpath(self._folder))
        if not inside and not self._access.outside:
            raise UnresolvedReference(
                "this reference leads out of the description's folder",
                got=uri,
                allowed=f"files below {self._folder}",
                hint="move the file there, or allow references to files outside (allow_outside)",
            )
        if not os.path.exists(file):  # Path.exists would raise for a name that is too long
            raise UnresolvedReference(
                f"there is no file {file}", got=uri, hint=did_you_mean(file.name, source.siblings(file))
            )
        return file

    def _address(self, reference: str, base: str) -> str:
        """The URI of the document that a reference without fragment leads to, allowed or not."""
        if _UNSAFE.search(unquote(reference)):
            raise UnresolvedReference(
                "a reference holds a backslash or a control character", allowed="/ between folders"
            )
        try:
            if not (_REMOTE.match(base) or _REMOTE.match(reference)):
                return self._local_address(reference, base)
            joined = urljoin(base, reference)
        except ValueError as error:
            raise UnresolvedReference(f"a reference is not a URI: {error}") from error
        if not _REMOTE.match(joined):
            raise UnresolvedReference("a remote document refers to what is not remote", allowed="http, https")
        return joined

    def _local_address(self, reference: str, base: str) -> str:
        scheme = _SCHEME.match(reference)
        parts = urlsplit(reference)
        if (scheme and scheme[1].lower() != "file") or parts.netloc not in {"", "localhost"}:
            raise UnresolvedReference(
                "nothing can be read from this kind of reference",
                allowed="a relative path, or an http(s) URL",
                hint=f"write https:{reference}" if reference.startswith("//") else None,
            )
        if parts.query:
            raise UnresolvedReference("a reference to a file has no query", hint="write ? in a name as %3F")
        path = unquote(parts.path)
        if path.startswith("/"):
            start = os.path.abspath(self._folder or Path("/"))
            return quote(Path(os.path.relpath(path, start)).as_posix())
        return quote(posixpath.normpath(posixpath.join(posixpath.dirname(unquote(base)), path)))

    def _within(self, uri: str, fragment: str) -> Located:
        value = self.value(uri)
        if fragment and not fragment.startswith("/"):
            anchored = self.anchor(uri, fragment)
            if anchored is None:
                known = self._anchors[uri]
                raise UnresolvedReference(
                    f"no $anchor in {uri} is named {fragment!r}",
                    hint=did_you_mean(fragment, known) or f"write a JSON pointer, such as #/{fragment}",
                )
            return anchored
        try:
            return Located(uri, fragment, pointers.lookup(value, fragment))
        except ValueError as error:
            raise UnresolvedReference(str(error)) from error
        except pointers.PointerError as error:
            raise UnresolvedReference(
                f"{error.token!r} does not exist at {uri}#{error.found}", hint=_near_pointer(error, uri)
            ) from error

    def _place_of_reference(self, ref: str, base: str) -> Place:
        """Where ``ref`` is written in ``base``: the first of its kind, if there are several."""
        for pointer, value in _objects(self._loaded[base].value if base in self._loaded else None):
            if value.get("$ref") == ref:
                return self.place(base, pointers.join(pointer, "$ref"))
        return self.place(base, "")

    def _forgotten_hash(self, ref: str, base: str) -> str | None:
        """A hint for ``components/schemas/Lead``, a pointer whose ``#/`` was forgotten."""
        pointer = "/" + ref.removeprefix("/")
        with contextlib.suppress(ApidoubleError, LookupError, ValueError):
            pointers.lookup(self.value(base), pointer)
            return f"did you mean '#{pointer}'?"
        return None


def _read(file: Path, access: Access) -> _Document:
    name = str(file)
    data = source.read(file, name=name, limits=access.limits)
    digest = digest_of(data)
    value = source.parse(data, name=name, limits=access.limits, cache=access.cache, digest=digest)
    return _Document(name, value, file, {file: digest})


def _overlaid(file: Path, overlays: Sequence[Path], access: Access) -> _Document:
    """A description with its overlays applied; what they came to before is in the cache."""
    name, limits = str(file), access.limits
    texts = [source.read(each, name=str(each), limits=limits) for each in (file, *overlays)]
    digests = list(map(digest_of, texts))
    read = dict(zip((file, *overlays), digests, strict=True))
    digest = digest_of(" ".join([repr(limits), file.suffix, *digests]).encode())
    known = recall(access.cache, digest, "overlaid")
    if known is not None:
        return _Document(name, orjson.loads(known), file, read)
    from mock_server.openapi import overlay  # with its JSONPath, for those who have overlays

    value = source.parse(texts[0], name=name, limits=limits, cache=access.cache, digest=digests[0])
    for each in overlays:
        value = overlay.apply(value, overlay.load_overlay(each, limits=limits))
    if access.cache is not None:
        remember(access.cache, digest, "overlaid", orjson.dumps(value))
    return _Document(name, value, file, read)


def _near_pointer(error: pointers.PointerError, uri: str) -> str | None:
    """What to write instead of a pointer that leads nowhere."""
    parent = error.parent
    if isinstance(parent, dict) and isinstance(parent.get("$ref"), str):
        return f"{error.found} is itself a reference; refer to what it leads to, {parent['$ref']}"
    if isinstance(parent, dict):
        return did_you_mean(error.token, parent) or (
            f"{uri}#{error.found} has {', '.join(list(parent)[:8])}" if parent else None
        )
    if isinstance(parent, list):
        return f"the list has {len(parent)} items, counted from 0"
    return None


def _objects(value: Json) -> list[tuple[str, dict[str, Json]]]:
    """Every object in a value with its pointer, outermost first."""
    found: list[tuple[str, dict[str, Json]]] = []
    level = [("", value)]
    while level:
        found += [(pointer, each) for pointer, each in level if isinstance(each, dict)]
        level = [
            (pointers.join(pointer, token), member)
            for pointer, each in level
            if isinstance(each, dict | list)
            for token, member in (each.items() if isinstance(each, dict) else enumerate(each))
        ]
    return found


def _anchors_of(value: Json) -> dict[str, str]:
    """The pointer to each value that names itself, by name; the outermost one where a name is used twice."""
    found: dict[str, str] = {}
    for pointer, each in _objects(value):
        names = [each[keyword] for keyword in _ANCHORS if isinstance(each.get(keyword), str)]
        identifier = each.get("$id")
        if isinstance(identifier, str) and identifier.startswith("#"):
            names.append(identifier[1:])
        for name in names:
            found.setdefault(name, pointer)
    return found
