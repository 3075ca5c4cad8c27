"""Taking accounting in: everything once, wherever it stops and whenever it comes."""

import random
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from kqi_hub.domain.accounting_ports import Progress, TakenIn
from kqi_hub.domain.errors import ClusterUnreachable
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.services import intake as intake_module
from kqi_hub.services.intake import (
    DAY_S,
    HISTORY_S,
    HOUR_S,
    LONGEST_S,
    OVERLAP_S,
    SHORTEST_S,
    Intake,
    Stride,
)
from tests.fakes.intake import FakeAccounting, FakeRecords, run

# 2026-11-10 12:00 UTC.
NOON = 1_794_312_000
MIDNIGHT = NOON - 12 * HOUR_S


class Died(Exception):
    """The process was killed."""


@dataclass
class Lab:
    """A cluster's accounting, a portal, and their clock."""

    accounting: FakeAccounting = field(default_factory=FakeAccounting)
    records: FakeRecords = field(default_factory=FakeRecords)
    now: float = NOON

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        days = SiteDays("UTC")
        self.intake = Intake(self.accounting, self.records, days, lambda: self.now)

    async def all_of_it(self) -> None:
        await self.intake.tick()
        while not self.records.known.is_whole:
            await self.intake.fill_back(0)

    @property
    def kept(self) -> list[JobRecord]:
        return sorted(one.record for one in self.records.kept.values())


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "PAUSE_S", 0)


@pytest.fixture
def lab() -> Lab:
    return Lab()


def years_of_runs(count: int = 400) -> list[JobRecord]:
    """Return runs over three years: short, long, failed, of arrays, run again."""
    dice = random.Random(8)  # noqa: S311  the same at each run
    found = []
    for number in range(1, count + 1):
        started = NOON - dice.randrange(1, 3 * 365 * DAY_S)
        ended = started + dice.choice((1, 60, HOUR_S, 7 * DAY_S))
        ran = run(number, started, min(ended, NOON - 1))
        found.append(ran)
        if number % 10 == 0:  # it went back into its queue
            found.append(run(number, ran.ended_at, (ran.ended_at or 0) + 60))
    return found


async def test_the_first_look_reads_two_days_and_notes_where_it_was(lab: Lab) -> None:
    lab.accounting.rows = [run(1, NOON - HOUR_S, NOON - 60)]
    assert await lab.intake.tick() == TakenIn(1, 1, 0, 1)
    known = lab.records.known
    assert known == Progress(NOON, NOON - HISTORY_S, NOON - OVERLAP_S, NOON)
    assert not known.is_whole


async def test_all_of_the_past_comes_in_once(lab: Lab) -> None:
    lab.accounting.rows = years_of_runs()
    await lab.all_of_it()
    assert lab.kept == sorted(lab.accounting.rows)
    assert len(lab.records.posted) == len(lab.accounting.rows)
    assert await lab.intake.fill_back(HOUR_S) == TakenIn()


async def test_the_past_is_asked_in_steps_that_touch(lab: Lab) -> None:
    lab.accounting.rows = years_of_runs(50)
    await lab.all_of_it()
    ends = sorted(lab.accounting.asked)
    assert ends[0][0] == NOON - HISTORY_S
    assert all(after[0] <= before[1] for before, after in pairwise(ends))
    assert ends[-1][1] == NOON


