"""Knowing: which items a test has made or changed itself, told from the journal of its double."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.testing.recording.opaque import NOTHING, json_of
from mock_server.exchange.journal import Entry
from mock_server.model.filters import value_at
from mock_server.model.outcome import key_text
from mock_server.model.state import Put
from mock_server.openapi.values import Json

_CREATES = frozenset({"create", "create-many"})


class Known:
    """What the requests of a test have written, by resource and key, and since which request.

    ``mended`` are the members that were filled with samples, since the description does not admit what was sent.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._created: dict[tuple[str, str], int] = {}
        self._sent: dict[tuple[str, str], dict[str, int]] = {}
        self.mended: set[str] = set()
        for number, entry in enumerate(entries):
            self._hear(number, entry)

    def created(self, resource: str, key: str, number: int) -> bool:
        """Whether an item was made by the request of a number or an earlier one."""
        return self._created.get((resource, key), number + 1) <= number

    def creates(self, resource: str, number: int) -> bool:
        """Whether the request of a number has made an item."""
        return any(name == resource and since == number for (name, _), since in self._created.items())

    def sent(self, resource: str, key: Json, number: int) -> frozenset[str]:
        """The members of an item that requests have given values for, up to that of a number."""
        place = (resource, key_text(key) if key is not None else "")
        return frozenset(name for name, since in self._sent.get(place, {}).items() if since <= number)

    def forget(self, number: int) -> None:
        """Takes no account of what a request has written that the service answered otherwise: it follows from that."""
        self._created = {place: since for place, since in self._created.items() if since != number}

    def _hear(self, number: int, entry: Entry) -> None:
        meaning, outcome = entry.trace.meaning, entry.trace.outcome
        if meaning is None or outcome is None or entry.response.status >= 400:
            return
        self.mended |= {
            pointer.strip().rpartition("/")[2]
            for reason in outcome.reasons if reason.about == "mended"
            for pointer in reason.decision.split(",")
        }  # fmt: skip
        body = json_of(entry.request.body)
        sent = value_at(body, meaning.request_path) if body is not NOTHING else None
        names = set(sent) if isinstance(sent, dict) else set()
        for change in outcome.changes:
            if not isinstance(change, Put):
                continue
            places = {(change.partition.resource, change.key)}
            if meaning.resource is not None and meaning.resource.key is None:
                places.add((change.partition.resource, ""))
            for place in places:
                if meaning.behaviour in _CREATES or (meaning.behaviour == "replace" and entry.response.status == 201):
                    self._created.setdefault(place, number)
                known = self._sent.setdefault(place, {})
                for name in names:
                    known.setdefault(name, number)
