"""A request as the model sees it: parsed, validated, and with the caller known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from mock_server.dataclass import dataclass
from mock_server.model.outcome import NO_BODY
from mock_server.openapi.expressions import MISSING, Context, Message
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls. ``scopes`` None means that nothing is known of scopes, so none is refused.

    ``item`` is the key of the item that is the credential, where the state keeps credentials.
    """

    name: str
    scheme: str
    scopes: frozenset[str] | None = None
    tenant: str | None = None
    plan: str | None = None
    claims: Mapping[str, Json] = field(default_factory=dict)
    item: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells callers apart: two may have one name, and an item keeps its key when its secret is rotated."""
        return (self.scheme, self.tenant or "", self.item or self.name)

    def as_json(self) -> dict[str, Json]:
        """What ``$principal#/…`` expressions see."""
        return {
            "name": self.name,
            "scheme": self.scheme,
            "scopes": sorted(self.scopes) if self.scopes is not None else None,
            "tenant": self.tenant,
            "plan": self.plan,
            "claims": dict(self.claims),
        }


@quick(frozen=True, slots=True)
class Call:
    """One valid call of an operation. ``url`` is the API's own base URL as the caller knows it, without a
    slash.

    ``path`` and ``query`` hold decoded values by parameter name, ``headers`` the described header parameters
    by lower case name; ``body`` is NO_BODY where none was sent. ``target`` is the request's path and query as
    sent. ``related`` are the items that expressions may begin with, by name.
    """

    operation_id: str
    method: str
    path: Mapping[str, Json]
    query: Mapping[str, Json]
    headers: Mapping[str, str]
    body: Json
    media_type: str
    principal: Principal | None
    url: str
    target: str
    related: Mapping[str, Json] = field(default_factory=dict)

    def context(self, bindings: Mapping[str, Json]) -> Context:
        """The context in which runtime expressions about this call are evaluated."""
        request = Message(
            headers=self.headers,
            query=self.query,
            path=self.path,
            body=MISSING if self.body is NO_BODY else self.body,
        )
        seen = {**self.related, **bindings} if self.related else bindings
        return Context(url=self.url + self.target, method=self.method, request=request, bindings=seen)
