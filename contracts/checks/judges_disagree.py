"""Two judges that read one description give one verdict on a reply."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import field
from hashlib import blake2b
from threading import Lock
from weakref import WeakKeyDictionary

from contracts.checks import reply_media_type, reply_schema
from contracts.checks.registry import Family, check
from contracts.checks.reply_headers import REPEATED, header_violations, readers
from contracts.findings import Difference, Finding, Side
from contracts.judge import Judge, Verdict
from contracts.judging import Exchange, judges_reply
from contracts.replies import body_of, described, is_coded, is_judged, syntax
from mock_server.dataclass import dataclass
from mock_server.openapi.bodies import Syntax
from mock_server.openapi.media import parse_media_type
from mock_server.openapi.templates import Fit

CHECK = check(
    "judges_disagree",
    Family.CONFORMANCE,
    summary="jsonschema-rs and openapi-core agree on whether a reply is as described.",
    source="the description itself: what two readers understand differently, clients will as well",
    example="a pattern that only one of two regular expression engines matches",
)

_KNOWN_MOST = 2048

_ENOUGH = 16
"""How many different replies of one status of an operation are judged twice, as long as the judges agree: openapi-core
takes milliseconds for each, and what it thinks of a schema shows early."""

_OBJECTION = re.compile(r"InvalidData: |MissingRequiredHeader: |InvalidHeader: |DataValidationError: MediaTypeNotFound")
"""How openapi-core begins an objection to a reply. Anything else is about itself: a path that it does not find, a
keyword or a regular expression at which it stumbles."""

_UNSEEN = frozenset({"format", "writeOnly", "depth"})
"""Keywords that openapi-core does not look at in every version and format, so that its silence says nothing."""

_POINTER = re.compile(r"InvalidData: (/\S*): ")


@dataclass(frozen=True, slots=True)
class Objection:
    """What one judge has against a reply: where, and why. ``unseen`` says that the other cannot see it."""

    pointer: str
    reason: str
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What both have against a reply: ``ours`` is jsonschema-rs'."""

    ours: tuple[Objection, ...]
    theirs: tuple[Objection, ...]

    @property
    def differ(self) -> bool:
        """Whether exactly one of them objects, for a reason that the other could have seen."""
        return bool(self.ours) != bool(self.theirs) and not all(one.unseen for one in self.ours or self.theirs)


_AGREED = Verdicts((), ())


@dataclass(slots=True)
class _Known:
    """The verdicts on the replies that were met last, so that an error met a thousand times is judged once.

    ``judged`` counts those of each operation and status, with which the keys begin.
    """

    verdicts: OrderedDict[tuple[object, ...], Verdicts] = field(default_factory=OrderedDict)
    judged: Counter[tuple[object, ...]] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def get(self, key: tuple[object, ...], make: Callable[[], Verdicts]) -> Verdicts:
        with self.lock:
            found = self.verdicts.get(key)
            if found is not None:
                self.verdicts.move_to_end(key)
                return found
            if self.judged[key[:2]] >= _ENOUGH:
                return _AGREED
        found = make()
        with self.lock:
            self.judged[key[:2]] += 1
            if found.differ:  # from here on each one is judged, so that the finding can be shrunk
                self.judged[key[:2]] = -(1 << 31)
            self.verdicts[key] = found
            if len(self.verdicts) > _KNOWN_MOST:
                self.verdicts.popitem(last=False)
        return found


_KNOWN: WeakKeyDictionary[Judge, _Known] = WeakKeyDictionary()


@judges_reply(CHECK)
def judges_agree(exchange: Exchange) -> Iterator[Finding]:
    """A reply that one of the two judges takes and the other does not, both reasons side by side."""
    judge = exchange.judge
    if judge is None or not _is_comparable(exchange):
        return
    verdicts = _KNOWN.setdefault(judge, _Known()).get(_key(exchange), lambda: _verdicts(exchange, judge))
    if not verdicts.differ:
        return
    who, other = ("openapi-core", "jsonschema-rs") if verdicts.theirs else ("jsonschema-rs", "openapi-core")
    objections, message = verdicts.ours or verdicts.theirs, "is judged in two ways"
    response = exchange.response
    assert response is not None
    entry = described(exchange)
    schema = entry.media.schema if entry is not None else None
    yield exchange.finding(
        CHECK,
        f"{who} objects to the reply with {exchange.recorded.status}, {other} does not: {objections[0].reason}",
        *(Difference(one.pointer, f"{other}: valid", f"{who}: {one.reason}", message) for one in objections),
        side=Side.DESCRIPTION,
        located=schema.located if schema is not None else response.located,
        remedy="describe it in a way that leaves no choice, as with a pattern that all engines read alike",
    )


def _is_comparable(exchange: Exchange) -> bool:
    """Whether both can read the reply: JSON that all readers read alike, or no body where none is described."""
    response = exchange.response
    if response is None or not response.content or not is_judged(exchange) or is_coded(exchange):
        return False
    names = [parse_media_type(media.name) for media in response.content]
    if any(name is None or name.parameters or name.is_range for name in names):
        return False  # openapi-core chooses among these in a way of its own
    if syntax(exchange) is not Syntax.JSON:
        return False
    entry = described(exchange)
    if entry is not None and not body_of(exchange, entry).plain:
        return False
    # Both have to speak of one operation: an id in the path may be a word that another path has.
    recorded = exchange.recorded
    found = exchange.api.match(recorded.request.method, recorded.request.target.partition("?")[0])
    return found.fit is Fit.FULL and found.target == exchange.operation.id


def _key(exchange: Exchange) -> tuple[object, ...]:
    """All that the verdicts depend on."""
    recorded, response = exchange.recorded, exchange.response
    assert response is not None
    headers = tuple(recorded.header(header.name) for header in response.headers)
    digest = blake2b(recorded.reply.body, digest_size=16).digest()
    return exchange.operation.id, recorded.status, recorded.header("content-type"), headers, digest


def _verdicts(exchange: Exchange, judge: Judge) -> Verdicts:
    recorded = exchange.recorded
    verdict = judge.response(
        recorded.request.method, recorded.request.target, recorded.status, recorded.reply.headers, recorded.reply.body
    )
    return Verdicts(tuple(_ours(exchange)), tuple(_theirs(exchange, verdict)))


def _ours(exchange: Exchange) -> Iterator[Objection]:
    for finding in reply_media_type.has_described_media_type(exchange):
        yield Objection(finding.differences[0].pointer, finding.sentence)
    assert exchange.response is not None
    for reader in readers(exchange, exchange.response):
        for violation in header_violations(exchange, reader):
            pointer = f"header {reader.header.name}"
            # Of a repeated header openapi-core reads the first alone.
            repeated = reader.header.name.lower() in REPEATED
            unseen = violation.keyword in _UNSEEN or repeated or not reader.shape.is_scalar
            yield Objection(pointer, f"{pointer}: {violation.message}", unseen)
    for violation in reply_schema.violations(exchange):
        reason = f"{violation.pointer or 'the value'}: {violation.message}"
        yield Objection(violation.pointer, reason, violation.keyword in _UNSEEN)


def _theirs(exchange: Exchange, verdict: Verdict) -> Iterator[Objection]:
    """Its objections; unseen are those that come from what it cannot do."""
    assert exchange.response is not None
    composed = any(not reader.shape.is_scalar for reader in readers(exchange, exchange.response))
    for reason in verdict.reasons:
        pointer = _POINTER.match(reason)
        limit = not _OBJECTION.match(reason) or (composed and reason.startswith("InvalidHeader"))
        yield Objection(pointer[1] if pointer else "", reason, limit)
