"""Look at Slurm through its command line programs."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from kqi_hub.domain.cluster import Association, Node, Partition, Qos
from kqi_hub.domain.errors import ClusterTimedOut, ClusterUnreachable
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.phrase import Phrase
from kqi_hub.slurm import commands
from kqi_hub.slurm.errors import unreadable
from kqi_hub.slurm.keyvalue import records
from kqi_hub.slurm.parsing_accounting import (
    oldest_first,
    read_ended,
    read_ended_tasks,
    read_recorded,
)
from kqi_hub.slurm.parsing_associations import read_associations
from kqi_hub.slurm.parsing_history import read_history
from kqi_hub.slurm.parsing_jobs import read_found, read_job, read_node_of
from kqi_hub.slurm.parsing_nodes import node_key, read_node
from kqi_hub.slurm.parsing_partitions import read_partition
from kqi_hub.slurm.parsing_qos import read_qos
from kqi_hub.slurm.rows import RowCache, Tokens, split_rows
from kqi_hub.slurm.runner import Programs

log = logging.getLogger(__name__)
# A command line of 500 job ids stays far below the kernel's limit.
IDS_PER_QUESTION: Final = 500


class CliReader:
    """The port ClusterReader over squeue, scontrol, sacct and sacctmgr.

    Answers are read on a thread, for 10,000 new jobs take longer than a loop may stop.
    """

    def __init__(self, cluster: str, programs: Programs) -> None:
        self._cluster = cluster
        self._programs = programs
        self._jobs = RowCache("squeue", read_job)
        self._nodes = RowCache("scontrol show node", read_node)
        self._partitions = RowCache("scontrol show partition", read_partition)

    async def version(self) -> str:
        """Return Slurm's version, such as 22.05.8."""
        said = (await self._programs.ask(commands.version())).decode(errors="replace")
        words = said.split()
        if not words:
            raise unreadable("sinfo --version", Phrase("it is empty"))
        return words[-1]

    async def jobs(self) -> tuple[Job, ...]:
        """Return every job the controller remembers, ended ones included.

        Waiting tasks of one array that Slurm has not told apart yet are one job, whose
        `task` names them all.
        """
        tokens = Tokens.fresh()
        answer = await self._programs.ask(commands.list_jobs(tokens))
        return await asyncio.to_thread(self._read_jobs, answer, tokens)

    async def nodes(self) -> tuple[Node, ...]:
        """Return every node."""
        answer = await self._programs.ask(commands.list_nodes())
        return await asyncio.to_thread(self._read_nodes, answer)

    async def partitions(self) -> tuple[Partition, ...]:
        """Return every queue."""
        answer = await self._programs.ask(commands.list_partitions())
        return self._partitions.read(records(answer, "PartitionName"))

    async def associations(self) -> tuple[Association, ...]:
        """Return who may use which account, with limits."""
        answer = await self._programs.ask(commands.list_associations(self._cluster))
        found = await asyncio.to_thread(read_associations, answer, self._cluster)
        if found.left_out:
            log.warning(
                "%d lines of sacctmgr are left out, the first is %r: rename accounts "
                "that have `|` or a newline in their names",
                len(found.left_out),
                found.left_out[0],
            )
        return found.read

    async def qos(self) -> tuple[Qos, ...]:
        """Return every QOS with its limits."""
        return read_qos(await self._programs.ask(commands.list_qos()))

    async def ended(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        """Return what accounting says has ended; jobs it does not say so of lack."""
        ended: dict[int, EndedJob] = {}
        for some in _batches(sorted(set(job_ids))):
            tokens = Tokens.fresh()
            answer = await self._programs.ask(commands.ended_jobs(some, tokens))
            ended |= read_ended(answer, tokens, frozenset(some))
        return ended

    async def history(
        self, since: float, until: float
    ) -> tuple[tuple[Job, EndedJob], ...]:
        """Return everybody's jobs that accounting knows to have ended in between.

        One that ended a little later may be among them.
        """
        tokens = Tokens.fresh()
        question = commands.recorded_between(since, until, tokens)
        answer = await self._programs.ask(question)
        return await asyncio.to_thread(read_history, answer, tokens)

    async def ended_tasks(
        self, array_ids: Sequence[int]
    ) -> Mapping[str, EndedJob | None]:
        """Return how tasks of arrays have ended, by 12_3, 12_[4-9%2] or 12.

        None for what goes on.
        """
        ended: dict[str, EndedJob | None] = {}
        for some in _batches(sorted(set(array_ids))):
            tokens = Tokens.fresh()
            answer = await self._programs.ask(commands.ended_tasks(some, tokens))
            ended |= read_ended_tasks(answer, tokens)
        return ended

    async def find(self, user: str, name: str, since: float) -> tuple[int, ...]:
        """Return the ids of the person's jobs of exactly this name, oldest first.

        What the controller knows is an answer even when accounting is out of reach;
        that it knows nothing is not. Only the controller knows of jobs that wait: one
        of accounting's that it does not know is forgotten, and never starts.
        """
        tokens = Tokens.fresh()
        question = commands.find_recorded(user, name, since, tokens)
        live = await self._find_live(user, name)
        try:
            answer = await self._programs.ask(question)
        except (ClusterUnreachable, ClusterTimedOut):
            if not live:
                raise
            return oldest_first(live)
        return oldest_first([*live, *read_recorded(answer, tokens, user, name)])

    async def node_of(self, job_id: int) -> str:
        """Return the node on which a job runs now; empty while it does not run."""
        answer = await self._programs.ask(commands.show_job(job_id))
        return read_node_of(answer, job_id)

    async def _find_live(self, user: str, name: str) -> list[tuple[int, int]]:
        tokens = Tokens.fresh()
        answer = await self._programs.ask(commands.find_live(user, name, tokens))
        return read_found(split_rows("squeue", answer, tokens), user, name)

    def _read_jobs(self, answer: bytes, tokens: Tokens) -> tuple[Job, ...]:
        return self._jobs.read(split_rows("squeue", answer, tokens))

    def _read_nodes(self, answer: bytes) -> tuple[Node, ...]:
        rows = records(answer, "NodeName")
        return self._nodes.read(rows, [node_key(row) for row in rows])


def _batches(job_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(job_ids), IDS_PER_QUESTION):
        yield job_ids[start : start + IDS_PER_QUESTION]
