"""The shell of a notebook's terminals, with a real bash."""

import subprocess
from pathlib import Path

from kqi_hub.runner.terminal import terminal_shell


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
