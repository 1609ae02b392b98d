"""What was asked of a double in a test: its requests, oldest first, and assertions about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from types import MappingProxyType
from typing import overload

from contracts.testing.traffic.described import described
from contracts.testing.traffic.exchange import Exchange, Headers, Parameters, Response
from contracts.testing.traffic.expecting import (
    Expectation,
    Place,
    Wanted,
    likeness,
    meets,
    merged,
    read_wanted,
    unmet,
    weight,
)
from contracts.testing.traffic.telling import MOST_LINES, Teller, counted, indented, often
from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.exchange.authentication import secrets_seeded
from mock_server.exchange.journal import Entry, secret_names
from mock_server.exchange.matching import Matcher
from mock_server.exchange.universe import Universe
from mock_server.model.redaction import Secrets
from mock_server.openapi.compile import Api
from mock_server.openapi.templates import PathTemplate
from mock_server.sandbox import Served
from mock_server.webhooks.recipients import signing_secrets

__all__ = ["Calls", "Exchange", "Headers", "Parameters", "Response"]

_NOTHING: Mapping[str, object] = MappingProxyType({})
_ALIKE = 0.6  # so alike is a path that may have been meant for another
_LONG_PATH = 400  # characters of a path that are compared
_LISTED = 20  # an API of up to so many operations has their ids listed when one is unknown


class Calls(Sequence[Exchange]):
    """The requests to one API in one universe, oldest first: a live view of its journal.

    ``secrets`` are what failures must not show; those of this API when nothing else is given.

    Keywords say what a request must have been like: ``body__address__city="Solo"``, ``body__items__0__price=5``,
    ``body={…}`` (the whole body), ``path__customer_id=…``, ``query__limit=10``, ``header__idempotency_key=…``,
    ``cookie__…``, ``status=201``, ``principal=…``. Names that hold two underscores, or are no Python names, are written
    with slashes: ``like={"body/first__name": "Jane"}``. What a value may be is told by ``expecting.differences``.
    """

    def __init__(self, served: Served, universe: Universe, *, secrets: Callable[[], Secrets] | None = None) -> None:
        self._served = served
        self._universe = universe
        self._secrets = secrets if secrets is not None else self._own_secrets
        self._matcher = Matcher(served.api)
        self._secret_names = secret_names(served.api.security_schemes.values())
        self._known: dict[str, Exchange] = {}

    # A sequence

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, index: int) -> Exchange: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Exchange, ...]: ...

    def __getitem__(self, index: int | slice) -> Exchange | tuple[Exchange, ...]:
        return self._all()[index]

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._all())

    def __repr__(self) -> str:
        found = self._all()
        if not found:
            return "<no requests>"
        older = "…, " if len(found) > MOST_LINES else ""
        many = f"{len(found)} requests" if len(found) > 1 else "1 request"
        return f"<{many}: {older}{', '.join(map(repr, found[-MOST_LINES:]))}>"

    @property
    def last(self) -> Exchange:
        """The newest request; an ``AssertionError`` when there was none."""
        __tracebackhide__ = True
        found = self._all()
        if not found:
            raise AssertionError(f"there was no request to {self._served.name}")
        return found[-1]

    # Asking

    def of(
        self, operation_id: str, *, like: Mapping[str, object] = _NOTHING, **expected: object
    ) -> tuple[Exchange, ...]:
        """The requests to an operation that were as expected, oldest first."""
        __tracebackhide__ = True
        wanted = self._wanted(operation_id, merged(like, expected))
        return tuple(each for each in self._all() if each.operation_id == operation_id and meets(wanted, each))

    def expectation(
        self,
        operation_id: str,
        *,
        times: int | None = None,
        like: Mapping[str, object] = _NOTHING,
        **expected: object,
    ) -> Expectation:
        """What ``assert_called`` asserts, to be asked about later; ``times=0`` that there is no such request.

        Raises a ``ConfigurationError`` for what cannot be.
        """
        __tracebackhide__ = True
        asked = merged(like, expected)
        self._wanted(operation_id, asked)
        _check_times(times, least=0)
        return Expectation(operation_id, times, asked)

    def assert_called(
        self,
        operation_id: str,
        *,
        times: int | None = None,
        like: Mapping[str, object] = _NOTHING,
        **expected: object,
    ) -> Exchange:
        """The last request to an operation that was as expected; an ``AssertionError`` when there was none.

        With ``times`` there must be exactly so many.
        """
        __tracebackhide__ = True
        _check_times(times, least=1)
        asked = merged(like, expected)
        text = self.missed(operation_id, times=times, expected=asked)
        if text:
            raise AssertionError(text)
        return self.of(operation_id, like=asked)[-1]

    def assert_not_called(
        self, operation_id: str, *, like: Mapping[str, object] = _NOTHING, **expected: object
    ) -> None:
        """Raises an ``AssertionError`` when there was a request to the operation that was as described."""
        __tracebackhide__ = True
        asked = merged(like, expected)
        wanted, fitting = self._wanted(operation_id, asked), self.of(operation_id, like=asked)
        tell = self.teller
        if fitting:
            what = f"{operation_id} was called {often(len(fitting))}, but should not have been"
            raise AssertionError("\n".join([_with(what, wanted, tell), *indented(tell.exchanges(fitting))]))
        if self._universe.journal.forgotten:
            raise AssertionError(f"whether {operation_id} was called cannot be told: {self._forgotten()}")

    def assert_order(self, *operation_ids: str) -> None:
        """Raises an ``AssertionError`` unless the operations were called in this order; others may lie between."""
        __tracebackhide__ = True
        if len(operation_ids) < 2:
            raise ConfigurationError("an order is that of two operations or more", got=", ".join(operation_ids))
        for operation_id in operation_ids:
            self._check_operation(operation_id)
        found = self._all()
        position, before = 0, ""
        tell = self.teller
        for number, operation_id in enumerate(operation_ids):
            later = (i for i in range(position, len(found)) if found[i].operation_id == operation_id)
            at = next(later, None)
            if at is None:
                after = f" after {before}" if number else ""
                lines = [f"expected in this order: {', '.join(operation_ids)}",
                         f"  there was no {operation_id}{after}", *self._called(tell, found)]  # fmt: skip
                raise AssertionError("\n".join(lines))
            position, before = at + 1, tell.exchange(found[at])

    # Telling

    @property
    def api(self) -> Api:
        """The API that the requests are to."""
        return self._served.api

    @property
    def teller(self) -> Teller:
        """What writes texts about the requests, without what is a secret now."""
        return Teller(self._secrets(), self._secret_names)

    def missed(self, operation_id: str, *, times: int | None, expected: Mapping[str, object]) -> str:
        """Why the requests are not as expected; "" when they are."""
        __tracebackhide__ = True
        wanted = self._wanted(operation_id, expected)
        if times is not None and self._universe.journal.forgotten:
            return f"how often {operation_id} was called cannot be told: {self._forgotten()}"
        found = self._all()
        same = [each for each in found if each.operation_id == operation_id]
        fitting = [each for each in same if meets(wanted, each)]
        if fitting if times is None else len(fitting) == times:
            return ""
        tell = self.teller
        if fitting and times is not None:
            what = f"{operation_id} was called {often(len(fitting))}, expected {often(times)}"
            return "\n".join([_with(what, wanted, tell), *indented(tell.exchanges(fitting))])
        if same:
            what = f"no request to {operation_id} was as expected"
            lines = [_with(what, wanted, tell), *self._nearest(wanted, same, operation_id, tell),
                     f"  {operation_id} was called {often(len(same))}"]  # fmt: skip
        else:
            what = f"{operation_id} was not called"
            lines = [_with(what, wanted, tell), *self._nearest(wanted, found, operation_id, tell)]
        forgotten = [f"  {self._forgotten()}"] if self._universe.journal.forgotten else []
        return "\n".join([*lines, *self._called(tell, found), *forgotten])

    def _nearest(
        self, wanted: Sequence[Wanted], among: Sequence[Exchange], operation_id: str, tell: Teller
    ) -> Iterator[str]:
        """The request with the fewest differences and what they are; of equal ones the newest."""
        if not among:
            return
        ref = self._served.api.refs[operation_id]

        def distance(numbered: tuple[int, Exchange]) -> tuple[int, bool, float, float, int]:
            index, each = numbered
            alike = 1.0 if each.operation_id == operation_id else _alike(ref.template, each.path)
            found = list(unmet(wanted, each))
            return sum(map(weight, found)), each.method != ref.method, -alike, -sum(map(likeness, found)), -index

        _, nearest = min(enumerate(among), key=distance)
        if nearest.operation_id != operation_id:
            meant = nearest.method == ref.method and _alike(ref.template, nearest.path) >= _ALIKE
            if not meant and not any(meets((each,), nearest) for each in wanted):
                return  # it has nothing in common with what was expected
        yield f"  nearest: {tell.exchange(nearest)}"
        if nearest.operation_id != operation_id:
            got = nearest.operation_id or "none"
            yield f"    operation: expected {operation_id} ({ref.method} {ref.template.text}), got {got}"
        yield from indented(tell.differences(tuple(unmet(wanted, nearest))), by=4)

    def _called(self, tell: Teller, found: Sequence[Exchange]) -> Iterator[str]:
        if not found:
            yield f"  there was no request to {self._served.name}"
            return
        yield f"  what was called: {counted(each.operation_id for each in found)}"
        yield from indented(tell.exchanges(found), by=4)

    def _forgotten(self) -> str:
        journal = self._universe.journal
        return f"the journal keeps the newest {len(journal)} requests; {journal.forgotten} older ones are gone"

    # What may be asked

    def _wanted(self, operation_id: str, expected: Mapping[str, object]) -> tuple[Wanted, ...]:
        """The expectations, once the description has been asked whether they can be."""
        __tracebackhide__ = True
        self._check_operation(operation_id)
        known = described(self._served.api, operation_id)

        def sent(place: Place) -> bool:
            return any(each.has(place) for each in self._all() if each.operation_id == operation_id)

        try:
            return tuple(Wanted(known.place(each.place, sent), each.value) for each in read_wanted(expected))
        except ConfigurationError as error:
            raise error.with_traceback(None) from None  # what matters is the line of the test

    def _check_operation(self, operation_id: str) -> None:
        __tracebackhide__ = True
        refs = self._served.api.refs
        if operation_id not in refs:
            raise ConfigurationError(
                f"{self._served.name} has no operation {operation_id!r}",
                allowed=", ".join(refs) if len(refs) <= _LISTED else None,
                hint=did_you_mean(operation_id, refs),
            )

    # The journal

    def _all(self) -> tuple[Exchange, ...]:
        """The exchanges that the journal has now; what was decoded of one is kept as long as the journal keeps it."""
        name, known = self._served.name, self._known
        fresh: dict[str, Exchange] = {}
        for entry in self._universe.journal:
            if entry.api == name:
                found = known.get(entry.id)
                fresh[entry.id] = found if found is not None and found.entry is entry else self._exchange(entry)
        self._known = fresh
        return tuple(fresh.values())

    def _exchange(self, entry: Entry) -> Exchange:
        return Exchange(entry, self._served.api, self._matcher, self._secrets)

    def _own_secrets(self) -> Secrets:
        """What opens or signs something in this API now."""
        served, state = self._served, self._universe.state
        found = [target.secret for target in self._universe.outbox.targets if target.secret is not None]
        found += secrets_seeded(served.credentials)
        for store in served.line.authenticator.stores.values():
            found += store.secrets(state)
        if served.model.webhooks.subscriptions is not None:
            found += signing_secrets(served.model.webhooks.subscriptions, state)
        return Secrets.of(found)


def _alike(template: PathTemplate, path: str) -> float:
    """How alike a path and a template are, from 0 to 1: their fixed segments, from the front or from the back."""
    sent = path[:_LONG_PATH].split("/")[1:]

    def ratio(left: Sequence[str], right: Sequence[str]) -> float:
        pairs = [(one, other) for one, other in zip(left, right, strict=False) if "{" not in one]
        found = [SequenceMatcher(None, one, other, autojunk=False).ratio() for one, other in pairs]
        return sum(found) / max(1, sum(1 for one in left if "{" not in one))

    whole = max(ratio(template.segments, sent), ratio(template.segments[::-1], sent[::-1]))
    return whole * min(len(sent), len(template.segments)) / max(len(sent), len(template.segments))


def _check_times(times: int | None, *, least: int) -> None:
    __tracebackhide__ = True
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < least):
        hint = "for none at all: assert_not_called" if least else None
        raise ConfigurationError(f"times is a number from {least}", got=times, hint=hint)


def _with(what: str, wanted: Sequence[Wanted], tell: Teller) -> str:
    """A sentence with what was expected of the request."""
    if not wanted:
        return what
    return f"{what}\n  expected: {'; '.join(map(tell.wanted, wanted))}"
