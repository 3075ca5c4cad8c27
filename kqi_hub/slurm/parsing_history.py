"""Read what accounting has recorded of jobs that have ended."""

from collections.abc import Iterator
from typing import Final

from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.phrase import Phrase
from kqi_hub.slurm.commands import HISTORY_FIELDS
from kqi_hub.slurm.errors import unreadable
from kqi_hub.slurm.gres import job_gres
from kqi_hub.slurm.parsing_accounting import read_end, recorded_rows
from kqi_hub.slurm.rows import Tokens
from kqi_hub.slurm.tres import parse_size

_MINUTE_S: Final = 60


def read_history(answer: bytes, tokens: Tokens) -> tuple[tuple[Job, EndedJob], ...]:
    """Return the jobs of sacct's answer that have ended, each with its latest end."""
    rows = recorded_rows(answer, tokens, len(HISTORY_FIELDS))
    latest: dict[int, tuple[Job, EndedJob]] = {}
    # One that went back into its queue has a row for each of its runs.
    for job, end in _ended(rows):
        known = latest.get(job.job_id)
        if known is None or known[1].ended_at <= end.ended_at:
            latest[job.job_id] = (job, end)
    return tuple(latest.values())


def _ended(rows: Iterator[list[str]]) -> Iterator[tuple[Job, EndedJob]]:
    for row in rows:
        try:
            found = _read(row)
        except ValueError as error:
            what = Phrase("{row} cannot be read", row=row[:3])
            raise unreadable("sacct", what) from error
        if found is not None:
            yield found


def _read(row: list[str]) -> tuple[Job, EndedJob] | None:
    (
        raw, shown, name, user, account, partition, qos, state, submitted, starts, ends,
        limit, nodes, cpus, tres, node_list, exit_code,
    ) = row  # fmt: skip
    end = read_end(int(raw), [raw, submitted, state, starts, ends, exit_code, name])
    # Without a user it is no job of a person's, such as a reservation's.
    if end is None or not user:
        return None
    array, _, task = shown.partition("_")
    node_count = parse_size(nodes or "0")
    job = Job(
        job_id=int(raw),
        name=name,
        user=user,
        account=account,
        partition=partition,
        qos=qos,
        state=end.state,
        reason="",
        array_id=int(array) if task else None,
        # Tasks that never started are [1-4] here, and 1-4 for squeue.
        task=task.strip("[]") or None,
        submitted_at=int(submitted) if submitted.isdecimal() else None,
        starts_at=end.started_at,
        ends_at=end.ended_at,
        time_limit_s=int(limit) * _MINUTE_S if limit.isdecimal() else None,
        nodes=node_count,
        cpus=parse_size(cpus or "0"),
        memory=_memory(tres),
        gres=job_gres(tres, "", "", node_count),
        node_list="" if node_list == "None assigned" else node_list,
    )
    return job, end


def _memory(tres: str) -> str:
    entries = dict(entry.partition("=")[::2] for entry in tres.split(","))
    return entries.get("mem", "")
