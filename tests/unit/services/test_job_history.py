"""What ended unseen is taken over once, window by window, and nothing twice."""

from collections.abc import Sequence

import pytest

from kqi_hub.domain.errors import ClusterUnreachable
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.services.job_history import OVERLAP_S, WINDOW_S, Ended, JobHistory
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.history import INTERVAL_S, HistoryRounds
from kqi_hub.worker.journal import Journal
from tests.fakes.queues import HOUR, job

NOW = 1_800_000_000.0


def ended(job_id: int, at: float) -> tuple[Job, EndedJob]:
    over = job(job_id, "mia", "cpu", "COMPLETED", ends_at=int(at))
    return over, EndedJob(job_id, "COMPLETED", None, int(at), 0, 0)


class Accounting:
    """A HistoryReader; `fault` is raised by the question of this number."""

    def __init__(self, *jobs: tuple[Job, EndedJob]) -> None:
        self.jobs = jobs
        self.asked: list[tuple[float, float]] = []
        self.fault: int | None = None

    async def history(self, since: float, until: float) -> tuple[Ended, ...]:
        self.asked.append((since, until))
        if self.fault == len(self.asked):
            raise ClusterUnreachable("slurmdbd does not answer.")
        return tuple(x for x in self.jobs if since <= x[1].ended_at <= until)


class Shelf:
    """A HistoryStore in a set."""

    def __init__(self) -> None:
        self.held: set[int] = set()

    def add_ended(self, jobs: Sequence[tuple[Job, EndedJob]]) -> int:
        new = {one.job_id for one, _ in jobs} - self.held
        self.held |= new
        return len(new)


async def test_the_first_time_all_that_is_kept_is_read_in_windows() -> None:
    reader, shelf = Accounting(ended(1, NOW - 23 * HOUR), ended(2, NOW - 60)), Shelf()
    history = JobHistory(reader, shelf, 24 * HOUR, lambda: NOW)
    assert await history.take_over() == 2
    assert len(reader.asked) == 4
    assert all(until - since <= WINDOW_S for since, until in reader.asked)
    assert reader.asked[0][0] == NOW - 24 * HOUR
    assert reader.asked[-1][1] == NOW


async def test_later_only_what_is_new_is_asked_with_some_overlap() -> None:
    now, reader, shelf = [NOW], Accounting(ended(1, NOW - 60)), Shelf()
    history = JobHistory(reader, shelf, 24 * HOUR, lambda: now[0])
    await history.take_over()
    now[0] += 300
    assert await history.take_over() == 0
    assert reader.asked[-1] == (NOW - OVERLAP_S, NOW + 300)


async def test_after_a_failure_it_goes_on_where_it_was() -> None:
    reader, shelf = Accounting(ended(1, NOW - 60)), Shelf()
    reader.fault = 3
    history = JobHistory(reader, shelf, 24 * HOUR, lambda: NOW)
    with pytest.raises(ClusterUnreachable):
        await history.take_over()
    assert await history.take_over() == 1
    assert reader.asked[3][0] == reader.asked[1][1] - OVERLAP_S


async def test_what_is_older_than_what_is_kept_is_not_listed() -> None:
    reader, shelf = Accounting(ended(1, NOW - 60)), Shelf()
    history = JobHistory(reader, shelf, 30, lambda: NOW)
    reader.jobs = (ended(1, NOW - 60), ended(2, NOW - 10))
    assert await history.take_over() == 1
    assert shelf.held == {2}


async def test_the_worker_lives_on_when_accounting_is_silent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reader, slept = Accounting(), list[float]()
    reader.fault = 1

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise StopAsyncIteration

    history = JobHistory(reader, Shelf(), HOUR, lambda: NOW)
    rounds = HistoryRounds(history, Journal(), Clocks(sleep=sleep))
    with pytest.raises((StopAsyncIteration, RuntimeError)):
        await rounds.run()
    assert slept == [INTERVAL_S] * 2
    assert len(reader.asked) == 2
