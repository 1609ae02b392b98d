"""Replaying: a finding in a file of its own, and whether it still happens on a service.

The file has the requests without credentials (callers go by their names) and the replies as they came. A replay sends
the requests again, with what the new replies have in the places of the old ones, and holds the telling reply against
what the finding expects.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from contracts.bindings import bindings, bound_request, value_of
from contracts.checks.registry import all_checks
from contracts.conditions import Condition, Rule, conditions, found_at, holds, telling, together
from contracts.findings import Difference, Finding, Side
from contracts.judging import REPLY_CHECKS, Judges
from contracts.reports.secrets import Secrets, handed_out
from contracts.service import Caller, Recorded, Reply, Service, presented
from contracts.wire import WireRequest
from mock_server.dataclass import dataclass
from mock_server.errors import FixtureError, Place
from mock_server.openapi.values import Json
from mock_server.wholefiles import write_whole

VERSION = 1
"""The version of the file's form."""

RACES = 10
"""How often requests are sent at the same moment until a race is taken to be gone."""


class Verdict(StrEnum):
    """What came of a replay."""

    HAPPENS = "happens"
    GONE = "gone"
    ASTRAY = "astray"
    """A request before the telling one was answered otherwise than it was, so nothing can be said."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A finding that was replayed: what came of it, the exchanges, where the telling reply is still wrong."""

    finding: Finding
    verdict: Verdict
    sequence: tuple[Recorded, ...]
    differences: tuple[Difference, ...] = ()
    why: str = ""

    @property
    def still(self) -> bool:
        """Whether the finding still happens."""
        return self.verdict is Verdict.HAPPENS


def write_finding(finding: Finding, path: Path, callers: Sequence[Caller] = ()) -> None:
    """Writes a finding into a file, without the secrets of ``callers`` and of those of its own sequence."""
    own = (recorded.caller for recorded in finding.sequence if recorded.caller is not None)
    secrets = Secrets([*callers, *own, *handed_out(finding.sequence)])
    value = {"apidouble": {"finding": VERSION}, **secrets.hidden_in(finding_value(finding))}
    write_whole(path, json.dumps(value, indent=2, ensure_ascii=False, default=repr) + "\n")


def finding_value(finding: Finding) -> dict[str, Any]:
    """A finding as JSON, secrets included; callers' own headers are left out of the requests."""
    return {
        "check": finding.check,
        "side": str(finding.side),
        "sentence": finding.sentence,
        "operation": finding.operation_id,
        "fingerprint": finding.fingerprint,
        "seed": finding.seed,
        "place": _place_value(finding.place),
        "differences": [
            {"pointer": one.pointer, "expected": one.expected, "got": one.got, "message": one.message}
            for one in finding.differences
        ],
        "remedy": finding.remedy,
        "notes": list(finding.notes),
        "accepted": finding.accepted,
        "sequence": [_exchange_value(recorded) for recorded in finding.sequence],
    }


def read_finding(path: Path, callers: Sequence[Caller] = ()) -> Finding:
    """The finding of a file, with the secrets of ``callers`` in their places again."""
    place = Place(str(path))
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, ValueError) as error:
        raise FixtureError("a finding cannot be read", place=place, got=str(error),
                           allowed="a file that a check run has written") from None  # fmt: skip
    version = value.get("apidouble", {}).get("finding") if isinstance(value, dict) else None
    if version != VERSION:
        raise FixtureError("this is no finding, or one of another version", place=place, got=repr(version),
                           allowed=f"apidouble.finding is {VERSION}", hint="run the checks again")  # fmt: skip
    known = {caller.name: caller for caller in callers}
    secrets = Secrets(callers)
    return Finding(
        value["check"],
        Side(value["side"]),
        value["sentence"],
        value["operation"],
        tuple(_exchange(number, entry, known, secrets, place) for number, entry in enumerate(value["sequence"], 1)),
        tuple(Difference(**one) for one in value["differences"]),
        Place(**value["place"]) if value["place"] else None,
        remedy=value["remedy"],
        seed=value["seed"],
        notes=tuple(value["notes"]),
        accepted=value["accepted"],
    )


def replay(path: Path, service: Service, callers: Sequence[Caller], *, judges: Judges | None = None) -> Replayed:
    """Sends the sequence of a finding's file again and says whether it still happens.

    ``judges`` judge the telling reply where the finding is one about a single reply; without them it is held against
    what the finding expected.
    """
    finding = read_finding(path, callers)
    if not finding.sequence:
        raise FixtureError("this finding has no requests to send", place=Place(str(path)), got="an empty sequence")
    all_checks()
    tries = RACES if together(finding) else 1
    found = _replayed(finding, service, judges)
    for _ in range(tries - 1):
        if found.verdict is not Verdict.GONE:
            return found
        found = _replayed(finding, service, judges)
    return replace(found, why=f"{tries} times tried") if tries > 1 and found.verdict is Verdict.GONE else found


