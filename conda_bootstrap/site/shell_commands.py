"""Write the commands for people on a login node, with this Python's path in them."""

import shlex
import sys
from pathlib import Path
from typing import Final

from conda_bootstrap.site.folder import SiteFolder, write_whole

_TEMPLATES: Final = Path(__file__).parent / "shell"
NAMES: Final = ("kqi_conda_jupyter.sh", "kqi_conda_plugins.sh", "reset_env.sh")


def write_commands(site: SiteFolder, seen_at: Path, python: str | None = None) -> None:
    """Write them; people find the site's folder at `seen_at`."""
    common = (_TEMPLATES / "common.sh").read_text()
    values = {
        "@COMMON@": common.rstrip("\n"),
        "@PYTHON@": shlex.quote(python or sys.executable),
        "@SITE@": shlex.quote(str(seen_at)),
    }
    for name in NAMES:
        text = (_TEMPLATES / name).read_text()
        for mark, value in values.items():
            text = text.replace(mark, value)
        write_whole(site.commands / name, text, mode=0o755)
