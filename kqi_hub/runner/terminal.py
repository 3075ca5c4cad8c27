"""Which shell the notebook's terminals run, and what it knows of environments."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from conda_bootstrap.places import Places
from conda_bootstrap.shell_block import conda_lines

_BASHRC: Final = Path(__file__).with_name("terminal.bashrc")


def terminal_shell(environ: Mapping[str, str]) -> list[str]:
    """Return the person's shell, as after a login; bash shows the node as well."""
    shell = environ.get("SHELL") or "/bin/bash"
    if Path(shell).name == "bash":
        return [shell, "--rcfile", str(_BASHRC), "-i"]
    return [shell, "-l"]


def write_conda_lines(file: Path, scratch: Path, say: Callable[[str], None]) -> None:
    """Write what lets terminals find environments by name; without it they work too."""
    try:
        file.write_text(conda_lines(Places(scratch)))
    except OSError as error:
        say(f"Terminals know environments by their paths only: {error.strerror}.")
