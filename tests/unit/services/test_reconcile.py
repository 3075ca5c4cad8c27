"""Lost jobs are settled beside the polling, without pressing accounting."""

import asyncio
from collections.abc import Mapping, Sequence

from kqi_hub.domain.errors import ClusterUnreachable
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.services.reconcile import Reconciler
from tests.fakes.slurm_reader import ScriptedReader, make_job


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class GatedReader(ScriptedReader):
    """Answer for accounting only when the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def ended(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        await self.gate.wait()
        return await super().ended(job_ids)


def nobody() -> dict[int, Job]:
    return {}


def end_of(job_id: int) -> EndedJob:
    return EndedJob(job_id, "COMPLETED", 1, 2, 0, 0)


async def test_confirmed_job_ends_at_once() -> None:
    reader = ScriptedReader()
    reader.records = {5: end_of(5)}
    verdict = await Reconciler(reader, nobody, Clock()).settle((5,))
    assert set(verdict.ended) == {5}
    assert verdict.remark == ""


async def test_slow_accounting_does_not_hold_the_picture_and_counts_later() -> None:
    reader = GatedReader()
    reader.records = {5: end_of(5)}
    reconciler = Reconciler(reader, nobody, Clock(), patience_s=0.01)
    first = await reconciler.settle((5,))
    assert (first.ended, first.unconfirmed) == ({}, (5,))
    assert "has not answered yet" in first.remark
    reader.gate.set()
    second = await reconciler.settle((5,))
    assert set(second.ended) == {5}
    assert reader.asked_about == [(5,)]


async def test_answer_about_a_job_that_came_back_is_thrown_away() -> None:
    reader = GatedReader()
    reader.records = {5: end_of(5)}
    reconciler = Reconciler(reader, nobody, Clock(), patience_s=0.01)
    await reconciler.settle((5,))
    reader.gate.set()
    verdict = await reconciler.settle(())
    assert verdict.ended == {}


async def test_accounting_that_knows_nothing_is_asked_less_and_less() -> None:
    reader, clock = ScriptedReader(), Clock()
    reconciler = Reconciler(reader, nobody, clock)
    for clock.now in range(0, 300, 1):
        verdict = await reconciler.settle((5,))
        assert verdict.unconfirmed == (5,)
        assert "5." in verdict.remark
    # 0, 5, 15, 35, 75, then every minute
    assert len(reader.asked_about) == 8


async def test_newly_lost_job_is_asked_about_without_waiting_for_the_others() -> None:
    reader, clock = ScriptedReader(), Clock()
    reconciler = Reconciler(reader, nobody, clock)
    await reconciler.settle((5,))
    clock.now = 1
    await reconciler.settle((5, 6))
    assert reader.asked_about == [(5,), (6,)]


async def test_reason_of_the_fault_stays_on_the_picture_between_questions() -> None:
    reader, clock = ScriptedReader(), Clock()
    reader.accounting_fault = ClusterUnreachable("slurmdbd is away.")
    reconciler = Reconciler(reader, nobody, clock)
    await reconciler.settle((5,))
    clock.now = 1
    verdict = await reconciler.settle((5,))
    assert "slurmdbd is away." in verdict.remark
    assert len(reader.asked_about) == 1


async def test_job_that_came_back_and_is_lost_again_is_asked_about_at_once() -> None:
    reader, clock = ScriptedReader(), Clock()
    reconciler = Reconciler(reader, nobody, clock)
    await reconciler.settle((5,))
    await reconciler.settle(())
    await reconciler.settle((5,))
    assert reader.asked_about == [(5,), (5,)]


async def test_last_seen_times_keep_a_wrapped_number_from_ending_a_job() -> None:
    reader = ScriptedReader()
    reader.records = {5: end_of(5)}
    seen = {5: make_job(5, submitted_at=1_700_000_000)}
    verdict = await Reconciler(reader, lambda: seen, Clock()).settle((5,))
    assert verdict.unconfirmed == (5,)


async def test_closing_cancels_the_question_under_way() -> None:
    reader = GatedReader()
    reconciler = Reconciler(reader, nobody, Clock(), patience_s=0.01)
    await reconciler.settle((5,))
    await reconciler.close()
    assert len(asyncio.all_tasks()) == 1
