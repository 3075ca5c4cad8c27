"""The engines that a notebook starts in Slurm: profile, what is left, their end."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.ipython_profile import Facts, install_profile

_CONNECT_S: Final = 0.5
_CANCEL_S: Final = 4.0
_BEGINS_S: Final = 120.0
_LONGEST: Final = 1 << 16
_CLIENT: Final = re.compile(r"ipcontroller(?:-(.{1,80}))?-client\.json", re.ASCII)

Say = Callable[[str], None]


def prepare_engines(ipython_dir: Path, logs: Path, say: Say) -> None:
    """Install the profile, and clear away what a session that was killed has left."""
    try:
        install_profile(ipython_dir, Facts(logs), say)
        clear_dead(ipython_dir / "profile_slurm" / "security")
    except OSError as error:
        say(f"Engines in Slurm cannot be started from here: {error}.")


def clear_dead(security: Path) -> list[str]:
    """Remove the files of controllers that answer no more; return the clusters' ids.

    Otherwise a client would wait for nobody, and the name could not be used again.
    """
    cleared = []
    for file in sorted(security.glob("ipcontroller*-client.json")):
        name = _CLIENT.fullmatch(file.name)
        if name is None or not _is_dead(file):
            continue
        known = name[1] or ""
        stem = f"ipcontroller-{known}" if known else "ipcontroller"
        for one in (f"cluster-{known}", f"{stem}-client", f"{stem}-engine"):
            (security / f"{one}.json").unlink(missing_ok=True)
        cleared.append(known)
    _clear_loose(security)
    return cleared


def _clear_loose(security: Path) -> None:
    """Remove what tells of a cluster whose controller ended and cleared its own."""
    for file in security.glob("cluster-*.json"):
        known = file.name.removeprefix("cluster-").removesuffix(".json")
        stem = f"ipcontroller-{known}" if known else "ipcontroller"
        if (security / f"{stem}-client.json").exists():
            continue
        # One that begins has none yet.
        if time.time() - file.stat().st_mtime > _BEGINS_S:
            file.unlink(missing_ok=True)


def _is_dead(file: Path) -> bool:
    """Tell whether nobody listens there; whoever cannot be reached may be alive."""
    try:
        with file.open(encoding="utf-8") as stream:
            told: Any = json.loads(stream.read(_LONGEST))
        host = str(told["interface"]).rpartition("/")[2]
        socket.create_connection((host, int(told["registration"])), _CONNECT_S).close()
    except ConnectionRefusedError:
        return True
    except (OSError, ValueError, LookupError, TypeError, OverflowError):
        return False
    return False


class EnginesEnd:
    """Ends the engines of a session, beside everything else that ends."""

    def __init__(
        self, ipython_dir: Path, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._clusters = ipython_dir / "profile_slurm" / "security"
        self._environ = dict(environ)
        self._job = environ.get("SLURM_JOB_ID", "")
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, say: Say) -> None:
        """Ask Slurm to end them, if there may be any; return at once."""
        if self._process is not None or not self._job.isdecimal():
            return
        if not any(self._clusters.glob("cluster-*.json")):
            return
        argv = ["scancel", "--quiet", f"--name=kqi-engines-{self._job}"]
        try:
            self._process = subprocess.Popen(
                argv, env=self._environ, stdin=subprocess.DEVNULL
            )
        except OSError as error:
            say(f"Engines in Slurm end by themselves, within a minute: {error}.")

    def finish(self, say: Say) -> None:
        """Wait some seconds until Slurm has heard it."""
        if self._process is None:
            return
        try:
            code = self._process.wait(_CANCEL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            code = -1
        if code == 0:
            say("Engines in Slurm were told to end.")
        else:
            say("Slurm did not take the end of the engines; they end by themselves.")
