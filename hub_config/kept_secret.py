"""Secrets between our own processes: made when first needed, kept, never typed."""

import os
import secrets
from pathlib import Path
from typing import Final

from kqi_hub.settings.secrets import read_secret

_BYTES: Final = 32


def kept_secret(path: Path) -> str:
    """Return the secret in a file, made if it is not there.

    Processes that start at once end up with the same one.
    """
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)  # of a process that was killed right here
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES))
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            # Another process was quicker: its secret is the one that counts.
            pass
        finally:
            fresh.unlink()
    return read_secret(path)
