"""Names of files within a data item: what a tenant's other members can live with."""

import unicodedata
from typing import Final

from kqi_hub.domain.errors import InvalidInput

LONGEST_NAME: Final = 255
LONGEST_PATH: Final = 1024
DEEPEST: Final = 64


def checked_path(path: str) -> str:
    """Return a file's path within an item as it is, or say what is wrong with it."""
    names = path.split("/")
    if len(path.encode("utf-8", "surrogateescape")) > LONGEST_PATH:
        raise _refused(path, f"longer than {LONGEST_PATH} bytes")
    if len(names) > DEEPEST:
        raise _refused(path, f"more than {DEEPEST} folders deep")
    for name in names:
        _check(path, name)
    return path


def _check(path: str, name: str) -> None:
    if name in {"", ".", ".."}:
        raise _refused(path, "an empty name, `.` or `..` in it")
    if any(unicodedata.category(one) in {"Cc", "Cs"} for one in name):
        raise _refused(path, "a control character or bytes that are no UTF-8 in it")
    if len(name.encode()) > LONGEST_NAME:
        raise _refused(path, f"a name of more than {LONGEST_NAME} bytes in it")


def _refused(path: str, why: str) -> InvalidInput:
    shown = ascii(path if len(path) <= 100 else path[:100] + "…")
    return InvalidInput(
        "The file {path} cannot be kept: its path has {why}.",
        "Rename it and send it again.",
        path=shown,
        why=why,
    )
