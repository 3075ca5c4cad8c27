"""The poller survives every fault, ends no live job and tells readers the reason."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest

from kqi_hub.domain.errors import ClusterError, ClusterTimedOut, ClusterUnreachable
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.services.polling import PollRules
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal
from kqi_hub.worker.poller import Poller
from tests.fakes.slurm_reader import ScriptedReader, make_job
from tests.fakes.snapshot_store import FakeSnapshotStore


class Stopped(Exception):
    """The test has seen enough."""


class Bench:
    """A poller on turned clocks: every sleep moves time and runs the plan."""

    def __init__(self, *, until: float = 1e9) -> None:
        self.now = 1000.0
        self.until = until
        self.reader = ScriptedReader()
        self.store = FakeSnapshotStore()
        self.plan: dict[float, Callable[[], None]] = {}
        self.poller = Poller(
            self.reader,
            self.store,
            PollRules(10, 120),
            Journal(lambda: self.now),
            Clocks(lambda: self.now, lambda: self.now, self.sleep, lambda: 0.0),
        )

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        for at in [at for at in self.plan if at <= self.now]:
            self.plan.pop(at)()
        if self.now >= self.until:
            raise Stopped

    async def run(self) -> None:
        with pytest.raises(Stopped):
            await self.poller.run()

    def looks_at(self) -> list[float]:
        return [reading.taken_at for reading in self.store.saved]


async def test_looks_at_the_usual_interval() -> None:
    bench = Bench(until=1031)
    await bench.run()
    assert bench.looks_at() == [1000, 1010, 1020, 1030]


async def test_one_slow_answer_is_a_hiccup_and_two_slow_the_looks_down() -> None:
    bench = Bench(until=1600)
    slow = iter([0.0, 8.0, 0.0, 8.0, 8.0, 0.0])
    jobs = bench.reader.jobs

    async def answer() -> tuple[Job, ...]:
        bench.now += next(slow, 0.0)
        return await jobs()

    bench.reader.jobs = answer  # type: ignore[method-assign]  # only time passes in it
    await bench.run()
    pauses = [later - earlier for earlier, later in pairwise(bench.looks_at())]
    assert max(pauses[:4]) < 30
    assert pauses[4] == 120


async def test_unreachable_controller_keeps_the_old_picture_and_its_reason() -> None:
    bench = Bench()
    bench.reader.job_list = (make_job(1),)
    await bench.poller.look()
    bench.now += 10
    bench.reader.fault = ClusterUnreachable("No controller.", "Start slurmctld.")
    last = await bench.poller.look()
    assert last.failures == 1
    assert [job.job_id for job in bench.store.live_jobs()] == [1]
    assert bench.store.fresh.taken_at == 1000
    assert bench.store.fresh.error == "No controller. Start slurmctld."
    assert bench.store.fresh.tried_at == 1010


async def test_failures_slow_it_down_and_the_first_success_ends_that() -> None:
    bench = Bench(until=1161)
    bench.reader.fault = ClusterTimedOut("squeue hangs.")
    bench.plan = {1075.0: lambda: setattr(bench.reader, "fault", None)}
    await bench.run()
    # 1000, 1010, 1030 and 1070 fail; the pauses between double.
    assert bench.reader.calls.count("jobs") == 4 + 2
    assert bench.looks_at() == [1150, 1160]


async def test_vanished_job_ends_only_when_accounting_says_so() -> None:
    bench = Bench()
    bench.reader.job_list = (make_job(1), make_job(2))
    await bench.poller.look()
    bench.reader.job_list = ()
    bench.reader.records = {1: EndedJob(1, "COMPLETED", 900, 1001, 0, 0)}
    await bench.poller.look()
    assert [job.job_id for job in bench.store.live_jobs()] == [2]
    assert bench.store.known[1].state == "COMPLETED"
    assert "job 2." in bench.store.fresh.error
    assert bench.store.fresh.taken_at == bench.store.fresh.tried_at


@pytest.mark.parametrize(
    "fault",
    [ClusterUnreachable("slurmdbd is away."), ValueError("no such column"), OSError(5)],
)
async def test_broken_accounting_still_stores_the_new_picture(fault: Exception) -> None:
    bench = Bench()
    bench.reader.job_list = (make_job(1),)
    await bench.poller.look()
    bench.reader.job_list = (make_job(2),)
    bench.reader.accounting_fault = fault
    last = await bench.poller.look()
    assert last.failures == 0
    assert {job.job_id for job in bench.store.live_jobs()} == {1, 2}
    assert "job 1" in bench.store.fresh.error


async def test_answer_that_cannot_be_read_is_told_and_counts_as_a_failure() -> None:
    bench = Bench()
    bench.reader.jobs_fault = ValueError("a column\nis missing")
    last = await bench.poller.look()
    assert last.failures == 1
    assert bench.store.marks == ["Slurm's answer cannot be used: ValueError a column"]


async def test_full_disk_is_told_and_the_next_look_stores_again() -> None:
    bench = Bench(until=1011)
    bench.store.save_fault = OSError(28, "No space left on device")
    bench.plan = {1005.0: lambda: setattr(bench.store, "save_fault", None)}
    await bench.run()
    assert "No space left" in bench.store.marks[0]
    assert bench.looks_at() == [1010]


async def test_locked_database_ends_nothing_and_asks_slurm_no_faster() -> None:
    bench = Bench(until=1031)
    bench.store.fault = RuntimeError("database is locked")
    await bench.run()
    assert bench.store.marks == []
    assert bench.reader.calls.count("jobs") == 0
    bench.store.fault = None
    bench.until = 1042
    await bench.run()
    assert bench.looks_at()


async def test_refresh_is_answered_when_the_last_look_is_five_seconds_old() -> None:
    bench = Bench(until=1009)
    bench.plan = {1002.0: lambda: bench.store.request_refresh(1002.0)}
    await bench.run()
    assert bench.looks_at() == [1000, 1005]


async def test_refresh_after_five_seconds_is_answered_within_a_glance() -> None:
    bench = Bench(until=1012)
    bench.plan = {1007.0: lambda: bench.store.request_refresh(1007.0)}
    await bench.run()
    assert bench.looks_at() == [1000, 1007]


async def test_a_hundred_refreshes_cost_one_look() -> None:
    bench = Bench(until=1014)

    def press() -> None:
        for asked in range(100):
            bench.store.request_refresh(1001.0 + asked / 1000)

    bench.plan = {1001.0: press}
    await bench.run()
    assert bench.looks_at() == [1000, 1005]


async def test_refresh_every_second_is_held_to_one_look_in_five() -> None:
    bench = Bench(until=1031)
    for second in range(1001, 1031):
        asked = float(second)
        bench.plan[asked] = partial(bench.store.request_refresh, asked)
    await bench.run()
    looks = bench.looks_at()
    assert min(b - a for a, b in pairwise(looks)) >= 5
    assert len(looks) == 7


async def test_refresh_during_an_outage_presses_the_controller_no_harder() -> None:
    quiet, pressed = Bench(until=1100), Bench(until=1100)
    for bench in (quiet, pressed):
        bench.reader.fault = ClusterUnreachable("No controller.")
    for second in range(1001, 1100):
        asked = float(second)
        pressed.plan[asked] = partial(pressed.store.request_refresh, asked)
    await quiet.run()
    await pressed.run()
    assert pressed.reader.calls.count("jobs") == quiet.reader.calls.count("jobs")


async def test_wall_clock_set_back_does_not_swallow_a_refresh() -> None:
    bench = Bench()
    await bench.poller.look()
    bench.store.asked = 5.0
    assert await bench.poller._refresh_wanted()


async def test_long_outage_is_two_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "kqi_hub.worker")
    bench = Bench()
    bench.reader.fault = ClusterUnreachable("No controller.")
    for _ in range(50):
        await bench.poller.look()
        bench.now += 10
    bench.reader.fault = None
    await bench.poller.look()
    await bench.poller.look()
    assert [record.getMessage() for record in caplog.records] == ["trouble", "back"]
    back = caplog.records[1].__dict__["pairs"]
    assert back == {"step": "slurm", "after_s": 500, "failed": 50}


async def test_cancelling_leaves_no_task_behind() -> None:
    bench = Bench()
    bench.reader.job_list = (make_job(1),)
    task = asyncio.create_task(bench.poller.run())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_every_cluster_error_is_shown_in_its_own_words() -> None:
    bench = Bench()
    bench.reader.fault = ClusterError("squeue said gibberish.", "Look at its log.")
    await bench.poller.look()
    assert bench.store.marks == ["squeue said gibberish. Look at its log."]
