"""The work of a run's job, as the person: prepare, run the command, keep the results.

`python -I -X utf8 -m kqi_hub.runner.run ORDER FOLDER` is the last line of the batch
script. It needs Python, and neither the hub nor a network, to end well.
"""

import os
import shutil
import signal
import sys
from collections.abc import Collection
from pathlib import Path
from types import FrameType
from typing import Any, Final

from kqi_hub.runner.order import BadOrder
from kqi_hub.runner.runs.command import run_command
from kqi_hub.runner.runs.diary import Diary, node
from kqi_hub.runner.runs.files import count, first_line, write_whole
from kqi_hub.runner.runs.mounts import Home
from kqi_hub.runner.runs.odd_names import told_of_odd_names
from kqi_hub.runner.runs.order import RunOrder, take_order
from kqi_hub.runner.runs.preparing import (
    Failed,
    bring_source,
    check_parents,
    find_environment,
    find_image,
    home_of,
    input_of,
    packages_of,
    sweep_images,
)
from kqi_hub.runner.runs.token import TokenFetched
from kqi_hub.runner.runs.use import Use
from kqi_hub.runner.runs.variables import command_variables
from kqi_hub.runner.runs.zipping import ZipFailed, zip_folder
from kqi_hub.runner.say import say

_USAGE: Final = 64
_BAD_ORDER: Final = 65
_NO_COMMAND: Final = 71
_NO_ZIP: Final = 74
_STOPPED: Final = 128 + signal.SIGTERM
_KILLED: Final = 128 + signal.SIGKILL
_TOLD_TO_STOP: Final = "it was told to stop"
# For counting results: who was told to stop is killed some seconds later.
_SOON_S: Final = 4.0
_PATIENCE_S: Final = 120.0
# What an environment's packages want to be run when it is chosen.
_ACTIVATE: Final = (
    'for one in "${CONDA_PREFIX:-/nowhere}"/etc/conda/activate.d/*.sh; do '
    '[ ! -r "$one" ] || . "$one"; done; unset one; exec "$@"'
)


class Stopped(Exception):
    """Slurm or the person ends the job beside its command."""


def main(arguments: list[str]) -> int:
    """Do the work of one job; return its exit code."""
    try:
        secret, folder = (Path(one) for one in arguments)
    except ValueError:
        say("How to run it: python -I -X utf8 -m kqi_hub.runner.run ORDER FOLDER")
        return _USAGE
    try:
        order = take_order(secret, folder, os.environ)
    except BadOrder as error:
        say(f"This run cannot begin: {error}.")
        return _BAD_ORDER
    _heading(order)
    diary = Diary(order.folder, say)
    found: dict[str, Any] = {}
    code, why = 1, "the runner itself failed; its reason is in the log"
    try:
        code, why = _outcome(order, diary, found)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        diary.end(code, why, found)
    sweep_images(order)
    say(f"Ended with exit code {code}{f': {why}' if why else ''}.")
    return code


def _outcome(order: RunOrder, diary: Diary, found: dict[str, Any]) -> tuple[int, str]:
    try:
        _until_told_to_stop()
        return _worked_and_saved(order, diary, found)
    except Failed as error:
        return error.code, error.why
    except Stopped:
        return _STOPPED, _TOLD_TO_STOP


def _worked_and_saved(
    order: RunOrder, diary: Diary, found: dict[str, Any]
) -> tuple[int, str]:
    code, why = _worked(order, diary, found)
    diary.phase("saving")
    patience_s = _SOON_S if why == _TOLD_TO_STOP else _PATIENCE_S
    _counted(order, found, patience_s)
    if odd := told_of_odd_names(order.folder / "output", patience_s / 4):
        diary.note(odd)
    if code == 0 and order.zips:
        found["zip"] = _zipped(order, diary)
    return code, why


