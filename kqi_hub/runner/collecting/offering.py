"""Hand a folder of an output to the store: opened as the person, as descriptors.

The store takes what it reads from descriptors that the kernel let the person have, and
checks by the portal's ticket for which new data they are.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from kqi_hub.runner.collecting.cleaning import cleaned, is_clean
from kqi_hub.runner.collecting.held import (
    FOLDER,
    READ_FILE,
    Unfit,
    folder_below,
    names_in,
    own_folder,
)
from kqi_hub.runner.collecting.store_line import Refused, Silent, StoreLine

# Under the kernel's own limit of 253.
_MOST_AT_ONCE: Final = 100
_MOST_BYTES_AT_ONCE: Final = 64 * 1024 * 1024
_MOST_MISSES: Final = 50
_LONGEST_PATH: Final = 1024
_LONGEST_LINE: Final = 300
_DEEPEST: Final = 64
# The file's own fault: the others still go.
_OF_A_FILE: Final = frozenset({"invalid-input", "other-size", "path-taken"})

Names = tuple[str, ...]


class NoTimeLeft(Exception):
    """What is left is for a later call."""


@dataclass(slots=True)
class Told:
    """What became of the files so far."""

    files: int = 0
    bytes: int = 0
    reflink: int = 0
    copy: int = 0
    missed: list[dict[str, str]] = field(default_factory=list)
    misses: int = 0
    after: str = ""
    more: bool = False
    refused: dict[str, str] | None = None

    def miss(self, path: str, code: str, why: str) -> None:
        """Note a file that the store does not get."""
        self.misses += 1
        if len(self.missed) < _MOST_MISSES:
            path, why = cleaned(path, _LONGEST_LINE), cleaned(why, _LONGEST_LINE)
            self.missed.append({"path": path, "code": code, "message": why})


@dataclass(slots=True)
class _Batch:
    """Files on their way."""

    line: StoreLine
    told: Told
    waiting: list[tuple[str, int]] = field(default_factory=list)
    bytes: int = 0

    def add(self, path: str, file: int) -> None:
        self.waiting.append((path, file))
        self.bytes += os.fstat(file).st_size
        if len(self.waiting) == _MOST_AT_ONCE or self.bytes >= _MOST_BYTES_AT_ONCE:
            self.send()

    def send(self) -> None:
        waiting, self.waiting, self.bytes = self.waiting, [], 0
        try:
            self._send(waiting)
            if waiting:
                self.told.after = waiting[-1][0]
        finally:
            _close(waiting)

    def close(self) -> None:
        _close(self.waiting)

    def _send(self, files: list[tuple[str, int]]) -> None:
        if not files:
            return
        paths = [{"path": path} for path, _ in files]
        try:
            said = self.line.ask({"files": paths}, [file for _, file in files])
        except Refused as refused:
            if refused.code not in _OF_A_FILE:
                raise
            if len(files) == 1:
                self.told.miss(files[0][0], refused.code, refused.message)
                return
            for one in files:
                self._send([one])
            return
        self.told.files += int(said["taken"])
        self.told.bytes += int(said["bytes"])
        self.told.reflink += int(said["how"].get("reflink", 0))
        self.told.copy += int(said["how"].get("copy", 0))


def offered(place: str, order: dict[str, Any], store: str, until: float) -> Told:
    """Offer every file below a folder of the output, in the order of their paths."""
    told = Told(after=order.get("after", ""))
    try:
        with ExitStack() as stack:
            names = [*order["folder"].split("/"), "output"]
            output = stack.enter_context(folder_below(place, names))
            top = own_folder(output, order["name"])
            stack.callback(os.close, top)
            line = StoreLine(store, until)
            stack.callback(line.close)
            line.ask({"verb": "offer", "ticket": order["ticket"]})
            _offer_all(stack, line, top, told, until)
    except (NoTimeLeft, Silent):
        told.more = True
    except Refused as refused:
        message = cleaned(refused.message, _LONGEST_LINE)
        told.refused = {"code": cleaned(refused.code, 50), "message": message}
    except (FileNotFoundError, Unfit) as error:
        why = cleaned(str(error), _LONGEST_LINE)
        told.refused = {"code": "not-found", "message": why}
    return told


def _offer_all(
    stack: ExitStack, line: StoreLine, top: int, told: Told, until: float
) -> None:
    batch = _Batch(line, told)
    stack.callback(batch.close)
    after = tuple(told.after.split("/")) if told.after else ()
    for names, folder in _files(top, (), after, told):
        if time.monotonic() > until:
            raise NoTimeLeft
        path = "/".join(names)
        try:
            file = _opened(folder, names[-1])
        except OSError as error:
            told.miss(path, "not-permitted", error.strerror or "It cannot be read.")
            continue
        except Unfit as unfit:
            told.miss(path, "not-regular", str(unfit))
            continue
        batch.add(path, file)
    batch.send()


def _files(
    folder: int, above: Names, after: Names, told: Told
) -> Iterator[tuple[Names, int]]:
    """Yield what is no folder, sorted; what comes up to `after` was there before."""
    for name in sorted(names_in(folder)):
        names = (*above, name)
        if names < after[: len(names)] or names == after:
            continue
        if why := _unfit(names):
            told.miss("/".join(names), "name", f"Its path has {why}: rename it.")
            continue
        try:
            info = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISDIR(info.st_mode):
                yield names, folder
                continue
            own = os.open(name, FOLDER, dir_fd=folder)
        except OSError as error:
            told.miss("/".join(names), "not-permitted", error.strerror or "unreadable")
            continue
        try:
            yield from _files(own, names, after, told)
        finally:
            os.close(own)


def _opened(folder: int, name: str) -> int:
    try:
        file = os.open(name, READ_FILE, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Unfit("Links are not taken; a copy would be.") from error
        raise
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise Unfit("Only regular files have content.")


def _unfit(names: Names) -> str:
    """Return what the store would have against a path; as domain/data_paths.py."""
    if len(names) > _DEEPEST:
        return f"more than {_DEEPEST} folders"
    path = "/".join(names)
    if not is_clean(path):
        return "a control character or bytes that are no UTF-8"
    if len(path.encode()) > _LONGEST_PATH:
        return f"more than {_LONGEST_PATH} bytes"
    return ""


def _close(files: list[tuple[str, int]]) -> None:
    while files:
        os.close(files.pop()[1])
