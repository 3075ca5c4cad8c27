"""The lock of a base: which packages exactly, and where people fetch them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rattler import LockChannel, LockFile, LockPlatform, RepoDataRecord

from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.site.solving import PLATFORM

_ENVIRONMENT: Final = "default"


def to_mirror(records: Sequence[RepoDataRecord], channel: str) -> None:
    """Have packages come from the site's own channel."""
    for record in records:
        record.url = f"{channel}/{record.subdir}/{record.file_name}"
        record.channel = channel
        # When a channel was last indexed: it would make the same packages a new lock.
        record.indexed_timestamp = None


def write_lock(records: Sequence[RepoDataRecord], channel: str, path: Path) -> str:
    """Write the lock file and return its SHA-256."""
    platform = LockPlatform(PLATFORM)
    lock = LockFile([platform])
    lock.set_channels(_ENVIRONMENT, [LockChannel(channel)])
    for record in records:
        lock.add_conda_package(_ENVIRONMENT, platform, record)
    lock.to_path(path)
    return hash_of(path)


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_lock(path: Path) -> list[RepoDataRecord]:
    """Return the packages that a lock names."""
    try:
        return _records(LockFile.from_path(path))
    except Exception as error:  # rattler raises bare ones here
        raise BootstrapError(
            "lock", f"{path} cannot be read as a lock: {error}", "Build the base again."
        ) from error


def _records(lock: LockFile) -> list[RepoDataRecord]:
    environment = lock.environment(_ENVIRONMENT)
    if environment is None:
        raise ValueError(f"it has no environment {_ENVIRONMENT!r}")
    for platform in environment.platforms():
        if platform.name == PLATFORM:
            return environment.conda_repodata_records_for_platform(platform) or []
    raise ValueError(f"it has nothing for {PLATFORM}")


def explicit_list(records: Sequence[RepoDataRecord]) -> str:
    """Return what `conda create --file` takes: one address a line, with its MD5."""
    lines = [f"{record.url}#{(record.md5 or b'').hex()}" for record in records]
    head = [f"# platform: {PLATFORM}", "@EXPLICIT"]
    return "\n".join([*head, *lines, ""])
