"""The shell of a notebook's terminals, with a real bash."""

import subprocess
from pathlib import Path

from kqi_hub.runner.terminal import terminal_shell, write_conda_lines


def test_a_terminal_finds_jupyter_whatever_a_profile_does_to_the_path(
    tmp_path: Path,
) -> None:
    (tmp_path / ".bash_profile").write_text("PATH=/usr/bin:/bin\n")
    environ = {"SHELL": "/bin/bash", "HOME": str(tmp_path)}
    ran = subprocess.run(
        [*terminal_shell(environ), "-c", 'echo "$PATH"'],
        capture_output=True,
        text=True,
        check=True,
        env={**environ, "PATH": "/usr/bin", "KQI_SESSION_TOOLS": "/opt/site/bin"},
    )
    assert ran.stdout.split() == ["/usr/bin:/bin:/opt/site/bin"]


def test_a_terminal_knows_environments_by_name_though_no_conda_is_installed(
    tmp_path: Path,
) -> None:
    scratch, lines = tmp_path / "it's scratch", tmp_path / "conda.sh"
    place = scratch / ".conda/envs/mine/bin"
    place.mkdir(parents=True)
    (place / "activate").write_text("echo activated mine\n")
    said: list[str] = []
    write_conda_lines(lines, scratch, said.append)
    environ = {"SHELL": "/bin/bash", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [*terminal_shell(environ), "-c", "conda activate mine"],
        capture_output=True,
        text=True,
        check=True,
        env={**environ, "KQI_SESSION_CONDA": str(lines)},
    )
    assert ran.stdout == "activated mine\n"
    assert said == []


def test_a_full_scratch_is_told_and_stops_no_terminal(tmp_path: Path) -> None:
    said: list[str] = []
    write_conda_lines(tmp_path / "away/conda.sh", tmp_path, said.append)
    assert "by their paths only" in said[0]
