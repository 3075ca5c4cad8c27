"""`kqi` and `kqi-hub` are on everybody's PATH inside, and run as written there."""

import subprocess
import sys
from pathlib import Path

import pytest

from kqi_hub.devstack import layout, portal, session_env

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    session = folder / "session"
    monkeypatch.setattr(layout, "BIN", folder)
    monkeypatch.setattr(layout, "CODE", CHECKOUT)
    monkeypatch.setattr(layout, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(session_env, "FOLDER", session)
    monkeypatch.setattr(session_env, "PYTHON", session / "bin/python")
    portal.write_commands()
    session_env.write_session_environment()
    return folder


def test_kqi_is_found_and_told_by_its_name(commands: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["kqi", "whoami"],
        env={"PATH": f"/usr/bin:/bin:{commands}", "HOME": str(tmp_path)},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    # Nothing but its home says where a portal is: there is none.
    assert done.returncode == 6, done.stderr
    assert done.stderr.startswith("kqi: ")
