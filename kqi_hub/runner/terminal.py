"""Which shell the notebook's terminals run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_BASHRC: Final = Path(__file__).with_name("terminal.bashrc")


def terminal_shell(environ: Mapping[str, str]) -> list[str]:
    """Return the person's shell, as after a login; bash shows the node as well."""
    shell = environ.get("SHELL") or "/bin/bash"
    if Path(shell).name == "bash":
        return [shell, "--rcfile", str(_BASHRC), "-i"]
    return [shell, "-l"]
