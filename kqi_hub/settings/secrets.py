"""Read secrets from files that nobody else can read or swap.

The way to the file is walked folder by folder without following symbolic links, and
each folder must be one that only root or we can change: so what is judged is what is
read, and nobody can lead us to another file meanwhile.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.field import about_of
from kqi_hub.settings.model import Settings

_LARGEST: Final = 64 * 1024
_ROOT: Final = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the secret: the process itself, unless a test says otherwise."""

    uid: int = field(default_factory=os.geteuid)
    groups: frozenset[int] = field(
        default_factory=lambda: frozenset((os.getegid(), *os.getgroups()))
    )


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A setting that names a secret's file."""

    key: str
    path: Path
    lines: bool = False


def secret_files(settings: Settings) -> Iterator[SecretFile]:
    """Name every file that the settings expect a secret in."""
    for table_field in fields(settings):
        table = getattr(settings, table_field.name)
        if table is None or isinstance(table, tuple):
            continue  # tables that are there many times hold no secrets' files
        for setting in fields(table):
            path = getattr(table, setting.name)
            said = about_of(setting)
            if said.secret_file and path is not None:
                key = f"{table_field.name}.{setting.name}"
                yield SecretFile(key, path, said.lines)


def check_secret(secret: SecretFile) -> None:
    """Read a secret as the services will; raise SettingsError as `read_secret` does."""
    if secret.lines:
        read_secret_lines(secret.path)
    else:
        read_secret(secret.path)


def read_secret(path: Path, reader: Reader | None = None) -> str:
    """Return the secret in a file, its final newline taken off.

    Raises SettingsError when the file is missing, empty, no text, larger than
    64 KiB, or open to anybody but root, the reader and (root's file) its group.
    """
    text = _read(path, reader or Reader())
    if not text or "\n" in text:
        raise _refused(path, "it must hold one line with the secret")
    return text


def read_secret_lines(path: Path, reader: Reader | None = None) -> tuple[str, ...]:
    """Return the lines of a file with several secrets; otherwise as `read_secret`."""
    lines = tuple(_read(path, reader or Reader()).split("\n"))
    if not lines or not all(lines):
        raise _refused(path, "it must hold one secret a line, and no empty line")
    return lines


def _read(path: Path, reader: Reader) -> str:
    try:
        with _opened(path, reader) as descriptor:
            _judge_file(path, os.fstat(descriptor), reader)
            return _text(path, os.read(descriptor, _LARGEST + 1))
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no secret file {path}.", "Create it, mode 0600."
        ) from error
    except PermissionError as error:
        raise _refused(
            path,
            "we may not read it",
            f"Run as the service user, or: chown root:SERVICE_GROUP {path} "
            f"&& chmod 0640 {path}",
        ) from error


@contextmanager
def _opened(path: Path, reader: Reader) -> Iterator[int]:
    folder = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for depth, name in enumerate(path.parts[1:-1], start=2):
            step = _step(path, name, folder, os.O_PATH | os.O_DIRECTORY)
            os.close(folder)
            folder = step
            _judge_folder(path, Path(*path.parts[:depth]), os.fstat(folder), reader)
        # O_NONBLOCK: a FIFO in the file's place must not hang us.
        descriptor = _step(path, path.name, folder, os.O_RDONLY | os.O_NONBLOCK)
    finally:
        os.close(folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _step(path: Path, name: str, folder: int, flags: int) -> int:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        raise _refused(
            path,
            f"{name} is a symbolic link",
            f"Give the real path, as `readlink -f {path}` prints it.",
        )
    # The check above is for the message; O_NOFOLLOW is what holds.
    try:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except NotADirectoryError as error:
        raise _refused(path, f"{name} is not a folder") from error


def _judge_folder(
    path: Path, folder: Path, status: os.stat_result, reader: Reader
) -> None:
    if status.st_uid not in (_ROOT, reader.uid):
        raise _refused(path, f"the folder {folder} belongs to somebody else")
    shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if shared and not status.st_mode & stat.S_ISVTX:
        raise _refused(
            path,
            f"others may write in the folder {folder}",
            f"Run: chmod go-w {folder}",
        )


def _judge_file(path: Path, status: os.stat_result, reader: Reader) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _refused(path, "it is not a regular file")
    if status.st_uid not in (_ROOT, reader.uid):
        raise _refused(path, "it belongs to neither root nor the service user")
    allowed = 0
    if status.st_uid == _ROOT and status.st_gid in reader.groups:
        allowed = stat.S_IRGRP
    if stat.S_IMODE(status.st_mode) & 0o077 & ~allowed:
        raise _refused(
            path,
            f"others may open it (mode {stat.S_IMODE(status.st_mode):04o})",
            f"Run: chmod 0600 {path} (0640 when root owns it and its group is the "
            "service's), and change the secret: it may have been read.",
        )


def _text(path: Path, data: bytes) -> str:
    if len(data) > _LARGEST:
        raise _refused(path, "it is larger than 64 KiB, which no secret is")
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        # Not chained: the decoder's message repeats bytes of the secret.
        raise _refused(path, "it is not UTF-8 text") from None
    if "\0" in text:
        raise _refused(path, "it must hold one line with the secret")
    return text


def _refused(path: Path, why: str, hint: str = "") -> SettingsError:
    return SettingsError(f"The secret file {path} is refused: {why}.", hint)
