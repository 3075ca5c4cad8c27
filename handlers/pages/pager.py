"""Where a list that is shown in pages stands, and the pages beside it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar


class Counted(Protocol):
    """A page of a list that knows how many there are on all pages."""

    @property
    def total(self) -> int | None:
        """Return how many there are; None where nobody has counted."""


P = TypeVar("P", bound=Counted)


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


async def page_within(
    number: int, per_page: int, read: Callable[[int], Awaitable[P]]
) -> tuple[P, Pager]:
    """Read a page, or the last one where the list has become shorter."""
    found = await read(number)
    last = last_page(found.total or 0, per_page)
    if number > last:
        number, found = last, await read(last)
    return found, Pager.of(number, per_page, found.total or 0)
