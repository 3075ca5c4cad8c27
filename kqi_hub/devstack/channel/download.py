"""Fetch the wheels of the channel from the package index, once."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

_AT_ONCE: Final = 2
_LOOK_EVERY_S: Final = 0.2
# Left behind by a run that was killed; one run at a time is here.
_UNFINISHED: Final = "unfinished-"


class DownloadFailed(Exception):
    """The package index did not give what was asked for; the message has its words."""


def read_pins(path: Path) -> Mapping[str, str]:
    """Return version by package of a file of pins."""
    pins: dict[str, str] = {}
    for line in path.read_text().splitlines():
        text = re.sub(r"\s*#.*", "", line)
        if text:
            requirement = Requirement(text)
            (pin,) = requirement.specifier
            pins[str(canonicalize_name(requirement.name))] = pin.version
    return pins


def fetch_wheels(
    pins: Mapping[str, str], folder: Path, told: Callable[[int, int], None]
) -> list[Path]:
    """Return one wheel for each pin, fetching into `folder` what is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left)
    present = _present(pins, folder)
    missing = [f"{name}=={pins[name]}" for name in pins if name not in present]
    if missing:
        _download(missing, folder, told)
    present = _present(pins, folder)
    return [present[name] for name in sorted(pins)]


def _present(pins: Mapping[str, str], folder: Path) -> dict[str, Path]:
    found = {}
    for path in folder.glob("*.whl"):
        name, version, _, _ = parse_wheel_filename(path.name)
        if pins.get(name) == str(version):
            found[str(name)] = path
    return found


def _download(
    wanted: Sequence[str], folder: Path, told: Callable[[int, int], None]
) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=_UNFINISHED) as unfinished:
        place = Path(unfinished)
        shares = [wanted[start::_AT_ONCE] for start in range(_AT_ONCE)]
        said = place / "said.txt"
        with said.open("wb") as log:
            running = [_start_pip(share, place, log) for share in shares if share]
            while any(process.poll() is None for process in running):
                told(len([*place.glob("*.whl")]), len(wanted))
                time.sleep(_LOOK_EVERY_S)
        for wheel in place.glob("*.whl"):
            wheel.replace(folder / wheel.name)
        if any(process.returncode != 0 for process in running):
            raise DownloadFailed(
                f"pip could not fetch the wheels of the demo's channel:\n"
                f"{said.read_text(errors='replace')[-2000:]}"
                "Run it again when the index answers; what did arrive is kept."
            )


def _start_pip(
    wanted: Sequence[str], folder: Path, log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    argv += ["--disable-pip-version-check", "--only-binary=:all:"]
    argv += ["--dest", str(folder), *wanted]
    return subprocess.Popen(argv, stdout=log, stderr=log)
