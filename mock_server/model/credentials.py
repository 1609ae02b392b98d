"""Credentials that are items of the state: who presents one, and why it may be refused.

What the API itself creates, changes, rotates or removes counts with the next request, since every look-up asks the
state as it is then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from datetime import datetime

from mock_server.dataclass import dataclass
from mock_server.model.call import Principal
from mock_server.model.clock import instant_of, moments, rfc3339
from mock_server.model.collection import Entry
from mock_server.model.filters import value_at
from mock_server.model.lenses import holding
from mock_server.model.meaning import Resource
from mock_server.model.outcome import key_text
from mock_server.model.problem import Kind
from mock_server.model.state import Partition, State
from mock_server.model.tenants import parents_in, tenant_in
from mock_server.model.world import is_soft_deleted
from mock_server.openapi.criteria import Criterion
from mock_server.openapi.expressions import Context
from mock_server.openapi.values import Json

Path = tuple[str, ...]

_MOST_SEEN = 10_000


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a credential is not accepted: one sentence, and the kind of problem that it is."""

    why: str
    kind: Kind = Kind.UNAUTHENTICATED


@dataclass(frozen=True, slots=True)
class _Seen:
    """Whom an item stood for when it was judged; it does so as long as it is the very same item."""

    partition: Partition
    entry: Entry
    principal: Principal
    expiry: datetime | None

    def holds(self, state: State, now: datetime) -> bool:
        """Whether a state has that very item, and its time is not over."""
        collection = state.collection(self.partition)
        if collection is None or collection.get(self.entry.key) is not self.entry:
            return False
        return self.expiry is None or self.expiry > now


@dataclass(frozen=True, slots=True)
class CredentialStore:
    """Where a security scheme's credentials are kept: a resource, and the paths in an item to what it says.

    ``value`` is what a client presents. With ``user`` that is two members: the user's name before the first colon,
    and ``value`` after it. ``when`` is the condition under which an item counts.
    """

    scheme: str
    resource: Resource
    value: Path
    user: Path | None = None
    name: Path | None = None
    scopes: Path | None = None
    tenant: Path | None = None
    plan: Path | None = None
    expires: Path | None = None
    when: Criterion | None = None
    _seen: dict[str, _Seen] = field(default_factory=dict, init=False, repr=False, compare=False)

    def presented(self, state: State, value: str, now: datetime) -> Principal | Refused | None:
        """Who presents a value at a time, or why it is refused; None when no item has it."""
        seen = self._seen.get(value)
        if seen is not None and seen.holds(state, now):
            return seen.principal
        refused: Refused | None = None
        for partition, entry in self._held(state, value):
            found = self._judged(partition, entry, now)
            if isinstance(found, Principal):
                self._remember(value, _Seen(partition, entry, found, self.expiry(entry.value)))
                return found
            if refused is None or found.kind is Kind.EXPIRED:
                refused = found
        return refused

    def _remember(self, value: str, seen: _Seen) -> None:
        """Keeps whom a value stood for. Whether it still does is asked of the state each time, so this is safe beside
        other threads and universes."""
        if self.when is None or all(operand.expression.root == "resource" for operand in self.when.operands):
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen[value] = seen

    def wire_value(self, item: Json) -> str | None:
        """What a client presents for an item, None when it has nothing to present."""
        value, user = _text(item, self.value), _text(item, self.user)
        if self.user is None or value is None:
            return value
        return f"{user}:{value}" if user is not None else None

    def items(self, state: State, key: str) -> list[tuple[Partition, Entry]]:
        """The items of a key, whichever tenant's; parents' keys come first, each followed by a slash."""
        *above, own = key.split("/") if self.resource.parents else [key]
        return [
            (partition, entry)
            for partition, collection in state.partitions(self.resource.qualified)
            if (entry := collection.get(own)) is not None
            and (not above or parents_in(self.resource, partition.scope) == tuple(above))
        ]

    def keys(self, state: State) -> list[str]:
        """The keys of all items."""
        return [entry.key for _, collection in state.partitions(self.resource.qualified) for entry in collection]

    def secrets(self, state: State) -> Iterator[str]:
        """What the items of a state would be known by, those that do not count included."""
        for _, collection in state.partitions(self.resource.qualified):
            yield from (text for entry in collection if (text := _text(entry.value, self.value)) is not None)

    def principal(self, partition: Partition, entry: Entry) -> Principal:
        """Who an item stands for."""
        item = entry.value
        return Principal(
            _text(item, self.name) or entry.key,
            self.scheme,
            self._scopes(item),
            _text(item, self.tenant) if self.tenant is not None else tenant_in(self.resource, partition.scope) or None,
            _text(item, self.plan),
            item if isinstance(item, dict) else {},
            "/".join((*partition.scope, entry.key)),
        )

    def expiry(self, item: Json) -> datetime | None:
        """When an item's time is over; None when it never is, or says so in no way that can be read."""
        return instant_of(value_at(item, self.expires)) if self.expires is not None else None

    def _held(self, state: State, value: str) -> Iterator[tuple[Partition, Entry]]:
        if self.user is None:
            yield from holding(state, self.resource.qualified, self.value, value)
            return
        user, _, password = value.partition(":")
        for partition, entry in holding(state, self.resource.qualified, self.user, user):
            if _text(entry.value, self.value) == password:
                yield partition, entry

    def _judged(self, partition: Partition, entry: Entry, now: datetime) -> Principal | Refused:
        resource, item = self.resource, entry.value
        if is_soft_deleted(resource, item):
            return Refused(f"this credential is deleted ({resource.name})")
        if self.when is not None:
            context = Context(bindings={"resource": item, **moments(now)})
            if not self.when.holds(context):
                return Refused(f"this credential does not count: {self.when.explain(context)}")
        expiry = self.expiry(item)
        if expiry is not None and expiry <= now:
            return Refused(f"this credential expired at {rfc3339(expiry)}", Kind.EXPIRED)
        return self.principal(partition, entry)

    def _scopes(self, item: Json) -> frozenset[str] | None:
        """The scopes in an item, an array or a text separated by spaces; None, which refuses none, if it has none."""
        found = value_at(item, self.scopes) if self.scopes is not None else None
        if isinstance(found, str):
            return frozenset(found.split())
        return frozenset(str(scope) for scope in found) if isinstance(found, list) else None


def _text(item: Json, path: Path | None) -> str | None:
    value = value_at(item, path) if path is not None else None
    return None if value is None or isinstance(value, dict | list) else key_text(value)