def _replayed(finding: Finding, service: Service, judges: Judges | None) -> Replayed:
    """One time through the sequence."""
    service.reset()
    last, race = telling(finding), together(finding)
    bound = bindings(finding.sequence)
    sent: list[Recorded] = []

    def send(number: int) -> Recorded:
        old = finding.sequence[number]
        request = bound_request(old.request, bound[number], lambda origin: value_of(origin, sent))
        return service.send(request, operation_id=old.operation_id, caller=old.caller)

    for number in range(last + 1):
        if number in race:
            with ThreadPoolExecutor(len(race)) as threads:
                sent += threads.map(send, race)
            break
        sent.append(send(number))
        old = finding.sequence[number]
        if number < last and sent[-1].status // 100 != old.status // 100:
            request = sent[-1].request
            why = f"request {number + 1} of {last + 1} ({request.method} {request.target}) is answered " \
                  f"{sent[-1].status}; it was {old.status}"  # fmt: skip
            return Replayed(finding, Verdict.ASTRAY, tuple(sent), why=why)
    broken = _broken(finding, sent, judges)
    return Replayed(finding, Verdict.HAPPENS if broken else Verdict.GONE, tuple(sent), broken)


def _broken(finding: Finding, sent: Sequence[Recorded], judges: Judges | None) -> tuple[Difference, ...]:
    if judges is not None and finding.check in REPLY_CHECKS:
        found = [one for one in judges(sent[-1]) if one.check == finding.check]
        again = next((one for one in found if one.fingerprint == finding.fingerprint), next(iter(found), None))
        return again.differences or finding.differences or (_as_wrong(sent[-1]),) if again is not None else ()
    return tuple(_difference(condition, sent[-1]) for condition in conditions(finding)
                 if not holds(condition, sent[-1], sent))  # fmt: skip


def _as_wrong(reply: Recorded) -> Difference:
    """What there is to show of a finding that tells of no place: the status."""
    return Difference("status", None, reply.status, "is as wrong as it was")


def _difference(condition: Condition, reply: Recorded) -> Difference:
    if condition.rule is Rule.ONE_WINS:
        return Difference("won", condition.value, condition.got, "at the same moment")
    got = found_at(reply, condition.place)
    if condition.rule in {Rule.DIFFERS, Rule.LISTS_OTHERWISE}:
        return Difference(condition.place, None, got, "is as wrong as it was")
    return Difference(condition.place, condition.value, got, _MESSAGES.get(condition.rule, "is not what is expected"))


_MESSAGES = {Rule.SHOWS: "is not shown", Rule.SHOWS_NOT: "is shown"}


def _place_value(place: Place | None) -> Json:
    return {"file": place.file, "pointer": place.pointer, "line": place.line} if place is not None else None


def _exchange_value(recorded: Recorded) -> dict[str, Any]:
    caller = recorded.caller
    own = dict(caller.headers) if caller is not None else {}
    headers = {name: value for name, value in recorded.request.headers.items() if own.get(name) != value}
    return {
        "operation": recorded.operation_id,
        "caller": caller.name if caller is not None else None,
        "request": {
            "method": recorded.request.method,
            "target": _without_query(recorded.request.target, caller),
            "headers": headers,
            "body": _body_value(recorded.request.body),
        },
        "reply": {
            "status": recorded.status,
            "headers": [list(pair) for pair in recorded.reply.headers],
            "body": _body_value(recorded.reply.body),
        },
    }


def _without_query(target: str, caller: Caller | None) -> str:
    """The target without the credential that ``presented`` put at its end."""
    if caller is None or not caller.query:
        return target
    added = presented(WireRequest("GET", "", {}, b""), caller).target[1:]
    for joint in ("?", "&"):
        target = target.removesuffix(joint + added)
    return target


def _body_value(body: bytes) -> Json:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}


def _body(value: Json, secrets: Secrets) -> bytes:
    return b64decode(value["base64"]) if isinstance(value, dict) else secrets.revealed(value).encode()


def _exchange(
    number: int, entry: Mapping[str, Any], known: Mapping[str, Caller], secrets: Secrets, place: Place
) -> Recorded:
    name = entry["caller"]
    if name is not None and name not in known:
        raise FixtureError("this finding was met by a caller that is not known here", place=place, got=name,
                           allowed=", ".join(known) or "no caller is known",
                           hint="give the credentials that the run had")  # fmt: skip
    request, reply = entry["request"], entry["reply"]
    headers = {key: secrets.revealed(value) for key, value in request["headers"].items()}
    wire = WireRequest(request["method"], secrets.revealed(request["target"]), headers, _body(request["body"], secrets))
    answered = Reply(reply["status"], tuple((key, secrets.revealed(value)) for key, value in reply["headers"]),
                     _body(reply["body"], secrets))  # fmt: skip
    return Recorded(number, entry["operation"], wire, answered, known.get(name) if name is not None else None)
