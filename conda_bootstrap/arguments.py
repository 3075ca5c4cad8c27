"""What can be typed after the command, and its help."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_bootstrap.export import FORMATS

if TYPE_CHECKING:
    _Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_NAME = "a-z 0-9 . _ - and 40 at most"


@dataclass(frozen=True)
class _Commands:
    """Add commands that all take the options of the whole as well."""

    to: _Subparsers
    common: argparse.ArgumentParser

    def add(self, name: str, text: str, takes: str = "") -> argparse.ArgumentParser:
        command = self.to.add_parser(
            name, help=text, description=text, parents=[self.common]
        )
        if takes:
            command.add_argument("name", metavar="NAME", help=takes)
        return command


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    common = argparse.ArgumentParser(add_help=False)
    for option, text in (
        ("--scratch", "your folder on scratch; $KQI_SCRATCH or /scratch/YOU"),
        ("--site", "the site's folder; $KQI_ENVIRONMENTS or its usual place"),
    ):
        common.add_argument(option, metavar="DIR", default=argparse.SUPPRESS, help=text)
    common.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="one JSON object a line",
    )
    whole = argparse.ArgumentParser(
        prog="conda_bootstrap",
        description="Make, mend and list your conda environments on scratch.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong use, 3 refused, nothing touched.",
        parents=[common],
    )
    to = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands = _Commands(to, common)
    _add_making(commands)
    _add_reading(commands)
    _add_upkeep(commands)
    return whole


def _add_making(commands: _Commands) -> None:
    setup = commands.add("setup", "first contact: folders, shell, `notebook`, plug-ins")
    setup.add_argument("--base", metavar="B", help="another base than the site's own")
    _add_sources(commands.add("create", "make an environment", _NAME))
    reset = commands.add(
        "reset", "make it anew from its base; workspace is not touched", "which one"
    )
    reset.add_argument(
        "--bring-back", action="store_true", help="add what you had installed again"
    )
    _add_sources(reset)
    commands.add("repair", "make it anew from its own lock", "which one")
    commands.add("bring-back", "add what you had before a reset", "which one")
    delete = commands.add("delete", "remove an environment", "which one")
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _add_sources(command: argparse.ArgumentParser) -> None:
    of = command.add_mutually_exclusive_group()
    of.add_argument("--base", metavar="B", help="a base of this site, see `bases`")
    of.add_argument("--file", dest="yml", metavar="YML", help="an environment.yml")
    of.add_argument("--lock", metavar="F", help="a lock file of rattler or pixi")
    of.add_argument("--explicit", metavar="F", help="a list of URLs (@EXPLICIT)")
    of.add_argument(
        "--import", dest="imported", metavar="F", help="any of the exported files"
    )


def _add_reading(commands: _Commands) -> None:
    listing = commands.add("list", "show all environments, and the room left")
    listing.add_argument("--sizes", action="store_true", help="count sizes again")
    commands.add("bases", "show what the site offers")
    exporting = commands.add("export", "write an environment down", "which one")
    exporting.add_argument("--format", choices=FORMATS, default="yml", help="yml")
    verify = commands.add("verify", "start the kernels: which do?")
    verify.add_argument("name", metavar="NAME", nargs="?", help="all when left out")


def _add_upkeep(commands: _Commands) -> None:
    commands.add("default", "have notebooks begin with it", "which one")
    plugins = commands.add("plugins", "ipyparallel with profile slurm, TensorBoard")
    plugins.add_argument("name", metavar="NAME", nargs="?", help="the activated one")
    shell = commands.add("shell", "add lines to ~/.bashrc, or take them out")
    shell.add_argument("action", choices=("add", "remove"))
    commands.add("sweep", "finish or remove what interrupted operations left")
    task = commands.add("task", "carry out the order of a task folder")
    task.add_argument("folder", metavar="DIR", help="the task's folder")
