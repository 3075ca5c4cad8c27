"""One operation on an environment at a time, on all nodes together."""

import contextlib
import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from conda_bootstrap.errors import Refused
from conda_bootstrap.places import Places, check_listed_name

_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)


@contextlib.contextmanager
def locked(places: Places, name: str, operation: str) -> Iterator[None]:
    """Hold an environment's lock, or refuse and say who holds it.

    The kernel lets go of it when the process ends in whatever way, so no lock is ever
    left behind; the file itself stays.
    """
    path = places.own / "lock" / check_listed_name(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(handle, name)
        _sign(handle, operation)
        yield
    finally:
        os.close(handle)


def is_locked(places: Places, name: str) -> bool:
    """Tell whether an operation on the environment is under way."""
    path = places.own / "lock" / check_listed_name(name)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno == errno.EWOULDBLOCK
    finally:
        os.close(handle)
    return False


@contextlib.contextmanager
def held_file(path: Path) -> Iterator[bool]:
    """Try to hold a lock on a file; yield whether it was free."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


def _take(handle: int, name: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(
            "locked",
            f"Something else is being done to {name}: {_holder(handle)}.",
            "Wait until it has ended, then try again.",
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise Refused(
            "no_locks",
            "This file system keeps no locks, so two operations could meet.",
            "Ask the operators to mount scratch with locks (Lustre: option flock).",
        ) from error


def _sign(handle: int, operation: str) -> None:
    """Leave a note for whoever finds the lock taken."""
    note = {
        "operation": operation,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "job_id": os.environ.get("SLURM_JOB_ID"),
        "since": time.strftime("%H:%M:%S"),
    }
    with contextlib.suppress(OSError):  # a full disk must not stop a delete
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)


def _holder(handle: int) -> str:
    try:
        note = json.loads(os.pread(handle, 1000, 0))
        job = f" in job {note['job_id']}" if note["job_id"] else ""
        return (
            f"{note['operation']}, by process {note['pid']} on {note['host']}{job}, "
            f"since {note['since']}"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another operation"
