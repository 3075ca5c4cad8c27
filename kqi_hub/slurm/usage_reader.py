"""Read sacct's answer while it is written, for a month of it may be a gigabyte."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from kqi_hub.domain.accounting_ports import ReadRecord
from kqi_hub.slurm import commands
from kqi_hub.slurm.parsing_accounting import recorded_rows
from kqi_hub.slurm.parsing_usage import UsageRows, read_suspended
from kqi_hub.slurm.rows import Tokens
from kqi_hub.slurm.runner import Programs

# slurmdbd looks for all rows before it answers with the first.
PATIENCE_S: Final = 600.0
# About 20,000 rows: what is stored in one transaction.
PIECE_BYTES: Final = 4 * 1024 * 1024
IDS_PER_QUESTION: Final = 500


class CliUsageReader:
    """The port UsageReader over sacct; rows are read on a thread.

    An answer that breaks off, or a program that fails, raises ClusterError after the
    batches that came whole before it: none of them is half.
    """

    def __init__(self, programs: Programs) -> None:
        self._programs = replace(programs, timeout_s=PATIENCE_S)

    async def usage(
        self, since: int, until: int
    ) -> AsyncGenerator[Sequence[ReadRecord], None]:
        """Yield every run that existed at some time in between, in batches."""
        tokens = Tokens.fresh()
        rows = UsageRows(tokens.field)
        question = commands.usage_between(since, until, tokens)
        pieces = self._programs.follow(question, PIECE_BYTES)
        async with aclosing(pieces):
            async for piece in pieces:
                batch = await asyncio.to_thread(rows.feed, piece)
                if batch:
                    yield batch
        rows.close()

    async def suspended(
        self, job_ids: Sequence[int], since: int, until: int
    ) -> Mapping[tuple[int, int], int]:
        """Return by job and submit time how long each was suspended in between."""
        found: dict[tuple[int, int], int] = {}
        for start in range(0, len(job_ids), IDS_PER_QUESTION):
            some, tokens = job_ids[start : start + IDS_PER_QUESTION], Tokens.fresh()
            question = commands.suspended_between(some, since, until, tokens)
            answer = await self._programs.ask(question)
            size = len(commands.SUSPENDED_FIELDS)
            found |= read_suspended(recorded_rows(answer, tokens, size))
        return found
