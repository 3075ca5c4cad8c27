"""Which files of this machine go into an upload, and under which paths."""

import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.sdk.errors import PortalError

_SHOWN: Final = 5
_UNKEEPABLE: Final = {"Cc", "Cs"}
Source = str | os.PathLike[str]


class BadSource(PortalError):
    """Something here cannot be sent as it is; nothing has been sent yet."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One file here, its path within the item, and its size."""

    source: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How much there is to send; `skipped` are FIFOs, sockets and devices."""

    files: int
    bytes: int
    skipped: tuple[str, ...] = field(default=())


def count(sources: Sequence[Source]) -> Counted:
    """Return how much there is below the sources; BadSource if something is wrong.

    Two files for one path are noticed between sources; below one there are none.
    """
    _check_tops(sources)
    files = size = 0
    skipped: list[str] = []
    for one in walk(sources, skipped):
        _check_text(one.path)
        files, size = files + 1, size + one.size
    if not files:
        shown = ", ".join(map(str, sources[:_SHOWN]))
        raise BadSource(f"There is no file in {shown}.", "Name files or folders.")
    return Counted(files, size, tuple(skipped))


def walk(
    sources: Iterable[Source], skipped: list[str] | None = None
) -> Iterator[LocalFile]:
    """Yield the files below the sources, the same order each time; links are followed.

    A folder keeps its name; of one with a slash at the end (which a `Path` cannot
    have) what is in it is taken.
    """
    odd: list[str] = [] if skipped is None else skipped
    for source in sources:
        text = os.fspath(source)
        yield from _found(text, top_name(text), (), odd)


def top_name(text: str) -> str:
    """Return the name that a source has in the item; empty: its content only."""
    if text in {".", ".."} or text.endswith(("/", "/.", "/..")):
        return ""
    return text.rpartition("/")[2]


def _found(
    source: str, path: str, above: tuple[tuple[int, int], ...], odd: list[str]
) -> Iterator[LocalFile]:
    try:
        about = os.stat(source)  # noqa: PTH116 - as text: 100,000 Path objects are slow
    except OSError as error:
        raise BadSource(
            f"{source} cannot be read: {error.strerror}.",
            "Nothing was sent. Take it away, or leave it out.",
        ) from error
    if stat.S_ISREG(about.st_mode):
        yield LocalFile(source, path, about.st_size)
    elif stat.S_ISDIR(about.st_mode):
        yield from _below(source, path, (*above, (about.st_dev, about.st_ino)), odd)
    else:
        odd.append(source)


def _below(
    source: str, path: str, chain: tuple[tuple[int, int], ...], odd: list[str]
) -> Iterator[LocalFile]:
    if chain[-1] in chain[:-1]:
        raise BadSource(
            f"{source} leads back to a folder above it.",
            "Nothing was sent. Take the link away, or leave it out.",
        )
    try:
        names = sorted(os.listdir(source))  # noqa: PTH208 - text, as above
    except OSError as error:
        raise BadSource(
            f"{source} cannot be read: {error.strerror}.",
            "Nothing was sent. Take it away, or leave it out.",
        ) from error
    for name in names:
        inner = f"{path}/{name}" if path else name
        yield from _found(f"{source.rstrip('/')}/{name}", inner, chain, odd)


def _check_tops(sources: Sequence[Source]) -> None:
    names = [top_name(os.fspath(one)) for one in sources]
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise BadSource(
            f"Two of the sources are called {twice[0]!r}.",
            "Upload the folder above them, or rename one.",
        )
    if names.count("") > 1 or ("" in names and len(names) > 1):
        raise BadSource(
            "The content of a folder is taken alone, or files could meet.",
            "Name the folders without a slash at the end.",
        )


def _check_text(path: str) -> None:
    if path.isprintable():
        return
    if any(unicodedata.category(one) in _UNKEEPABLE for one in path):
        raise BadSource(
            f"{path!a} has a control character in it, or is no UTF-8.",
            "Nothing was sent. Rename it.",
        )
