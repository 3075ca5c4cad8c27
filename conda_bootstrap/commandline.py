"""The command: `python -I -m conda_bootstrap COMMAND`."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from conda_bootstrap import export, shell_block
from conda_bootstrap.arguments import parser
from conda_bootstrap.bars import Bars
from conda_bootstrap.errors import BootstrapError, Refused, WrongUse, of_system
from conda_bootstrap.inventory import environments, room
from conda_bootstrap.json_files import read_text
from conda_bootstrap.operations import Setting, carry_out, finish
from conda_bootstrap.order import Order
from conda_bootstrap.reporting import Report, json_lines
from conda_bootstrap.site_bases import Site, bases
from conda_bootstrap.sources import LONGEST_CHARS
from conda_bootstrap.tables import environments_table
from conda_bootstrap.task import run_task
from conda_bootstrap.task_files import cancelled


def main(argv: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    arguments = parser().parse_args(argv)
    scratch, site = (
        getattr(arguments, "scratch", None),
        getattr(arguments, "site", None),
    )
    setting = Setting(scratch, site, from_shell=True)
    signal.signal(signal.SIGTERM, _stop)
    report = Report(json_lines(sys.stdout) if _is_json(arguments) else Bars(sys.stdout))
    try:
        command = _COMMANDS.get(arguments.command, _operation)
        return command(arguments, setting, report)
    except BootstrapError as error:
        _complain(error, report, arguments)
        return error.exit_code
    except BrokenPipeError:  # as in `list | head`: nobody reads on
        return 1
    except OSError as error:
        _complain(of_system(error), report, arguments)
        return 1
    except KeyboardInterrupt:
        _complain(cancelled(), report, arguments)
        return 1


def _operation(arguments: argparse.Namespace, setting: Setting, report: Report) -> int:
    order = _order(arguments)
    if order.operation == "delete" and not arguments.yes:
        _ask(order.name, setting)
    finish(carry_out(order, setting, report), setting)
    return 0


def _ask(name: str, setting: Setting) -> None:
    """Ask before something is gone for good."""
    path = setting.places().environment(name)
    if not sys.stdin.isatty():
        raise WrongUse("yes", f"Nobody can be asked about {name}.", "Add --yes.")
    print(f"Remove {path} with all its packages? Type its name: ", end="", flush=True)
    if sys.stdin.readline().strip() != name:
        raise Refused("not_confirmed", "Nothing was removed.")


def _order(arguments: argparse.Namespace) -> Order:
    told = vars(arguments)
    files = {key: told.get(key) for key in ("yml", "lock", "explicit", "imported")}
    texts = {key: _text_of(path) for key, path in files.items() if path is not None}
    return Order(
        operation=arguments.command,
        name=told.get("name") or "",
        base=told.get("base"),
        bring_back=bool(told.get("bring_back")),
        **texts,
    )


def _text_of(path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.read(LONGEST_CHARS + 1)
        return read_text(Path(path), LONGEST_CHARS)
    except OSError as error:
        raise WrongUse("file", f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise WrongUse("file", f"{path} cannot be used: {error}.") from error


def _list(arguments: argparse.Namespace, setting: Setting, report: Report) -> int:
    places = setting.places()
    found = environments(places, _site_if_any(setting), arguments.sizes)
    there = room(places)
    if _is_json(arguments):
        print(json.dumps({"environments": found, "room": there}))
    else:
        print(environments_table(found, there, places))
    return 0


def _bases(arguments: argparse.Namespace, setting: Setting, report: Report) -> int:
    found = bases(setting.offered())
    if _is_json(arguments):
        print(json.dumps({"bases": found}))
        return 0
    for one in found:
        print(f"{one.get('name')}: {one.get('title')}, {one.get('packages')} packages")
    return 0


def _task(arguments: argparse.Namespace, setting: Setting, report: Report) -> int:
    folder = Path(arguments.folder).absolute()
    scratch = setting.scratch or str(folder.parents[2])
    return run_task(folder, Setting(scratch, setting.site))


def _export(arguments: argparse.Namespace, setting: Setting, report: Report) -> int:
    sys.stdout.write(export.text(setting.places(), arguments.name, arguments.format))
    return 0


def _shell(arguments: argparse.Namespace, setting: Setting, report: Report) -> int:
    home = Path.home()
    adding = arguments.action == "add"
    change = (
        shell_block.add(home, setting.places(), setting.offered().folder)
        if adding
        else shell_block.remove(home)
    )
    report.done(change.text, {"changed": change.changed})
    return 0


def _site_if_any(setting: Setting) -> Site | None:
    """Return the site's folder; a list is of use without it."""
    try:
        return setting.offered()
    except Refused:
        return None


def _complain(error: BootstrapError, report: Report, arguments: Any) -> None:
    if _is_json(arguments) or arguments.command == "task":
        report.failed(error)
        return
    sys.stdout.flush()
    Report(Bars(sys.stderr)).failed(error)


def _is_json(arguments: argparse.Namespace) -> bool:
    return bool(getattr(arguments, "json", False))


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """End as Ctrl-C would: Slurm and `kqi` stop a task by SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


_COMMANDS = {
    "list": _list,
    "bases": _bases,
    "task": _task,
    "export": _export,
    "shell": _shell,
}
