"""The command ``apidouble``. Exit codes: 0 ok, 1 findings, 2 wrong usage or a description that cannot be used.

Other installed packages add commands (``commands/extensions.py``), which may have further codes.
"""

from __future__ import annotations

import sys

import click

from mock_server import __version__
from mock_server.commands.extensions import Commands
from mock_server.errors import ApidoubleError

COMMANDS = {
    "serve": "mock_server.commands.serve:serve",
    "list": "mock_server.commands.listing:list_command",
    "lint": "mock_server.commands.lint:lint",
    "infer": "mock_server.commands.infer:infer",
    "token": "mock_server.commands.token:token",
}
"""Where each command is. It is imported when it is called, so that no command waits for what another one needs."""


@click.group(cls=Commands, own=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="apidouble")
def apidouble() -> None:
    """An OpenAPI description goes in; a validated, stateful stand-in for the real service comes out."""


def main() -> None:
    """Runs the command line; an expected error is one readable message, not a traceback."""
    try:
        apidouble.main(prog_name="apidouble", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except ApidoubleError as error:
        click.echo(f"{click.style('error:', fg='red')} {error}", err=True)
        sys.exit(2)
