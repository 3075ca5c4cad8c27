"""The one poller: look, store, wait, and survive whatever fails on the way."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Final

from kqi_hub.domain.cluster import Reading
from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import ClusterReader, SnapshotStore
from kqi_hub.services.polling import LastLook, PollRules, due_at, refresh_at
from kqi_hub.services.reconcile import Reconciler
from kqi_hub.services.snapshot import Verdict, take_reading
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal
from kqi_hub.worker.steps import ACCOUNTING, DATABASE, SLURM, StepFailed, step

# How often the store is asked whether somebody wants a fresh look.
GLANCE_S: Final = 1.0


class Poller:
    """Keep the stored picture young, one look after the other."""

    def __init__(
        self,
        reader: ClusterReader,
        store: SnapshotStore,
        rules: PollRules,
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._reader = reader
        self._store = store
        self._rules = rules
        self._journal = journal
        self._clocks = clocks
        self._reconciler = Reconciler(reader, self._last_seen, clocks.steady)
        self._failures = 0
        self._asked_s = deque([0.0], maxlen=2)
        self._answered: float | None = None

    async def run(self) -> None:
        """Look for ever; only cancelling ends it."""
        try:
            while True:
                await self._wait(await self.look())
        finally:
            await self._reconciler.close()

    async def look(self) -> LastLook:
        """Take and store one picture, or store why there is none."""
        started, tried_at = self._clocks.steady(), self._clocks.wall()
        try:
            await self._look_and_store()
        except StepFailed as failed:
            self._journal.trouble(failed.name, failed.cause)
            await self._mark(str(failed), tried_at)
        took_s = self._clocks.steady() - started
        # One slow answer is a hiccup; only two in a row make the looks seldom.
        own_s = max(0.0, took_s - min(self._asked_s))
        return LastLook(started, took_s, self._failures, own_s)

    async def _look_and_store(self) -> None:
        asked = await self._newest_request()
        reading = await self._reading()
        verdict = await self._verdict(reading)
        with step(DATABASE):
            await asyncio.to_thread(self._store.save, reading, verdict.ended)
        self._answered = asked
        self._journal.fine(DATABASE)
        if verdict.remark:
            await self._mark(verdict.remark, reading.taken_at)

    async def _reading(self) -> Reading:
        began = self._clocks.steady()
        try:
            with step(SLURM):
                reading = await take_reading(self._reader, self._clocks.wall)
        except StepFailed:
            self._failures += 1
            raise
        finally:
            self._asked_s.append(self._clocks.steady() - began)
        self._failures = 0
        self._journal.fine(SLURM)
        return reading

    async def _verdict(self, reading: Reading) -> Verdict:
        with step(DATABASE):
            lost = await asyncio.to_thread(self._store.lost_jobs, reading)
        try:
            with step(ACCOUNTING):
                verdict = await self._reconciler.settle(lost)
        except StepFailed as failed:
            # The picture itself is good: store it, and end nobody's job.
            self._journal.trouble(ACCOUNTING, failed.cause)
            return Verdict(unconfirmed=tuple(lost), error=str(failed))
        if verdict.remark:
            self._journal.trouble(ACCOUNTING, verdict.remark)
        else:
            self._journal.fine(ACCOUNTING)
        return verdict

    async def _mark(self, sentence: str, tried_at: float) -> None:
        try:
            with step(DATABASE):
                await asyncio.to_thread(self._store.mark_failed, sentence, tried_at)
        except StepFailed as failed:
            self._journal.trouble(DATABASE, failed.cause)

    async def _wait(self, last: LastLook) -> None:
        jitter = self._clocks.dice()
        while True:
            due = due_at(self._rules, last, jitter)
            if await self._refresh_wanted():
                due = refresh_at(self._rules, last, jitter)
            left = due - self._clocks.steady()
            if left <= 0:
                return
            await self._clocks.sleep(min(GLANCE_S, left))

    async def _refresh_wanted(self) -> bool:
        try:
            asked = await self._newest_request()
        except StepFailed as failed:
            self._journal.trouble(DATABASE, failed.cause)
            return False
        return asked is not None and asked != self._answered

    async def _newest_request(self) -> float | None:
        with step(DATABASE):
            return await asyncio.to_thread(self._store.refresh_requested_at)

    def _last_seen(self) -> Mapping[int, Job]:
        return {job.job_id: job for job in self._store.live_jobs()}
