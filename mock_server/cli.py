"""The command ``apidouble``. Exit codes: 0 ok, 1 findings, 2 wrong usage or a description that cannot be used.

Other installed packages add commands (``commands/extensions.py``), which may have further codes.
"""

from __future__ import annotations

import sys

import click

from mock_server import __version__
from mock_server.commands.extensions import Commands
from mock_server.commands.infer import infer
from mock_server.commands.lint import lint
from mock_server.commands.listing import list_command
from mock_server.commands.serve import serve
from mock_server.commands.token import token
from mock_server.errors import ApidoubleError


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="apidouble")
def apidouble() -> None:
    """An OpenAPI description goes in; a validated, stateful stand-in for the real service comes out."""


for command in (serve, list_command, lint, infer, token):
    apidouble.add_command(command)


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
