"""A run joined with what Slurm said last: why it waits, time left, price, cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.costs import Cost, JobMark
from kqi_hub.domain.job import Job
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.money import Price
from kqi_hub.domain.reasons import Explained, explain
from kqi_hub.domain.run_ports import RunNames
from kqi_hub.domain.run_states import may_go_later
from kqi_hub.domain.runs import Parent, Run, RunState
from kqi_hub.i18n import N_
from kqi_hub.services.board import Picture
from kqi_hub.services.costs import Ours
from kqi_hub.services.pricing import Pricing, payer_of, record_of_past
from kqi_hub.services.run_efficiency import Efficiency, efficiency_of

# What people read for a state; `stopping` and `deleting` are such for them, too.
STATE_WORDS: Final[Mapping[str, str]] = {
    RunState.OPENED: N_("Being uploaded"),
    RunState.PREPARED: N_("Prepared"),
    RunState.ASKED: N_("Submitting"),
    RunState.PENDING: N_("Waiting"),
    RunState.RUNNING: N_("Running"),
    RunState.COLLECTING: N_("Collecting results"),
    RunState.COMPLETED: N_("Completed"),
    RunState.FAILED: N_("Failed"),
    RunState.TIMED_OUT: N_("Time was over"),
    RunState.OUT_OF_MEMORY: N_("Out of memory"),
    RunState.KILLED: N_("Killed"),
    RunState.USER_CANCELED: N_("Stopped"),
    RunState.NODE_FAILED: N_("Node failed"),
    RunState.REFUSED: N_("Refused by Slurm"),
    RunState.UNKNOWN: N_("Unknown"),
    "stopping": N_("Stopping"),
    "deleting": N_("Being deleted"),
}
# Without a job there is nothing that could be stopped any more.
_STOPPABLE: Final = frozenset(
    {RunState.PREPARED, RunState.ASKED, RunState.PENDING, RunState.RUNNING}
)
_WITHOUT_A_JOB: Final = frozenset({RunState.OPENED, RunState.PREPARED})


@dataclass(frozen=True, slots=True)
class ParentView:
    """A parent as its child's page names it; the name is empty where it is gone."""

    parent: Parent
    name: str


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as lists and pages show it, at one moment.

    `status` is its state's value, `stopping` or `deleting`. `cost` is what it has cost
    so far, in micro-currency; None where its queue has no rate. `is_billed`: it is what
    the book has of it, which has ended. `is_mine`: the reader owns it.
    """

    run: Run
    status: str
    is_mine: bool
    why: Explained | None = None
    waited_s: float = 0.0
    ran_s: float | None = None
    ends_at: float | None = None
    left_s: float | None = None
    price: Price | None = None
    cost: int | None = None
    is_billed: bool = False
    dataset_name: str = ""
    # What its owner is called besides the user name; empty where nobody knows.
    owner_name: str = ""
    parents: tuple[ParentView, ...] = ()

    @property
    def efficiency(self) -> Efficiency | None:
        """Return what it has used of what it asked for; None where that is unknown."""
        return efficiency_of(self.run)

    @property
    def actions(self) -> tuple[str, ...]:
        """Return what the reader can do with it now.

        Of others' runs, and of what is being deleted, one can only have the same again.
        """
        run = self.run
        if not self.is_mine or run.going_at is not None:
            return ("copy",)
        can_stop = run.state in _STOPPABLE and run.stopping is None
        can_delete = not run.is_live or run.state in _WITHOUT_A_JOB or may_go_later(run)
        return (
            *(("stop",) if can_stop else ()),
            *(("delete",) if can_delete else ()),
            "change",
            "copy",
        )


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of a list; `unread` names the fields whose condition cannot be read."""

    picture: Picture
    items: tuple[RunView, ...]
    total: int
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Family:
    """The parents of a run that are still there, and the runs built on it."""

    parents: tuple[Run, ...]
    children: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Consequences:
    """What deleting a run would take along, and what stands against it.

    `blockers` are the runs that have it as a parent: while there are any, it stays.
    `is_live`: it has a job, which is ended first. `is_going`: that was asked for
    already. `is_unlocked`: nothing else keeps its dataset from being changed then.
    """

    run: Run
    is_live: bool
    is_going: bool
    blockers: tuple[Run, ...]
    folder: str
    files: int | None
    bytes: int | None
    dataset: int | None
    is_unlocked: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """What is said of a run that it does not know itself."""

    names: RunNames = RunNames({}, {})  # noqa: RUF009  immutable
    cost: Cost = Cost()  # noqa: RUF009  immutable


