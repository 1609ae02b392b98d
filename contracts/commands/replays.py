"""What ``apidouble replay`` does: reads the files of findings and sends their requests again."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from contracts.commands.asked import Asked, Target
from contracts.commands.identifying import Identified, identified
from contracts.commands.reaching import Reach, checked_url, is_local, tls_of
from contracts.commands.reporting import Guarded
from contracts.judging import Judges
from contracts.replaying import Replayed, Verdict, replay
from contracts.resetting import is_url, resetting
from contracts.running import judge_of
from contracts.service import Service, Unreachable
from mock_server.errors import ConfigurationError, FixtureError, Place, visible
from mock_server.packs import source_of
from mock_server.sandbox import Options, Sandbox, Served

GONE, HAPPENS, UNUSABLE = 0, 1, 3


def replayed(files: Sequence[Path], asked: Asked, environ: Mapping[str, str]) -> int:
    """Replays findings one by one; the exit code."""
    codes: list[int] = []
    for path in files:
        wanted = _completed(asked, path)
        try:
            codes.append(_one(path, wanted, environ))
        except Unreachable as error:
            click.echo(f"error: {error}", err=True)
            return UNUSABLE
    return HAPPENS if HAPPENS in codes else max(codes)


def _completed(asked: Asked, path: Path) -> Asked:
    """What is asked for, with what the file says of the run in the places of what is not said."""
    try:
        told = json.loads(path.read_bytes()).get("apidouble", {})
    except (ValueError, AttributeError):
        raise FixtureError("this is no finding", place=Place(str(path)), allowed="a file that `apidouble check "
                           "--findings FOLDER` has written") from None  # fmt: skip
    target = asked.target
    if target is None:
        if not told.get("url"):
            raise ConfigurationError("--url says where the service is", got=f"{path} does not say")
        target = Target(told["url"])
    description = asked.description or told.get("description", "")
    if not description:
        raise ConfigurationError("--description says what the service is", got=f"{path} does not say")
    return replace(asked, target=target, description=description)


def _one(path: Path, asked: Asked, environ: Mapping[str, str]) -> int:
    target = asked.target
    assert target is not None
    checked_url(target.url, allow_remote=target.allow_remote)
    source = source_of(asked.description, overlays=asked.overlays, seed=asked.seed)
    served = next(iter(Sandbox([source], options=Options(eager=False)).apis.values()))
    who = identified(asked.identity, served, environ, local=is_local(target.url), tls=tls_of(target),
                     timeout=target.timeout)  # fmt: skip
    found = replay(path, _service(asked, target, who), who.callers, judges=_judges(asked, served, path))
    _tell(path, found, who)
    return {Verdict.GONE: GONE, Verdict.HAPPENS: HAPPENS, Verdict.ASTRAY: UNUSABLE}[found.verdict]


def _service(asked: Asked, target: Target, who: Identified) -> Service:
    reach = Reach(target, common=who.common or {}, tokens=who.tokens)
    reset = None
    if asked.reset is not None:
        if is_url(asked.reset):
            checked_url(asked.reset, allow_remote=target.allow_remote, option="--reset")
        reset = resetting(asked.reset, headers=reach.session(0), tls=tls_of(target))
    return reach.service(0, watch=lambda _: None, reset=reset)


def _judges(asked: Asked, served: Served, path: Path) -> Judges:
    """The judge of single replies, for the check that the finding is of."""
    check = str(json.loads(path.read_bytes()).get("check"))
    return Judges(served.api, judge=judge_of(source_of(asked.description)), checks=frozenset({check}))


_WORDS = {Verdict.GONE: "does not happen any more", Verdict.HAPPENS: "happens", Verdict.ASTRAY: "cannot be replayed"}


def _tell(path: Path, found: Replayed, who: Identified) -> None:
    """Prints what came of it: the verdict, the exchanges, where the telling reply is wrong."""
    stream = Guarded(sys.stdout, who.secrets)

    def write(text: str) -> None:
        stream.write(visible(text) + "\n")

    write(f"{path.name}: {_WORDS[found.verdict]}: {found.finding.sentence}")
    for recorded in found.sequence:
        write(f"  {recorded.request.method} {recorded.request.target} -> {recorded.status}")
    for difference in found.differences:
        write(f"  {difference.pointer}: {difference.message}, expected {difference.expected!r}, "
              f"got {difference.got!r}")  # fmt: skip
    if found.why:
        write(f"  {found.why}")
