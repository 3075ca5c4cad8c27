"""Which job is a run's, and what is new about it."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.run_ports import Told
from kqi_hub.domain.runs import Run, RunState

_TASKS: Final = re.compile(r"(\d+)(?:-(\d+))?(?::(\d+))?", re.ASCII)


def job_of(run: Run, jobs: Iterable[Job]) -> Job | None:
    """Return a run's job among those of its name; None when none of them is."""
    mine = [job for job in jobs if job.user == run.owner]
    if run.job_id is not None:
        mine = [job for job in mine if run.job_id in {job.job_id, job.array_id}]
    if run.task is not None:
        exact = [job for job in mine if job.task == str(run.task)]
        mine = exact or [job for job in mine if has_task(job.task, run.task)]
    return min(mine, key=lambda job: job.job_id, default=None)


def task_record(run: Run, ended: Mapping[str, EndedJob | None]) -> EndedJob | None:
    """Return how accounting says that a task of an array has ended, told apart or not.

    None where it goes on, or where accounting has nothing of it.
    """
    if run.task is None or run.job_id is None:
        return None
    if run.slurm_id in ended:
        return ended[run.slurm_id]
    for word, record in ended.items():
        number, _, tasks = word.partition("_")
        if number == str(run.job_id) and has_task(tasks.strip("[]"), run.task):
            return record
    # Of an array that was cancelled as a whole only the array itself is left.
    return ended.get(str(run.job_id))


def has_task(tasks: str | None, number: int) -> bool:
    """Tell whether Slurm's word for waiting tasks, such as 1-4,6%2, has this one."""
    for part in (tasks or "").partition("%")[0].split(","):
        found = _TASKS.fullmatch(part)
        if found is None:
            continue
        first, step = int(found[1]), int(found[3] or 1)
        last = int(found[2] or first)
        if first <= number <= last and (number - first) % max(1, step) == 0:
            return True
    return False


def told_of(run: Run, job: Job, now: float) -> Told | None:
    """Return what is new about a job that has not ended, None when nothing is."""
    if job.is_waiting:
        if run.state is RunState.PENDING:
            return None
        return Told(RunState.PENDING, now, job_id=job.array_id or job.job_id)
    began = run.began_at if job.starts_at is None else float(job.starts_at)
    known = (run.state, run.node, run.began_at)
    if known == (RunState.RUNNING, job.node_list or run.node, began):
        return None
    return Told(RunState.RUNNING, now, node=job.node_list or None, began_at=began)
