"""Runs whose results notebooks read: whose they may be, and where they lie."""

from dataclasses import dataclass
from typing import Final, Protocol

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.notebooks import Session
from kqi_hub.domain.runs import Run, RunState

# Of those there is no folder on scratch.
_WITHOUT_OUTPUT: Final = frozenset(
    {RunState.REFUSED, RunState.PREPARED, RunState.OPENED}
)


class RunFinder(Protocol):
    """The one question that is asked about runs. It blocks."""

    def one(self, run_id: int) -> Run | None:
        """Return a run, None where there is none of that number."""


@dataclass(frozen=True)
class NotebookParents:
    """What notebooks ask of runs. All of it blocks: call it off the loop."""

    runs: RunFinder

    def check(self, person: str, parents: tuple[int, ...]) -> None:
        """Refuse runs that are not the person's own, or have no results to read."""
        for number in parents:
            run = self.runs.one(number)
            if run is None or run.owner != person or run.state in _WITHOUT_OUTPUT:
                raise InvalidInput(
                    "parents: you have no run {id} with results.",
                    "Choose from your own trainings, inferences and preprocessings.",
                    id=number,
                )


@dataclass(frozen=True)
class SessionParents:
    """Where the results lie that a session reads; for the hub's process. Blocks."""

    runs: RunFinder
    scratch_root: str

    def __call__(self, session: Session) -> tuple[tuple[int, str], ...]:
        """Return each run's number and folder; the latter empty where it is gone."""
        return tuple(
            (number, self._folder(session.owner, number))
            for number in session.chosen.parents
        )

    def _folder(self, owner: str, number: int) -> str:
        run = self.runs.one(number)
        if run is None or run.owner != owner or not run.folder:
            return ""
        return f"{self.scratch_root}/{owner}/kqi/{run.folder}/output"
