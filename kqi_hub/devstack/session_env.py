"""The environment that notebook servers run from: a site has one of its own."""

import sys
from pathlib import Path
from typing import Final

from kqi_hub.devstack import layout

FOLDER: Final = Path("/opt/kqi-bin/session")
PYTHON: Final = FOLDER / "bin/python"


def write_session_environment() -> None:
    """Make it out of the checkout's packages; runs inside the private root.

    It finds them by itself (a line in its site-packages): the jobs' Python takes no
    word from the environment.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = FOLDER / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    theirs = layout.PYTHON.parents[1] / "lib" / version / "site-packages"
    (packages / "kqi.pth").write_text(f"{layout.CODE}\n{theirs}\n")
    home = Path(sys.base_prefix) / "bin"
    (FOLDER / "pyvenv.cfg").write_text(
        f"home = {home}\ninclude-system-site-packages = false\n"
    )
    PYTHON.parent.mkdir()
    PYTHON.symlink_to(home / "python3")
    _write_tools()


def _write_tools() -> None:
    """Put `jupyter`, its commands and `kqi` beside the Python, as pip would."""
    commands = [layout.PYTHON.with_name("kqi"), *layout.PYTHON.parent.glob("jupyter*")]
    for theirs in commands:
        _, _, rest = theirs.read_text().partition("\n")
        ours = PYTHON.with_name(theirs.name)
        ours.write_text(f"#!{PYTHON}\n{rest}")
        ours.chmod(0o755)
