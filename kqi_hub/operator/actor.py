"""Who runs kqi-hub, for the audit log."""

import getpass
import os
from collections.abc import Mapping


def actor(environ: Mapping[str, str] = os.environ) -> str:
    """Return the account behind sudo where there is one, marked as a shell's."""
    name = environ.get("SUDO_USER") or getpass.getuser()
    return f"{name}@shell"
