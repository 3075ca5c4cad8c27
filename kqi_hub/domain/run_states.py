"""Which state of a run may follow which, and what the end of its job makes of it."""

from collections.abc import Iterable, Mapping
from typing import Final

from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.notebook_ends import word_of_end, word_of_record
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.runs import LIVE, Run, RunKind, RunState

# Why a run that had a job is asked for again, and how one got a job by itself.
FORGOTTEN: Final = "Slurm lost its job before it began"
BY_HAND: Final = "submitted by hand"
_CAUSES: Final[Mapping[str, Phrase]] = {
    FORGOTTEN: Phrase("Slurm lost its job before it began"),
    BY_HAND: Phrase("submitted by hand"),
}
ENDED: Final = frozenset(RunState) - LIVE
# What Slurm may have taken: anything may be heard of it, but that it was refused.
_AT_SLURM: Final = ENDED - {RunState.REFUSED}
_FOLLOWS: Final[Mapping[RunState, frozenset[RunState]]] = {
    # It has no job that could do anything else.
    RunState.OPENED: frozenset(
        {RunState.COMPLETED, RunState.KILLED, RunState.USER_CANCELED}
    ),
    # Its script is submitted by hand: nobody tells before a job is there.
    RunState.PREPARED: _AT_SLURM
    | {RunState.PENDING, RunState.RUNNING, RunState.COLLECTING},
    RunState.ASKED: ENDED | {RunState.PENDING, RunState.RUNNING, RunState.COLLECTING},
    RunState.PENDING: _AT_SLURM | {RunState.RUNNING, RunState.COLLECTING},
    # A job that was requeued waits again.
    RunState.RUNNING: _AT_SLURM | {RunState.PENDING, RunState.COLLECTING},
    RunState.COLLECTING: _AT_SLURM,
}
_OUTCOMES: Final[Mapping[str, RunState]] = {
    "COMPLETED": RunState.COMPLETED,
    "FAILED": RunState.FAILED,
    "CANCELLED": RunState.KILLED,
    "PREEMPTED": RunState.KILLED,
    "TIMEOUT": RunState.TIMED_OUT,
    "DEADLINE": RunState.TIMED_OUT,
    "OUT_OF_MEMORY": RunState.OUT_OF_MEMORY,
    "NODE_FAIL": RunState.NODE_FAILED,
    "BOOT_FAIL": RunState.NODE_FAILED,
}


def may_follow(old: RunState, new: RunState) -> bool:
    """Tell whether a run in one state may come into another one.

    What has ended stays as it is, and so does what is the same.
    """
    return new in _FOLLOWS.get(old, frozenset())


def is_news(run: Run, state: RunState, job_id: int | None) -> bool:
    """Tell whether something heard of a run may be noted.

    The first job that is noted is the run's; another one's news is not its own.
    """
    is_its_job = job_id is None or run.job_id in (None, job_id)
    is_possible = run.state is state or may_follow(run.state, state)
    return run.is_live and is_its_job and is_possible


def may_go_later(run: Run) -> bool:
    """Tell whether a run that lives can be deleted: it is gone once its job has ended.

    Without a job there is no end to wait for. What a preprocessing has left may just
    become data, which would stay without it.
    """
    has_job = run.state in LIVE - {RunState.OPENED, RunState.PREPARED}
    return has_job and not (
        run.state is RunState.COLLECTING and run.kind is RunKind.PREPROCESSING
    )


def cause_in_words(cause: str) -> Phrase | None:
    """Return what we say of a change ourselves; None for anybody else's words."""
    return _CAUSES.get(cause)


def only_waited(run: Run) -> bool:
    """Tell whether a run's job waits, and never began before."""
    return run.state is RunState.PENDING and run.began_at is None


def may_be_forgotten(run: Run, job_id: int, was: Iterable[RunState]) -> bool:
    """Tell whether a run can do without a job that Slurm has lost: it never began.

    Who submitted a script by hand does it again by hand, or not at all.
    """
    is_its_job = run.job_id == job_id and only_waited(run)
    return is_its_job and RunState.PREPARED not in was


def ended_as(job: Job | EndedJob, run: Run) -> tuple[RunState, str]:
    """Return how a run has ended, and Slurm's word for it where that says more.

    A job that was cancelled for a person is called as they chose when they stopped it.
    Whatever ended by itself meanwhile keeps its own end. A state that is new to us says
    nothing that one could rely on.
    """
    # Accounting writes who did it: CANCELLED by 1001.
    word = job.state.split()[0] if job.state.strip() else ""
    state = _OUTCOMES.get(word, RunState.UNKNOWN)
    if word == "CANCELLED" and run.stopping is not None:
        return run.stopping, ""
    if isinstance(job, Job):
        return state, word_of_end(job.state, job.reason)
    return _of_record(job, state), word_of_record(job)


def final_state(found: RunState | None, outcome: RunState | None) -> RunState:
    """Return how a run whose results are there has ended."""
    state = found or outcome or RunState.UNKNOWN
    return state if state in _AT_SLURM else RunState.UNKNOWN


def _of_record(ended: EndedJob, state: RunState) -> RunState:
    """Believe an exit code where it says more than the word for the end."""
    if state is RunState.COMPLETED and (ended.exit_code or ended.signal):
        return RunState.FAILED
    return state
