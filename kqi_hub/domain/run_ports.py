"""What runs ask of the database and of their owners' folders, as narrow protocols."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kqi_hub.domain.images import ImagePlace
from kqi_hub.domain.notebook_ports import DatasetPlace
from kqi_hub.domain.run_list import RunFilter
from kqi_hub.domain.run_use import RunUse
from kqi_hub.domain.runs import (
    Run,
    RunChange,
    RunEvent,
    RunKind,
    RunSpec,
    RunState,
)


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
    # How its job ended, with COLLECTING: `collected` makes the final state of it.
    outcome: RunState | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """The folder of a run that was deleted, until it is removed in its owner's name."""

    run_id: int
    owner: str
    folder: str


@dataclass(frozen=True, slots=True)
class RunNames:
    """What a list of runs says beside them, by number; what is gone lacks.

    `people` are what owners are called besides their user names, where that is known.
    """

    datasets: Mapping[int, str]
    runs: Mapping[int, str]
    people: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a run has left behind, as it was read in its owner's name.

    `state` is how it has ended, which whoever settles it adds: the folder's word
    alone ends nothing.
    """

    state: RunState | None = None
    value: str = ""
    files: int = 0
    bytes: int = 0
    exit_code: int | None = None
    detail: str = ""
    # Folders right in the output: of a preprocessing, each becomes new data.
    outputs: tuple[str, ...] = ()
    use: RunUse | None = None


@dataclass(frozen=True, slots=True)
class OrderParts:
    """What a run's order says beyond the run itself.

    `parents` are those of its spec, in that order; `data` is what each task of an
    array preprocesses. `git` is a user name and a password for the source's host.
    """

    runs: tuple[Run, ...]
    dataset: DatasetPlace | None = None
    parents: tuple[Run, ...] = ()
    git: tuple[str, str] | None = None
    data: tuple["DataOfTask", ...] = ()
    image: ImagePlace | None = None
    # What the job fetches a token for `kqi` with; empty: it gets none.
    ticket: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DataOfTask:
    """The data item of one task, and where its files lie to be read."""

    run_id: int
    data_id: int
    name: str
    path: str
    tags: tuple[str, ...] = ()


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
        """Return every run that has not ended, of one person or of all.

        Those that are done elsewhere are none of Slurm's, so not among them.
        """

    def events(self, run_id: int) -> tuple[RunEvent, ...]:
        """Return each change of its state, the oldest first."""

    def lease(self, key: str, by: str, until: float, now: float) -> bool:
        """Take a job's submission for oneself; False while somebody else has it."""

    def keep_script(self, key: str, text: str) -> None:
        """Keep the script as it is submitted."""

    def hand_over(
        self, key: str, text: str, by: str, until: float, now: float
    ) -> tuple[Run, ...] | None:
        """Prolong a lease and return the runs of its job that have none, by their task.

        The script is kept, in the same transaction, if one of them is still wanted:
        from then on there may be a job. None: somebody else has the lease.
        """

    def script(self, run_id: int) -> str | None:
        """Return the script that was submitted, None before there is one."""

    def told(self, run_id: int, told: Told) -> Run:
        """Note a change; what cannot follow changes nothing and returns the run."""

    def submitted(
        self, run_ids: Collection[int], job_id: int, now: float
    ) -> tuple[Run, ...]:
        """Note the job that was submitted for these runs, and return them by number.

        Of those that wait for none any more, nothing is changed. However many they
        are, it is one transaction: an array may have a thousand tasks.
        """

    def forgotten(
        self, run_ids: Collection[int], job_id: int, now: float
    ) -> tuple[Run, ...]:
        """Note that Slurm has lost this job before it began: they are ASKED again.

        Of those that have another job, or whose job began, nothing is changed.
        """

    def stopping(self, run_id: int, called: RunState, now: float) -> Run:
        """Note how it will be called once its job has ended: the first word wins."""

    def collected(self, run_id: int, found: Collected, now: float) -> Run:
        """Note its results and its final state, once; again changes nothing."""

    def refused(self, run_id: int, reason: str, now: float) -> Run | None:
        """Note that Slurm did not take it and free its locks; None: nothing is kept."""

    def adopted(self, run_id: int, job_id: int, now: float) -> Run:
        """Return the run of a job submitted by hand: this one, or a copy of it."""

    def change(self, run_id: int, change: RunChange, now: float) -> Run:
        """Change what may still be changed of a run."""

    def delete(self, run_id: int, now: float) -> Run | None:
        """Forget it and what it used; Conflict while others build on it.

        Its folder is noted to be removed, in the same transaction. One whose job has
        not ended is returned: it is forgotten in the transaction that notes its end.
        """

    def removals(self, limit: int = 100) -> tuple[Removal, ...]:
        """Return folders of deleted runs that are still to be removed."""

    def removed(self, run_ids: Collection[int]) -> None:
        """Forget that these folders are to be removed: they are gone."""

    def names(self, runs: Sequence[Run]) -> RunNames:
        """Return the names of the datasets, parents and owners of runs."""

    def built_on(self, run_id: int) -> tuple[Run, ...]:
        """Return the runs that have it as a parent."""

    def tags(self, tenant: str) -> tuple[str, ...]:
        """Return the tags of a tenant's runs."""

    def changed_since(
        self, moment: float, tenants: Collection[str] | None = None, limit: int = 1000
    ) -> tuple[Run, ...]:
        """Return runs changed at or after the moment, the latest change first."""

    def stamps(self) -> Mapping[str, float]:
        """Return for each tenant a number that every change of a live run changes."""


class RunFolders(Protocol):
    """What lies in people's folders, touched as they themselves; through the door."""

    async def collect(
        self, person: str, runs: Sequence[Run]
    ) -> Mapping[int, Collected | None]:
        """Return what runs have left behind; None where there is no result to read."""

    async def remove(self, person: str, folders: Sequence[str]) -> None:
        """Remove folders of runs below `kqi/`; one that is gone is no error."""


class Submission(Protocol):
    """What brings runs to Slurm and stops them there (services/submission.py)."""

    def begin(self, key: str) -> None:
        """Begin to submit the job of a key, beside; the worker goes on if it cannot."""

    async def stop(self, run: Run) -> None:
        """Cancel the job of a run that is noted as `stopping`; the worker repeats it.

        A run without a job ends without one. A Slurm that does not answer is no error.
        """

    async def prepared(self, run: Run) -> str:
        """Return the script of a PREPARED run, with all in place that it needs."""

    async def remove(self, person: str, runs: Sequence[Run]) -> None:
        """End TensorBoards of runs, and remove their folders, in their owner's name."""

    async def close(self) -> None:
        """Begin nothing new; give what is under way some seconds, then end it."""
