"""Read squeue's rows."""

from collections.abc import Iterable
from functools import lru_cache
from sys import intern

from kqi_hub.domain.hostlist import expand_hostlist
from kqi_hub.domain.job import Job
from kqi_hub.slurm.commands import JOBS, JOBS_FOUND
from kqi_hub.slurm.gres import job_gres
from kqi_hub.slurm.keyvalue import records, value_of
from kqi_hub.slurm.timelimit import parse_timelimit
from kqi_hub.slurm.tres import parse_size

# Few different values for many jobs.
_time_limit = lru_cache(maxsize=1024)(parse_timelimit)
_count = lru_cache(maxsize=1024)(parse_size)
_ON_NODES = frozenset({"RUNNING", "CONFIGURING"})


def read_job(row: bytes) -> Job:
    """Return the job of one row; raise ValueError when it is not of the shape asked."""
    (
        job_id, array_id, task, state, submitted, starts, ends, limit, priority,
        nodes, cpus,
        name, user, account, partition, qos, reason, tres, per_job, per_node,
        node_list, dependency, comment,
    ) = JOBS.fields(row)  # fmt: skip
    node_count = _count(nodes)
    return Job(
        job_id=int(job_id),
        name=name,
        # Few people, queues and reasons for many jobs: one string each in memory.
        user=intern(user),
        account=intern(_text(account)),
        partition=intern(partition),
        qos=intern(_text(qos)),
        state=intern(state),
        reason=intern("" if reason == "None" else _text(reason)),
        array_id=None if task == "N/A" else int(array_id),
        task=None if task == "N/A" else task,
        submitted_at=_epoch(submitted),
        starts_at=_epoch(starts),
        ends_at=_epoch(ends),
        time_limit_s=_time_limit(limit),
        priority=int(priority),
        nodes=node_count,
        cpus=_count(cpus),
        memory=_memory(tres),
        gres=job_gres(tres, per_job, per_node, node_count),
        node_list=_text(node_list),
        dependency=_text(dependency),
        # Somebody's comment may well be N/A; `(null)` cannot be told from none.
        comment="" if comment == "(null)" else comment,
    )


def read_found(rows: Iterable[bytes], user: str, name: str) -> list[tuple[int, int]]:
    """Return when and under which ids the person submitted jobs of this name."""
    found = []
    for row in rows:
        job_id, submitted, its_user, its_name = JOBS_FOUND.fields(row)
        if (its_user, its_name) == (user, name):
            found.append((_epoch(submitted) or 0, int(job_id)))
    return found


def read_node_of(answer: bytes, job_id: int) -> str:
    """Return the first node of a job that runs, as `scontrol show job` tells it."""
    for record in records(answer, "JobId"):
        line = record.decode(errors="replace")
        if value_of(line, "JobId") != str(job_id):
            continue
        if value_of(line, "JobState") not in _ON_NODES:
            continue
        nodes = expand_hostlist(value_of(line, "NodeList"))
        if nodes:
            return nodes[0]
    return ""


@lru_cache(maxsize=4096)
def _memory(tres: str) -> str:
    """Return the memory as Slurm words it, such as 62.50G."""
    entries = dict(entry.partition("=")[::2] for entry in tres.split(","))
    return entries.get("mem", "")


def _epoch(text: str) -> int | None:
    """Return epoch seconds; Slurm says N/A, NONE or Unknown for no time."""
    return int(text) if text.isdecimal() else None


def _text(text: str) -> str:
    return "" if text in {"(null)", "N/A"} else text
