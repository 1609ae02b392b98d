"""The ``x-mock-*`` vocabulary: what an overlay says over what was inferred.

``reader.py`` checks and parses, ``resources.py`` lays annotations over a resource, ``operations.py`` over a meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from mock_server.dataclass import dataclass
from mock_server.model.annotations.credentials import check_schemes, credential_members
from mock_server.model.annotations.limits import read_idempotency, read_limits
from mock_server.model.annotations.operations import annotated_meaning
from mock_server.model.annotations.reader import AnnotationReader, vocabulary
from mock_server.model.annotations.resources import annotated_resource
from mock_server.model.annotations.sentences import read_sentences
from mock_server.model.annotations.tenants import Tenants
from mock_server.model.meaning import Meaning, Resource
from mock_server.model.problem import WIDER, Kind
from mock_server.model.sentences import Sentences
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.expressions import ValueTemplate
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.model import Model

__all__ = ["AnnotationReader", "Annotations", "ErrorMapping", "read_annotations", "vocabulary"]

_ROOT_KEYS = (
    "x-mock-namespace",
    "x-mock-resources",
    "x-mock-errors",
    "x-mock-tenants",
    "x-mock-limits",
    "x-mock-idempotency",
    "x-mock-webhooks",
)


@dataclass(frozen=True, slots=True)
class ErrorMapping:
    """How one kind of problem is answered; None leaves a part to the description."""

    status: int | None
    code: str | None
    message: str | None
    body: ValueTemplate | None
    sentences: Sentences | None = None

    def or_else(self, other: ErrorMapping) -> ErrorMapping:
        """This mapping, with what it leaves open as another one says."""
        return ErrorMapping(
            self.status if self.status is not None else other.status,
            self.code if self.code is not None else other.code,
            self.message if self.message is not None else other.message,
            self.body if self.body is not None else other.body,
            self.sentences if self.sentences is not None else other.sentences,
        )


class Annotations:
    """The annotations of one description."""

    def __init__(self, api: Api) -> None:
        self.reader = AnnotationReader(api)
        root = api.extensions
        self.reader.check({key: root[key] for key in _ROOT_KEYS if key in root}, "", "")
        self.reader.refuse_unknown(root)
        check_schemes(self.reader)
        self._credentials = credential_members(self.reader)
        self.namespace: str | None = root.get("x-mock-namespace")
        self._resources: Mapping[str, Mapping[str, Json]] = root.get("x-mock-resources") or {}
        self.resource_names = tuple(self._resources)
        self.tenants = Tenants(self.reader, root)
        errors: dict[Kind | str, ErrorMapping] = {
            (kind if kind == "default" else Kind(kind)): self._error(kind, value)
            for kind, value in (root.get("x-mock-errors") or {}).items()
        }
        for kind, wider in WIDER.items():
            if kind in errors and wider in errors:
                errors[kind] = errors[kind].or_else(errors[wider])
        self.errors: Mapping[Kind | str, ErrorMapping] = MappingProxyType(errors)
        self.limits = read_limits(self.reader, root.get("x-mock-limits") or {})
        self.idempotency = read_idempotency(self.reader, root.get("x-mock-idempotency"))

    def resource(self, model: Model, name: str, inferred: Resource | None) -> Resource | None:
        """The resource of a name with its annotation, if it has one, laid over it."""
        value = self._resources.get(name)
        if value is not None:
            inferred = annotated_resource(self.reader, model, name, value, inferred)
        return self._completed(model, inferred) if inferred is not None else None

    def meaning(self, model: Model, operation_id: str) -> Meaning:
        """An operation's meaning: inferred, then what annotations say of its resource and of itself."""
        found = annotated_meaning(self.reader, model, operation_id, frozenset(self._resources))
        if found.resource is not None and found.resource.name not in self._resources:
            found = replace(found, resource=self._completed(model, found.resource))
        return self.tenants.meaning(model, found)

    def _completed(self, model: Model, resource: Resource) -> Resource:
        """The resource with what other annotations than its own say of it."""
        unique = frozenset(names[0] for names in resource.unique if len(names) == 1)
        fresh = unique | self._credentials.get(resource.name, frozenset())
        if fresh:
            resource = replace(resource, fresh=fresh)
        return self.tenants.resource(model, resource)

    def _error(self, kind: str, value: Mapping[str, Json]) -> ErrorMapping:
        pointer = pointers.join("/x-mock-errors", kind)
        body = self.reader.template(value["body"], pointer + "/body") if "body" in value else None
        sentences = read_sentences(self.reader, value.get("messages"), pointer + "/messages")
        return ErrorMapping(value.get("status"), value.get("code"), value.get("message"), body, sentences)


def read_annotations(api: Api) -> Annotations:
    """The annotations of a description; an ``AnnotationError`` for one that breaks the vocabulary."""
    return Annotations(api)
