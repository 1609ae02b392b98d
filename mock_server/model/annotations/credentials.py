"""What annotations say of credentials that are kept in the state: ``x-mock-credentials`` on a security scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mock_server.errors import AnnotationError
from mock_server.model.annotations.reader import AnnotationReader
from mock_server.model.credentials import CredentialStore, Path
from mock_server.model.meaning import Resource
from mock_server.openapi import pointers
from mock_server.openapi.description import SecurityScheme
from mock_server.openapi.values import Json

if TYPE_CHECKING:
    from mock_server.model.model import Model

_POINTERS = ("value", "user", "name", "scopes", "tenant", "plan", "expires")


def check_schemes(reader: AnnotationReader) -> None:
    """Refuses what the vocabulary does not have on a security scheme."""
    for scheme in reader.api.security_schemes.values():
        pointer = _pointer(reader, scheme)
        reader.refuse_unknown(scheme.extensions, pointer=pointer)
        for name, definition in (("x-mock-jwt", "jwt"), ("x-mock-credentials", "credentials")):
            if name in scheme.extensions:
                reader.check(scheme.extensions[name], definition, f"{pointer}/{name}")


def credential_members(reader: AnnotationReader) -> dict[str, frozenset[str]]:
    """The members that hold what clients present, by the name of their resource: no two items may share one."""
    found: dict[str, frozenset[str]] = {}
    for scheme in reader.api.security_schemes.values():
        value = scheme.extensions.get("x-mock-credentials")
        if value is not None and "user" not in value:
            members = frozenset(pointers.split(value["value"])[:1])
            found[value["resource"]] = found.get(value["resource"], frozenset()) | members
    return found


def credential_stores(models: Sequence[Model]) -> dict[str, CredentialStore]:
    """Where the credentials of the first model's security schemes are kept, by scheme.

    The other models are those of the APIs that share its state, whose resources will do as well. Raises
    ``AnnotationError``.
    """
    reader = models[0].annotations.reader
    return {
        scheme.name: _store(reader, models, scheme, scheme.extensions["x-mock-credentials"])
        for scheme in reader.api.security_schemes.values()
        if "x-mock-credentials" in scheme.extensions
    }


def _store(
    reader: AnnotationReader, models: Sequence[Model], scheme: SecurityScheme, value: Mapping[str, Json]
) -> CredentialStore:
    pointer = f"{_pointer(reader, scheme)}/x-mock-credentials"
    resource = next((found for model in models if (found := model.resource(value["resource"])) is not None), None)
    if resource is None:
        names = sorted({name for model in models for name in model.resource_names()})
        reader.known(value["resource"], names, pointer + "/resource", "no such resource")
    assert resource is not None
    if "user" in value and scheme.scheme != "basic":
        raise AnnotationError(
            "only a basic scheme has a user's name beside the secret",
            place=reader.place(pointer + "/user"),
            got=scheme.scheme or scheme.kind,
        )
    paths = {name: _path(reader, resource, value[name], f"{pointer}/{name}") for name in _POINTERS if name in value}
    when = reader.criterion(value["when"], pointer + "/when") if "when" in value else None
    return CredentialStore(scheme.name, resource, **paths, when=when)


def _path(reader: AnnotationReader, resource: Resource, text: str, pointer: str) -> Path:
    path = pointers.split(text)
    members = resource.anatomy.members
    if members:
        hint = f"give {resource.name} a schema that has it"
        reader.known(path[0], members, pointer, f"an item of {resource.name} has no such member", hint=hint)
    return path


def _pointer(reader: AnnotationReader, scheme: SecurityScheme) -> str:
    return pointers.join(reader.api.dialect.security_schemes, scheme.name)
