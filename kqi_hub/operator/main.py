"""The kqi-hub command: every group of commands is joined here."""

from importlib import import_module
from pathlib import Path
from typing import Final

import click

from kqi_hub import __version__
from kqi_hub.operator.invocation import ErrorTreeGroup, Invocation

# Each is a module of this package, and the command in it of the same name.
_COMMANDS: Final = (
    "audit",
    "close",
    "config",
    "data",
    "db",
    "doctor",
    "jobs",
    "keys",
    "ledger",
    "limits",
    "nodes",
    "person",
    "rates",
    "reconcile",
    "refresh",
    "repair",
    "store",
    "worker",
)


class _Commands(ErrorTreeGroup):
    """Import a command when somebody wants it: one need not wait for all."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one of them, or nothing where there is none of this name."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"kqi_hub.operator.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file, defaults to $KQI_CONFIG, else /etc/kqi/kqi.toml.",
)
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.version_option(__version__, prog_name="kqi-hub")
@click.pass_context
def cli(ctx: click.Context, config_path: Path | None, debug: bool) -> None:
    """Run and look after a KQI Hub site.

    Run it as the service user. The exit code is 0 when all is well; an error's own
    code otherwise, listed at the end of docs/operators/commands.md.
    """
    # click needs every option named here; `debug` is read by ErrorTreeGroup.
    del debug
    ctx.obj = Invocation(config_path)


def main() -> None:
    """Run the command line."""
    cli(prog_name="kqi-hub")


if __name__ == "__main__":
    main()
