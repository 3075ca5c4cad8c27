"""What jobs have cost: while they run, before accounting is read, by the book."""

from dataclasses import replace

import pytest

from kqi_hub.domain.costs import BookedPart, BookedRun, Cost, JobMark, one_job
from kqi_hub.domain.imagined import record_of_job
from kqi_hub.domain.job import Job
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.money import FREE, MICRO, Price
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import Scene, survey
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.services.costs import Costs, Ours
from kqi_hub.services.pricing import Payer, Pricing, record_of_past
from tests.fakes.book import a_record
from tests.fakes.costs import FakeBooks
from tests.fakes.queues import RATES, job, reading

NOW = 1_795_000_000
HOUR = 3600
NAME = "training-12-" + "a" * 26
MARK = JobMark(NAME, "70", "mia")
CARDS = (RateCard(1, 0, RATES), RateCard(2, NOW - 1800, (CardLine("*", cpu=7200),)))


def scene(*jobs: Job) -> Scene:
    seen = reading(NOW)
    return survey(seen.nodes, seen.partitions, jobs, ())


def one(state: str, **about: object) -> Job:
    """Return job 70 on cpu01: four CPUs for the hour before NOW."""
    began = NOW - HOUR
    plain = job(
        70, "mia", "cpu", state, name=NAME, cpus=4, node_list="cpu01",
        submitted_at=began - 60, starts_at=began,
    )  # fmt: skip
    return replace(plain, **about)  # type: ignore[arg-type]  # named by the tests


def recorded(**changes: object) -> JobRecord:
    """Return accounting's record of that job, which ended at NOW."""
    record = record_of_job(one("COMPLETED", ends_at=NOW), NOW)
    return record._replace(**changes)  # type: ignore[arg-type]  # named by the tests


@pytest.fixture
def books() -> FakeBooks:
    return FakeBooks(Pricing(CARDS).tariff)


@pytest.fixture
def costs(books: FakeBooks) -> Costs:
    return Costs(Pricing(CARDS, days=SiteDays()), books)


# Half an hour of each card.
WHOLE = 4 * (1_500_000 + 7200) // 2


def ours(**about: object) -> Ours:
    """Return what the portal knows of the job after its end."""
    spent = record_of_past(
        scene(), Payer("vision"), ("cpu", "cpu01"), Shape(4, 4096), (NOW - HOUR, NOW)
    )
    plain = Ours(MARK, 70, None, spent, float(NOW))
    return replace(plain, **about)  # type: ignore[arg-type]  # named by the tests


def of(costs: Costs, what: Ours, now: float = NOW) -> Cost:
    [found] = costs.of_ours([what], scene(), now)
    return found


def test_running_then_ended_then_billed_it_is_the_same_to_the_millionth(
    costs: Costs, books: FakeBooks
) -> None:
    live = one("RUNNING", ends_at=NOW + HOUR)
    running = of(costs, ours(live=live, ended_at=None))
    books.seen[70] = one("COMPLETED", ends_at=NOW)
    ended = of(costs, ours(), NOW + 500)
    books.take_in(recorded())
    billed = of(costs, ours(), NOW + 5000)
    assert [running.amount, ended.amount, billed.amount] == [WHOLE] * 3
    assert [running.is_billed, ended.is_billed, billed.is_billed] == [
        False, False, True,
    ]  # fmt: skip
    assert billed.hourly == (4 * 7200, 4 * 1_500_000)


def test_what_the_portal_knows_counts_where_nobody_else_knows_the_job(
    costs: Costs,
) -> None:
    found = of(costs, ours(), NOW + 99_999)
    assert (found.amount, found.is_billed) == (WHOLE, False)


def test_a_foreign_job_of_the_same_number_is_not_ours(
    costs: Costs, books: FakeBooks
) -> None:
    books.seen[70] = one("COMPLETED", ends_at=NOW, cpus=64, name="other")
    books.take_in(recorded(cpus=64, user="eve"), recorded(cpus=64, shown_id="71"))
    assert of(costs, ours()) == Cost(WHOLE, (28_800, 6_000_000))


