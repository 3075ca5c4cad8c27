"""Start a program where a run's command is: its /kqi, its variables, its folder.

`python -I -X utf8 -m kqi_hub.runner.inside FOLDER [PROGRAM...]`, on the run's node and
as its owner; without a program it is a shell. A step of srun's alone would see the
node's own folders and no /kqi.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from kqi_hub.runner.runs.diary import STATE

_USAGE: Final = 64
_NOT_RUNNING: Final = 69
_SHELL: Final = ("/bin/bash", "-i")
# Of the terminal that asks, not of the run.
_OF_THE_TERMINAL: Final = ("TERM", "COLORTERM")
_THERE: Final = ("/bin/bash", "-c", 'cd -- "$KQI_GIT" && exec "$@"', "kqi")


class NotRunning(Exception):
    """There is no command of this run on this node; the message is for people."""


def main(arguments: list[str]) -> NoReturn:
    """Become the program."""
    if not arguments:
        sys.stderr.write("How to run it: python -m kqi_hub.runner.inside FOLDER\n")
        sys.exit(_USAGE)
    folder, *program = arguments
    try:
        pid = running_pid(Path(folder))
        variables = variables_of(pid, os.environ)
        through = entering(pid)
    except NotRunning as error:
        sys.stderr.write(f"The run is not running on this node: {error}.\n")
        sys.exit(_NOT_RUNNING)
    argv = [*through, *_THERE, *(program or _SHELL)]
    # Python ignores these; a shell would keep that for everything it starts.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execvpe(argv[0], argv, variables)  # noqa: S606 - a list, and no shell reads it


def running_pid(folder: Path) -> int:
    """Return the number of a run's command; NotRunning where there is none."""
    try:
        told = json.loads((folder / STATE).read_bytes())
        pid = int(told["command_pid"])
        is_own = Path(f"/proc/{pid}").stat().st_uid == os.geteuid()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotRunning(f"{folder / STATE} names no command here") from error
    if told.get("phase") != "running" or not is_own:
        raise NotRunning("its command has ended")
    return pid


def variables_of(pid: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process, with one's own terminal."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError as error:
        raise NotRunning(error.strerror or str(error)) from error
    pairs = [one.partition("=") for one in os.fsdecode(raw).split("\0") if one]
    found = {name: value for name, _, value in pairs}
    own = {name: environ[name] for name in _OF_THE_TERMINAL if name in environ}
    return found | own


def entering(pid: int) -> list[str]:
    """Return what a program is started through to be in a process's namespaces."""
    other = [
        option
        for kind, option in (("user", "--user"), ("mnt", "--mount"))
        if _namespace(pid, kind) != _namespace(os.getpid(), kind)
    ]
    if not other:
        return []
    return ["nsenter", "--preserve-credentials", *other, f"--target={pid}", "--"]


def _namespace(pid: int, kind: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/{kind}").readlink())
    except OSError as error:
        raise NotRunning(error.strerror or str(error)) from error


if __name__ == "__main__":
    main(sys.argv[1:])
