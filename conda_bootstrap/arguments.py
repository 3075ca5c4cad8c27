"""What can be typed after the command, and its help."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    whole = argparse.ArgumentParser(
        prog="conda_bootstrap",
        description="Make, mend and list your conda environments on scratch.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong use, 3 refused, nothing touched.",
    )
    whole.add_argument("--scratch", metavar="DIR", help="your folder on scratch")
    whole.add_argument("--site", metavar="DIR", help="the site's folder of bases")
    whole.add_argument("--json", action="store_true", help="one JSON object a line")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_create(commands)
    _add_reset(commands)
    _add_reading(commands)
    _add_upkeep(commands)
    return whole


def _add_create(commands: _Commands) -> None:
    create = commands.add_parser("create", help="make an environment")
    create.add_argument("name", metavar="NAME", help="a-z 0-9 . _ -, 40 at most")
    _add_sources(create)


def _add_reset(commands: _Commands) -> None:
    reset = commands.add_parser(
        "reset", help="make it anew from its base; your workspace is not touched"
    )
    reset.add_argument("name", metavar="NAME")
    reset.add_argument(
        "--bring-back", action="store_true", help="add what you had installed again"
    )
    _add_sources(reset)


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
    listing = commands.add_parser("list", help="show all of them, and the room left")
    listing.add_argument("--sizes", action="store_true", help="count sizes again")
    commands.add_parser("bases", help="show what the site offers")


def _add_upkeep(commands: _Commands) -> None:
    verify = commands.add_parser("verify", help="start the kernels: which do?")
    verify.add_argument("name", metavar="NAME", nargs="?", help="all when left out")
    repair = commands.add_parser("repair", help="make it anew from its own lock")
    repair.add_argument("name", metavar="NAME")
    back = commands.add_parser("bring-back", help="add what you had before a reset")
    back.add_argument("name", metavar="NAME")
    delete = commands.add_parser("delete", help="remove an environment")
    delete.add_argument("name", metavar="NAME")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    commands.add_parser("sweep", help="remove what interrupted operations left")
    task = commands.add_parser("task", help="carry out the order of a task folder")
    task.add_argument("folder", metavar="DIR", help="the task's folder")
