"""Commands that other installed packages add to ``apidouble``: entry points of the group ``apidouble.commands``.

Each is found by its name and imported only when it is called (or when help is printed), so that what it needs costs the
other commands nothing.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

import click

from mock_server.errors import ConfigurationError, did_you_mean

GROUP = "apidouble.commands"


class Commands(click.Group):
    """The commands of ``apidouble`` and those of other packages (click's way to load a command late)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, its own first."""
        return [*self.commands, *(name for name in _installed() if name not in self.commands)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, loaded now if another package has it; None when there is none."""
        found = self.commands.get(cmd_name)
        if found is not None:
            return found
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
