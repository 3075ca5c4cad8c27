"""What a run costs: by hand for what can be worked out, by rule for everything."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import assume, given, settings, strategies as st

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.charges import NO_CARD, charges, price
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.ledger import Charge
from kqi_hub.domain.money import HOUR_S, MICRO, Rule, cost
from kqi_hub.domain.node_shapes import NodeShape, NodeShapes
from kqi_hub.domain.rate_cards import CardLine, RateCard, Tariff, TenantTerms
from kqi_hub.domain.site_days import SiteDays
from tests.fakes.book import NOON, a_record

UTC_DAYS = SiteDays("UTC")
DAY = UTC_DAYS.day_of(NOON)
ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Africa/Cairo", "Pacific/Apia")
DAYS = {zone: SiteDays(zone) for zone in ZONES}


def a_card(version: int = 1, from_at: int = 0, **line: object) -> RateCard:
    known: dict[str, object] = {"queue": "a100", "gpu": 3 * MICRO} | line
    return RateCard(version, from_at, (CardLine(**known),))  # type: ignore[arg-type]  # as above


def costs(record: JobRecord, *cards: RateCard, zone: str = "UTC") -> list[int]:
    return [one.amount for one in charges(record, Tariff(cards), DAYS[zone])]


def test_an_hour_of_two_gpus_costs_twice_the_rate() -> None:
    assert charges(a_record(), Tariff([a_card()]), UTC_DAYS) == (
        Charge(
            day=DAY,
            version=1,
            per_hour=6 * MICRO,
            seconds=HOUR_S,
            amount=6 * MICRO,
            cpu_s=8 * HOUR_S,
            memory_mb_s=32 * 1024 * HOUR_S,
            gpu_s=2 * HOUR_S,
            node_s=HOUR_S,
        ),
    )


@pytest.mark.parametrize(
    "record",
    [
        a_record(started_at=None),
        a_record(ended_at=None),
        a_record(ended_at=NOON),
        a_record(ended_at=NOON - 5),
        a_record(suspended_s=HOUR_S),
        a_record(suspended_s=9 * HOUR_S),
        a_record(suspended_s=HOUR_S, suspended=f"{DAY}={HOUR_S}"),
    ],
    ids=[
        "never began",
        "still runs",
        "no second",
        "clock set back",
        "all of it suspended",
        "more suspended than run",
        "all suspended by day",
    ],
)
def test_no_use_costs_nothing(record: JobRecord) -> None:
    assert charges(record, Tariff([a_card(minimum=5 * MICRO)]), UTC_DAYS) == ()


def test_use_before_the_first_card_is_counted_without_a_price() -> None:
    (only,) = charges(a_record(), Tariff([a_card(from_at=NOON + HOUR_S)]), UTC_DAYS)
    assert (only.version, only.per_hour, only.amount) == (NO_CARD, None, 0)
    assert only.seconds == HOUR_S


def test_use_of_a_queue_without_a_line_is_counted_without_a_price() -> None:
    record = a_record(partition="other")
    (only,) = charges(record, Tariff([a_card()]), UTC_DAYS)
    assert (only.version, only.per_hour, only.amount) == (1, None, 0)


def test_a_free_queue_costs_zero_not_nothing_known() -> None:
    (only,) = charges(a_record(), Tariff([a_card(gpu=0, minimum=MICRO)]), UTC_DAYS)
    assert (only.per_hour, only.amount) == (0, 0)


def test_a_new_card_counts_from_its_own_second_on() -> None:
    half = a_card(2, NOON + HOUR_S // 2, gpu=6 * MICRO)
    assert costs(a_record(), a_card(), half) == [3 * MICRO, 6 * MICRO]


def test_midnight_splits_a_run_and_loses_no_millionth() -> None:
    # 7 hours at 1.000001: 3 of them before midnight; rounded once, as a whole.
    record = a_record(started_at=NOON + 9 * HOUR_S + 1, ended_at=NOON + 16 * HOUR_S)
    found = costs(record, a_card(gpu=0, node=1_000_001))
    assert len(found) == 2
    assert sum(found) == cost(1_000_001, 7 * HOUR_S - 1)


def test_a_night_of_twenty_five_hours_is_charged_with_all_of_them() -> None:
    begins = DAYS["Europe/Berlin"].begins(datetime(2026, 10, 25).toordinal())
    record = a_record(started_at=begins, ended_at=begins + 25 * HOUR_S)
    assert costs(record, a_card(gpu=0, node=MICRO), zone="Europe/Berlin") == [
        25 * MICRO
    ]


def test_suspended_seconds_are_left_out_of_the_day_they_lie_on() -> None:
    record = a_record(
        started_at=NOON + 11 * HOUR_S,
        ended_at=NOON + 13 * HOUR_S,
        suspended_s=600,
        suspended=f"{DAY + 1}=600",
    )
    found = charges(record, Tariff([a_card()]), UTC_DAYS)
    assert [one.seconds for one in found] == [HOUR_S, HOUR_S - 600]


@pytest.mark.parametrize(
    "told", ["", f"{DAY}=599", f"{DAY - 1}=600", f"{DAY}=1200,{DAY + 1}=-600"]
)
def test_suspended_seconds_of_unknown_days_are_spread(told: str) -> None:
    record = a_record(
        started_at=NOON + 11 * HOUR_S,
        ended_at=NOON + 13 * HOUR_S,
        suspended_s=601,
        suspended=told,
    )
    found = charges(record, Tariff([a_card()]), UTC_DAYS)
    assert [one.seconds for one in found] == [HOUR_S - 300, HOUR_S - 301]


def test_the_minimum_is_added_to_the_last_part() -> None:
    record = a_record(
        started_at=NOON + 12 * HOUR_S - 6, ended_at=NOON + 12 * HOUR_S + 6
    )
    assert costs(record, a_card(minimum=MICRO)) == [10_000, MICRO - 10_000]
    assert costs(a_record(ended_at=NOON + 1), a_card(minimum=MICRO)) == [MICRO]


def test_the_minimum_is_that_of_the_card_at_the_start() -> None:
    later = a_card(2, NOON + 10, minimum=9 * MICRO)
    assert sum(costs(a_record(ended_at=NOON + 20), a_card(), later)) < MICRO


def test_the_minimum_stands_on_a_part_that_has_a_price() -> None:
    later = RateCard(2, NOON + 10, ())
    found = charges(
        a_record(ended_at=NOON + 20), Tariff([a_card(minimum=MICRO), later]), UTC_DAYS
    )
    assert [(one.per_hour, one.amount) for one in found] == [
        (6_000_000, MICRO),
        (None, 0),
    ]


@pytest.mark.parametrize(
    ("lines", "gpus", "per_hour"),
    [
        ([("a100", "a100", 4), ("a100", "", 1)], "a100=1", 4),
        ([("a100", "a100", 4), ("a100", "", 1)], "v100=1", 1),
        ([("a100", "a100", 4), ("a100", "", 1)], "", 1),
        ([("*", "a100", 4), ("a100", "", 1)], "a100=1", 1),
        ([("*", "a100", 4), ("*", "", 1)], "a100=1", 4),
        ([("*", "", 1)], "", 1),
        ([("a100", "v100", 9)], "a100=1", None),
        ([("a100", "a100", 4)], "=1", None),
        ([("a100", "h100", 4), ("a100", "v100", 9)], "h100=1,v100=1", 4),
    ],
)
def test_the_line_that_is_nearest_counts(
    lines: list[tuple[str, str, int]], gpus: str, per_hour: int | None
) -> None:
    card = RateCard(1, 0, tuple(CardLine(q, kind, node=n) for q, kind, n in lines))
    assert price(a_record(gpus=gpus), Tariff([card]), card).per_hour == per_hour


SHAPES = NodeShapes(
    [
        NodeShape("n1", 1_000, 128, 1024 * 1024, "a100=8"),
        NodeShape("n1", NOON + 10, 256, 1024 * 1024, "a100=8"),
        NodeShape("n2", 1_000, 64, 512 * 1024, "a100=4"),
    ]
)


@pytest.mark.parametrize(
    ("nodes", "began", "takes"),
    [
        ("n1", NOON, Amounts(128, 1024 * 1024, {"a100": 8}, 1)),
        ("n1", NOON + 10, Amounts(256, 1024 * 1024, {"a100": 8}, 1)),
        ("n1", 10, Amounts(128, 1024 * 1024, {"a100": 8}, 1)),
        ("n[1-2]", NOON, Amounts(192, 1536 * 1024, {"a100": 12}, 2)),
        ("n[1,9]", NOON, a_record().amounts),
        ("n[1-", NOON, a_record().amounts),
        ("", NOON, a_record().amounts),
    ],
)
def test_whole_nodes_are_paid_for_as_they_were_at_the_start(
    nodes: str, began: int, takes: Amounts
) -> None:
    card = a_card(cpu=100, whole_node=True)
    record = a_record(node_list=nodes, started_at=began, ended_at=began + HOUR_S)
    found = price(record, Tariff([card]), card, SHAPES)
    assert found.takes == takes
    assert found.per_hour == 100 * takes.cpus + 3 * MICRO * takes.gpu_total


def test_whole_nodes_are_counted_as_what_slurm_gave() -> None:
    (only,) = charges(a_record(), Tariff([a_card(whole_node=True)]), UTC_DAYS, SHAPES)
    assert only.amount == 24 * MICRO
    assert (only.gpu_s, only.cpu_s) == (2 * HOUR_S, 8 * HOUR_S)


def test_a_job_without_gpus_pays_the_line_of_the_nodes_that_it_keeps_to_itself() -> (
    None
):
    lines = (
        CardLine("a100", "a100", gpu=MICRO, whole_node=True),
        CardLine("a100", cpu=1),
    )
    card = RateCard(1, 0, lines)
    found = price(a_record(gpus=""), Tariff([card]), card, SHAPES)
    assert found.per_hour == 8 * MICRO


def test_factors_and_discounts_are_rounded_once() -> None:
    card = RateCard(
        1,
        0,
        (CardLine("a100", memory_gb=1001, cpu=333),),
        qos={"high": 1_500_000},
        tenants={"vision": TenantTerms(discount=333_333)},
    )
    record = a_record(qos="high", memory_mb=1500, cpus=1)
    exact = (333 + 1001 * 1500 / 1024) * 1.5 * 0.666667
    assert price(record, Tariff([card]), card).per_hour == round(exact)


def test_the_greater_part_counts_where_the_rule_says_so() -> None:
    card = a_card(cpu=MICRO, memory_gb=MICRO, rule=Rule.MAX)
    assert price(a_record(), Tariff([card]), card).per_hour == 32 * MICRO


def test_what_the_tariff_remembers_is_not_told_to_other_runs() -> None:
    card = replace(a_card(), qos={"high": 2_000_000})
    tariff = Tariff([card])
    for qos, per_hour in [("normal", 6), ("high", 12), ("normal", 6)]:
        found = price(a_record(qos=qos), tariff, card).per_hour
        assert found == per_hour * MICRO
    assert price(a_record(gpus="a100=1"), tariff, card).per_hour == 3 * MICRO
    assert price(a_record(partition="b"), tariff, card).per_hour is None


RATES = st.integers(0, 7_000_000)


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    begins = draw(st.lists(st.integers(-400_000, 700_000), max_size=5, unique=True))
    cards = []
    for version, begun in enumerate(begins, 1):
        rule = draw(st.sampled_from(Rule))
        line = CardLine(
            draw(st.sampled_from(["a100", "*", "none"])),
            draw(st.sampled_from(["", "a100"])),
            draw(RATES),
            draw(RATES),
            draw(RATES),
            draw(RATES),
            rule,
            draw(st.booleans()),
            draw(st.sampled_from([0, 0, 5_000, 3_000_000])),
        )
        terms = {"vision": TenantTerms(draw(st.sampled_from([0, 100_001, 1_000_000])))}
        factors = {"normal": draw(st.sampled_from([1_000_000, 1_500_000, 0]))}
        cards.append(RateCard(version, NOON + begun, (line,), factors, terms))
    return Tariff(cards)


@st.composite
def records(draw: st.DrawFn) -> JobRecord:
    began = NOON + draw(st.integers(-200_000, 200_000))
    lasted = draw(st.one_of(st.integers(-10, 4_000), st.integers(0, 500_000)))
    return a_record(
        started_at=began,
        ended_at=began + lasted,
        suspended_s=draw(st.one_of(st.just(0), st.integers(0, max(0, lasted)))),
        nodes=draw(st.integers(1, 4)),
        cpus=draw(st.integers(1, 512)),
        memory_mb=draw(st.integers(1, 4_000_000)),
        gpus=draw(st.sampled_from(["", "a100=1", "a100=4,v100=4", "=2"])),
        node_list=draw(st.sampled_from(["n1", "n[1-2]", "x", ""])),
    )


GENERATED = settings(max_examples=100, deadline=None)


@given(records(), tariffs(), st.sampled_from(ZONES))
@GENERATED
def test_parts_come_to_the_whole(record: JobRecord, tariff: Tariff, zone: str) -> None:
    found = charges(record, tariff, DAYS[zone], SHAPES)
    assert record.started_at is not None
    assert record.ended_at is not None
    used = max(0, record.ended_at - record.started_at - record.suspended_s)
    assert sum(one.seconds for one in found) == used
    assert sum(one.cpu_s for one in found) == used * record.cpus
    assert sum(one.memory_mb_s for one in found) == used * record.memory_mb
    assert sum(one.gpu_s for one in found) == used * record.amounts.gpu_total
    assert len({(one.day, one.version) for one in found}) == len(found)


@given(records(), tariffs(), st.sampled_from(ZONES))
@GENERATED
def test_money_of_each_card_is_that_of_all_its_seconds(
    record: JobRecord, tariff: Tariff, zone: str
) -> None:
    found = charges(record, tariff, DAYS[zone], SHAPES)
    expected = 0
    for version in {one.version for one in found}:
        seconds = sum(one.seconds for one in found if one.version == version)
        prices = {one.per_hour for one in found if one.version == version}
        assert len(prices) == 1
        expected += cost(prices.pop() or 0, seconds)
    first = tariff.at(record.started_at or 0)
    minimum = price(record, tariff, first, SHAPES).minimum
    priced = any(one.per_hour is not None for one in found)
    assert sum(one.amount for one in found) == (
        max(expected, minimum) if priced else expected
    )


@given(records(), tariffs())
@GENERATED
def test_no_part_is_negative_or_without_a_second(
    record: JobRecord, tariff: Tariff
) -> None:
    for one in charges(record, tariff, UTC_DAYS, SHAPES):
        assert one.amount >= 0
        assert one.seconds > 0
        assert one.per_hour is not None or one.amount == 0


@given(records(), tariffs(), st.integers(1, 300_000))
@GENERATED
def test_what_is_shown_while_a_run_goes_on_never_falls(
    record: JobRecord, tariff: Tariff, more: int
) -> None:
    assume(record.ended_at is not None)
    longer = record._replace(ended_at=(record.ended_at or 0) + more)
    now = sum(one.amount for one in charges(record, tariff, UTC_DAYS, SHAPES))
    assert sum(one.amount for one in charges(longer, tariff, UTC_DAYS, SHAPES)) >= now


@given(records(), tariffs(), st.sampled_from(ZONES), st.sampled_from(ZONES))
@GENERATED
def test_where_the_day_ends_does_not_change_what_a_run_costs(
    record: JobRecord, tariff: Tariff, here: str, there: str
) -> None:
    assume(not record.suspended_s)
    both = [charges(record, tariff, DAYS[zone], SHAPES) for zone in (here, there)]
    assert len({sum(one.amount for one in found) for found in both}) == 1


@given(records(), tariffs())
@GENERATED
def test_a_tariff_that_remembers_says_what_a_new_one_says(
    record: JobRecord, tariff: Tariff
) -> None:
    first = charges(record, tariff, UTC_DAYS, SHAPES)
    assert charges(record, tariff, UTC_DAYS, SHAPES) == first
    assert charges(record, Tariff(tariff.cards), UTC_DAYS, SHAPES) == first
