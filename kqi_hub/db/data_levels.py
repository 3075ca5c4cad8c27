"""What lies directly in a folder of a data item, without reading what lies deeper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, select

from kqi_hub.db.data_rows import FILES
from kqi_hub.domain.data_item_ports import Entry

# So many rows are read at once; fewer where they were all in one folder below.
_MOST: Final = 500
_FEWEST: Final = 2
# The character after the slash: the first that sorts behind everything in a folder.
_BEHIND: Final = "0"
_F: Final = FILES.c


def level_of(
    connection: Connection,
    data_id: int,
    version: int,
    folder: str,
    after: str,
    limit: int,
) -> tuple[Entry, ...]:
    """Return a page of a folder's entries in the order of their paths."""
    inside = f"{folder}/" if folder else ""
    walk = _Walk(connection, data_id, version, inside)
    begin = walk.place_after(after) if after else _Place(inside)
    found = []
    for entry in walk.entries(begin):
        found.append(entry)
        if len(found) == limit:
            break
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to go on: behind a path, or with it if there is such a file."""

    path: str
    is_with: bool = False


class _Walk:
    """A way through the files in the order of their paths, leaping over folders."""

    def __init__(
        self, connection: Connection, data_id: int, version: int, inside: str
    ) -> None:
        self._connection = connection
        self._inside = inside
        self._query: Select[Any] = (
            select(FILES)
            .where(_F.data_id == data_id, _F.version <= version)
            .order_by(_F.path)
        )
        if inside:
            end = inside[:-1] + _BEHIND
            self._query = self._query.where(_F.path < end)

    def place_after(self, name: str) -> _Place:
        """Return where to go on behind an entry."""
        path = self._inside + name
        is_file = self._connection.execute(self._query.where(_F.path == path)).first()
        return _Place(path) if is_file is not None else _behind(path)

    def entries(self, place: _Place) -> Iterator[Entry]:
        """Yield entries from a place on."""
        size = _MOST
        while rows := self._rows(place, size):
            folder = ""
            for row in rows:
                if folder and row.path.startswith(folder):
                    continue
                name, deeper, _ = row.path.removeprefix(self._inside).partition("/")
                folder = f"{self._inside}{name}/" if deeper else ""
                yield _folder(name) if deeper else _file(name, row)
            place = _behind(folder[:-1]) if folder else _Place(rows[-1].path)
            is_wasted = bool(folder) and rows[0].path.startswith(folder)
            size = max(_FEWEST, size // 8) if is_wasted else min(_MOST, size * 4)

    def _rows(self, place: _Place, size: int) -> Sequence[Row[Any]]:
        is_on = _F.path >= place.path if place.is_with else _F.path > place.path
        return self._connection.execute(self._query.where(is_on).limit(size)).all()


def _behind(folder: str) -> _Place:
    # The successor of a folder may itself be a file's path.
    return _Place(folder + _BEHIND, is_with=True)


def _folder(name: str) -> Entry:
    return Entry(name, is_folder=True)


def _file(name: str, row: Row[Any]) -> Entry:
    return Entry(name, is_folder=False, size=row.size, sha256=row.sha256)
