"""Baselines: findings that are accepted for now, each with a reason and, better, an end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from contracts.findings import Finding
from mock_server.dataclass import dataclass
from mock_server.errors import ApidoubleError, ConfigurationError, Place, did_you_mean
from mock_server.openapi.source import line_of, parse
from mock_server.wholefiles import write_whole

UNSAID = "not looked at yet"
"""The reason of an entry that ``--update-baseline`` has added; it waits for a better one."""

_MEMBERS = ("fingerprint", "check", "operation", "finding", "reason", "expires")
_HEAD = """\
# Findings of `apidouble check` that are accepted for now. Each entry needs a reason; with `expires: YYYY-MM-DD` it is
# accepted until the end of that day. `apidouble check … --update-baseline` adds what is new and drops what is gone.
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted finding. ``fingerprint`` is what counts; ``check``, ``operation``, ``finding`` tell the reader."""

    fingerprint: str
    check: str
    operation: str
    finding: str
    reason: str
    expires: date | None = None

    def __str__(self) -> str:
        return f"{self.fingerprint} ({self.check} {self.operation})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a baseline says of a run's findings: these, with the accepted ones marked.

    ``expired`` are the entries whose day has passed though they are still met, ``stale`` those that nothing met.
    """

    findings: tuple[Finding, ...]
    expired: tuple[Accepted, ...]
    stale: tuple[Accepted, ...]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The accepted findings of one file, by fingerprint."""

    entries: Mapping[str, Accepted]

    def judged(self, findings: Iterable[Finding], *, today: date) -> Verdict:
        """The findings of a run as the baseline sees them."""
        judged: list[Finding] = []
        expired: list[Accepted] = []
        met: set[str] = set()
        for finding in findings:
            met.add(finding.fingerprint)
            entry = self.entries.get(finding.fingerprint)
            if entry is not None and entry.expires is not None and entry.expires < today:
                expired.append(entry)
                judged.append(finding.noting(f"the baseline accepted this until {entry.expires}: {entry.reason}"))
            elif entry is not None:
                judged.append(replace(finding, accepted=entry.reason))
            else:
                judged.append(finding)
        stale = tuple(entry for name, entry in self.entries.items() if name not in met)
        return Verdict(tuple(judged), tuple(expired), stale)

    def updated(self, findings: Iterable[Finding], *, gone: Iterable[Accepted] = ()) -> Baseline:
        """The baseline with every finding that is given and without those ``gone``; what is known stays as it is."""
        entries = dict(self.entries)
        for entry in gone:
            entries.pop(entry.fingerprint, None)
        for finding in findings:
            known = entries.get(finding.fingerprint)
            entries[finding.fingerprint] = known or Accepted(
                finding.fingerprint, finding.check, finding.operation_id, finding.sentence, UNSAID
            )
        return Baseline(entries)


def read_baseline(path: Path) -> Baseline:
    """The baseline of a YAML or JSON file; a ``ConfigurationError`` for one that is malformed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError("the baseline cannot be read", got=f"{path}: {error.strerror}",
                                 hint="--update-baseline writes a first one") from None  # fmt: skip
    try:
        value = parse(data, name=str(path))
    except ApidoubleError as error:
        raise ConfigurationError("the baseline is neither YAML nor JSON", got=str(error)) from None
    listed = value.get("findings") if isinstance(value, dict) else None
    if value is not None and not isinstance(listed, list):
        raise ConfigurationError("a baseline has a list of findings", place=Place(str(path)), got=value,
                                 allowed="findings: [...]")  # fmt: skip

    def place(pointer: str) -> Place:
        return Place(str(path), pointer, line_of(data, pointer))

    entries = (_entry(entry, place(f"/findings/{index}")) for index, entry in enumerate(listed or ()))
    return Baseline({entry.fingerprint: entry for entry in entries})


def _entry(value: Any, place: Place) -> Accepted:
    if not isinstance(value, dict) or not isinstance(value.get("fingerprint"), str):
        raise ConfigurationError("an accepted finding has a fingerprint, in quotes where it is all digits", place=place,
                                 got=value, allowed=", ".join(_MEMBERS))  # fmt: skip
    for member in value:
        if member not in _MEMBERS:
            raise ConfigurationError("an accepted finding has no such member", place=place, got=member,
                                     allowed=", ".join(_MEMBERS), hint=did_you_mean(member, _MEMBERS))  # fmt: skip
    if not str(value.get("reason") or "").strip():
        raise ConfigurationError("an accepted finding has a reason", place=place, got=value["fingerprint"],
                                 hint="say why the service is right, or who mends it when")  # fmt: skip
    told = {name: str(value.get(name) or "") for name in ("check", "operation", "finding", "reason")}
    return Accepted(value["fingerprint"], **told, expires=_day(value.get("expires"), place))


def _day(value: object, place: Place) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise ConfigurationError("expires is a day", place=place, got=value, allowed="YYYY-MM-DD") from None


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Writes a baseline, as JSON where the file's name ends so, else as YAML."""
    entries = sorted(baseline.entries.values(), key=lambda entry: (entry.check, entry.operation, entry.fingerprint))
    value = {"findings": [_written(entry) for entry in entries]}
    if path.suffix == ".json":
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    else:
        text = _HEAD + yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
    try:
        write_whole(path, text)
    except OSError as error:
        raise ConfigurationError("the baseline cannot be written", got=f"{path}: {error.strerror}") from None


def _written(entry: Accepted) -> dict[str, str]:
    told = {name: str(getattr(entry, name)) for name in _MEMBERS[:-1]}
    return told | ({"expires": entry.expires.isoformat()} if entry.expires is not None else {})
