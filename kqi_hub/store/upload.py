"""One upload: files that come in any order, over several connections, with cuts.

What is whole is linked among the contents and noted in the list; nothing of it shows
outside before it is published. Every method may be called from any thread.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.domain.data import StoredFile
from kqi_hub.domain.data_paths import checked_path
from kqi_hub.domain.tickets import Ticket
from kqi_hub.store.admission import (
    check_among,
    check_amount,
    check_free,
    other_size,
)
from kqi_hub.store.contents import Contents
from kqi_hub.store.errors import (
    UploadOver,
    telling_full_disk,
)
from kqi_hub.store.file_list import FileList, Row, Totals, last_change
from kqi_hub.store.part import Part
from kqi_hub.store.small_files import keep

OPEN: Final = "open"
PUBLISHING: Final = "publishing"
PUBLISHED: Final = "published"
# Files lie in folders of this many: creating files in one folder is done in turn.
_TOGETHER: Final = 4096
_MOST_PARTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is; bytes of files that are not whole count too."""

    files: int
    bytes: int
    last_at: float


class Upload:
    """What came for one key."""

    def __init__(self, folder: Path, contents: Contents, person: str) -> None:
        self.folder, self._contents = folder, contents
        self._open_list: FileList | None = FileList(folder)
        self.person = self._list.fact("person") or person
        if not self._list.fact("person") and person:
            self._list.note(person=person)
        self._lock = threading.RLock()
        self._parts: OrderedDict[str, Part] = OrderedDict()
        self._next = self._list.next_number()
        self._whole, self._begun = self._list.totals()
        self._partial = self._bytes_of_parts()
        self._last_at = last_change(folder)
        self._made: set[int] = set()
        self._state = self._list.fact("state") or OPEN

    def close(self) -> None:
        """Let go of the list."""
        with self._lock:
            self._list.close()
            self._open_list = None

    @property
    def _list(self) -> FileList:
        if self._open_list is None:
            raise UploadOver("This upload was dropped meanwhile.")
        return self._open_list

    @property
    def state(self) -> str:
        """Return how far it is."""
        return self._state

    @property
    def progress(self) -> Progress:
        """Return what came, and when the last of it did."""
        with self._lock:
            parts = sum(one.offset for one in self._parts.values())
            known = self._whole.bytes + self._partial + parts
            return Progress(self._whole.files, known, self._last_at)

    @property
    def whole(self) -> Totals:
        """Return what is whole."""
        with self._lock:
            return self._whole

    def known(self, files: Sequence[tuple[str, int]]) -> list[tuple[str, int, bool]]:
        """Return path, safe bytes and whether it is whole, of those that are known."""
        with self._lock:
            rows = self._list.find([checked_path(path) for path, _ in files])
            found = []
            for path, size in files:
                row = rows.get(path)
                if row is None:
                    continue
                if row.size != size:
                    raise other_size(path, row.size)
                done = row.sha256 is not None
                found.append((path, size if done else self._offset(row), done))
            return found

    def begin(
        self, ticket: Ticket, path: str, size: int, offset: int | None, sender: object
    ) -> Part | str:
        """Return the part that goes on at this offset, or the hash of a whole file.

        Without an offset what came before of it is thrown away.
        """
        with self._lock:
            self._check_open()
            row = self._list.find([checked_path(path)]).get(path)
            if row is None:
                row = self._new_row(ticket, path, size)
            if row.size != size:
                raise other_size(path, row.size)
            if row.sha256 is not None:
                return row.sha256
            part = self._part(row)
        part.begin(sender, offset)
        return part

    def finish(self, path: str, part: Part, sender: object) -> str | None:
        """Note a file whose last byte has come and return its hash; None before."""
        sha256 = part.finish(sender)
        with self._lock:
            self._last_at = time.time()
            if sha256 is None:
                return None
            known = self._list  # of a dropped upload nothing is kept any more
            if part.size:
                self._contents.take(str(part.path), sha256, part.size)
            known.add([Row(path, part.number, part.size, sha256)])
            self._parts.pop(path, None)
            self._whole = _more(self._whole, 1, part.size)
        return sha256

    def put(self, ticket: Ticket, files: Sequence[tuple[str, bytes]]) -> int:
        """Take small whole files and return how many of them are new."""
        with self._lock:
            self._check_open()
            fresh = self._fresh(ticket, files)
            first = self._next
            self._next += len(fresh)
        rows: list[Row] = []
        try:
            for place, (path, data) in enumerate(fresh):
                number = first + place
                sha256 = keep(self._contents, str(self._place(number)), data)
                rows.append(Row(path, number, len(data), sha256))
        finally:
            # Also those before a disk that became full.
            taken = self._keep(rows)
        return taken

    def uploaded(self, after: str, limit: int) -> tuple[StoredFile, ...]:
        """Return whole files in the order of their paths, a page."""
        with self._lock:
            return self._list.page(after, limit)

    def rows(self) -> Iterator[Row]:
        """Yield all whole files in the order of their paths."""
        after = ""
        while True:
            with self._lock:
                page = self._list.rows(after, 5000)
            yield from page
            if len(page) < 5000:
                return
            after = page[-1].path

    def cut(self, limit: int) -> list[str]:
        """Return paths of files that are not whole."""
        with self._lock:
            return [row.path for row in self._list.cut(limit)]

    def set_state(self, state: str, **facts: str) -> None:
        """Note how far it is."""
        with self._lock:
            self._list.note(state=state, **facts)
            self._state = state

    def fact(self, name: str) -> str:
        """Return what was noted."""
        with self._lock:
            return self._list.fact(name)

    def unmake(self, rows: Sequence[Row]) -> None:
        """Take back that files are whole: their bytes went with the power."""
        with self._lock:
            self._list.add([Row(one.path, one.number, one.size, None) for one in rows])
            self._whole, self._begun = self._list.totals()
            self._partial = self._bytes_of_parts()

    def path_of(self, number: int) -> Path:
        """Return where the content of a file lies."""
        return self.folder / str(number // _TOGETHER) / str(number)

    def _check_open(self) -> None:
        if self._open_list is None or self.state != OPEN:
            raise UploadOver(
                "This upload takes nothing any more: it is published, or about to be.",
                "For more files, ask the portal for another upload of the data.",
            )

    def _part(self, row: Row) -> Part:
        part = self._parts.get(row.path)
        if part is None:
            self._make_room_for_parts()
            part = Part(self._place(row.number), row.number, row.size)
            self._partial -= _size_of(part.path)
            self._parts[row.path] = part
        self._parts.move_to_end(row.path)
        return part

    def _make_room_for_parts(self) -> None:
        """Forget hashes of the parts that waited longest: they can be read again."""
        for path, part in list(self._parts.items()):
            if len(self._parts) < _MOST_PARTS:
                return
            if part.is_idle:
                self._partial += part.offset
                del self._parts[path]

    def _offset(self, row: Row) -> int:
        part = self._parts.get(row.path)
        if part is not None and part.offset:
            return part.offset
        return min(_size_of(self.path_of(row.number)), row.size)

    def _bytes_of_parts(self) -> int:
        return sum(self._offset(row) for row in self._list.cut())

    def _new_row(self, ticket: Ticket, path: str, size: int) -> Row:
        check_free(self._list, path)
        check_amount(ticket, self._begun, 1, size)
        row = Row(path, self._next, size, None)
        # A killed process may have left a small file there, a link to a content.
        self.path_of(row.number).unlink(missing_ok=True)
        self._list.add([row])
        self._next += 1
        self._begun = _more(self._begun, 1, size)
        return row

    def _fresh(
        self, ticket: Ticket, files: Sequence[tuple[str, bytes]]
    ) -> list[tuple[str, bytes]]:
        """Return those that are not here yet, each path once; refuse what cannot be."""
        known = self._list.find([checked_path(path) for path, _ in files])
        fresh: dict[str, bytes] = {}
        size = number = 0
        for path, data in files:
            row = known.get(path)
            seen = row.size if row is not None else len(fresh.get(path, data))
            if seen != len(data):
                raise other_size(path, seen)
            if path in fresh or (row is not None and row.sha256 is not None):
                continue
            if row is None:
                check_free(self._list, path)
                number, size = number + 1, size + len(data)
            fresh[path] = data
        check_among(fresh)
        check_amount(ticket, self._begun, number, size)
        return list(fresh.items())

    def _keep(self, rows: Sequence[Row]) -> int:
        try:
            with self._lock:
                self._check_open()
                return self._note(rows)
        except BaseException:
            for row in rows:
                self.path_of(row.number).unlink(missing_ok=True)
            raise

    def _note(self, rows: Sequence[Row]) -> int:
        """Add whole files to the list; those that another connection added are not."""
        known = self._list.find([row.path for row in rows])
        added, fresh = [], []
        for row in rows:
            old = known.get(row.path)
            if old is not None and old.sha256 is not None:
                continue
            added.append(row)
            if old is None:
                fresh.append(row)
            else:
                self._parts.pop(row.path, None)
        self._list.add(added)
        self._whole = _more(self._whole, len(added), sum(row.size for row in added))
        self._begun = _more(self._begun, len(fresh), sum(row.size for row in fresh))
        self._last_at = time.time()
        return len(added)

    def _place(self, number: int) -> Path:
        shelf = number // _TOGETHER
        if shelf not in self._made:
            with telling_full_disk():
                (self.folder / str(shelf)).mkdir(mode=0o700, exist_ok=True)
            self._made.add(shelf)
        return self.path_of(number)


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _more(totals: Totals, files: int, size: int) -> Totals:
    return Totals(totals.files + files, totals.bytes + size)
