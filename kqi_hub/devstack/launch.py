"""The host's side: start a supervisor, find the living one, see that it is gone."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from kqi_hub.devstack import linux
from kqi_hub.devstack.control import NobodyAnswers, ask
from kqi_hub.devstack.layout import Folder, checkout

_GONE_TIMEOUT_S = 60.0
_EARLY_S = 5.0
_LOOK_EVERY_S = 0.02


class LaunchFailed(Exception):
    """The cluster did not start, stop or answer; the message says what to do."""


class Supervising:
    """A supervisor that this process started, and its account of the start."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def events(self) -> Iterator[Mapping[str, Any]]:
        """Return what it tells, until it hangs up."""
        with self.connection.makefile() as lines:
            yield from map(json.loads, lines)

    def hang_up(self) -> None:
        """Leave: a supervisor that has not said `ready`, or may not stay, stops."""
        self.connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def one_at_a_time(folder: Folder, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the start lock; call `waiting` first if another launcher has it."""
    with folder.start_lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_running(folder: Folder) -> bool:
    """Return whether a supervisor lives, or its namespaces are still being ended."""
    return _is_locked(folder) or living_pid(folder) is not None


def _is_locked(folder: Folder) -> bool:
    """Return whether a supervisor holds its lock: the kernel drops it with its life."""
    try:
        with folder.lock.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def living_pid(folder: Folder) -> int | None:
    """Return the supervisor's pid, as this side numbers it, while it lives."""
    try:
        pid, began = folder.pid_file.read_text().split()
        state, start_time = _process(int(pid))
    except (OSError, ValueError):
        return None
    # A number that another process has got since began at another time.
    return int(pid) if start_time == began and state not in "ZX" else None


def _process(pid: int | str) -> tuple[str, str]:
    """Return a process's state and start time (proc(5): fields 3 and 22)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return after_name[0], after_name[19]


def write_pid(folder: Folder) -> None:
    """Note the pid of this process where `living_pid` looks; called by the supervisor.

    /proc must still be the host's, so that the number is the host's.
    """
    pid = Path("/proc/self").readlink()
    folder.pid_file.write_text(f"{pid} {_process('self')[1]}\n")


def start(folder: Folder, *, stay: bool) -> Supervising:
    """Start a supervisor in namespaces of its own."""
    ours, theirs = socket.socketpair()
    with (
        theirs,
        folder.lock.open("wb") as lock,
        (folder.logs / "supervisor.log").open("wb") as log,
    ):
        # The lock is the open file's: the supervisor inherits it, and we forget it.
        # It is free but for a `status` that looks at it this very moment.
        fcntl.flock(lock, fcntl.LOCK_EX)
        arguments = [
            str(folder.path), f"--launcher-fd={theirs.fileno()}",
            f"--lock-fd={lock.fileno()}", *(["--stay"] if stay else []),
        ]  # fmt: skip
        _in_new_pid_namespace(arguments, (theirs.fileno(), lock.fileno()), log)
    return Supervising(ours)


def _in_new_pid_namespace(
    arguments: list[str], handles: tuple[int, ...], log: IO[bytes]
) -> None:
    """Start the supervisor as pid 1; later children of ours stay where we are."""
    with Path("/proc/self/ns/pid").open("rb") as own:
        try:
            linux.unshare(linux.CLONE_NEWPID)
        except OSError as error:
            raise LaunchFailed(
                f"The kernel allows no private namespaces here ({error.strerror}). In a"
                " container, start that with --privileged (or --cap-add SYS_ADMIN)."
            ) from error
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "kqi_hub.devstack.pid1", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=checkout(),
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                pass_fds=handles,
                start_new_session=True,
            )
        finally:
            linux.setns(own.fileno(), linux.CLONE_NEWPID)
    # It may outlive us on purpose: Popen must not warn of that.
    process.returncode = 0


def status(folder: Folder) -> Mapping[str, Any] | None:
    """Return what the supervisor says of itself, None before it can."""
    try:
        return next(ask(folder.control, verb="status"), None)
    except NobodyAnswers:
        return None


def require_entrance(folder: Folder) -> int:
    """Return the pid whose namespaces may be entered; raise LaunchFailed if none may.

    A supervisor that answers has its private root: before that its mounts are ours.
    """
    pid = living_pid(folder)
    if pid is None:
        raise LaunchFailed(f"Nothing runs in {folder.path}. Start it: ./demo up")
    if status(folder) is None:
        raise LaunchFailed("It is only just starting. Try again in a second.")
    return pid


def stop(folder: Folder, told: Callable[[str, float], None]) -> None:
    """Stop the cluster and return when nothing of it is left."""
    early = time.monotonic() + _EARLY_S
    while is_running(folder):
        try:
            for line in ask(folder.control, verb="stop"):
                told(line["name"], line["seconds"])
            break
        except (NobodyAnswers, OSError):
            if time.monotonic() > early:
                kill(folder)
                break
            time.sleep(_LOOK_EVERY_S)
    wait_until_gone(folder)


def kill(folder: Folder) -> None:
    """End a supervisor that does not listen, and with it all that it started."""
    pid = living_pid(folder)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_until_gone(folder: Folder) -> None:
    """Return when the supervisor and so everything in its namespaces has ended."""
    deadline = time.monotonic() + _GONE_TIMEOUT_S
    while is_running(folder):
        if time.monotonic() > deadline:
            raise LaunchFailed(
                f"The supervisor (pid {living_pid(folder)}) does not end. Look at"
                f" {folder.logs / 'supervisor.log'}, then kill -9 it."
            )
        time.sleep(_LOOK_EVERY_S)
