"""A real conda command: conda-lock carries all of it, and it is taken out here."""

import re
import shutil
from pathlib import Path
from typing import Final

from benchmarks.cluster import WORK, BenchFailed, Say
from benchmarks.peer_venv import peer_python

PEER: Final = "conda 24.7.1"
REQUIREMENTS: Final = (
    "conda-lock==4.0.3",
    "pycosat==0.6.6",
    "pluggy",
    "setuptools",
    "boltons",
    "tqdm",
    "zstandard",
    "requests",
    "ruamel.yaml",
    "packaging",
    "platformdirs",
    "distro",
    "frozendict",
    "archspec",
    "truststore",
    "conda-package-handling",
    "conda-package-streaming",
)
# conda compiles in processes that it spawns: they import the launcher again.
_LAUNCHER: Final = """\
#!{python}
import sys

if __name__ == "__main__":
    from conda.cli.main import main

    sys.exit(main(*sys.argv[1:]))
"""
_INSIDE: Final = re.compile(r"conda_lock\._vendor\.conda")
_FROM: Final = re.compile(r"from conda_lock\._vendor import")


def conda_command(say: Say, work: Path = WORK) -> Path:
    """Return the program, made once."""
    python = peer_python("conda", REQUIREMENTS, say, work)
    program = python.with_name("conda")
    if program.is_file():
        return program
    [packages] = python.parents[1].glob("lib/python3*/site-packages")
    source, target = packages / "conda_lock/_vendor/conda", packages / "conda"
    if not source.is_dir():
        raise BenchFailed(f"{REQUIREMENTS[0]} does not carry conda in {source}.")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    for file in target.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if "conda_lock._vendor" in text:
            own = _FROM.sub("import", _INSIDE.sub("conda", text))
            file.write_text(own, encoding="utf-8")
    program.write_text(_LAUNCHER.format(python=python))
    program.chmod(0o755)
    return program