def _worked(order: RunOrder, diary: Diary, found: dict[str, Any]) -> tuple[int, str]:
    """Prepare everything and run the command; return its exit code."""
    token = TokenFetched(order, os.environ)
    prefix, image = find_environment(order), find_image(order, diary)
    if prefix is not None:
        found["environment"] = packages_of(prefix, order, diary)
    if order.image is not None:
        found["image"] = {"name": order.image.name, "digest": order.image.digest}
    diary.phase("staging")
    check_parents(order)
    with input_of(order, diary) as input_from:
        home = home_of(order, input_from, diary, image)
        # Git is the node's, and so is what it needs.
        of_node = command_variables(order, home, prefix, os.environ)
        bring_source(order, of_node, diary)
        variables = command_variables(order, home, prefix, os.environ, image)
        variables |= token.variables()
        diary.phase("running")
        with Use(order.folder, os.environ) as use:
            programs = image.root if image is not None else None
            argv = _line_by_line(order, variables, programs)
            ended = _run(order, home, variables, argv, diary, use.pids)
        found["use"] = use.told
        return ended


def _run(
    order: RunOrder,
    home: Home,
    variables: dict[str, str],
    through: list[str],
    diary: Diary,
    beside: Collection[int],
) -> tuple[int, str]:
    """Run the command exactly as it was typed; Slurm's log is its output."""
    file = order.folder / "command.sh"
    try:
        # A file, because everybody on the node can read a command line.
        write_whole(file, os.fsencode(order.command))
        argv = [*through, "/bin/bash", str(file)]
        argv = ["/bin/bash", "-c", _ACTIVATE, "kqi", *argv]
        say(f"The command runs in {home.at('git')}.")
        ended = run_command(argv, home, variables, say, diary.command, beside)
        diary.command(None)
    except OSError as error:
        why = f"the command cannot be run: {error.strerror or error}"
        raise Failed(_NO_COMMAND, why) from error
    if ended.was_stopped:
        return ended.code or _STOPPED, _TOLD_TO_STOP
    if ended.code == _KILLED:
        return ended.code, "the command was killed, perhaps because memory was full"
    return ended.code, f"the command ended with {ended.code}" if ended.code else ""


def _line_by_line(
    order: RunOrder, variables: dict[str, str], image: Path | None
) -> list[str]:
    """Let programs write each line at once, as to a terminal (KX-47).

    Who preloads something of their own has a reason, and no second one is added.
    """
    if order.variables.get("LD_PRELOAD"):
        return []
    if image is not None:
        # In some images it lacks its other half, without which it runs nothing.
        halves = ("usr/bin/stdbuf", "usr/libexec/coreutils/libstdbuf.so")
        is_whole = all((image / one).is_file() for one in halves)
        return ["/usr/bin/stdbuf", "-oL"] if is_whole else []
    program = shutil.which("stdbuf", path=variables.get("PATH"))
    return [program, "-oL"] if program else []


def _counted(order: RunOrder, found: dict[str, Any], patience_s: float) -> None:
    output = order.folder / "output"
    found["value"] = first_line(output / "value.txt")
    found["files"], found["bytes"] = count(output, patience_s)


def _zipped(order: RunOrder, diary: Diary) -> str:
    name = f"{order.kind}_output_{order.id}.zip"
    try:
        zip_folder(
            order.folder / "output",
            order.folder / "attach" / name,
            lambda done, of: diary.progress(done, of, "files"),
        )
    except ZipFailed as error:
        why = f"the results are there, but not as a zip file: {error}"
        raise Failed(_NO_ZIP, why) from error
    return name


def _until_told_to_stop() -> None:
    """Let a stop end what is done before and after the command; USR1 is no end."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """Ignore it here only: what is ignored by SIG_IGN, children ignore too."""

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGUSR1, ignore)


def _heading(order: RunOrder) -> None:
    job = os.environ.get("SLURM_JOB_ID", "(none)")
    kind = order.kind.capitalize()
    say(f"{kind} {order.id} ({order.name}) on node {node()}, job {job}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
