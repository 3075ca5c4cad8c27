"""Peaks: the most of any run, each by itself, where it ended."""

from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.charges import charges
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.domain.usage_counts import UsageCounts
from kqi_hub.domain.usage_peaks import Peaks, UsagePeaks
from tests.fakes.book import NOON, FakeBook, a_record
from tests.fakes.histories import CARDS

DAYS = SiteDays()
HOUR_S = 3600


def peaks_of(*some: JobRecord) -> UsagePeaks:
    found, usage, pricing = UsagePeaks(), UsageCounts(DAYS), FakeBook(CARDS).pricing
    for number, record in enumerate(some, 1):
        charged = charges(record, pricing.tariff, DAYS)
        if ended := usage.add(Recorded(number, record, "job"), charged):
            found.add(ended, record, charged)
    return found


def test_each_peak_is_of_another_run() -> None:
    long = a_record(job_id=1, ended_at=NOON + 5 * HOUR_S)
    failed = a_record(job_id=2, ended_at=NOON + 2 * HOUR_S, state="FAILED")
    waited = a_record(job_id=3, ended_at=NOON + 60, eligible_at=NOON - 9_000)
    ((_, found),) = peaks_of(failed, long, waited).by_day.items()
    ((_, alone),) = peaks_of(long).by_day.items()
    ((_, lost),) = peaks_of(failed).by_day.items()
    assert Peaks(*found) == Peaks(alone[0], lost[1], 9_000)
    assert alone[1] == 0 < lost[1]


def test_a_run_over_midnight_counts_whole_on_its_last_day_alone() -> None:
    record = a_record(ended_at=NOON + 40 * HOUR_S)
    found = peaks_of(record)
    ((day, _),) = found.by_day
    assert day == DAYS.day_of(NOON + 40 * HOUR_S)
    charged = charges(record, FakeBook(CARDS).pricing.tariff, DAYS)
    assert len(charged) > 1
    (peaks,) = found.by_day.values()
    assert peaks[0] == sum(one.amount for one in charged)


def test_a_month_has_the_highest_of_its_days() -> None:
    november = {"submitted_at": NOON, "started_at": NOON + 24 * HOUR_S}
    days = [
        a_record(job_id=n, ended_at=NOON + (24 + 9 * n) * HOUR_S, **november)
        for n in (3, 1, 2)
    ]
    found = peaks_of(*days)
    assert len(found.by_day) > 1
    (month,) = found.by_month().values()
    assert month == [max(one) for one in zip(*found.by_day.values(), strict=True)]


def test_what_goes_on_or_came_to_nothing_has_no_peak() -> None:
    going = a_record(ended_at=None)
    never = a_record(started_at=None, eligible_at=None, state="CANCELLED")
    assert peaks_of(going, never).by_day == {}


def test_a_wait_counts_from_the_submission_where_no_other_time_is_known() -> None:
    record = a_record(submitted_at=NOON - 500, eligible_at=None)
    ((_, found),) = peaks_of(record).by_day.items()
    assert found[2] == 500