def test_accounting_knows_before_the_end_what_a_job_has_and_that_it_was_suspended(
    costs: Costs, books: FakeBooks
) -> None:
    books.take_in(recorded(ended_at=None, state="RUNNING", cpus=8, suspended_s=1800))
    live = one("RUNNING", ends_at=NOW + HOUR)
    running = of(costs, ours(live=live, ended_at=None))
    [as_ended] = [
        costs.pricing.cost_of(scene(), recorded(cpus=8, suspended_s=1800)).amount
    ]
    assert running.amount == as_ended == WHOLE
    assert of(costs, ours()).amount == as_ended
    assert not of(costs, ours()).is_billed


def test_the_runs_of_a_requeued_job_come_together(
    costs: Costs, books: FakeBooks
) -> None:
    first = recorded(
        state="REQUEUED",
        submitted_at=NOW - 9 * HOUR,
        started_at=NOW - 8 * HOUR,
        ended_at=NOW - HOUR - 61,
    )
    books.take_in(first)
    once = 4 * 1_500_000 * (7 * HOUR - 61) // HOUR
    waits = one("PENDING", submitted_at=NOW - HOUR - 60, starts_at=None)
    assert of(costs, ours(live=waits, record=None, ended_at=None)).amount == once
    runs = one("RUNNING", ends_at=NOW + HOUR)
    assert of(costs, ours(live=runs, ended_at=None)).amount == once + WHOLE
    # The second run ended before accounting was read again: nothing is final yet.
    assert of(costs, ours()) == Cost(once + WHOLE, (28_800, 6_000_000))
    books.take_in(recorded())
    assert of(costs, ours()) == Cost(once + WHOLE, (28_800, 6_000_000), True)
    of_number = costs.of_jobs([one("COMPLETED", ends_at=NOW)], scene(), NOW)
    assert of_number[70] == Cost(once + WHOLE, (28_800, 6_000_000), True)


@pytest.mark.parametrize(
    ("read_until", "is_billed"), [(None, False), (NOW + 30, False), (NOW + 61, True)]
)
def test_an_end_that_the_portal_learns_late_is_billed_once_accounting_was_read_past_it(
    costs: Costs, books: FakeBooks, read_until: int | None, is_billed: bool
) -> None:
    books.take_in(recorded())
    books.read_until = read_until
    found = of(costs, ours(ended_at=NOW + 60.5))
    assert (found.amount, found.is_billed) == (WHOLE, is_billed)


def test_a_run_of_its_job_that_goes_on_keeps_the_cost_provisional(
    costs: Costs, books: FakeBooks
) -> None:
    books.take_in(
        recorded(), recorded(submitted_at=NOW, started_at=None, ended_at=None)
    )
    books.read_until = NOW + HOUR
    assert not of(costs, ours()).is_billed


def test_what_has_no_job_or_never_began_has_cost_nothing(
    costs: Costs, books: FakeBooks
) -> None:
    assert of(costs, Ours()) == Cost(0)
    assert of(costs, Ours(ended_at=1.0)) == Cost(0, is_billed=True)
    never = ours(record=None)
    assert of(costs, never) == Cost(0)
    books.take_in(recorded(started_at=None, state="CANCELLED"))
    assert of(costs, never) == Cost(0, is_billed=True)


def test_a_correction_is_part_of_the_cost_and_what_it_took_back_is_no_price(
    costs: Costs, books: FakeBooks
) -> None:
    parts = (
        BookedPart(100, 0, 0),
        BookedPart(200, HOUR, 200),
        BookedPart(None, 0, 0),
    )
    books.runs.append(BookedRun(recorded(), parts))
    assert of(costs, ours()) == Cost(200, (200, 200), True)


