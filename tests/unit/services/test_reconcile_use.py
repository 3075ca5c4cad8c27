"""The book beside Slurm's accounting: every second has a cause."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.reconciliation import (
    Cause,
    Reconciliation,
    SlurmUse,
    Use,
    to_json,
)
from kqi_hub.domain.site_days import Day, SiteDays
from kqi_hub.services.reconcile_use import UseReconciler
from tests.fakes.book import a_record

DAYS = SiteDays("Asia/Tokyo")
DAY = DAYS.day_of(1_795_000_000)
BEGIN = DAYS.begins(DAY)
HOUR = 3600
NOW = float(BEGIN + 30 * HOUR)


def run(job_id: int, start: int, end: int | None, **about: Any) -> JobRecord:
    """Return a run of two CPUs and one GPU of tenant vision, from BEGIN on."""
    ended = None if end is None else BEGIN + end
    fields: dict[str, Any] = {
        "job_id": job_id,
        "submitted_at": BEGIN + start,
        "account": "vision",
        "started_at": BEGIN + start,
        "ended_at": ended,
        "suspended_s": 0,
        "nodes": 1,
        "cpus": 2,
        "memory_mb": 100,
        "gpus": "a100=1",
    }
    return a_record()._replace(**fields | about)


def used(seconds: int) -> Use:
    return Use(seconds, 2 * seconds, 100 * seconds, seconds, seconds)


class Slurm:
    """A UseReader that cuts rows to the time as sacct -T does."""

    def __init__(self, *rows: JobRecord) -> None:
        self.rows = list(rows)
        self.rolled: Mapping[str, Use] | None = None
        self.asked: list[tuple[int, int]] = []

    async def use(self, since: int, until: int) -> Sequence[SlurmUse]:
        found = []
        for row in self.rows:
            begun, over = row.started_at or 0, row.ended_at or until
            seconds = min(over, until) - max(begun, since) - row.suspended_s
            if seconds > 0:
                began = max(begun, since)
                use = used(seconds)
                found.append(SlurmUse(row.key, row.account, row.state, began, use))
        return found

    async def rolled_up(self, since: int, until: int) -> Mapping[str, Use] | None:
        self.asked.append((since, until))
        return self.rolled


class Ours:
    """A RecordedUse in memory; the book has what the records say, unless told."""

    def __init__(self, *records: JobRecord) -> None:
        self.held = list(records)
        self.book: dict[Day, Mapping[str, Use]] | None = None
        self.until = int(NOW)
        self.known: frozenset[int] = frozenset()
        self.filled: int | None = 0
        self.found: Reconciliation | None = None

    def records(self, since: int, until: int) -> Sequence[JobRecord]:
        return [
            one
            for one in self.held
            if (one.started_at or 0) < until
            and (one.ended_at is None or one.ended_at > since)
        ]

    def booked(self, day: Day) -> Mapping[str, Use]:
        if self.book is not None:
            return self.book.get(day, {})
        begins, ends = DAYS.begins(day), DAYS.begins(day + 1)
        total = Use()
        for one in self.held:
            if one.ended_at is not None:
                cut = min(one.ended_at, ends) - max(one.started_at or 0, begins)
                total = total.plus(used(max(0, cut - one.suspended_s)))
        return {"vision": total}

    def read_until(self) -> int:
        return self.until

    def filled_back_to(self) -> int | None:
        return self.filled

    def live(self) -> frozenset[int]:
        return self.known

    def keep(self, found: Reconciliation) -> None:
        self.found = found

    def kept(self) -> Reconciliation | None:
        return self.found


def compare(ours: Ours, slurm: Slurm, until: int = 24 * HOUR) -> Reconciliation:
    reconciler = UseReconciler(slurm, ours, DAYS, lambda: NOW)
    return asyncio.run(reconciler.compare(BEGIN, BEGIN + until))


def test_what_is_the_same_differs_by_nothing() -> None:
    runs = (run(1, 0, 100), run(2, 50, 90_000))
    found = compare(Ours(*runs), Slurm(*runs))
    assert not found.causes
    [account] = found.accounts
    assert account.ours == account.slurm == used(100 + 24 * HOUR - 50)


def test_a_run_over_midnight_is_cut_to_the_second_on_both_sides() -> None:
    over = run(1, 23 * HOUR, 25 * HOUR)
    found = compare(Ours(over), Slurm(over), 26 * HOUR)
    assert not found.causes
    assert found.accounts[0].ours == used(2 * HOUR)


CASES = {
    "it runs": (Cause.RUNNING, run(7, 0, None), run(7, 0, None, state="RUNNING")),
    "it ended lately": (Cause.LATE, None, run(7, 24 * HOUR - 9, 24 * HOUR - 2)),
    "it is not there": (Cause.MISSING, None, run(7, 10, 20)),
    "it is not ended here": (Cause.MISSING, run(7, 10, None), run(7, 10, 20)),
    "it was purged": (Cause.GONE, run(7, 10, 20), None),
    "it ended otherwise": (Cause.CHANGED, run(7, 10, 20), run(7, 10, 25)),
    "it was suspended": (
        Cause.SUSPENDED,
        run(7, 10, 90, suspended_s=20),
        run(7, 10, 90, suspended_s=15),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_difference_has_its_cause(case: str) -> None:
    cause, record, row = CASES[case]
    ours = Ours(*([record] if record else []))
    ours.known, ours.until = frozenset({7}), BEGIN + 24 * HOUR
    found = compare(ours, Slurm(*([row] if row else [])))
    assert list(found.causes) == [cause]
    assert found.counts[cause] == 1
    assert found.unexplained.is_nothing
    assert found.named[0].job_id == 7


def test_what_runs_for_accounting_alone_is_a_runaway() -> None:
    row = run(7, 0, None, state="RUNNING")
    assert list(compare(Ours(row), Slurm(row)).causes) == [Cause.RUNAWAY]


def test_records_that_are_not_in_the_book_are_told_of_whole_days() -> None:
    runs = (run(1, 0, 100),)
    ours = Ours(*runs)
    ours.book = {DAY: {"vision": used(60)}}
    found = compare(ours, Slurm(*runs))
    assert found.causes == {Cause.UNPOSTED: used(60).plus(used(100), -1)}
    assert found.unexplained.is_nothing
    # Of a day that goes on the book may have more than the hours compared.
    assert not compare(ours, Slurm(*runs), 12 * HOUR).causes


def test_harmless_causes_are_no_trouble() -> None:
    row = run(7, 0, None, state="RUNNING")
    ours = Ours(row)
    ours.known = frozenset({7})
    assert not compare(ours, Slurm(row)).troubles
    gone = compare(Ours(run(1, 5, 9)), Slurm())
    assert gone.troubles == (Cause.GONE,)


def test_the_roll_up_is_asked_for_full_hours_alone() -> None:
    slurm = Slurm()
    slurm.rolled = {"vision": used(10)}
    found = compare(Ours(), slurm, 24 * HOUR)
    assert found.accounts[0].rolled_up == used(10)
    compare(Ours(), slurm, 24 * HOUR - 1)
    assert slurm.asked == [(BEGIN, BEGIN + 24 * HOUR)]


@pytest.mark.parametrize("until", [0, -5, 401 * 24 * HOUR])
def test_no_time_at_all_and_too_much_of_it_are_refused(until: int) -> None:
    with pytest.raises(InvalidInput):
        compare(Ours(), Slurm(), until)


@pytest.mark.parametrize(
    ("filled", "since"), [(None, None), (0, -7), (BEGIN - 5 * HOUR, 0)]
)
def test_days_that_are_not_taken_in_yet_are_not_compared_by_night(
    filled: int | None, since: int | None
) -> None:
    ours = Ours()
    ours.filled = filled
    reconciler = UseReconciler(Slurm(), ours, DAYS, lambda: NOW)
    time = asyncio.run(reconciler.lately(8))
    if since is None:
        assert time is None
    else:
        assert time == (DAYS.begins(DAY + since), BEGIN + 30 * HOUR)


TIMES = st.tuples(st.integers(0, 200_000), st.integers(1, 200_000))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(TIMES, st.booleans(), st.booleans()), max_size=12),
    st.integers(1, 60 * HOUR),
)
def test_causes_always_sum_to_the_difference(
    drawn: list[tuple[tuple[int, int], bool, bool]], until: int
) -> None:
    made = [
        (run(number, start, start + lasts), here, there)
        for number, ((start, lasts), here, there) in enumerate(drawn, 1)
    ]
    ours = Ours(*(one for one, here, _ in made if here))
    slurm = Slurm(*(one for one, _, there in made if there))
    found = compare(ours, slurm, until)
    assert found.unexplained.is_nothing


def test_what_was_found_is_data_for_programs() -> None:
    told = to_json(compare(Ours(run(1, 5, 9)), Slurm()))
    gone = {"cause": "gone", "count": 1, "use": used(4)._asdict()}
    assert told["causes"] == [gone]
