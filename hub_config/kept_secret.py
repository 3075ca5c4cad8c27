"""Secrets between our own processes: made when first needed, kept, never typed."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Final

from kqi_hub.settings.secrets import read_secret

_BYTES: Final = 32


def kept_secret(path: Path) -> str:
    """Return the secret in a file, made if it is not there.

    Processes that start at once end up with the same one. Raises SettingsError when
    what is there cannot be trusted, such as a symbolic link.
    """
    if not os.path.lexists(path):
        _make(path)
    return read_secret(path)


def _make(path: Path) -> None:
    """Put a fresh secret there, whole from the first moment, unless one came first."""
    descriptor, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())  # a power cut must not leave an empty one
        # Another process was quicker: its secret is the one that counts.
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink()
