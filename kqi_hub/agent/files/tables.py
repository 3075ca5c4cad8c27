"""Rows of a CSV or TSV file out of a piece of its text."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

MOST_ROWS: Final = 200
_MOST_CELLS: Final = 200
_LONGEST_CELL: Final = 1000
_DELIMITERS: Final = (",", "\t", ";", "|")


def table_fields(piece: Mapping[str, Any], is_end: bool) -> Mapping[str, Any]:
    """Return whole rows; `to` is where the next ones begin."""
    text = str(piece["text"])
    delimiter = _delimiter(text)
    # Of damaged text nobody can say where a row began: the piece is shown whole.
    most = len(text) if piece["damaged"] else MOST_ROWS
    rows, taken = _rows(text, delimiter, most, is_end or piece["damaged"])
    rest = text[taken:] if rows else ""
    return {
        **{name: value for name, value in piece.items() if name != "text"},
        "to": int(piece["to"]) - len(rest.encode(str(piece["encoding"]), "replace")),
        "rows": rows,
        "delimiter": delimiter,
    }


def _rows(
    text: str, delimiter: str, most: int, is_end: bool
) -> tuple[list[list[str]], int]:
    """Return rows, and how many characters they were; half a row is left out."""
    lines = _Lines(text)
    rows: list[list[str]] = []
    taken = 0
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            if lines.at_end and rows and not is_end and not text.endswith("\n"):
                break
            rows.append([cell[:_LONGEST_CELL] for cell in row[:_MOST_CELLS]])
            taken = lines.position
            if len(rows) == most:
                break
    except csv.Error:  # a NUL, or a cell of more than 128 KiB: shown up to there
        taken = taken if rows else len(text)
    return rows, taken


class _Lines(Iterator[str]):
    """Lines, and how many characters of the text they were."""

    def __init__(self, text: str) -> None:
        self._lines = list(io.StringIO(text, newline=""))
        self._next = 0
        self.position = 0

    @property
    def at_end(self) -> bool:
        """Tell whether the last line has been taken."""
        return self._next == len(self._lines)

    def __next__(self) -> str:
        if self.at_end:
            raise StopIteration
        line = self._lines[self._next]
        self._next += 1
        self.position += len(line)
        return line


def _delimiter(text: str) -> str:
    """Return what stands most often in the first line."""
    first = text[:10_000].split("\n", 1)[0]
    return max(_DELIMITERS, key=first.count)
