"""Valid requests to every operation of the control API, for others to spoil."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from contracts.drafting import Drafter, Wishes
from contracts.pool import Pool
from contracts.roster import Roster
from mock_server.exchange.archiving import archive_json, archived
from mock_server.model.model import Model
from mock_server.model.outcome import NO_BODY
from mock_server.openapi import jsontext
from mock_server.openapi.values import Json
from mock_server.web import statewriting
from mock_server.web.addresses import namespace_of
from mock_server.web.control.blueprint import description
from tests.hostile.packs import NOW, SESSION, Attacked
from tests.hostile.sent import Sent

_WRITING = {"replace_state": "api", "merge_state": "api", "seed": "all", "replace_resource": "resource",
            "replace_item": "item", "merge_item": "item", "replace_archive": "archive"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Controls:
    """The control API in front of one pack. State is written as it stands there, so that it is valid."""

    pack: Attacked
    operations: tuple[str, ...]
    drafter: Drafter
    places: tuple[tuple[str, str], ...]
    _known: dict[tuple[str, int], Sent | None] = field(default_factory=dict)

    @classmethod
    def of(cls, pack: Attacked) -> Controls:
        api = description()
        model = Model(api, seed=0, epoch=datetime.fromtimestamp(NOW, UTC))
        return cls(pack, tuple(api.refs), Drafter(Roster(model)), tuple(_places(pack)))

    def valid(self, operation_id: str, number: int) -> Sent | None:
        """A valid request of an operation."""
        key = (operation_id, number)
        if key not in self._known:
            self._known[key] = self._drafted(operation_id, number)
        return self._known[key]

    def _drafted(self, operation_id: str, number: int) -> Sent | None:
        resource, item = self.places[number % len(self.places)]
        named = {"api": self.pack.served.name, "resource": resource, "key": item, "name": "kept", "entry_id": "r1",
                 "delivery_id": "d1", "target_id": "t1"}  # fmt: skip
        values = {("path", name): value for name, value in named.items()
                  if name in self.drafter.api.refs[operation_id].template.parameters}  # fmt: skip
        values |= {("header", "Mock-Session"): SESSION, ("query", "session"): SESSION}
        body = self._stored(_WRITING[operation_id], resource, item) if operation_id in _WRITING else NO_BODY
        pool = Pool(self.drafter.model)
        wishes = Wishes(values, body) if body is not NO_BODY else Wishes(values)
        drafted = self.drafter.draft(operation_id, pool, number, wishes)
        if drafted is None:
            return None
        request = drafted.request
        target = "/__mock__" + request.target.replace(quote(item, safe=""), item)
        return Sent(request.method, target.encode().decode("latin-1"), tuple(request.headers.items()), request.body)

    def _stored(self, what: str, resource: str, item: str) -> Json:
        namespace = namespace_of(self.pack.sandbox, self.pack.served)
        universe = self.pack.furnished
        if what == "archive":
            return archive_json(archived(universe))
        if what == "resource":
            return statewriting.read_resource(namespace, universe, resource)
        if what == "item":
            return statewriting.read_item(namespace, universe, resource, item)
        held = {resource: statewriting.read_api(namespace, universe).get(resource, [])}
        whole = held if what == "api" else {self.pack.served.name: held}
        assert jsontext.dumps(whole)
        return whole


def _places(pack: Attacked) -> Iterator[tuple[str, str]]:
    """Resources with an item of each, in the form of the control API's paths."""
    state, model = pack.furnished.state, pack.served.model
    for name in model.resource_names():
        resource = model.resource(name)
        if resource is None:
            continue
        for partition, collection in state.partitions(resource.qualified):
            parents = partition.scope if resource.tenancy is None else partition.scope[1:]
            for entry in collection:
                yield name, "/".join((*parents, entry.key))
                break
            break
