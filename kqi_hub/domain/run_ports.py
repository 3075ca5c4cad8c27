"""What runs ask of the database and of their owners' folders, as narrow protocols."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kqi_hub.domain.run_list import RunFilter
from kqi_hub.domain.runs import Run, RunEvent, RunKind, RunSpec, RunState


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is asked for."""

    kind: RunKind
    owner: str
    key: str
    spec: RunSpec
    # Its script is only printed; the person submits it by hand.
    is_prepared: bool = False
    # Whether its record stays where Slurm refuses it (KX-34).
    keeps_refused: bool = True
    per_hour: int | None = None
    preprocessing: int | None = None
    data: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be noted of a run: see domain/run_states.py for what may follow what.

    Each field that is not None replaces what is known.
    """

    state: RunState
    at: float
    cause: str = ""
    job_id: int | None = None
    node: str | None = None
    began_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """What a run has left behind, as it was read in its owner's name."""

    value: str = ""
    files: int = 0
    bytes: int = 0
    exit_code: int | None = None
    detail: str = ""


class RunStore(Protocol):
    """Runs, each change in one transaction. Blocks: call it off the loop."""

    def ask(self, new: NewRun, now: float) -> Run:
        """Store the wish, note what it uses, lock its dataset; Conflict, NotFound."""

    def ask_batch(self, new: Sequence[NewRun], now: float) -> tuple[Run, ...]:
        """Store many that are one array: one key, tasks 0 and up."""

    def one(self, run_id: int) -> Run | None:
        """Return one, whoever it belongs to."""

    def named(self, key: str) -> tuple[Run, ...]:
        """Return the runs of a job's key: one, or the tasks of an array."""

    def search(self, wanted: RunFilter) -> tuple[tuple[Run, ...], int]:
        """Return a page of those that a filter lets through, and how many it does."""

    def live(self, owner: str | None = None) -> tuple[Run, ...]:
        """Return every run that has not ended, of one person or of all."""

    def events(self, run_id: int) -> tuple[RunEvent, ...]:
        """Return each change of its state, the oldest first."""

    def lease(self, key: str, by: str, until: float, now: float) -> bool:
        """Take a job's submission for oneself; False while somebody else has it."""

    def keep_script(self, key: str, text: str) -> None:
        """Keep the script as it is submitted."""

    def script(self, run_id: int) -> str | None:
        """Return the script that was submitted, None before there is one."""

    def told(self, run_id: int, told: Told) -> Run:
        """Note a change; what cannot follow changes nothing and returns the run."""

    def stopping(self, run_id: int, called: RunState, now: float) -> Run:
        """Note how it will be called once its job has ended: the first word wins."""

    def collected(self, run_id: int, found: Collected, now: float) -> Run:
        """Note its results and its final state, once; again changes nothing."""

    def refused(self, run_id: int, reason: str, now: float) -> Run | None:
        """Note that Slurm did not take it and free its locks; None: nothing is kept."""

    def adopted(self, run_id: int, job_id: int, now: float) -> Run:
        """Return the run of a job submitted by hand: this one, or a copy of it."""

    def change(
        self, run_id: int, now: float, *, name: str | None = None,
        memo: str | None = None, tags: tuple[str, ...] | None = None,
        is_favourite: bool | None = None,
    ) -> Run:  # fmt: skip
        """Change what may still be changed of a run."""

    def delete(self, run_id: int) -> None:
        """Forget it and what it used; Conflict while it lives or others build on it."""

    def built_on(self, run_id: int) -> tuple[Run, ...]:
        """Return the runs that have it as a parent."""

    def tags(self, tenant: str) -> tuple[str, ...]:
        """Return the tags of a tenant's runs."""

    def changed_since(
        self, moment: float, tenants: Collection[str] | None = None
    ) -> tuple[Run, ...]:
        """Return runs changed at or after the moment, for live pages."""


class RunFolders(Protocol):
    """What lies in people's folders, touched as they themselves; through the door."""

    async def collect(
        self, person: str, runs: Sequence[Run]
    ) -> Mapping[int, Collected | None]:
        """Return what runs have left behind; None where there is no result to read."""

    async def remove(self, person: str, folders: Sequence[str]) -> None:
        """Remove folders of runs below `kqi/`; one that is gone is no error."""


Script = Callable[[Run], str]