def test_use_without_a_price_has_no_cost_by_the_book_either(
    costs: Costs, books: FakeBooks
) -> None:
    books.runs.append(BookedRun(recorded(), (BookedPart(None, HOUR, 0),)))
    assert of(costs, ours()) == Cost(None, None, True)
    first = BookedRun(recorded(submitted_at=NOW - 9 * HOUR), (BookedPart(9, HOUR, 9),))
    books.runs.append(first)
    assert of(costs, ours()) == Cost(9, (9, 9), True)


def test_a_page_of_rows_is_one_question_and_one_more_for_what_just_ended(
    costs: Costs, books: FakeBooks
) -> None:
    rows = [ours() for _ in range(50)]
    books.take_in(recorded())
    assert {row.amount for row in costs.of_ours(rows, scene(), NOW)} == {WHOLE}
    assert books.asked == ["marks"]
    books.runs.clear()
    costs.of_ours(rows, scene(), NOW)
    costs.of_jobs([one("COMPLETED", ends_at=NOW)] * 9, scene(), NOW)
    assert books.asked == ["marks", "marks", "jobs", "numbers"]
    books.asked.clear()
    costs.of_ours([Ours(), Ours(ended_at=3.0)], scene(), NOW)
    costs.of_jobs([], scene(), NOW)
    assert books.asked == []


def test_a_job_of_people_costs_what_it_would_if_it_ended_now_until_it_has(
    costs: Costs, books: FakeBooks
) -> None:
    ended = one("COMPLETED", ends_at=NOW)
    assert costs.of_jobs([ended], scene(), NOW + 9)[70] == Cost(
        WHOLE, (28_800, 6_000_000)
    )
    books.take_in(recorded())
    assert costs.of_jobs([ended], scene(), NOW + 9)[70].is_billed
    live = one("RUNNING", ends_at=NOW + HOUR)
    assert not costs.of_jobs([live], scene(), NOW)[70].is_billed
    # The same number of another time, and of somebody else's job before.
    again = one("RUNNING", submitted_at=NOW - 1, starts_at=NOW)
    assert costs.of_jobs([again], scene(), NOW)[70].amount == 0


def test_runs_of_one_job_are_told_from_others_with_its_number() -> None:
    def run(submitted: int, ended: int | None, user: str = "alice") -> BookedRun:
        times = {"submitted_at": submitted, "ended_at": ended, "user": user}
        return BookedRun(a_record(**times))

    first, second, third = run(0, 1000), run(1010, 9000), run(9100, None)
    assert one_job([third, first, second], 1010) == (first, second, third)
    assert one_job([first, second], 9100) == ()
    late = run(9000 + HOUR + 1, None)
    assert one_job([first, second, late], 0) == (first, second)
    assert one_job([first, second, late], late.record.submitted_at) == (late,)
    foreign = run(1001, 1002, "eve")
    assert one_job([first, foreign], 0) == (first,)
    assert one_job([first, foreign], 1001) == (foreign,)
    assert one_job([], 5) == ()


def test_costs_add_up_and_tell_the_price_that_was_paid() -> None:
    one_, other = Cost(5, (1, 2), True), Cost(7, (3, 9), True)
    assert one_.plus(other) == Cost(12, (1, 9), True)
    assert one_.plus(Cost()) == Cost(5, (1, 2))
    assert Cost().plus(Cost()) == Cost()
    assert one_.price(whole_node=True) == Price(2, 1, True)
    assert Cost(0, (0, 0)).price(whole_node=True) == FREE
    assert Cost(0).price(whole_node=False) is None


def test_gpus_whose_type_was_left_open_are_those_of_the_node() -> None:
    lines = (CardLine("v100", "v100", gpu=MICRO), CardLine("v100", gpu=9 * MICRO))
    rates, seen = Pricing([RateCard(1, 0, lines)]), scene()
    times = (NOW, NOW + HOUR)
    places = (("v100", "v100-01"), ("v100", ""), ("v100", "gone"))
    found = [
        record_of_past(seen, Payer("vision"), place, Shape(1, 1, 2), times)
        for place in places
    ]
    amounts = [rates.cost_of(seen, record).amount for record in found]
    assert amounts == [2 * MICRO, 18 * MICRO, 18 * MICRO]
