"""The host's side: start a supervisor, talk to it, and see that it is gone."""

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
from typing import IO

from kqi_hub.devstack import linux
from kqi_hub.devstack.control import NobodyAnswers, ask
from kqi_hub.devstack.layout import Folder, checkout

_GONE_TIMEOUT_S = 60.0


class LaunchFailed(Exception):
    """The cluster did not start, or does not answer; what to do is in the message."""


class Supervising:
    """A supervisor that this process started, and its account of the start."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self._connection = connection

    def events(self) -> Iterator[Mapping[str, object]]:
        """Return what it tells, until it is ready, failed or gone."""
        with self._connection.makefile() as lines:
            yield from map(json.loads, lines)

    def leave(self) -> None:
        """Hang up: a supervisor that was not told to stay stops."""
        self._connection.close()


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
    """Return whether a supervisor lives: it holds its lock as long as it does."""
    try:
        with folder.lock.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return _pid_of(folder) is not None


def _pid_of(folder: Folder) -> int | None:
    """Return the supervisor's pid if a process of that number is one of ours."""
    try:
        pid = int(folder.pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(folder.path) in command else None


def supervisor_pid(folder: Folder) -> int:
    """Return the pid of the living supervisor."""
    pid = _pid_of(folder)
    if pid is None:
        raise LaunchFailed(f"Nothing runs in {folder.path}. Start it: ./demo up")
    return pid


def start(folder: Folder, *, stay: bool) -> Supervising:
    """Start a supervisor in namespaces of its own."""
    ours, theirs = socket.socketpair()
    with (
        folder.lock.open("wb") as lock,
        (folder.logs / "supervisor.log").open("ab") as log,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = _in_new_pid_namespace(
            [
                sys.executable, "-m", "kqi_hub.devstack.pid1", str(folder.path),
                "--launcher-fd", str(theirs.fileno()), "--lock-fd", str(lock.fileno()),
                *(["--stay"] if stay else []),
            ],
            (theirs.fileno(), lock.fileno()),
            log,
        )  # fmt: skip
    theirs.close()
    folder.pid_file.write_text(f"{process.pid}\n")
    return Supervising(process.pid, ours)


def _in_new_pid_namespace(
    argv: list[str], handles: tuple[int, ...], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a program as pid 1; later children of ours stay where we are."""
    with Path("/proc/self/ns/pid").open("rb") as own:
        try:
            linux.unshare(linux.CLONE_NEWPID)
        except OSError as error:
            raise LaunchFailed(
                f"The kernel allows no private namespaces here ({error.strerror}). In a"
                " container, start it with --privileged (or --cap-add SYS_ADMIN)."
            ) from error
        try:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=checkout(),
                env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
                pass_fds=handles,
                start_new_session=True,
            )
        finally:
            linux.setns(own.fileno(), linux.CLONE_NEWPID)


def stop(folder: Folder, told: Callable[[str, float], None]) -> None:
    """Stop the cluster and return when nothing of it is left."""
    pid = supervisor_pid(folder)
    try:
        for line in ask(folder.control, verb="stop"):
            told(str(line["name"]), float(str(line["seconds"])))
    except (NobodyAnswers, OSError):
        # Too early or too broken to listen. Its end is the end of all of it.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until_gone(folder)


def wait_until_gone(folder: Folder) -> None:
    """Return when the supervisor and so everything in its namespaces has ended."""
    deadline = time.monotonic() + _GONE_TIMEOUT_S
    while is_running(folder):
        if time.monotonic() > deadline:
            raise LaunchFailed(
                f"The supervisor (pid {folder.pid_file.read_text().strip()}) does not"
                f" end. Look at {folder.logs / 'supervisor.log'}; kill -9 it if need be."
            )
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        time.sleep(0.02)
