"""The list of an upload's files: a small database in the upload's own folder.

It is what makes an upload go on after kill -9: a row is written when its content is in
place, never before. Memory does not grow with the number of files.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.domain.data import StoredFile
from kqi_hub.store.errors import disk_full

NAME: Final = "files.sqlite"
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS file (
    path TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, size INTEGER NOT NULL,
    sha256 BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
# A checkpoint waits for the disk, in the middle of an upload: let it be rare. Nothing
# is lost by that: what the process wrote outlives the process.
_PAGES_BETWEEN_CHECKPOINTS: Final = 20_000
_PARTS: Final = 500
_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})


@dataclass(frozen=True, slots=True)
class Row:
    """A file of an upload; without a hash it is not whole yet."""

    path: str
    number: int
    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """How many files, and their bytes."""

    files: int
    bytes: int


class FileList:
    """One upload's list; one thread at a time."""

    def __init__(self, folder: Path) -> None:
        with _telling_full_disk():
            self._db = sqlite3.connect(
                folder / NAME, isolation_level=None, check_same_thread=False
            )
            self._db.executescript(
                # Nobody else opens it: no shared memory is needed beside it.
                "PRAGMA locking_mode=EXCLUSIVE;"
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                f"PRAGMA wal_autocheckpoint={_PAGES_BETWEEN_CHECKPOINTS};" + _TABLES
            )

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def fact(self, name: str) -> str:
        """Return what was noted under a name; empty if nothing was."""
        found = self._db.execute("SELECT value FROM fact WHERE name=?", (name,))
        row = found.fetchone()
        return "" if row is None else str(row[0])

    def note(self, **facts: str) -> None:
        """Note things under names."""
        with _telling_full_disk():
            self._db.executemany("REPLACE INTO fact VALUES (?, ?)", facts.items())

    def find(self, paths: Sequence[str]) -> dict[str, Row]:
        """Return what is known of these paths."""
        known = {}
        for first in range(0, len(paths), _PARTS):
            some = paths[first : first + _PARTS]
            marks = ",".join("?" * len(some))
            for row in self._rows(f"WHERE path IN ({marks})", some):
                known[row.path] = row
        return known

    def has_below(self, folder: str) -> bool:
        """Tell whether a file lies below this folder."""
        found = self._db.execute(
            "SELECT 1 FROM file WHERE path > ? AND path < ? LIMIT 1",
            (f"{folder}/", f"{folder}0"),
        )
        return found.fetchone() is not None

    def add(self, rows: Iterable[Row]) -> None:
        """Add files or replace what was said of them, all or none."""
        with _telling_full_disk(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "REPLACE INTO file VALUES (?, ?, ?, ?)",
                [(one.path, one.number, one.size, _packed(one.sha256)) for one in rows],
            )

    def next_number(self) -> int:
        """Return a number that no file has."""
        row = self._db.execute("SELECT max(number) FROM file").fetchone()
        return int(row[0] or 0) + 1

    def totals(self) -> tuple[Totals, Totals]:
        """Return what is whole, and everything that was begun."""
        counted = self._db.execute(
            "SELECT count(sha256), total(size) FILTER (WHERE sha256 IS NOT NULL),"
            " count(*), total(size) FROM file"
        ).fetchone()
        whole_files, whole_bytes, files, size = counted
        return Totals(whole_files, int(whole_bytes)), Totals(files, int(size))

    def cut(self, limit: int = -1) -> list[Row]:
        """Return files that are not whole yet."""
        return list(self._rows("WHERE sha256 IS NULL ORDER BY path LIMIT ?", [limit]))

    def page(self, after: str, limit: int) -> tuple[StoredFile, ...]:
        """Return whole files in the order of their paths."""
        return tuple(
            StoredFile(one.path, one.size, one.sha256 or "")
            for one in self.rows(after, limit)
        )

    def rows(self, after: str, limit: int) -> list[Row]:
        """Return whole files in the order of their paths, with their numbers."""
        where = "WHERE sha256 IS NOT NULL AND path > ? ORDER BY path LIMIT ?"
        return list(self._rows(where, [after, limit]))

    def _rows(self, where: str, values: Sequence[object]) -> Iterator[Row]:
        found = self._db.execute(
            f"SELECT path, number, size, sha256 FROM file {where}",  # noqa: S608  ours
            values,
        )
        for path, number, size, sha256 in found:
            yield Row(path, number, size, None if sha256 is None else sha256.hex())


def last_change(folder: Path) -> float:
    """Return when an upload's list last changed."""
    times = [0.0]
    for name in (NAME, f"{NAME}-wal"):
        try:
            times.append(os.stat(folder / name).st_mtime)
        except FileNotFoundError:
            continue
    return max(times)


def _packed(sha256: str | None) -> bytes | None:
    return None if sha256 is None else bytes.fromhex(sha256)


@contextmanager
def _telling_full_disk() -> Iterator[None]:
    """Turn SQLite's words for a full disk, or a used up quota, into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in _NO_ROOM:
            raise disk_full() from error
        raise
