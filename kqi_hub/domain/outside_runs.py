"""Runs of preprocessings that were done elsewhere: only what came of them is here.

Such a run is OPENED while each folder of results is uploaded as a data item of its
own, and COMPLETED afterwards (K-18 to K-20, KX-2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from kqi_hub.domain.errors import Conflict

MOST_OUTPUTS: Final = 1000


@dataclass(frozen=True, slots=True)
class OutsideRun:
    """A run that somebody says was done elsewhere."""

    preprocessing: int
    data: int
    memo: str = ""


@dataclass(frozen=True, slots=True)
class NewOutput:
    """A folder of results, as it is announced: it becomes data of its name."""

    name: str
    files: int
    bytes: int
    memo: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutsideOutput:
    """A folder that is uploaded for a run; `data` None: its upload has not begun."""

    name: str
    upload: str
    data: int | None = None


class OutsideOutputs(Protocol):
    """The folders of runs that are OPENED, in the database. Blocks."""

    def of_run(self, run_id: int) -> Sequence[OutsideOutput]:
        """Return those of a run, by name."""

    def reserve(
        self, run_id: int, name: str, upload: str, in_place_of: str = ""
    ) -> OutsideOutput:
        """Keep the key of a folder's upload before it begins, or return what is kept.

        A kept one whose upload is `in_place_of` is replaced. Conflict when the run is
        not OPENED, or has MOST_OUTPUTS already.
        """

    def begun(self, run_id: int, upload: str, data_id: int) -> None:
        """Note the item that an upload fills; twice is fine."""

    def forget(self, run_id: int) -> None:
        """Forget the folders of a run: its results are all there, or given up."""


def not_opened() -> Conflict:
    """Return the error of a run that takes no results from elsewhere."""
    return Conflict(
        "This run takes no results from elsewhere: it is not open for them.",
        "Only a run that was opened for outside results does, until it is complete.",
    )


def too_many_outputs() -> Conflict:
    """Return the error of a run with as many folders as one may have."""
    return Conflict(
        "A run has at most {most} folders of results.",
        "Put several of them into one folder.",
        most=MOST_OUTPUTS,
    )
