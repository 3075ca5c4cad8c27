"""Heads of columns that sort a list which the server keeps in order."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heads:
    """The order that a list is in; `-` before a column is descending."""

    sort: str

    def following(self, column: str) -> str:
        """Return the order that a click on a column's head asks for."""
        return f"-{column}" if self.sort == column else column

    def now(self, column: str) -> str:
        """Return how a column is sorted, as aria-sort says it; empty if it is not."""
        if self.sort == column:
            return "ascending"
        return "descending" if self.sort == f"-{column}" else ""
