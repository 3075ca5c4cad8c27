"""A Python environment of its own for each peer, never the project's."""

import subprocess
import sys
from pathlib import Path

from benchmarks.cluster import WORK, BenchFailed, Say


def peer_python(
    name: str, requirements: tuple[str, ...], say: Say, work: Path = WORK
) -> Path:
    """Return the interpreter of .bench/venv-NAME with what the peer needs installed.

    It is made once, and again when the requirements change.
    """
    venv = work / f"venv-{name}"
    stamp, wanted = venv / "requirements.txt", "\n".join(requirements)
    python = venv / "bin" / "python"
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    say(
        f"Making an environment for {name}: {', '.join(requirements) or 'nothing else'}"
    )
    work.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv)])
    if requirements:
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install"]
        _run([*pip, "--disable-pip-version-check", *requirements])
    stamp.write_text(wanted)
    return python


def _run(argv: list[str]) -> None:
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        tail = "\n".join((ran.stdout + ran.stderr).splitlines()[-15:])
        raise BenchFailed(f"{' '.join(argv[:3])} … failed:\n{tail}")
