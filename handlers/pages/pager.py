"""Where a list that is shown in pages stands, and the pages beside it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pager:
    """The part of a list that is shown, and the pages beside it; 0 is none."""

    shown: str
    previous: int
    following: int

    @classmethod
    def of(cls, number: int, per_page: int, total: int) -> "Pager":
        """Return where page `number` of a list stands."""
        first = (number - 1) * per_page + 1
        last = min(number * per_page, total)
        return cls(f"{first}-{last}", number - 1, 0 if last >= total else number + 1)


def last_page(total: int, per_page: int) -> int:
    """Return the number of the last page; an empty list has one, too."""
    return max(1, -(-total // per_page))
