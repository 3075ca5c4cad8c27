"""A PostgreSQL of a benchmark's own, on a private socket, as Debian ships it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.cluster import BenchFailed

_START_S: Final = 60.0
_STOP_S: Final = 60.0
_ENVIRON: Final = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}


@contextmanager
def postgresql(*settings: str, kept: Path | None = None) -> Iterator[str]:
    """Start a server as it comes but for `settings`, `name=value`; give its address.

    Its data are thrown away, or stay in the folder `kept` and are found there again.
    """
    programs = _programs()
    # Not below a folder that only root may enter, and short, for the socket. On a disk:
    # years of lines do not fit into memory.
    folder = kept or Path(tempfile.mkdtemp(prefix="kqi-bench-pg-", dir="/var/tmp"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(folder, _account().pw_uid, _account().pw_gid)
        if not (folder / "data").exists():
            made = ("-D", folder / "data", "-U", "kqi", "-A", "trust", "-E", "UTF8")
            _run([programs / "initdb", *made], folder)
        with _running(programs, folder, settings):
            yield f"postgresql+psycopg://kqi@/postgres?host={folder}"
    finally:
        if kept is None:
            shutil.rmtree(folder)


@contextmanager
def _running(programs: Path, folder: Path, settings: tuple[str, ...]) -> Iterator[None]:
    private = ("listen_addresses=", f"unix_socket_directories={folder}")
    options = [word for one in (*settings, *private) for word in ("-c", one)]
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            _as_account([programs / "postgres", "-D", folder / "data", *options]),
            stdout=output,
            stderr=output,
            env=_ENVIRON,
            cwd=folder,
        )
    try:
        _wait_ready(programs, folder, server)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_ready(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_S
    asks = [str(programs / "pg_isready"), "-q", "-h", str(folder)]
    while subprocess.run(asks, check=False, env=_ENVIRON).returncode != 0:
        if server.poll() is not None or time.monotonic() > until:
            said = (folder / "log").read_text(errors="replace")[-2000:]
            raise BenchFailed(f"PostgreSQL did not start:\n{said}")
        time.sleep(0.1)


def _run(words: list[str | Path], folder: Path) -> None:
    ran = subprocess.run(
        _as_account(words),
        capture_output=True,
        text=True,
        check=False,
        env=_ENVIRON,
        cwd=folder,
    )
    if ran.returncode != 0:
        raise BenchFailed(f"{words[0]} failed:\n{ran.stderr[-2000:]}")


def _as_account(words: list[str | Path]) -> list[str]:
    """Return the words that run a program as somebody whom PostgreSQL accepts.

    It refuses root. --pdeathsig: a killed benchmark leaves no server behind.
    """
    become = ["setpriv", "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:
        account = _account()
        become += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        become += ["--clear-groups"]
    return [*become, *map(str, words)]


def _account() -> pwd.struct_passwd:
    return pwd.getpwnam("postgres")


def _programs() -> Path:
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[4]),
    )
    if not found:
        raise BenchFailed("PostgreSQL is missing: run .ci/prepare postgres, as root")
    return found[-1].parent
