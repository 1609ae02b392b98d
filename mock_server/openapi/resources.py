"""Schema resources: the base URI, anchors and language in force at a schema, and what its ``$ref`` leads to.

JSON Schema gives references a life of their own beside OpenAPI's: ``$id`` moves the base URI, ``$anchor``
names a place, ``$schema`` changes the language half way through a file (JSON Schema Core 2020-12 §8 and §9).
Everything else is left to the documents of the description. Nothing is ever fetched: an ``$id`` is matched
with schemas that are at hand, then with files beside the one that refers.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import jsonschema_rs
import orjson

from mock_server.dataclass import dataclass
from mock_server.errors import Place, UnresolvedReference, did_you_mean
from mock_server.openapi import pointers
from mock_server.openapi.dialects import Dialect
from mock_server.openapi.documents import Documents
from mock_server.openapi.schema_rules import (
    BY_LANGUAGE,
    DEFINITION_KEYWORDS,
    DRAFT_4,
    DRAFT_2020_12,
    SCHEMA_KEYWORDS,
    SCHEMA_LIST_KEYWORDS,
    SCHEMA_MAP_KEYWORDS,
    SchemaRules,
    rules_for_metaschema,
)
from mock_server.openapi.values import Json

_DRAFTS = (
    jsonschema_rs.Draft202012,
    jsonschema_rs.Draft201909,
    jsonschema_rs.Draft7,
    jsonschema_rs.Draft6,
    jsonschema_rs.Draft4,
)
_NAMING = (b'"$id"', b'"$schema"', b'"$anchor"', b'"$dynamicAnchor"', b'"$recursiveAnchor"')
_METASCHEMAS = ("http://json-schema.org/draft", "https://json-schema.org/draft")


class Spot(NamedTuple):
    """Where a schema is: a document and a JSON pointer into it.

    A tuple, since spots are the keys of every table that compiling uses, and tuples are hashed in C.
    """

    uri: str
    pointer: str

    def below(self, *tokens: str | int) -> Spot:
        """The spot that ``tokens`` lead to from here."""
        return Spot(self.uri, pointers.join(self.pointer, *tokens))


@dataclass(frozen=True, slots=True)
class Resource:
    """A schema resource (JSON Schema Core §4.3.5).

    ``root`` is where it begins, ``frame`` what ``#/…`` in it counts from (the whole document when the schema
    has no identifier of its own), ``base`` the URI its relative references start from. ``dynamic_anchors``
    has the name "" for ``$recursiveAnchor``.
    """

    root: Spot
    frame: str
    base: str
    rules: SchemaRules
    anchors: Mapping[str, str] = field(default_factory=dict)
    dynamic_anchors: Mapping[str, str] = field(default_factory=dict)


class Resources:
    """The schema resources of one description, discovered as references reach them."""

    def __init__(self, documents: Documents, dialect: Dialect) -> None:
        self._documents = documents
        self._schemas_pointer = dialect.schemas
        self._description_rules = _description_rules(documents, dialect)
        self._by_root: dict[Spot, Resource] = {}
        self._plain: dict[str, bool] = {}
        self._around: dict[Spot | str, Resource] = {}
        self._by_id: dict[str, Spot] = {}
        self._scanned: set[Spot] = set()
        self._scanned_names: set[str] = set()
        self._targets: dict[tuple[Spot, str], Spot] = {}

    def value(self, spot: Spot) -> Json:
        """What the documents hold at ``spot``."""
        return pointers.lookup(self._document(spot.uri), spot.pointer)

    def place(self, spot: Spot) -> Place:
        """``spot`` for a message."""
        if _is_metaschema(spot.uri):
            return Place(spot.uri, spot.pointer)
        return self._documents.place(spot.uri, spot.pointer)

    def existing(self, spot: Spot) -> Spot:
        """``spot``, or the nearest place above it that exists in the documents."""
        try:
            self.value(spot)
        except pointers.PointerError as error:
            return Spot(spot.uri, error.found)
        return spot

    def around(self, spot: Spot) -> Resource:
        """The innermost schema resource that the schema at ``spot`` belongs to."""
        found = self._around.get(spot.uri) or self._around.get(spot)  # the whole document's, or the spot's own
        if found is not None:
            return found
        if self._is_plain(spot.uri):
            found = self._around[spot.uri] = Resource(Spot(spot.uri, ""), "", spot.uri, self._description_rules)
            return found
        self._scan(self._outermost(spot))
        found = self._around[spot] = self._innermost(spot)
        return found

    def _innermost(self, spot: Spot) -> Resource:
        pointer = spot.pointer
        while (found := self._by_root.get(Spot(spot.uri, pointer))) is None:
            assert pointer, f"the scan around {spot} left no resource"
            pointer = pointer.rpartition("/")[0]
        return found

    def starting_at(self, spot: Spot) -> Resource | None:
        """The resource whose root is ``spot``, once ``around`` has seen its surroundings."""
        return self._by_root.get(spot)

    def named(self, name: str) -> Spot | None:
        """The schema that the description's components call ``name``."""
        spot = Spot(self._documents.root, pointers.join(self._schemas_pointer, name))
        try:
            self.value(spot)
        except LookupError:
            return None
        return spot

    def resolve(self, ref: str, resource: Resource, *, at: Spot) -> Spot:
        """Where ``ref``, written at ``at`` in ``resource``, leads; an ``UnresolvedReference`` if nowhere."""
        key = (resource.root, ref)
        target = self._targets.get(key)
        if target is None:
            target = self._targets[key] = self._resolve(ref, resource, at)
        return target

    def _resolve(self, ref: str, resource: Resource, at: Spot) -> Spot:
        if ref.startswith("#"):
            return self._fragment(unquote(ref[1:]), resource, ref=ref, at=at)
        address, fragment = urldefrag(urljoin(resource.base, ref))
        if address == resource.base and resource.frame == resource.root.pointer:
            return self._fragment(unquote(fragment), resource, ref=ref, at=at)
        if resource.rules.identifies:
            self._scan_named_schemas(resource.root.uri)
            self._scan_named_schemas(self._documents.root)
        known = self._by_id.get(address)
        if known is None:
            known = Spot(self._file(address, ref, resource, at), "")
        return self._fragment(unquote(fragment), self._document_resource(known), ref=ref, at=at)

    def _fragment(self, fragment: str, resource: Resource, *, ref: str, at: Spot) -> Spot:
        uri = resource.root.uri
        if not fragment or fragment.startswith("/"):
            target = Spot(uri, resource.frame + fragment)
            try:
                self.value(target)
            except (LookupError, ValueError):
                if not _is_metaschema(uri) and not resource.frame and at.uri == uri:
                    self._documents.resolve(f"#{fragment}", uri)  # names the token that is missing
                raise self._nowhere(ref, at, hint=f"{uri}#{target.pointer} does not exist") from None
            return target
        pointer = resource.anchors.get(fragment)
        if pointer is not None:
            return Spot(uri, pointer)
        found = None if _is_metaschema(uri) else self._documents.anchor(uri, fragment)
        if found is None:
            raise self._nowhere(ref, at, hint=did_you_mean(fragment, resource.anchors))
        return Spot(found.uri, found.pointer)

    def _nowhere(self, ref: str, at: Spot, *, hint: str | None) -> UnresolvedReference:
        return UnresolvedReference(
            "this reference leads nowhere",
            place=self.place(at),
            got=ref,
            allowed="a schema in the description, in a file beside it, or one known by its $id",
            hint=hint,
        )

    def _file(self, address: str, ref: str, resource: Resource, at: Spot) -> str:
        """The document for an address that no schema at hand claims as its ``$id``."""
        if _is_metaschema(address):
            if _metaschema(address) is None:
                raise self._nowhere(ref, at, hint="no JSON Schema draft has a metaschema of this address")
            return address
        uri = resource.root.uri
        if _is_metaschema(uri):
            raise self._nowhere(ref, at, hint=None)
        own = self._document_resource(Spot(uri, "")).base
        beside = urldefrag(ref).url if own == uri else _relative(address, own)
        try:
            return self._documents.resolve(beside, uri).uri
        except UnresolvedReference as error:
            raise UnresolvedReference(
                error.problem, place=self.place(at), got=ref, allowed=error.allowed, hint=error.hint
            ) from error

    # Scanning: one walk over the subschemas of a file or of an outermost schema, memoised.

    def _document(self, uri: str) -> Json:
        return _metaschema(uri) if _is_metaschema(uri) else self._documents.value(uri)

    def _document_resource(self, spot: Spot) -> Resource:
        """The resource at ``spot``, or the document as the frame of ``#/…`` when no schema begins there."""
        if not spot.pointer and not self._is_schema_file(spot.uri):
            return Resource(spot, "", spot.uri, self._description_rules)
        return self.around(spot)

    def _is_plain(self, uri: str) -> bool:
        """Whether no schema in a document names itself or changes its language, so that there is nothing to scan."""
        known = self._plain.get(uri)
        if known is None:
            known = self._plain[uri] = not self._is_schema_file(uri) and self._names_nothing(uri)
        return known

    def _names_nothing(self, uri: str) -> bool:
        rules = self._description_rules
        if not rules.identifies:
            return True
        if rules.id_keyword != "$id":
            return False  # draft 4's ``id`` may be anything's
        try:
            text = orjson.dumps(self._document(uri))
        except TypeError:
            return False
        return not any(word in text for word in _NAMING)

    def _is_schema_file(self, uri: str) -> bool:
        """Whether a document is a JSON Schema of its own, whatever the language of the description."""
        return _own_rules(self._document(uri)) is not None

    def _outermost(self, spot: Spot) -> Spot:
        """The schema object that encloses ``spot`` and is not itself inside a schema object."""
        if self._is_schema_file(spot.uri):
            return Spot(spot.uri, "")
        prefix = self._schemas_pointer + "/"
        if spot.pointer.startswith(prefix):
            return Spot(spot.uri, prefix + spot.pointer.removeprefix(prefix).partition("/")[0])
        before, found, _ = spot.pointer.partition("/schema/")
        return Spot(spot.uri, before + "/schema") if found else spot

    def _scan_named_schemas(self, uri: str) -> None:
        if uri in self._scanned_names:
            return
        self._scanned_names.add(uri)
        if self._is_plain(uri):
            return
        document = self._document(uri)
        if self._is_schema_file(uri):
            self._scan(Spot(uri, ""))
            return
        try:
            named = pointers.lookup(document, self._schemas_pointer)
        except LookupError:
            return
        for name in named if isinstance(named, dict) else ():
            self._scan(Spot(uri, pointers.join(self._schemas_pointer, name)))

    def _scan(self, outer: Spot) -> None:
        if outer in self._scanned:
            return
        self._scanned.add(outer)
        document = self._document(outer.uri)
        schema = pointers.lookup(document, outer.pointer)
        rules = self._description_rules
        if not outer.pointer:
            rules = _own_rules(document) or rules
        if rules.identifies and isinstance(schema, dict):
            rules = _declared_rules(schema, otherwise=rules)
            identifier = _identifier(schema, rules)
            if identifier:
                self._add_resources(schema, outer, urljoin(outer.uri, identifier), rules)
                return
        frame = outer.pointer if self._is_schema_file(outer.uri) else ""
        self._add_resources(schema, outer, outer.uri, rules, frame=frame)

    def _add_resources(
        self, schema: Json, root: Spot, base: str, rules: SchemaRules, *, frame: str | None = None
    ) -> None:
        """Register the resource that begins at ``root``, and those that begin inside it."""
        base = urldefrag(base).url
        anchors: dict[str, str] = {}
        dynamic: dict[str, str] = {}
        own_frame = root.pointer if frame is None else frame
        self._by_root[root] = Resource(root, own_frame, base, rules, anchors, dynamic)
        if own_frame == root.pointer:
            self._by_id.setdefault(base, root)
        if not rules.identifies:
            return
        pending: list[tuple[Spot, Json]] = [(root, schema)]
        while pending:
            spot, value = pending.pop()
            if not isinstance(value, dict):
                continue
            identifier = _identifier(value, rules)
            if identifier and spot != root:
                inner = _declared_rules(value, otherwise=rules)
                self._add_resources(value, spot, urljoin(base, identifier), inner)
                continue
            _note_anchors(value, spot.pointer, rules, anchors, dynamic, is_root=spot == root)
            pending += [(spot.below(*tokens), child) for tokens, child in subschemas(value)]


