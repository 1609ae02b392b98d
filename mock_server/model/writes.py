"""Writes: what a commit does to single items, each as it was and as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mock_server.model.collection import Entry
from mock_server.model.meaning import Resource
from mock_server.model.state import Change, Fill, Partition, Put, Remove, State, commit
from mock_server.model.world import is_soft_deleted
from mock_server.openapi.quick import quick
from mock_server.openapi.values import Json

CREATED, UPDATED, DELETED = "created", "updated", "deleted"


@quick(frozen=True, slots=True)
class Write:
    """One item as it was (None: not there) and as it is; ``what``: created, updated or deleted.

    An item that a hidden soft delete marks is deleted, though it is still there.
    """

    resource: Resource
    partition: Partition
    key: str
    before: Json
    after: Json
    what: str

    @property
    def item(self) -> Json:
        """The item as it is now, or as it last was."""
        return self.after if self.after is not None else self.before

    def __str__(self) -> str:
        return "/".join((self.resource.name, *self.partition.scope, self.key))


def writes(
    resources: Mapping[str, Resource], before: State, after: State, changes: Iterable[Change]
) -> tuple[Write, ...]:
    """What some changes did to the items of these resources (by qualified name), each item once, in order."""
    fills = [change for change in changes if isinstance(change, Fill)]
    base = commit(before, fills) if fills else before
    found: dict[tuple[Partition, str], Write] = {}
    for change in changes:
        if not isinstance(change, Put | Remove):
            continue
        resource = resources.get(change.partition.resource)
        place = (change.partition, change.key)
        if resource is None or place in found:
            continue
        write = _write(resource, change, _entry(base, *place), _entry(after, *place))
        if write is not None:
            found[place] = write
    return tuple(found.values())


def _entry(state: State, partition: Partition, key: str) -> Entry | None:
    collection = state.collection(partition)
    return collection.get(key) if collection is not None else None


def _write(resource: Resource, change: Put | Remove, old: Entry | None, new: Entry | None) -> Write | None:
    before = old.value if old is not None else None
    if new is None:
        return Write(resource, change.partition, change.key, before, None, DELETED) if old is not None else None
    what = CREATED if old is None else UPDATED
    if what == UPDATED and _hides(resource) and is_soft_deleted(resource, new.value):
        what = UPDATED if is_soft_deleted(resource, before) else DELETED
    return Write(resource, change.partition, change.key, before, new.value, what)


def _hides(resource: Resource) -> bool:
    return resource.soft_delete is not None and resource.soft_delete.hidden
