"""How a double is made: which descriptions, laid over with what, and what decides its data and its time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from contracts.testing.hooks.mailbox import capture
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError
from mock_server.model.clock import parse_instant
from mock_server.packs import ApiSource, pack_names, source_of
from mock_server.sandbox import Options, Sandbox
from mock_server.webhooks.options import WebhookOptions

MOST_REQUESTS = 10_000
"""So many exchanges of a test are kept, the newest."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What tells one double from another; tests with equal ones share a sandbox, each in a universe of its own.

    ``sources`` are packs' names and absolute paths; overlays and the ``seed`` file go with a single one.
    ``seed_number`` decides every made-up value. With ``frozen_at`` the clock stands still at that moment, and the
    seed's credentials and dates are reckoned from it.
    """

    sources: tuple[str, ...]
    overlays: tuple[Path, ...] = ()
    seed: Path | None = None
    seed_number: int = 0
    frozen_at: datetime | None = None

    def sandbox(self, *, cache: Path | None = None) -> Sandbox:
        """The sandbox that this describes, with nothing but its seed. ``ApidoubleError`` says what is broken.

        It sends no webhooks by itself and keeps ``MOST_REQUESTS`` requests of each test.
        """
        if len(self.sources) > 1 and (self.overlays or self.seed is not None):
            raise ConfigurationError("overlays and a seed go with one description", got=", ".join(self.sources))
        options = Options(seed=self.seed_number, cache=cache, journal=MOST_REQUESTS,
                          webhooks=WebhookOptions(send=capture, background=False))  # fmt: skip
        if self.frozen_at is not None:
            moment = self.frozen_at.timestamp()
            options = replace(options, clock=lambda: moment)
        return Sandbox([self._source(name) for name in self.sources], options=options)

    def _source(self, name: str) -> ApiSource:
        return source_of(name, overlays=self.overlays, seed=self.seed)


def located(text: str | Path, folders: Sequence[Path]) -> str:
    """A pack's name as it is, a path made absolute: beside the test first, then in the folder of the project."""
    name = str(text)
    if isinstance(text, str) and name in pack_names():
        return name
    found = next((folder / name for folder in folders if (folder / name).is_file()), None)
    return str(found) if found is not None else name


def files(paths: Iterable[str | Path], folders: Sequence[Path]) -> tuple[Path, ...]:
    """Paths of overlays and seeds, found as ``located`` finds descriptions; those that are missing raise."""
    found = []
    for path in paths:
        place = next((folder / path for folder in folders if (folder / path).is_file()), None)
        if place is None:
            raise ConfigurationError("there is no such file", got=str(path),
                                     allowed=" or ".join(f"a file in {folder}" for folder in folders))  # fmt: skip
        found.append(place)
    return tuple(found)


def moment(value: str | datetime | None) -> datetime | None:
    """The moment that a marker or the ini file names: RFC 3339 text, or a datetime (naive ones are UTC)."""
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return parse_instant(value) if value is not None else None
