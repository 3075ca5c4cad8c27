"""The work of a run's job, as the person: prepare, run the command, keep the results.

`python -I -X utf8 -m kqi_hub.runner.run ORDER FOLDER` is the last line of the batch
script. It needs Python, and neither the hub nor a network, to end well.
"""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from kqi_hub.runner.dataset import NoDataset, check_readable
from kqi_hub.runner.kernels import has_environment
from kqi_hub.runner.local_copy import NoCopy, local_copy, local_place
from kqi_hub.runner.order import BadOrder
from kqi_hub.runner.repository import CloneFailed, Source
from kqi_hub.runner.runs.command import run_command
from kqi_hub.runner.runs.diary import Diary, node
from kqi_hub.runner.runs.files import count, first_line, write_whole
from kqi_hub.runner.runs.mounts import Home, make_home
from kqi_hub.runner.runs.order import RunOrder, take_order
from kqi_hub.runner.runs.source import clone_source
from kqi_hub.runner.runs.variables import command_variables
from kqi_hub.runner.runs.zipping import ZipFailed, zip_folder
from kqi_hub.runner.say import say

_USAGE: Final = 64
_BAD_ORDER: Final = 65
_NO_INPUT: Final = 66
_NO_ENVIRONMENT: Final = 68
_NO_SOURCE: Final = 69
_NO_COMMAND: Final = 71
_NO_FOLDER: Final = 73
_NO_ZIP: Final = 74
_STOPPED: Final = 128 + signal.SIGTERM
_KILLED: Final = 128 + signal.SIGKILL
# What an environment's packages want to be run when it is chosen.
_ACTIVATE: Final = (
    'for one in "${CONDA_PREFIX:-/nowhere}"/etc/conda/activate.d/*.sh; do '
    '[ ! -r "$one" ] || . "$one"; done; unset one; exec "$@"'
)


class Failed(Exception):
    """The run cannot go on; the message is for people."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


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
    say(f"Ended with exit code {code}{f': {why}' if why else ''}.")
    return code


def _outcome(order: RunOrder, diary: Diary, found: dict[str, Any]) -> tuple[int, str]:
    try:
        _until_told_to_stop()
        return _worked_and_saved(order, diary, found)
    except Failed as error:
        return error.code, error.why
    except Stopped:
        return _STOPPED, "it was told to stop"


def _worked_and_saved(
    order: RunOrder, diary: Diary, found: dict[str, Any]
) -> tuple[int, str]:
    code, why = _worked(order, diary)
    diary.phase("saving")
    _counted(order, found)
    if code == 0 and order.zips:
        found["zip"] = _zipped(order, diary)
    return code, why


def _worked(order: RunOrder, diary: Diary) -> tuple[int, str]:
    """Prepare everything and run the command; return its exit code."""
    prefix = _environment(order)
    diary.phase("staging")
    _check_parents(order)
    with _input(order, diary) as input_from:
        home = _home(order, input_from, diary)
        variables = command_variables(order, home, prefix, os.environ)
        _source(order, variables, diary)
        diary.phase("running")
        return _run(order, home, variables, diary)


def _environment(order: RunOrder) -> Path | None:
    name = order.environment
    if not name:
        return None
    if not has_environment(order.environments, name):
        why = f"there is no environment {name} in {order.environments}"
        raise Failed(_NO_ENVIRONMENT, why)
    return order.environments / name


def _check_parents(order: RunOrder) -> None:
    for parent in order.parents:
        try:
            check_readable(str(parent.path))
        except NoDataset as error:
            why = f"the results of {parent.kind} {parent.id} cannot be read: {error}"
            raise Failed(_NO_INPUT, why) from error


@contextlib.contextmanager
def _input(order: RunOrder, diary: Diary) -> Iterator[Path | None]:
    """Give where the input lies: where it is kept, or in a copy that goes away."""
    if order.input is None:
        yield None
        return
    what, path = order.input
    try:
        check_readable(str(path))
    except NoDataset as error:
        raise Failed(_NO_INPUT, f"{what} cannot be read: {error}") from error
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(_copied(path, diary)) if order.copies else path


@contextlib.contextmanager
def _copied(path: Path, diary: Diary) -> Iterator[Path]:
    place = local_place(os.environ)
    say(f"Copying the input to {place} on this node.")
    with contextlib.ExitStack() as stack:
        try:
            copy = stack.enter_context(
                local_copy(
                    path, place, lambda done, of: diary.progress(done, of, "bytes")
                )
            )
        except NoCopy as error:
            diary.note(f"The input is not copied to this node but linked: {error}.")
            copy = path
        yield copy


def _home(order: RunOrder, input_from: Path | None, diary: Diary) -> Home:
    try:
        home = make_home(order.folder, input_from, order.parents, os.environ)
    except OSError as error:
        why = f"the folder {order.folder} cannot be used: {error.strerror or error}"
        raise Failed(_NO_FOLDER, why) from error
    diary.mounts = home.kind
    if home.why:
        diary.note(
            f"There is no /kqi on this node ({home.why}): the same folders are in "
            f"$KQI_HOME, {home.path}, and input and parent are links."
        )
    return home


def _source(order: RunOrder, variables: dict[str, str], diary: Diary) -> None:
    target = order.folder / "git"
    if order.source is None:
        return
    diary.phase("cloning")
    url, ref = order.source
    try:
        clone_source(Source(url, ref, order.git), target, variables, say)
    except CloneFailed as error:
        raise Failed(_NO_SOURCE, f"the source was not brought: {error}") from error


def _run(
    order: RunOrder, home: Home, variables: dict[str, str], diary: Diary
) -> tuple[int, str]:
    """Run the command exactly as it was typed; Slurm's log is its output."""
    file = order.folder / "command.sh"
    try:
        # A file, because everybody on the node can read a command line.
        write_whole(file, os.fsencode(order.command))
        argv = [*_line_by_line(order, variables), "/bin/bash", str(file)]
        argv = ["/bin/bash", "-c", _ACTIVATE, "kqi", *argv]
        say(f"The command runs in {home.at('git')}.")
        ended = run_command(argv, home, variables, say, diary.command)
        diary.command(None)
    except OSError as error:
        why = f"the command cannot be run: {error.strerror or error}"
        raise Failed(_NO_COMMAND, why) from error
    if ended.was_stopped:
        return ended.code or _STOPPED, "it was told to stop"
    if ended.code == _KILLED:
        return ended.code, "the command was killed, perhaps because memory was full"
    return ended.code, f"the command ended with {ended.code}" if ended.code else ""


def _line_by_line(order: RunOrder, variables: dict[str, str]) -> list[str]:
    """Let programs write each line at once, as to a terminal (KX-47).

    Who preloads something of their own has a reason, and no second one is added.
    """
    if order.variables.get("LD_PRELOAD"):
        return []
    program = shutil.which("stdbuf", path=variables.get("PATH"))
    return [program, "-oL"] if program else []


def _counted(order: RunOrder, found: dict[str, Any]) -> None:
    output = order.folder / "output"
    found["value"] = first_line(output / "value.txt")
    found["files"], found["bytes"] = count(output)


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
