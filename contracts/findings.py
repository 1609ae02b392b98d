"""Findings: what a check has to say about a service, with everything that a reader needs to see it for himself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from hashlib import sha256

from contracts.checks.registry import CHECKS, Family
from contracts.service import Recorded
from mock_server.dataclass import dataclass
from mock_server.errors import Place
from mock_server.model.outcome import Difference

__all__ = ["Difference", "Finding", "Side", "essential"]

_ID_MEMBER = re.compile(rb'"[A-Za-z_]*(?:id|Id|ID|key|slug|uuid)"\s*:\s*("[^"]{1,80}"|\d+)')
_OPAQUE = re.compile(r"/\d+(?=/|\Z)")


class Side(StrEnum):
    """Who is likely wrong."""

    SERVICE = "service"
    """The service breaks its description, HTTP, or its own word. This is what fails a run."""

    DOUBLE = "double"
    """The model guessed what the description does not back: a question, which an annotation would settle."""

    DESCRIPTION = "description"
    """The description is silent or contradicts itself: a question to its author."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place at which service and contract part.

    ``check`` is the name of a registered check, ``sentence`` one sentence for a person. ``sequence`` are the exchanges
    that show it, the shortest known, the telling one last. ``differences`` say what was expected and what came, with
    JSON pointers into the body (``status``, ``header X`` where it is not the body). ``place`` is the line of the
    description. ``remedy`` is an overlay action (YAML) that settles a question, or what else to do; ``seed`` is the
    number that makes the run find it again; ``notes`` are further things to know. ``accepted`` is the reason for which
    a baseline takes the finding, None when none does.
    """

    check: str
    side: Side
    sentence: str
    operation_id: str
    sequence: tuple[Recorded, ...] = ()
    differences: tuple[Difference, ...] = ()
    place: Place | None = None
    remedy: str = ""
    seed: int | None = None
    notes: tuple[str, ...] = ()
    accepted: str | None = None

    @property
    def fails(self) -> bool:
        """Whether a run with this finding does not hold."""
        return self.side is Side.SERVICE and self.accepted is None

    @property
    def about(self) -> str:
        """What tells this finding from another: check, operation, side; of a single exchange, where it differs, too.

        In a sequence one mistake shows in many members, and all of them are one finding.
        """
        known = CHECKS.get(self.check)
        exact = known is not None and known.family is Family.CONFORMANCE
        where = sorted({_where(difference) for difference in self.differences}) if exact else []
        return " ".join((self.check, self.operation_id or "-", str(self.side), *where[:1]))

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that stay the same from run to run, for baselines and code scanning."""
        return sha256(self.about.encode()).hexdigest()[:12]

    def noting(self, *notes: str) -> Finding:
        """The finding with further notes."""
        return replace(self, notes=(*self.notes, *notes))


def _where(difference: Difference) -> str:
    """Where answers differ, without positions in lists; of a status, which one came."""
    pointer = _OPAQUE.sub("/*", difference.pointer)
    return f"{pointer} {difference.got}" if pointer == "status" else pointer


def essential(finding: Finding) -> Finding:
    """The finding with the exchanges alone that lead to the last one: those that made what it names, and changed it.

    For findings that are not shrunk by repeating them. What was named is told by the ids that replies show first.
    """
    if len(finding.sequence) < 2:
        return finding
    last = finding.sequence[-1]
    about = set(_ids(last.request.target, b""))
    told = json.dumps([[each.expected, each.got] for each in finding.differences], default=str).encode()
    kept, named = [last], about | set(_ids("", last.request.body)) | set(_ids("", told))
    for recorded in reversed(finding.sequence[:-1]):
        shown = set(_ids("", recorded.reply.body)) - set(_ids(recorded.request.target, recorded.request.body))
        changes = recorded.ok and recorded.request.method not in {"GET", "HEAD", "OPTIONS"}
        own = set(_ids(recorded.request.target, b""))
        refers = about & set(_ids("", recorded.request.body))
        if changes and (shown & named or (own and own <= named) or refers):
            kept.append(recorded)
            named |= set(_ids(recorded.request.target, recorded.request.body))
    return replace(finding, sequence=tuple(reversed(kept)))


def _ids(target: str, body: bytes) -> Iterator[str]:
    """What may be an id in a path or a body: path segments, and values of members that are called so."""
    for segment in target.partition("?")[0].split("/"):
        if any(character.isdigit() for character in segment):
            yield segment
    for match in _ID_MEMBER.finditer(body):
        yield match[1].decode("utf-8", "replace").strip('"')
