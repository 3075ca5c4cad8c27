"""Small text files as a whole: read to be edited, and put in place of what was read."""

import errno
import os
import secrets
import stat
from contextlib import suppress
from typing import Any, Final

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.changing import changing, like_folder
from kqi_hub.agent.files.places import Found, Place, opened_file, version_of
from kqi_hub.agent.files.renaming import rename_new

MOST_BYTES: Final = 1024 * 1024
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_text(place: Place) -> dict[str, Any]:
    """Return a whole text and which edition of the file it is. Blocks."""
    with opened_file(place) as (file, held):
        if held.info.st_size > MOST_BYTES:
            raise Problem(
                413, "too-large",
                f"Files of more than {MOST_BYTES >> 10} KiB are not edited here.",
            )  # fmt: skip
        raw = os.pread(file, MOST_BYTES, 0)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Problem(
            409, "not-text", "This is no text in UTF-8: it is not edited here."
        )
    return {"text": text, "size": len(raw), "version": held.version}


def write_text(place: Place, raw: bytes, version: str | None) -> dict[str, Any]:
    """Replace what has that version, or make a new file; return its version. Blocks.

    The new text is complete on the disk before it takes the place of the old one.
    """
    _refuse_no_text(raw)
    if version is None:
        return _replaced(place, raw, None)
    with opened_file(place) as (_, held):
        if held.version != version:
            raise Problem(
                412, "changed", "It was changed meanwhile: look at it again.",
                version=held.version,
            )  # fmt: skip
        # The file itself, should a link lead to it.
        top = os.path.realpath(place.root.folder)
        if not held.real.startswith(f"{top}/"):
            raise Problem(403, "outside", "The link leads out of what you may change.")
        names = tuple(held.real[len(top) + 1 :].split("/"))
        real = Place(place.root, names, place.allowed)
        return _replaced(real, raw, held)


def _refuse_no_text(raw: bytes) -> None:
    if len(raw) > MOST_BYTES:
        raise Problem(413, "too-large", f"A text has {MOST_BYTES >> 10} KiB at most.")
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise Problem(400, "invalid-input", "The text must be UTF-8.") from None


def _replaced(place: Place, raw: bytes, old: Found | None) -> dict[str, Any]:
    place.require_name()
    beside = f".{secrets.token_hex(8)}.kqi-part"
    with changing(place.folder) as folder:
        file = os.open(beside, _NEW, 0o600, dir_fd=folder)
        try:
            _fill(file, raw, folder, old)
            _put_in_place(folder, beside, place.names[-1], is_new=old is None)
            return {"version": version_of(os.fstat(file)), "size": len(raw)}
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(beside, dir_fd=folder)
            raise
        finally:
            os.close(file)


def _fill(file: int, raw: bytes, folder: int, old: Found | None) -> None:
    left = memoryview(raw)
    while left:
        left = left[os.write(file, left) :]
    if old is None:
        os.fchmod(file, like_folder(os.fstat(folder)) & 0o666)
    else:
        with suppress(PermissionError):
            os.fchown(file, -1, old.info.st_gid)
        os.fchmod(file, stat.S_IMODE(old.info.st_mode) & 0o777)
    os.fsync(file)


def _put_in_place(folder: int, beside: str, name: str, is_new: bool) -> None:
    if not is_new:
        os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    try:
        rename_new(folder, beside, folder, name)
    except FileExistsError:
        raise Problem(409, "exists", "A file of this name is there already.") from None
    except OSError as error:
        if error.errno == errno.EISDIR:
            raise Problem(409, "exists", "A folder has this name.") from None
        raise
