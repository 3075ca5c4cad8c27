"""A picture is whole or absent, and a silence is never an end."""

import asyncio

import pytest

from kqi_hub.domain.errors import ClusterTimedOut, ClusterUnreachable
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.services.snapshot import confirm_ended, take_reading
from tests.fakes.slurm_reader import ScriptedReader, make_job


class SlowReader(ScriptedReader):
    """Answer two questions only after the third failed."""

    cancelled = 0

    async def jobs(self) -> tuple[Job, ...]:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise AssertionError("never reached")


def end_of(job_id: int, ended_at: int = 1000) -> EndedJob:
    return EndedJob(job_id, "COMPLETED", 900, ended_at, 0, 0)


async def test_reading_has_the_time_of_its_first_question() -> None:
    ticks = iter([100.0, 200.0])
    reader = ScriptedReader(make_job(1))
    reading = await take_reading(reader, lambda: next(ticks))
    assert reading.taken_at == 100.0
    assert reading.jobs == reader.job_list
    assert sorted(reader.calls) == ["jobs", "nodes", "partitions"]


async def test_one_failed_question_means_no_reading_and_ends_the_others() -> None:
    reader = SlowReader()
    reader.fault = ClusterUnreachable("Nobody answers.")
    async with asyncio.timeout(5):
        with pytest.raises(ClusterUnreachable, match="Nobody answers"):
            await take_reading(reader, lambda: 0.0)
    assert reader.cancelled <= 1


async def test_jobs_that_fail_alone_leave_no_half_picture() -> None:
    reader = ScriptedReader(make_job(1))
    reader.jobs_fault = ClusterTimedOut("squeue said nothing.")
    with pytest.raises(ClusterTimedOut):
        await take_reading(reader, lambda: 0.0)


async def test_accounting_is_not_asked_when_nothing_is_lost() -> None:
    reader = ScriptedReader()
    verdict = await confirm_ended(reader, (), {})
    assert verdict.remark == ""
    assert reader.calls == []


async def test_only_what_accounting_confirms_has_ended() -> None:
    reader = ScriptedReader()
    reader.records = {7: end_of(7)}
    verdict = await confirm_ended(reader, (7, 8), {})
    assert set(verdict.ended) == {7}
    assert verdict.unconfirmed == (8,)
    assert "job 8." in verdict.remark


@pytest.mark.parametrize("fault", [ClusterUnreachable, ClusterTimedOut])
async def test_silent_accounting_ends_nothing_and_is_named(
    fault: type[ClusterUnreachable],
) -> None:
    reader = ScriptedReader()
    reader.accounting_fault = fault("slurmdbd is away.")
    verdict = await confirm_ended(reader, (7, 8), {})
    assert verdict.ended == {}
    assert verdict.unconfirmed == (7, 8)
    assert "slurmdbd is away." in verdict.remark


async def test_record_of_an_older_job_with_the_same_number_does_not_count() -> None:
    reader = ScriptedReader()
    reader.records = {7: end_of(7, ended_at=1_500_000_000)}
    seen = {7: make_job(7, submitted_at=1_700_000_000)}
    verdict = await confirm_ended(reader, (7,), seen)
    assert verdict.ended == {}


async def test_clocks_a_little_apart_do_not_hide_an_end() -> None:
    reader = ScriptedReader()
    reader.records = {7: end_of(7, ended_at=1_699_999_990)}
    seen = {7: make_job(7, submitted_at=1_700_000_000)}
    assert set((await confirm_ended(reader, (7,), seen)).ended) == {7}


async def test_remark_about_many_jobs_stays_short() -> None:
    verdict = await confirm_ended(ScriptedReader(), tuple(range(1, 5001)), {})
    assert "1, 2, 3, 4, 5 and 4995 more" in verdict.remark
    assert len(verdict.remark) < 250
