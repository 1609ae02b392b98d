"""The ``x-mock-*`` vocabulary: what an overlay says over what was inferred.

``reader.py`` checks and parses, ``resources.py`` lays annotations over a resource, ``operations.py`` over a meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from mock_server.model.annotations.operations import annotated_meaning
from mock_server.model.annotations.reader import AnnotationReader, vocabulary
from mock_server.model.annotations.resources import annotated_resource
from mock_server.model.meaning import Meaning, Resource
from mock_server.model.problem import Kind
from mock_server.openapi import pointers
from mock_server.openapi.compile import Api
from mock_server.openapi.expressions import ValueTemplate
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.model import Model

__all__ = ["AnnotationReader", "Annotations", "ErrorMapping", "read_annotations", "vocabulary"]

_ROOT_KEYS = ("x-mock-namespace", "x-mock-resources", "x-mock-errors")


@dataclass(frozen=True, slots=True)
class ErrorMapping:
    """How one kind of problem is answered; None leaves a part to the description."""

    status: int | None
    code: str | None
    message: str | None
    body: ValueTemplate | None


class Annotations:
    """The annotations of one description."""

    def __init__(self, api: Api) -> None:
        self.reader = AnnotationReader(api)
        root = api.extensions
        self.reader.check({key: root[key] for key in _ROOT_KEYS if key in root}, "", "")
        self.reader.refuse_unknown(root)
        self.namespace: str | None = root.get("x-mock-namespace")
        self._resources: Mapping[str, Mapping[str, Json]] = root.get("x-mock-resources") or {}
        self.resource_names = tuple(self._resources)
        self.errors: Mapping[Kind | str, ErrorMapping] = MappingProxyType(
            {
                (kind if kind == "default" else Kind(kind)): self._error(kind, value)
                for kind, value in (root.get("x-mock-errors") or {}).items()
            }
        )

    def resource(self, model: Model, name: str, inferred: Resource | None) -> Resource | None:
        """The resource of a name with its annotation, if it has one, laid over it."""
        value = self._resources.get(name)
        return inferred if value is None else annotated_resource(self.reader, model, name, value, inferred)

    def meaning(self, model: Model, operation_id: str) -> Meaning:
        """An operation's meaning: inferred, then what annotations say of its resource and of itself."""
        return annotated_meaning(self.reader, model, operation_id, frozenset(self._resources))

    def _error(self, kind: str, value: Mapping[str, Json]) -> ErrorMapping:
        pointer = pointers.join("/x-mock-errors", kind)
        body = self.reader.template(value["body"], pointer + "/body") if "body" in value else None
        return ErrorMapping(value.get("status"), value.get("code"), value.get("message"), body)


def read_annotations(api: Api) -> Annotations:
    """The annotations of a description; an ``AnnotationError`` for one that breaks the vocabulary."""
    return Annotations(api)
