"""Environments of peers: made once, apart from ours, and failures told."""

import subprocess
from pathlib import Path

import pytest

from benchmarks.cluster import BenchFailed
from benchmarks.peer_venv import peer_python

PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """\
import pathlib, zipfile

METADATA = "Metadata-Version: 2.1\\nName: apeer\\nVersion: 1.0\\n"
WHEEL = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, info = "apeer-1.0-py3-none-any.whl", "apeer-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        wheel.writestr("apeer.py", "ANSWER = 42")
        wheel.writestr(f"{info}/METADATA", METADATA)
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""


@pytest.fixture
def package(tmp_path: Path) -> str:
    """Make a package that needs nothing to be installed, not even a build backend."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(PROJECT)
    return str(folder)


def test_a_peer_is_installed_apart_from_us_and_once(
    tmp_path: Path, package: str
) -> None:
    work, said = tmp_path / "work", list[str]()
    python = peer_python("apeer", (package,), said.append, work)
    assert python == work / "venv-apeer/bin/python"
    answer = [str(python), "-I", "-c", "import apeer; print(apeer.ANSWER)"]
    assert subprocess.run(answer, capture_output=True, check=True).stdout == b"42\n"
    ours = [str(python), "-I", "-c", "import kqi_hub"]
    assert subprocess.run(ours, capture_output=True, check=False).returncode != 0
    assert peer_python("apeer", (package,), said.append, work) == python
    assert len(said) == 1


def test_other_requirements_make_it_anew(tmp_path: Path) -> None:
    said: list[str] = []
    python = peer_python("apeer", (), said.append, tmp_path)
    (python.parent / "left-over").touch()
    with pytest.raises(BenchFailed):
        peer_python("apeer", ("./no/such/package",), said.append, tmp_path)
    assert not (python.parent / "left-over").exists()


def test_what_cannot_be_installed_says_so_and_is_tried_again(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(BenchFailed, match="no/such/package"):
            peer_python("apeer", ("./no/such/package",), lambda _: None, tmp_path)
