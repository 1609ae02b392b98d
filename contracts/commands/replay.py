"""``apidouble replay``: whether a finding still happens. Here are its options; ``replaying`` is done elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from contracts.commands.asked import Asked
from contracts.commands.check import IDENTITY, REACHING, asked, options
from contracts.extra import need_extra

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="See whether findings still happen.")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
@click.option("--url", metavar="URL", help="Where the service is now. [default: where the finding was met]")
@click.option("--description", metavar="NAME|FILE", help="The description. [default: that of the run]")
@click.option("--seed", type=_FILE, help="A seed file with credentials.")
@click.option("--reset", metavar="URL|COMMAND|MODULE:FUNCTION", help="Resets the service before each finding.")
@options(REACHING, IDENTITY)
def replay(files: tuple[Path, ...], url: str | None, description: str | None, **given: Any) -> None:
    """Send the requests of findings again: the files that `apidouble check --findings FOLDER` has written.

    Exit codes: 0 none of them happens any more, 1 one does, 2 wrong usage, 3 the service cannot be reached, or answers
    otherwise before it comes to the point.
    """
    need_extra()
    from contracts.commands.replays import replayed  # brings what `apidouble --help` does without

    wanted: Asked = asked(description or "", url, given)
    sys.exit(replayed(files, wanted, os.environ))
