"""Plain columns for a terminal or a pipe, safe for whatever a name contains."""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

GAP = "  "


def printable(text: str) -> str:
    """Replace what could move the cursor or colour the screen of who reads it."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def columns(
    head: Sequence[str], rows: Sequence[Sequence[str]], widest: int = 40
) -> str:
    """Return aligned lines; long cells are cut, except in the last column."""
    clean = [list(head), *([printable(cell) for cell in row] for row in rows)]
    last = len(head) - 1
    widths = [
        min(widest, max(cell_len(row[place]) for row in clean)) for place in range(last)
    ]
    return "\n".join(_line(row, widths) for row in clean)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [_fit(cell, width) for cell, width in zip(row[:-1], widths, strict=True)]
    return GAP.join([*cells, row[-1]]).rstrip()


def _fit(cell: str, width: int) -> str:
    if cell_len(cell) > width:
        return set_cell_size(cell, width - 1) + "…"
    return set_cell_size(cell, width)