def subschemas(schema: Mapping[str, Json]) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """Every schema directly inside ``schema``, with the tokens that lead to it; any draft's keywords."""
    for keyword, value in schema.items():
        if isinstance(value, dict):
            if keyword in SCHEMA_KEYWORDS or keyword == "additionalItems":
                yield (keyword,), value
            elif keyword in SCHEMA_MAP_KEYWORDS or keyword in DEFINITION_KEYWORDS or keyword == "dependencies":
                for name, child in value.items():
                    yield (keyword, name), child
        elif isinstance(value, list) and (keyword in SCHEMA_LIST_KEYWORDS or keyword == "items"):
            for index, child in enumerate(value):
                yield (keyword, index), child


def _description_rules(documents: Documents, dialect: Dialect) -> SchemaRules:
    rules = BY_LANGUAGE[dialect.schema_language]
    root = documents.value(documents.root)
    declared = root.get("jsonSchemaDialect") if isinstance(root, dict) else None
    if rules.identifies and isinstance(declared, str):
        return rules_for_metaschema(declared, otherwise=rules)
    return rules


def _own_rules(document: Json) -> SchemaRules | None:
    """The language of a stand-alone JSON Schema file; None for a description or a part of one."""
    if not isinstance(document, dict) or "openapi" in document or "swagger" in document:
        return None
    if isinstance(document.get("$schema"), str) or isinstance(document.get("$id"), str):
        return _declared_rules(document, otherwise=DRAFT_2020_12)
    identifier = document.get("id")
    # Only drafts up to 4 wrote `id`; a property or an example named id is hardly ever an absolute URI.
    return DRAFT_4 if isinstance(identifier, str) and urlsplit(identifier).scheme else None