@pytest.mark.parametrize("seed", range(30))
async def test_a_restart_at_any_point_changes_nothing(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  the same at each run
    lab = Lab(FakeAccounting(years_of_runs()))

    def die_perhaps() -> None:
        if dice.random() < 0.1:
            raise Died

    lab.records.on_write = die_perhaps
    for _ in range(3000):
        if lab.records.known.is_whole:
            break
        try:
            if dice.random() < 0.3:
                lab.accounting.breaks_at = dice.randrange(4)
            await lab.all_of_it()
        except (Died, ClusterUnreachable):
            lab.restart()
            lab.accounting.breaks_at = None
    assert lab.records.known.is_whole
    assert lab.kept == sorted(lab.accounting.rows)
    assert len(lab.records.posted) == len(lab.accounting.rows)


async def test_accounting_that_is_away_moves_nothing(lab: Lab) -> None:
    await lab.intake.tick()
    known = lab.records.known
    lab.accounting.breaks_at, lab.now = 0, NOON + 300
    with pytest.raises(ClusterUnreachable):
        await lab.intake.tick()
    assert lab.records.known == known


async def test_what_came_before_a_break_is_kept_and_no_harm(lab: Lab) -> None:
    lab.accounting.rows = [run(n, NOON - 100 - n, NOON - n) for n in range(1, 10)]
    lab.accounting.breaks_at = 1
    with pytest.raises(ClusterUnreachable):
        await lab.intake.tick()
    assert lab.records.known == Progress()
    lab.accounting.breaks_at = None
    await lab.intake.tick()
    assert lab.kept == sorted(lab.accounting.rows)
    assert len(lab.records.posted) == 9


async def test_runs_told_late_come_in_after_days_without_slurmdbd(lab: Lab) -> None:
    await lab.intake.tick()
    lab.now += 5 * DAY_S
    await lab.intake.tick()
    # slurmctld tells only now what ended while slurmdbd was down.
    late = run(7, int(lab.now) - OVERLAP_S - 300, int(lab.now) - OVERLAP_S + 300)
    lab.accounting.rows.append(late)
    lab.now += 300
    await lab.intake.tick()
    assert lab.kept == [late]


async def test_a_running_job_is_posted_again_when_it_ended(lab: Lab) -> None:
    lab.accounting.rows = [run(1, NOON - 100, None, state="RUNNING")]
    await lab.intake.tick()
    lab.accounting.rows = [run(1, NOON - 100, NOON + 60)]
    lab.now += 300
    assert await lab.intake.tick() == TakenIn(1, 0, 1, 1)
    assert lab.kept == lab.accounting.rows
    assert await lab.intake.tick() == TakenIn(1)


async def test_what_waits_is_not_taken_in(lab: Lab) -> None:
    waits = run(1, None, None, submitted_at=NOON - 5, eligible_at=NOON - 5)
    dropped = run(2, None, NOON - 5, eligible_at=NOON - 50, state="CANCELLED")
    lab.accounting.rows = [waits, dropped]
    await lab.intake.tick()
    assert lab.kept == [dropped]


@pytest.mark.parametrize("step", [-30 * DAY_S, -HOUR_S, HOUR_S, 30 * DAY_S])
async def test_a_clock_that_steps_leaves_no_gap(lab: Lab, step: int) -> None:
    await lab.intake.tick()
    lab.now += step
    await lab.intake.tick()
    lab.now = NOON + 600
    ended = run(3, NOON + 10, NOON + 20)
    lab.accounting.rows.append(ended)
    await lab.intake.tick()
    assert lab.kept == [ended]


@pytest.mark.parametrize(
    ("at", "is_read"),
    [(NOON, False), (MIDNIGHT + DAY_S + 2 * HOUR_S, False),
     (MIDNIGHT + DAY_S + 3 * HOUR_S, True), (NOON + 9 * DAY_S, True)],
)  # fmt: skip
async def test_five_weeks_are_read_once_more_each_night(
    lab: Lab, at: int, is_read: bool
) -> None:
    await lab.intake.tick()
    late = run(5, NOON - 20 * DAY_S, NOON - 19 * DAY_S)
    lab.accounting.rows.append(late)
    lab.now = at
    await lab.intake.nightly()
    assert lab.kept == ([late] if is_read else [])
    asked = len(lab.accounting.asked)
    lab.now += 300
    await lab.intake.nightly()
    assert len(lab.accounting.asked) == asked


async def test_a_night_that_fails_is_tried_again(lab: Lab) -> None:
    await lab.intake.tick()
    lab.now = MIDNIGHT + DAY_S + 4 * HOUR_S
    lab.accounting.breaks_at = 0
    with pytest.raises(ClusterUnreachable):
        await lab.intake.nightly()
    lab.accounting.breaks_at = None
    lab.accounting.rows.append(run(5, NOON - 20 * DAY_S, NOON - 19 * DAY_S))
    assert (await lab.intake.nightly()).new == 1


async def test_a_month_is_read_whole_before_it_is_closed(lab: Lab) -> None:
    inside = [run(1, 1_790_812_800 - 50, 1_790_812_800), run(2, 1_793_491_199, NOON)]
    lab.accounting.rows = [*inside, run(3, NOON - 60, NOON)]
    lab.accounting.rows[2] = lab.accounting.rows[2]._replace(eligible_at=NOON - 60)
    await lab.intake.read_month(202610)
    assert lab.kept == inside
    assert lab.accounting.asked[0][0] == 1_790_812_800
    assert lab.accounting.asked[-1][1] == 1_793_491_200


async def test_suspended_time_is_told_by_day(lab: Lab) -> None:
    started, ended = MIDNIGHT - 600, MIDNIGHT + 600
    lab.accounting.rows = [run(1, started, ended, suspended_s=300)]
    lab.accounting.pauses = {1: [(MIDNIGHT - 100, MIDNIGHT + 200)]}
    await lab.intake.tick()
    (kept,) = lab.kept
    day = SiteDays().day_of(MIDNIGHT)
    assert kept.suspended_days == {day - 1: 100, day: 200}
    # It is known now: no more questions.
    lab.accounting.pauses = {}
    assert await lab.intake.tick() == TakenIn(1)


async def test_days_that_do_not_come_to_the_whole_are_not_believed(lab: Lab) -> None:
    lab.accounting.rows = [run(1, MIDNIGHT - 600, MIDNIGHT + 600, suspended_s=300)]
    lab.accounting.pauses = {1: [(MIDNIGHT - 100, MIDNIGHT + 100)]}
    await lab.intake.tick()
    assert lab.kept[0].suspended == ""


def test_steps_are_as_long_as_answers_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "ROWS_AT_ONCE", 1000)
    stride = Stride()
    stride.adjust(0)
    assert stride.seconds == 4 * DAY_S
    stride.adjust(2000)
    assert stride.seconds == pytest.approx(2 * DAY_S, rel=0.01)
    for _ in range(20):
        stride.adjust(0)
    assert stride.seconds == LONGEST_S
    for _ in range(20):
        stride.shorten()
    assert stride.seconds == SHORTEST_S
