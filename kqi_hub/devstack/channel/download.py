"""Fetch the wheels of the channel from the package index, once."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

_AT_ONCE: Final = 2
_BATCH: Final = 24
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
    """Have pip fetch them, some at a time: it shows what it has only at its end."""
    batches = [
        wanted[start : start + _BATCH] for start in range(0, len(wanted), _BATCH)
    ]
    done, complaints = 0, []
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=_UNFINISHED) as unfinished,
        ThreadPoolExecutor(_AT_ONCE) as runners,
    ):
        running = [runners.submit(_pip, batch, Path(unfinished)) for batch in batches]
        for batch, run in zip(batches, running, strict=True):
            complaints.append(run.result())
            done += len(batch)
            told(done, len(wanted))
        for wheel in Path(unfinished).glob("*.whl"):
            wheel.replace(folder / wheel.name)
    said = "".join(complaints)
    if said:
        raise DownloadFailed(
            f"pip could not fetch the wheels of the demo's channel:\n{said[-2000:]}"
            "Run it again when the index answers; what did arrive is kept."
        )


def _pip(wanted: Sequence[str], folder: Path) -> str:
    """Fetch wheels; return what pip has to complain of, nothing if it has them."""
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    argv += ["--disable-pip-version-check", "--only-binary=:all:"]
    argv += ["--dest", str(folder), *wanted]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr or "pip failed.\n"
