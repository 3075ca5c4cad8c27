"""Fetch the wheels of the channel from the package index, once."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

_AT_ONCE: Final = 2


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


def fetch_wheels(pins: Mapping[str, str], folder: Path) -> list[Path]:
    """Return one wheel for each pin, fetching into `folder` what is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in pins if name not in _present(pins, folder)]
    _download([f"{name}=={pins[name]}" for name in missing], folder)
    present = _present(pins, folder)
    return [present[name] for name in sorted(pins)]


def _present(pins: Mapping[str, str], folder: Path) -> dict[str, Path]:
    found = {}
    for path in folder.glob("*.whl"):
        name, version, _, _ = parse_wheel_filename(path.name)
        if pins.get(name) == str(version):
            found[str(name)] = path
    return found


def _download(wanted: Sequence[str], folder: Path) -> None:
    shares = [wanted[start::_AT_ONCE] for start in range(_AT_ONCE)]
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        running = [_start_pip(share, Path(unfinished)) for share in shares if share]
        ended = [(process, process.communicate()[0]) for process in running]
        for wheel in Path(unfinished).glob("*.whl"):
            wheel.replace(folder / wheel.name)
    for process, output in ended:
        if process.returncode != 0:
            raise DownloadFailed(
                f"pip could not fetch the wheels of the demo's channel:\n{output}"
                "What did arrive is kept: run it again when the index answers."
            )


def _start_pip(wanted: Sequence[str], folder: Path) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    argv += ["--disable-pip-version-check", "--only-binary=:all:"]
    argv += ["--dest", str(folder), *wanted]
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
