"""What a call of ``apidouble check`` asks for: its options as they were given, read only when they are used."""

from __future__ import annotations

from pathlib import Path

from mock_server.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """The service: where it is, how it is reached, and how often it may be asked."""

    url: str
    rate: str | None = None
    timeout: float = 10.0
    ca_bundle: str | None = None
    client_certificate: str | None = None
    insecure: bool = False
    session_header: str | None = None
    allow_remote: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls."""

    headers: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    token_url: str | None = None
    client_id: str | None = None
    secret_variable: str | None = None
    scope: str = ""

    @property
    def given(self) -> bool:
        """Whether the user says at all who calls."""
        client = self.token_url or self.client_id or self.secret_variable
        return bool(self.headers or self.credentials or self.environment or self.callers or client)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is checked, and how much of it."""

    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    max_time: str = "60s"
    workers: int = 1
    seed_number: int = 0
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is written, and what counts."""

    junit: Path | None = None
    sarif: Path | None = None
    json: Path | None = None
    html: Path | None = None
    har: Path | None = None
    github: bool = False
    findings: Path | None = None
    baseline: Path | None = None
    update_baseline: bool = False
    strict: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the command."""

    description: str
    target: Target | None
    identity: Identity = Identity()
    choice: Choice = Choice()
    wanted: Wanted = Wanted()
    overlays: tuple[Path, ...] = ()
    seed: Path | None = None
    reset: str | None = None
    closed: bool | None = None
    dry_run: bool = False
    clean_up: bool = True