_NOTHING: Final = Beside()


def view_of(
    run: Run,
    person: str,
    picture: Picture,
    pricing: Pricing,
    now: float,
    beside: Beside = _NOTHING,
) -> RunView:
    """Join a run with the picture and its cost, for somebody who reads it."""
    job, names, cost = job_of(run, picture), beside.names, beside.cost
    runs = job is not None and not job.is_waiting
    ends_at = float(job.ends_at) if job is not None and runs and job.ends_at else None
    return RunView(
        run=run,
        status=_status(run),
        is_mine=run.owner == person,
        why=None if job is None else explain(job),
        waited_s=run.waited_s(now),
        ran_s=run.ran_s(now),
        ends_at=ends_at,
        left_s=None if ends_at is None else max(0.0, ends_at - now),
        price=_price(run, job, picture, pricing, cost),
        # What was done elsewhere is nobody's to charge.
        cost=None if run.spec.is_outside else cost.amount,
        is_billed=cost.is_billed,
        dataset_name=names.datasets.get(run.spec.dataset or 0, ""),
        owner_name=names.people.get(run.owner, ""),
        parents=tuple(
            ParentView(one, names.runs.get(one.id, "")) for one in run.spec.parents
        ),
    )


def _status(run: Run) -> str:
    if run.going_at is not None:
        return "deleting"
    return "stopping" if run.is_live and run.stopping else run.state.value


def job_of(run: Run, picture: Picture) -> Job | None:
    """Return the run's job while the picture has it live.

    Slurm's numbers come again one day; the name with its key does not. Tasks of an
    array that still wait together are one job of Slurm's, whose id is the array's.
    """
    if not run.is_live or run.job_id is None:
        return None
    if run.task is None:
        job = picture.job(run.job_id)
        return job if job is not None and job.name == run.job_name else None
    return _task_of(run, picture)


def ours_of(run: Run, picture: Picture, now: float) -> Ours:
    """Return what its cost depends on."""
    if run.job_id is None:
        return Ours(ended_at=run.ended_at)
    return Ours(
        JobMark(run.job_name, run.slurm_id, run.owner),
        run.job_id,
        job_of(run, picture),
        _record_of(run, picture, now),
        None if run.is_live else run.ended_at or run.changed_at,
    )


def _record_of(run: Run, picture: Picture, now: float) -> JobRecord | None:
    """Return what accounting may have of its job, as far as the run tells."""
    if run.began_at is None:
        return None
    spec, scene = run.spec, picture.scene
    ended = now if run.ended_at is None else run.ended_at
    return record_of_past(
        scene,
        payer_of(scene, run.owner, spec.tenant, spec.queue),
        (spec.queue, run.node),
        spec.shape,
        (int(run.began_at), int(max(run.began_at, ended))),
    )


def _task_of(run: Run, picture: Picture) -> Job | None:
    found = None
    for job in picture.jobs:
        if job.name != run.job_name or run.job_id not in (job.array_id, job.job_id):
            continue
        if job.task == str(run.task):
            return job
        if job.is_waiting and (job.task is None or not job.task.isdecimal()):
            found = job
    # Those that still wait together are told apart when they begin.
    return found if run.state in (RunState.ASKED, RunState.PENDING) else None


def _price(
    run: Run, job: Job | None, picture: Picture, pricing: Pricing, cost: Cost
) -> Price | None:
    """Return the price of an hour: the job's now, the one it had, that of the like."""
    spec, scene = run.spec, picture.scene
    if job is not None and not job.is_waiting:
        return pricing.price_of_job(scene, job)
    supply = scene.supplies.get(spec.queue)
    had = cost.price(supply is not None and supply.partition.exclusive)
    if had is not None or supply is None:
        return had
    payer = payer_of(scene, run.owner, spec.tenant, spec.queue)
    return pricing.price_per_hour(supply, spec.shape, payer)
