"""What a run leaves behind: its report on the terminal and in files, and a file for each finding."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from contracts.commands.asked import Asked, Target, Wanted
from contracts.findings import Finding
from contracts.replaying import write_finding
from contracts.reports.github import github_commands, github_summary
from contracts.reports.har import har
from contracts.reports.html import html
from contracts.reports.json import json_report
from contracts.reports.junit import junit
from contracts.reports.material import Material
from contracts.reports.sarif import sarif
from contracts.running import Report
from contracts.service import Caller
from mock_server.errors import ConfigurationError, visible
from mock_server.model.redaction import Secrets
from mock_server.packs import pack_names
from mock_server.wholefiles import write_whole


class Guarded:
    """A stream that no secret gets through, as a last line: the reports themselves name variables in their places."""

    def __init__(self, stream: TextIO, secrets: Iterable[str]) -> None:
        self._stream = stream
        self._secrets = Secrets.of(secrets)

    def write(self, text: str) -> int:
        """Writes a text without secrets."""
        return self._stream.write(str(self._secrets.hidden_in(text)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def checked_paths(wanted: Wanted) -> None:
    """A ``ConfigurationError`` for a file that could not be written at the end, told at the beginning."""
    files = (wanted.junit, wanted.sarif, wanted.json, wanted.html, wanted.har, wanted.baseline)
    for path in filter(None, files):
        if not path.absolute().parent.is_dir():
            raise ConfigurationError("there is no such folder to write into", got=str(path))


def write_reports(wanted: Wanted, material: Material, *, secrets: Sequence[str]) -> list[Path]:
    """Writes the reports that are asked for; the files."""
    made: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (wanted.junit, lambda: junit(material)),
        (wanted.sarif, lambda: sarif(material)),
        (wanted.json, lambda: json_report(material)),
        (wanted.html, lambda: html(material)),
        (wanted.har, lambda: har(material)),
    )
    guard = Secrets.of(secrets)
    written: list[Path] = []
    for path, text in made:
        if path is not None:
            _write(path, str(guard.hidden_in(text())))
            written.append(path)
    return written


def github_annotations(material: Material, *, secrets: Sequence[str]) -> str:
    """What GitHub Actions shows beside the lines of the description."""
    return str(Secrets.of(secrets).hidden_in(github_commands(material)))


def write_summary(material: Material, environ: Mapping[str, str], *, secrets: Sequence[str]) -> None:
    """Adds the run to the summary of a GitHub job, where there is one."""
    path = environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(str(Secrets.of(secrets).hidden_in(github_summary(material))))


def on_github(wanted: Wanted, environ: Mapping[str, str]) -> bool:
    """Whether GitHub's annotations are to be printed."""
    return wanted.github or environ.get("GITHUB_ACTIONS") == "true"


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise ConfigurationError("a report cannot be written", got=f"{path}: {error.strerror}") from None


def write_findings(wanted: Wanted, report: Report, callers: Sequence[Caller]) -> dict[str, Path]:
    """One file for each finding, for ``apidouble replay``, which also says where it was met; by fingerprint."""
    folder = wanted.findings
    written: dict[str, Path] = {}
    if folder is None:
        return written
    met = {"url": report.base_url, "description": described(report)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for finding in report.findings:
            if finding.sequence:
                path = folder / file_name(finding)
                write_finding(finding, path, callers)
                value = json.loads(path.read_bytes())
                text = json.dumps({"apidouble": value.pop("apidouble") | met, **value}, indent=2, ensure_ascii=False)
                write_whole(path, text + "\n")
                written[finding.fingerprint] = path
    except OSError as error:
        raise ConfigurationError("findings cannot be written", got=f"{folder}: {error.strerror}") from None
    return written


def replaying(path: Path, asked: Asked) -> str:
    """The command that replays a finding's file with what was given to the run."""
    identity, words = asked.identity, ["apidouble", "replay", str(path)]
    given = [("--seed", asked.seed), ("--reset", asked.reset), *(("--header", text) for text in identity.headers),
             *(("--credential", text) for text in identity.credentials),
             *(("--auth-env", text) for text in identity.environment),
             *(("--caller", text) for text in identity.callers)]  # fmt: skip
    for option, value in given:
        words += [option, str(value)] if value else []
    return shlex.join(words)


def file_name(finding: Finding) -> str:
    """The name of a finding's own file: the same from run to run."""
    operation = re.sub(r"\W+", "-", finding.operation_id)[:60]
    return "-".join(filter(None, (finding.check, operation, f"{finding.fingerprint}.json")))


def command_of(asked: Asked) -> tuple[str, ...]:
    """The command line that makes the run again, without what is written of it. Variables stand as they were given."""
    words = ["apidouble", "check", asked.description]
    target, identity = asked.target or Target(""), asked.identity
    single = (
        ("--url", target.url),
        ("--seed", asked.seed),
        ("--reset", asked.reset),
        ("--session-header", target.session_header),
        ("--oauth2-token-url", identity.token_url),
        ("--oauth2-client-id", identity.client_id),
        ("--oauth2-client-secret-env", identity.secret_variable),
        ("--oauth2-scope", identity.scope),
    )
    several = (
        ("--overlay", asked.overlays),
        ("--header", identity.headers),
        ("--credential", identity.credentials),
        ("--auth-env", identity.environment),
        ("--caller", identity.callers),
        ("--include", asked.choice.included),
        ("--exclude", asked.choice.excluded),
    )
    for option, value in (*single, *((option, value) for option, values in several for value in values)):
        words += [option, str(value)] if value else []
    words += ["--open"] if asked.closed is False and asked.reset else []
    return (*words, *(["--allow-remote"] if target.allow_remote else []))


def described(report: Report) -> str:
    """The description of a run as a command line names it: a pack, or a file."""
    source = report.plan.source
    return source.name if source.name in pack_names() else str(source.description)


def say(text: str, *, quiet: bool = False) -> None:
    """A line for the person who waits, apart from the report."""
    if not quiet:
        click.echo(visible(text), err=True)
