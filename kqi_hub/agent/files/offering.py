"""Give files to the store by reference: opened as the person, passed as descriptors.

The store never opens a path of a person's, and takes what it reads from a descriptor
that the kernel let the person have. Nothing of the person's becomes the store's own.
"""

import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.leaving import Leaving
from kqi_hub.agent.files.names import travelling_path
from kqi_hub.agent.files.places import Place, found, require_inside
from kqi_hub.agent.files.store_line import Refused, StoreLine
from kqi_hub.agent.files.walking import READ_FILE, Missed, Seen, walk
from kqi_hub.agent.files.works import Work

# Under the kernel's own limit of 253, and far under what an agent may hold open.
_MOST_AT_ONCE: Final = 100
_MOST_BYTES_AT_ONCE: Final = 64 * 1024 * 1024
_LONGEST_PATH: Final = 1024
_LONGEST_NAME: Final = 255
_DEEPEST: Final = 64
_LOOK: Final = os.O_PATH | os.O_CLOEXEC
# The file's own fault: the others still go.
_OF_A_FILE: Final = frozenset({"invalid-input", "other-size", "path-taken"})


class Offer:
    """Files on their way to the store, some at a time."""

    def __init__(self, line: StoreLine, work: Work) -> None:
        self._line, self._work = line, work
        self._waiting: list[tuple[str, int]] = []
        self._bytes = 0
        work.result.update({"reflink": 0, "copy": 0})

    def add(self, path: str, file: int, size: int) -> None:
        """Take an open file over."""
        self._waiting.append((path, file))
        self._bytes += size
        if len(self._waiting) == _MOST_AT_ONCE or self._bytes >= _MOST_BYTES_AT_ONCE:
            self.send()

    def send(self) -> None:
        """Pass on what waits."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        try:
            self._send(waiting)
        finally:
            close_files(waiting)

    def close(self) -> None:
        """Let go of what was not passed on."""
        close_files(self._waiting)

    def _send(self, files: list[tuple[str, int]]) -> None:
        if not files:
            return
        try:
            said = self._line.ask(
                {"files": [{"path": path} for path, _ in files]},
                [file for _, file in files],
            )
        except Refused as refused:
            self._refused(files, refused)
            return
        self._work.done += int(said["taken"])
        self._work.bytes += int(said["bytes"])
        for how, count in said["how"].items():
            self._work.result[how] = self._work.result.get(how, 0) + int(count)

    def _refused(self, files: list[tuple[str, int]], refused: Refused) -> None:
        """Find the file that is at fault; anything else ends the offer."""
        if refused.code not in _OF_A_FILE:
            raise Problem(409, refused.code, refused.message) from refused
        if len(files) == 1:
            self._work.miss(files[0][0], refused.code, refused.message)
            return
        for one in files:
            self._send([one])


def offer(
    address: Path, ticket: str, base: Place, places: Sequence[Place], work: Work
) -> None:
    """Walk through places and offer every file in them. Blocks."""
    with ExitStack() as stack:
        line = StoreLine(address, work.leaving)
        stack.callback(line.close)
        try:
            line.ask({"verb": "offer", "ticket": ticket})
        except Refused as refused:
            raise Problem(403, refused.code, refused.message) from refused
        offering = Offer(line, work)
        stack.callback(offering.close)
        for place in places:
            _offer_place(offering, base, place, work)
        offering.send()


def _offer_place(offering: Offer, base: Place, place: Place, work: Work) -> None:
    above = place.names[len(base.names) : -1]
    for one in _seen(place, work.leaving):
        names = (*above, *one.names)
        if isinstance(one, Missed):
            work.miss(travelling_path(names), "not-permitted", one.why)
        elif not one.is_folder:
            _offer_one(offering, names, one, place, work)


def _seen(place: Place, leaving: Leaving) -> Iterator[Seen | Missed]:
    with found(place.folder) as held:
        yield from walk(held.place, place.names[-1], leaving)


def _offer_one(
    offering: Offer, names: tuple[str, ...], one: Seen, place: Place, work: Work
) -> None:
    path = travelling_path(names)
    if why := unfit(names):
        work.miss(path, "name", f"Its path has {why}: rename it.")
        return
    try:
        file = _opened(one, place)
    except OSError as error:
        work.miss(path, "not-permitted", error.strerror or "It cannot be read.")
        return
    except Problem as problem:
        work.miss(path, problem.code, problem.message)
        return
    offering.add("/".join(names), file, os.fstat(file).st_size)


def _opened(one: Seen, place: Place) -> int:
    """Open a regular file, also the one that a link leads to, if that is allowed."""
    how = _LOOK if stat.S_ISLNK(one.info.st_mode) else _LOOK | os.O_NOFOLLOW
    looked = os.open(one.names[-1], how, dir_fd=one.folder)
    try:
        here = f"/proc/self/fd/{looked}"
        require_inside(str(Path(here).readlink()), place.allowed)
        if not stat.S_ISREG(os.fstat(looked).st_mode):
            raise Problem(403, "not-regular", "Only regular files have content.")
        return os.open(here, READ_FILE & ~os.O_NOFOLLOW)
    finally:
        os.close(looked)


def unfit(names: tuple[str, ...]) -> str:
    """Return what the store would have against a path; as domain/data_paths.py."""
    path = "/".join(names)
    if len(os.fsencode(path)) > _LONGEST_PATH:
        return f"more than {_LONGEST_PATH} bytes"
    if len(names) > _DEEPEST:
        return f"more than {_DEEPEST} folders"
    if any(unicodedata.category(one) in {"Cc", "Cs"} for one in path):
        return "a control character or bytes that are no UTF-8"
    if any(len(os.fsencode(name)) > _LONGEST_NAME for name in names):
        return f"a name of more than {_LONGEST_NAME} bytes"
    return ""


def close_files(files: list[tuple[str, int]]) -> None:
    """Close open files and forget them."""
    while files:
        os.close(files.pop()[1])