def _declared_rules(schema: Mapping[str, Json], *, otherwise: SchemaRules) -> SchemaRules:
    declared = schema.get("$schema")
    return rules_for_metaschema(declared, otherwise=otherwise) if isinstance(declared, str) else otherwise


def _identifier(schema: Mapping[str, Json], rules: SchemaRules) -> str | None:
    """The URI that ``schema`` names its resource by, or None when it starts no resource."""
    keyword = _declared_rules(schema, otherwise=rules).id_keyword
    identifier = schema.get(keyword) if keyword else None
    if not isinstance(identifier, str) or identifier.startswith("#"):
        return None
    # Up to draft 7 the siblings of $ref are ignored, and $id is one of them.
    return None if rules.ref_stands_alone and "$ref" in schema else identifier


def _note_anchors(
    schema: Mapping[str, Json],
    pointer: str,
    rules: SchemaRules,
    anchors: dict[str, str],
    dynamic: dict[str, str],
    *,
    is_root: bool,
) -> None:
    if rules.fragment_ids:
        identifier = schema.get(rules.id_keyword)
        if isinstance(identifier, str) and "#" in identifier and "$ref" not in schema:
            anchors.setdefault(urldefrag(identifier).fragment, pointer)
    if rules.anchors and isinstance(schema.get("$anchor"), str):
        anchors.setdefault(schema["$anchor"], pointer)
    if rules.dynamic_references and isinstance(schema.get("$dynamicAnchor"), str):
        anchors.setdefault(schema["$dynamicAnchor"], pointer)
        dynamic.setdefault(schema["$dynamicAnchor"], pointer)
    if rules.recursive_references and is_root and schema.get("$recursiveAnchor") is True:
        dynamic[""] = pointer


def _relative(address: str, base: str) -> str:
    """``address`` as a path relative to ``base``, when both are on one host; else ``address`` itself."""
    target, start = urlsplit(address), urlsplit(base)
    if (target.scheme, target.netloc) != (start.scheme, start.netloc) or not target.path.startswith("/"):
        return address
    return posixpath.relpath(target.path, posixpath.dirname(start.path) or "/")


def _is_metaschema(uri: str) -> bool:
    return uri.startswith(_METASCHEMAS)


@lru_cache(maxsize=32)
def _metaschema(uri: str) -> Json:
    """A metaschema of the JSON Schema drafts, out of the validator's own store; None when there is none."""
    for draft in _DRAFTS:
        try:
            bundled: dict[str, Json] = jsonschema_rs.bundle({"$ref": uri}, draft=draft, offline=True)
        except jsonschema_rs.ReferencingError:
            continue
        for container in DEFINITION_KEYWORDS & bundled.keys():
            if uri in bundled[container]:
                return bundled[container][uri]
    return None
