"""Write the key file: made once, and replaced as a whole when keys change."""

import os
from collections.abc import Sequence
from pathlib import Path

from kqi_hub.domain.errors import Conflict, SettingsError


def create(path: Path, key: str) -> None:
    """Make the file with its first key; raise Conflict if it is there already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict(
            f"There is a key file {path} already.",
            "What it has encrypted would be lost. Run: kqi-hub keys rotate",
        ) from None
    except OSError as error:
        raise SettingsError(
            f"The key file {path} cannot be made: {error.strerror}.",
            f"The folder {path.parent} must exist and belong to the service user.",
        ) from error
    _write(descriptor, [key])


def replace(path: Path, keys: Sequence[str]) -> None:
    """Put other keys into the file; at no moment is there half a file, or none."""
    status = path.stat()
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, status.st_mode & 0o640)
    _write(descriptor, keys)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(descriptor: int, keys: Sequence[str]) -> None:
    with os.fdopen(descriptor, "w") as file:
        file.write("".join(f"{key}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
