"""Runs of a list that go on: their cost until now, of the days that are shown."""

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.job import Job
from kqi_hub.domain.queues import survey
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.usage import Days, UsedRun
from kqi_hub.services.board import Picture
from kqi_hub.services.pricing import Pricing
from kqi_hub.services.running_runs import with_costs_so_far
from tests.fakes.book import NOON, a_record
from tests.fakes.queues import job

HOUR = 3600
RATES = Pricing([RateCard(1, 0, (CardLine("*", gpu=3_600_000),))])
GOES_ON = UsedRun(1, a_record(ended_at=None, state="RUNNING"), "other", None)
LIVE = job(7, "alice", "a100", "RUNNING", submitted_at=NOON - 60, starts_at=NOON)


def shown(
    run: UsedRun, *jobs: Job, now: float = NOON + HOUR, days: Days | None = None
) -> UsedRun:
    fresh = Freshness(1, now, now)
    picture = Picture(fresh, jobs=jobs, scene=survey((), (), jobs, ()))
    [found] = with_costs_so_far([run], picture, RATES, now, days)
    return found


def test_what_runs_costs_what_it_would_if_it_ended_now() -> None:
    found = shown(GOES_ON, LIVE, now=NOON + 100.9)
    assert (found.amount, found.seconds) == (200_000, 100)
    assert (found.gpu_s, found.cpu_s) == (200, 800)
    assert not found.record.is_final


def test_suspended_seconds_that_accounting_knows_are_left_out() -> None:
    run = GOES_ON._replace(record=GOES_ON.record._replace(suspended_s=40))
    assert shown(run, LIVE, now=NOON + 100).amount == 120_000


def test_of_a_run_over_midnight_the_days_shown_count() -> None:
    day = RATES.days.day_of(NOON)
    now = NOON + 24 * HOUR
    parts = [
        shown(GOES_ON, LIVE, now=now, days=Days(one, one)).amount
        for one in (day - 1, day, day + 1)
    ]
    assert parts == [0, 2 * 12 * 3_600_000, 2 * 12 * 3_600_000]
    assert shown(GOES_ON, LIVE, now=now).amount == sum(parts)


def test_what_slurm_does_not_run_stays_as_the_book_has_it() -> None:
    ended = GOES_ON._replace(record=a_record(), amount=9)
    assert shown(ended, LIVE) == ended
    assert shown(GOES_ON) == GOES_ON
    again = job(7, "alice", "a100", "RUNNING", submitted_at=NOON, starts_at=NOON)
    assert shown(GOES_ON, again) == GOES_ON
    waits = GOES_ON._replace(record=GOES_ON.record._replace(started_at=None))
    assert shown(waits, LIVE) == waits
