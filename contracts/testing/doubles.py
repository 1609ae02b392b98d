"""``MockApis``: what the ``mock_api`` fixture gives a test, to get its doubles from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.testing.api import MockApi
from contracts.testing.recording import NotWhileRecording
from contracts.testing.setup import Setup, files, located, moment
from contracts.testing.worker import Worker
from mock_server.dataclass import dataclass
from mock_server.errors import ConfigurationError, did_you_mean
from mock_server.packs import pack_names
from mock_server.sandbox import Sandbox

if TYPE_CHECKING:
    from contracts.testing.recording.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Wanted:
    """What markers and the ini file say of doubles: the API and how it is made, None where they say nothing."""

    api: str | Path | None = None
    overlays: Sequence[str | Path] | None = None
    seed: str | Path | None = None
    seed_number: int | None = None
    frozen_at: str | datetime | None = None
    faults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    allow_invalid: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Wanted:
        """What the arguments of a marker say; a ``ConfigurationError`` for one that it has not."""
        known = tuple(cls.__dataclass_fields__)
        for name in given:
            if name not in known:
                raise ConfigurationError("the marker mock_api takes no such argument", got=name,
                                         allowed=", ".join(known), hint=did_you_mean(name, known))  # fmt: skip
        return cls(**given)


class MockApis:
    """Gives a test its doubles; called with a pack's name or the path of a description.

    ``wanted`` says what the test's markers and the ini file do. Paths are looked for in ``folders``. While recording,
    ``recorder`` makes what answers in a double's place.
    """

    def __init__(
        self,
        worker: Worker,
        wanted: Wanted,
        folders: Sequence[Path],
        *,
        recorder: Callable[[MockApi], Recorder] | None = None,
    ) -> None:
        self._worker = worker
        self._wanted = wanted
        self._folders = folders
        self._recorder = recorder
        self._made: dict[tuple[Setup, str], MockApi] = {}

    def __call__(
        self,
        api: str | Path | None = None,
        *,
        overlays: Sequence[str | Path] | None = None,
        seed: str | Path | None = None,
        seed_number: int | None = None,
        frozen_at: str | datetime | None = None,
    ) -> MockApi:
        """The double of an API, in a universe of this test; the same one when it is asked for again.

        ``api`` is a pack's name or the path of a description, as the marker or the ini file says if it is left out.
        ``overlays`` and a ``seed`` file go over it; ``seed_number`` decides made-up values; at ``frozen_at`` (RFC 3339)
        the clock stands still. ``ApidoubleError`` says what is broken.
        """
        said = self._wanted
        named = api if api is not None else said.api
        if named is None:
            raise ConfigurationError(
                "mock_api() does not know which API is meant",
                allowed=f"a path of a description, or one of {', '.join(pack_names())}",
                hint='say mock_api("openapi.yaml"), mark the test with @pytest.mark.mock_api("openapi.yaml"), or set '
                "mock_api in the ini file",
            )
        if api is not None and said.api is not None and str(api) != str(said.api):
            said = Wanted(allow_invalid=said.allow_invalid)  # the marker is about another one
        chosen_overlays = overlays if overlays is not None else said.overlays or ()
        chosen_seed = seed if seed is not None else said.seed
        setup = Setup(
            (located(named, self._folders),),
            files(chosen_overlays, self._folders),
            files((chosen_seed,), self._folders)[0] if chosen_seed is not None else None,
            seed_number if seed_number is not None else said.seed_number or 0,
            moment(frozen_at if frozen_at is not None else said.frozen_at),
        )
        (made,) = self._doubles(setup, said)
        return made

    def together(
        self, *apis: str | Path, seed_number: int = 0, frozen_at: str | datetime | None = None
    ) -> tuple[MockApi, ...]:
        """The doubles of several APIs in one universe: those of one namespace share their state, all the clock."""
        sources = tuple(located(api, self._folders) for api in apis)
        return self._doubles(Setup(sources, seed_number=seed_number, frozen_at=moment(frozen_at)),
                             Wanted(allow_invalid=self._wanted.allow_invalid))  # fmt: skip

    def __iter__(self) -> Iterator[MockApi]:
        return iter(self._made.values())

    def _doubles(self, setup: Setup, said: Wanted) -> tuple[MockApi, ...]:
        sandbox = self._worker.sandbox(setup)
        known = [self._made.get((setup, name)) for name in sandbox.apis]
        if all(known):
            return tuple(api for api in known if api is not None)
        return tuple(self._double(setup, sandbox, said))

    def _double(self, setup: Setup, sandbox: Sandbox, said: Wanted) -> list[MockApi]:
        if self._recorder is not None and setup.frozen_at is not None:
            raise NotWhileRecording("a clock that stands still is something that only a double has")
        universe = self._worker.universe(sandbox)
        made = [MockApi(self._worker, sandbox, served, universe) for served in sandbox.apis.values()]
        for api in made:
            api.allow_invalid = said.allow_invalid
            if self._recorder is not None:
                api.recorder = self._recorder(api)
            self._made[setup, api.name] = api
            for operation_id, fault in said.faults.items():
                api.fail(operation_id, **fault)
        return made

    def verdict(self) -> tuple[str, ...]:
        """What fails the test although its own assertions passed, one text for each matter."""
        refused = dict.fromkeys(url for api in self._made.values() for url in api.refused)
        return (*(text for api in self._made.values() for text in api.verdict()), *_not_intercepted(refused))

    def leave(self) -> None:
        """Forgets the universes of this test."""
        for api in self._made.values():
            self._worker.leave(api.sandbox, api.universe)
        self._made.clear()


def _not_intercepted(refused: Iterable[str]) -> Iterator[str]:
    listed = [f"  {request}" for request in refused]
    if listed:
        hint = 'intercept these too, or let them through: api.intercept(..., allow=("https://…",))'
        yield "\n".join(("requests were refused, since nothing intercepts their URLs", *listed, f"  {hint}"))
