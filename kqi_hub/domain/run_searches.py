"""Searches of lists of runs that a person keeps under a name (KX-40)."""

from dataclasses import dataclass
from typing import Final, Protocol

from kqi_hub.domain.errors import Conflict, InvalidInput
from kqi_hub.domain.one_line import is_one_line
from kqi_hub.domain.runs import RunKind

SHORTEST_NAME: Final = 4
LONGEST_NAME: Final = 60
MOST_SEARCHES: Final = 50


@dataclass(frozen=True, slots=True)
class RunSearch:
    """What a person looks for again; `query` as the list's own address has it."""

    name: str
    query: str


class RunSearchStore(Protocol):
    """Where searches are kept. Every method blocks: call it off the loop."""

    def searches(self, person: str, kind: RunKind) -> tuple[RunSearch, ...]:
        """Return a person's for one list, by name."""

    def keep(self, person: str, kind: RunKind, search: RunSearch, now: float) -> None:
        """Keep one, in place of another of its name; Conflict if there are too many."""

    def drop(self, person: str, kind: RunKind, name: str) -> None:
        """Forget one; one that is not there is no error."""


def checked_name(name: str) -> str:
    """Return a search's name, trimmed."""
    trimmed = name.strip()
    if len(trimmed) < SHORTEST_NAME or not is_one_line(trimmed, LONGEST_NAME):
        raise InvalidInput(
            "name: a search's name has {least} to {most} characters on one line.",
            "Choose a name such as failed this week.",
            least=SHORTEST_NAME,
            most=LONGEST_NAME,
        )
    return trimmed


def too_many_searches() -> Conflict:
    """Return the error of one more than a person may have."""
    return Conflict(
        "You keep as many searches of this list as one may: {most}.",
        "Delete one that you no longer use.",
        most=MOST_SEARCHES,
    )
