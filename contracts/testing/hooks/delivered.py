"""Which delivery a test asks for, and what there was instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from contracts.testing.hooks.mailbox import is_below
from contracts.testing.keeping.documents import Document, asked, differing, told, wanted_of
from contracts.testing.traffic.expecting import Difference, Wanted
from mock_server.dataclass import dataclass
from mock_server.errors import did_you_mean
from mock_server.openapi.values import Json

_SHOWN = 5


class Seen(Protocol):
    """What a wish needs to know of a delivery."""

    @property
    def type(self) -> str:
        """The event's type."""

    @property
    def url(self) -> str:
        """Where it goes."""

    @property
    def body(self) -> bytes:
        """The payload as it is sent."""

    @property
    def json(self) -> Json:
        """The payload."""

    @property
    def delivered(self) -> bool:
        """Whether a receiver has taken it."""


class Happened(Protocol):
    """What a wish needs to know of an event."""

    @property
    def type(self) -> str:
        """Its type."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Deliveries of an event type, to a URL that begins with ``to``, with members of the payload as they are wanted."""

    type: str
    to: str
    wanted: tuple[Wanted, ...]

    @classmethod
    def of(cls, type: str, to: str, payload: Mapping[str, object], like: Mapping[str, object]) -> Wish:
        """What a test asks for in keywords and pointers; a ``ConfigurationError`` for one that names nothing."""
        return cls(type, to, wanted_of(payload, like))

    def __str__(self) -> str:
        to = f" to {self.to}" if self.to else ""
        return f"{self.type}{to}" + (f" with {asked(self.wanted)}" if self.wanted else "")

    def is_about(self, delivery: Seen) -> bool:
        """Whether a delivery has the type and the receiver, whatever its payload says."""
        return delivery.type == self.type and (not self.to or is_below(delivery.url, self.to))

    def differences(self, delivery: Seen) -> tuple[Difference, ...] | None:
        """How the payload of a delivery is not as wanted; None for a delivery of something else."""
        if not self.is_about(delivery):
            return None
        return differing(self.wanted, Document(delivery.json, delivery.body))

    def missed(
        self,
        deliveries: Sequence[Seen],
        events: Collection[Happened],
        *,
        found: int,
        times: int | None,
        known: Iterable[str],
    ) -> str:
        """Why the wish is not fulfilled, in a sentence, and what there was instead."""
        if found:
            return f"{self} was delivered {_times(found)}, not {_times(times or 1)}{_listed(deliveries)}"
        return "\n".join((f"{self} was not delivered", *self._instead(deliveries, events, known)))

    def _instead(self, deliveries: Sequence[Seen], events: Collection[Happened], known: Iterable[str]) -> Iterator[str]:
        fitting = [(each, self.differences(each)) for each in deliveries]
        open_ones = [each for each, differences in fitting if differences == ()]
        others = [(each, differences) for each, differences in fitting if differences]
        happened = sum(event.type == self.type for event in events)
        if open_ones:
            yield from (f"  {each}" for each in open_ones)
        elif others:
            nearest, differences = min(others, key=lambda pair: len(pair[1]))
            yield f"  the nearest: {nearest}"
            yield from (f"    {told(each)}" for each in differences[:_SHOWN])
            if len(differences) > _SHOWN:
                yield f"    and {len(differences) - _SHOWN} more differences"
        elif happened and not any(each.type == self.type for each in deliveries):
            yield f"  it happened {_times(happened)}, and nobody was subscribed: api.webhooks.subscribe(url) does that"
        else:
            names = {event.type for event in events} | set(known)
            hint = did_you_mean(self.type, names - {self.type})
            if self.type not in names and hint is not None:
                yield f"  {hint}"
            yield _listed(deliveries).removeprefix("\n") or "  nothing was delivered, and no such event happened"


def _listed(deliveries: Sequence[Seen]) -> str:
    if not deliveries:
        return ""
    lines = [f"  {each}" for each in deliveries[-_SHOWN:]]
    more = len(deliveries) - len(lines)
    return "\n".join(["\n  what there was" + (f" (the last {_SHOWN}, {more} before):" if more else ":"), *lines])


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
