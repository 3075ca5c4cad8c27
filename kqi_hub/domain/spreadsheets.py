"""Tables as files that spreadsheets open: CSV as RFC 4180 has it, in UTF-8 with a BOM.

Without the BOM a spreadsheet takes Japanese and Korean names for something else.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

BOM: Final = "\ufeff"
# A cell that begins so is a formula to a spreadsheet, and names are people's to choose.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | Decimal | None


def document(
    heads: Sequence[str], rows: Iterable[Sequence[Cell]], with_heads: bool = True
) -> str:
    """Return the file's text; numbers stay numbers, texts are never formulas."""
    out = io.StringIO()
    out.write(BOM)
    writer = csv.writer(out, lineterminator="\r\n")
    if with_heads:
        writer.writerow([_plain(head) for head in heads])
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return out.getvalue()


def exact(micro: int) -> Decimal:
    """Return millionths as a number of whole units, with every digit."""
    return Decimal(micro).scaleb(-6)


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        # Never 1E-6.
        return f"{cell:f}"
    if not isinstance(cell, str):
        return str(cell)
    # Names of jobs are bytes; what is no text cannot be written as UTF-8.
    text = cell.encode("utf-8", "replace").decode().replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) else text
