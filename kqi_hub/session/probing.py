"""Find out whether an environment's Python kernel can start, before it is started.

Jupyter by itself starts one that cannot five times and then says "dead". What is found
out is noted where `kqi env verify` notes it, so that every list shows the same.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from conda_bootstrap.json_files import read_object, write_json
from conda_bootstrap.marker import now
from conda_bootstrap.places import Places
from conda_bootstrap.states import packages_print

_LIMIT_S: Final = 60.0
_SAID: Final = 600
# What a Python kernel is made of: when none of these changed, it starts as before.
_PARTS: Final = (
    "ipykernel",
    "IPython",
    "jupyter_client",
    "jupyter_core",
    "tornado",
    "traitlets",
    "zmq",
)
_PROBE: Final = "import ipykernel.kernelapp, tornado.ioloop, zmq"

Print = tuple[tuple[int, int], ...]


def fingerprint(prefix: Path) -> Print:
    """Return what changes when somebody works on what a kernel needs."""
    places = [prefix / "bin" / "python"]
    for site in prefix.glob("lib/python3*/site-packages"):
        places += [site, *(site / name for name in _PARTS)]
        places += [site / name / "__init__.py" for name in _PARTS]
    return tuple(_state(place) for place in places)


def _state(place: Path) -> tuple[int, int]:
    try:
        info = place.stat()
    except OSError:
        return (0, 0)
    return (info.st_mtime_ns, info.st_size)


async def problem(program: str, environment: Mapping[str, str], folder: Path) -> str:
    """Return why a Python cannot run a kernel; empty when it can."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(program, "-c", _PROBE),
            cwd=folder,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        return f"{program} cannot be run: {error.strerror}."
    try:
        async with asyncio.timeout(_LIMIT_S):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""  # slow is not broken: Jupyter itself waits for it
    if process.returncode == 0:
        return ""
    text = said.decode(errors="replace").strip()[-_SAID:]
    return text or f"{program} ends with code {process.returncode}."


class Notes:
    """What is known of environments, in the files that `verify` keeps."""

    def __init__(self, scratch: Path) -> None:
        self._places = Places(scratch)

    def note(self, prefix: Path, why: str) -> None:
        """Write down that an environment's kernel cannot start, or that it can."""
        with contextlib.suppress(OSError, ValueError):  # it is only told less well
            file = self._places.note("verified", prefix.name)
            known = read_object(file) if file.is_file() else {}
            if not why and not known.get("why"):
                return
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            told = {"code": "kernel", "text": f"Its kernel does not start: {why}"}
            write_json(
                file,
                {
                    "verified_at": now(),
                    "packages_print": packages_print(prefix),
                    "kernels": [],
                    "why": told if why else None,
                },
            )

    def used(self, prefix: Path) -> None:
        """Note that an environment is used now."""
        with contextlib.suppress(OSError):
            file = self._places.used(prefix.name)
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch()
