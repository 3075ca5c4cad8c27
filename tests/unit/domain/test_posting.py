"""The book holds what its records are worth, however they came."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st

from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.charges import charges
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.money import HOUR_S, MICRO
from kqi_hub.domain.posting import ACCOUNTING, Line
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.site_days import SiteDays, period_of
from kqi_hub.domain.usage import Totals
from kqi_hub.domain.usage_counts import UsageCounts, gpu_type_of
from tests.fakes.book import NOON, FakeBook, a_record
from tests.fakes.histories import AFTER, CARDS, History, histories


def new(record: JobRecord, id_: int = 1) -> Recorded:
    return Recorded(id_, record, "job")


def changed(before: Recorded, **fields: object) -> Recorded:
    record = before.record._replace(**fields)  # type: ignore[arg-type]  # by the tests
    return Recorded(before.id, record, before.kind, before._replace(before=None))


def test_a_run_over_the_end_of_a_month_is_charged_in_both() -> None:
    book = FakeBook(CARDS)
    book.post(None, [new(a_record(ended_at=NOON + 13 * HOUR_S))], AFTER)
    assert [(line.kind, line.period, line.amount) for line in book.lines] == [
        ("charge", 202610, 72 * MICRO),
        ("charge", 202611, 6 * MICRO),
    ]
    assert {line.author for line in book.lines} == {ACCOUNTING}
    assert book.bills == {
        (202610, "vision"): [72 * MICRO, 0, 0],
        (202611, "vision"): [6 * MICRO, 0, 0],
    }


def test_posting_the_same_again_adds_nothing() -> None:
    book = FakeBook(CARDS)
    run = new(a_record())
    book.post(None, [run], AFTER)
    usage = book.kept_usage()
    assert book.post(None, [run._replace(before=run)], AFTER) == 0
    assert book.kept_usage() == usage


def test_a_record_that_became_longer_is_corrected_by_the_difference() -> None:
    book = FakeBook(CARDS)
    run = new(a_record())
    book.post(None, [run], AFTER)
    book.post(None, [changed(run, ended_at=NOON + 2 * HOUR_S)], AFTER)
    line = book.lines[-1]
    assert (line.kind, line.amount, line.seconds) == ("correction", 6 * MICRO, HOUR_S)
    assert line.reason == "the record changed"


def test_a_run_of_another_tenant_is_taken_from_the_first_one() -> None:
    book = FakeBook(CARDS)
    run = new(a_record())
    book.post(None, [run], AFTER)
    book.post(None, [changed(run, account="speech")], AFTER)
    assert book.bills[(202610, "vision")] == [6 * MICRO, -6 * MICRO, 0]
    assert book.bills[(202610, "speech")] == [6 * MICRO, 0, 0]
    assert {whose.tenant for _, whose in book.kept_usage()} == {"speech"}


def test_a_record_that_goes_on_after_all_takes_its_charge_back() -> None:
    book = FakeBook(CARDS)
    run = new(a_record())
    book.post(None, [run], AFTER)
    again = changed(run, ended_at=None, state="RUNNING")
    book.post(None, [again], AFTER)
    assert sum(line.amount for line in book.lines) == 0
    assert book.kept_usage() == {}


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "COMPLETED"])
def test_a_run_without_an_end_is_not_posted_whatever_its_state(state: str) -> None:
    book = FakeBook(CARDS)
    assert book.post(None, [new(a_record(ended_at=None, state=state))], AFTER) == 0
    assert book.usage == {}


def test_late_use_of_a_closed_month_stands_in_the_open_one() -> None:
    book = FakeBook(CARDS)
    book.closed = {202610, 202611}
    book.post(None, [new(a_record())], AFTER)
    (line,) = book.lines
    assert (line.kind, line.period) == ("charge", 202612)
    assert period_of(line.day) == 202610
    assert line.reason == "use of 2026-10, which is closed"


def test_a_clock_that_was_set_back_writes_into_no_closed_month() -> None:
    book = FakeBook(CARDS)
    book.closed = {202610, 202611}
    book.post(None, [new(a_record())], NOON)
    assert book.lines[0].period == 202612


def test_changed_rates_are_told_apart_from_changed_records() -> None:
    book = FakeBook(CARDS[:1])
    run = new(a_record())
    book.post(None, [run], AFTER)
    dearer = RateCard(2, NOON, (CardLine("a100", gpu=4 * MICRO),))
    again = FakeBook([*CARDS[:1], dearer])
    again.lines = book.lines
    again.post(None, [run._replace(before=run)], AFTER)
    kinds = [(line.kind, line.version, line.amount) for line in again.lines]
    assert kinds == [
        ("charge", 1, 6 * MICRO),
        ("charge", 2, 8 * MICRO),
        ("correction", 1, -6 * MICRO),
    ]
    assert again.lines[-1].reason == "other rates or nodes"


def test_a_run_that_never_began_is_counted_without_a_line() -> None:
    book = FakeBook(CARDS)
    record = a_record(started_at=None, eligible_at=None, state="CANCELLED")
    assert book.post(None, [new(record)], AFTER) == 0
    ((_, sums),) = book.usage.items()
    assert Totals(*sums) == Totals(runs=1)


def test_what_failed_and_what_waited_is_counted_by_day() -> None:
    usage = UsageCounts(SiteDays())
    record = a_record(state="NODE_FAIL", ended_at=NOON + 13 * HOUR_S)
    run = new(record)
    usage.add(run, charges(record, FakeBook(CARDS).pricing.tariff, SiteDays()))
    first, second = (Totals(*sums) for _, sums in sorted(usage.by_day.items()))
    assert (first.started_runs, first.waited_s, first.runs) == (1, 60, 0)
    assert (second.runs, second.failed_runs, second.started_runs) == (1, 1, 0)
    assert first.failed_gpu_s == first.gpu_s == 24 * HOUR_S
    assert second.failed_amount == second.amount == 6 * MICRO


@pytest.mark.parametrize(
    ("gpus", "name"),
    [("", ""), ("a100=2", "a100"), ("v100=1,a100=2", "a100+v100"), ("=3", "gpu")],
)
def test_gpus_have_one_name_in_sums(gpus: str, name: str) -> None:
    assert gpu_type_of(gpus) == name


def read(book: FakeBook, rows: Sequence[tuple[int, JobRecord]], batch: int) -> None:
    """Post as the intake does: what is new or other than before, batch by batch."""
    known: dict[int, Recorded] = {}
    for start in range(0, len(rows), batch):
        latest = dict(rows[start : start + batch])
        runs = []
        for id_, record in latest.items():
            before = known.get(id_)
            if before is None or before.record != record:
                run = Recorded(id_, record, "job", before)
                known[id_] = run._replace(before=None)
                runs.append(run)
        book.post(None, runs, AFTER)


def expected(book: FakeBook, history: History) -> FakeBook:
    whole = FakeBook(book.pricing.tariff.cards, book.pricing.days)
    whole.post(None, [new(one, id_) for id_, one in history.final.items()], AFTER)
    return whole


GENERATED = settings(max_examples=100, deadline=None)
ZONES = st.sampled_from(["UTC", "Asia/Tokyo", "Europe/Berlin", "America/Havana"])


@given(histories(), st.integers(1, 9), ZONES)
@GENERATED
def test_the_way_to_the_last_reading_does_not_matter(
    history: History, batch: int, zone: str
) -> None:
    book = FakeBook(CARDS, SiteDays(zone))
    read(book, history.rows, batch)
    whole = expected(book, history)
    assert book.kept_usage() == whole.kept_usage()
    assert totals(book.lines) == totals(whole.lines)


def totals(lines: Sequence[Line]) -> dict[object, int]:
    """Return money and seconds by run, tenant, day and card, without the zeros."""
    found: dict[object, int] = {}
    for line in lines:
        place = (line.record_id, line.tenant, line.day, line.version)
        found[place, "money"] = found.get((place, "money"), 0) + line.amount
        found[place, "seconds"] = found.get((place, "seconds"), 0) + line.seconds
    return {key: number for key, number in found.items() if number}


@given(histories(), st.integers(1, 9))
@GENERATED
def test_reading_everything_twice_is_reading_it_once(
    history: History, batch: int
) -> None:
    book = FakeBook(CARDS)
    read(book, history.rows, batch)
    usage, count = book.kept_usage(), len(book.lines)
    again = [new(one, id_) for id_, one in history.final.items()]
    assert book.post(None, [run._replace(before=run) for run in again], AFTER) == 0
    assert (book.kept_usage(), len(book.lines)) == (usage, count)


@given(histories(), st.integers(0, 30))
@GENERATED
def test_a_closed_month_is_never_written_to_and_nothing_is_lost(
    history: History, moment: int
) -> None:
    book = FakeBook(CARDS)
    place = min(moment, len(history.rows))
    read(book, history.rows[:place], 1)
    book.closed = {202610}
    closed = [line for line in book.lines if line.period == 202610]
    known = dict(history.rows[:place])
    for id_, record in history.rows[place:]:
        before = new(known[id_], id_) if id_ in known else None
        known[id_] = record
        book.post(None, [Recorded(id_, record, "job", before)], AFTER)
    assert [line for line in book.lines if line.period == 202610] == closed
    assert totals(book.lines) == totals(expected(book, history).lines)
    assert all("closed" in line.reason for line in book.lines if is_moved(line))


def is_moved(line: Line) -> bool:
    return period_of(line.day) != line.period


@given(histories(), st.integers(1, 9))
@GENERATED
def test_bills_come_to_their_lines(history: History, batch: int) -> None:
    book = FakeBook(CARDS)
    read(book, history.rows, batch)
    for (period, tenant), sums in book.bills.items():
        lines = [x for x in book.lines if (x.period, x.tenant) == (period, tenant)]
        charged = sum(line.amount for line in lines if line.kind == "charge")
        corrected = sum(line.amount for line in lines if line.kind == "correction")
        assert sums == [charged, corrected, 0]
