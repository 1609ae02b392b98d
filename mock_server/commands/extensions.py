"""Commands that other installed packages add to ``apidouble``: entry points of the group ``apidouble.commands``.

Each is found by its name and imported only when it is called (or when help is printed), so that what it needs costs the
other commands nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from mock_server.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "apidouble.commands"


class Commands(click.Group):
    """The commands of ``apidouble`` and those of other packages (click's way to load a command late).

    ``own`` says where each command of its own is, as ``module:name``.
    """

    def __init__(self, *args: Any, own: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._own = own

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, its own first."""
        return [*self._own, *(name for name in _installed() if name not in self._own)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, loaded now if another package has it; None when there is none."""
        place = self._own.get(cmd_name)
        if place is not None:
            module, _, name = place.partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        entry = _installed().get(cmd_name)
        return _loaded(entry) if entry is not None else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; a usage error names the nearest one when there is none."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            known = self.list_commands(ctx)
            hint = did_you_mean(name, known) or f"the commands are {', '.join(known)}"
            raise click.UsageError(f"there is no command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


def _installed() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # as costly as the rest of this module and click together

    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def _loaded(entry: EntryPoint) -> click.Command:
    try:
        loaded = entry.load()
    except ImportError as error:
        return _unusable(entry, error)
    if not isinstance(loaded, click.Command):
        raise ConfigurationError(
            "a command of another package is not a click.Command", got=f"{entry.name} = {entry.value}"
        )
    return loaded


def _unusable(entry: EntryPoint, error: ImportError) -> click.Command:
    """A command that says what is missing for it."""
    missing = error.name or str(error)
    extra = entry.module.partition(".")[0]

    def tell() -> None:
        raise ConfigurationError(
            f"`apidouble {entry.name}` needs what is not installed", got=f"no module {missing}",
            hint=f"pip install 'apidouble[{extra}]'",
        )  # fmt: skip

    return click.Command(
        entry.name,
        callback=tell,
        short_help=f"(needs apidouble[{extra}])",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
