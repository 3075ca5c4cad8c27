"""Prices are integers, exclusive queues cost the whole node, and free is free."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.charges import charges
from kqi_hub.domain.imagined import record_of_job
from kqi_hub.domain.money import FREE, MICRO, Price, Rule, cost
from kqi_hub.domain.node_shapes import NodeShape, NodeShapes
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import Scene, survey
from kqi_hub.domain.rate_cards import CardLine, RateCard, TenantTerms
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.services.pricing import Payer, Pricing, payer_of
from kqi_hub.settings.queues import micro
from tests.fakes.queues import RATES, job, node, partition, pricing, reading

NOW = 1_800_000_000.0


def scene() -> Scene:
    seen = reading(NOW)
    return survey(seen.nodes, seen.partitions, seen.jobs, ())


def per_hour(rates: Pricing, queue: str, shape: Shape) -> Price | None:
    return rates.price_per_hour(scene().supplies[queue], shape)


@pytest.mark.parametrize(
    ("rate", "queue", "shape", "micro_per_hour"),
    [
        (CardLine("cpu", cpu=1_500_000), "cpu", Shape(2, 1024), 3_000_000),
        (CardLine("cpu", memory_gb=10), "cpu", Shape(1, 1536), 15),
        # 10 * 1/1024 of a millionth is nothing, half of one is one.
        (CardLine("cpu", memory_gb=10), "cpu", Shape(1, 1), 0),
        (CardLine("cpu", memory_gb=512), "cpu", Shape(1, 1), 1),
        (CardLine("cpu", cpu=1, memory_gb=5, rule=Rule.MAX), "cpu", Shape(2, 1024), 5),
        (CardLine("cpu", cpu=1, memory_gb=5), "cpu", Shape(2, 1024), 7),
        # The whole node of an exclusive queue: 40 CPUs and 4 GPUs, whatever is asked.
        (CardLine("v100", gpu=100, whole_node=True), "v100", Shape(1, 1, 0), 400),
        (
            CardLine("v100", cpu=1, gpu=100, whole_node=True),
            "v100",
            Shape(40, 1, 4),
            440,
        ),
        (CardLine("v100", node=7, whole_node=True), "v100", Shape(1, 1, 1), 7),
        # A shape that no node takes has the price of itself.
        (CardLine("cpu", cpu=1), "cpu", Shape(1000, 1), 1000),
    ],
)
def test_the_price_of_an_hour(
    rate: CardLine, queue: str, shape: Shape, micro_per_hour: int
) -> None:
    found = per_hour(pricing([rate]), queue, shape)
    assert found is not None
    assert found.per_hour == micro_per_hour


def test_a_free_queue_is_free_and_one_without_a_rate_has_no_price() -> None:
    rates = pricing()
    assert per_hour(rates, "jupyter", Shape()) is FREE
    assert rates.is_free("jupyter")
    assert not rates.is_free("v100")
    bare = Pricing()
    assert per_hour(bare, "v100", Shape()) is None
    assert not bare.is_free("v100")
    assert not bare.has_rates


def test_nodes_of_several_kinds_have_a_range_of_prices() -> None:
    nodes = [node("a", "gpu", gpus=("v100", 4)), node("b", "gpu", gpus=("a100", 8))]
    supply = survey(nodes, [partition("gpu", nodes)], [], ()).supplies["gpu"]
    rates = pricing([CardLine("gpu", gpu=10), CardLine("gpu", "a100", gpu=30)])
    any_type = rates.price_per_hour(supply, Shape(1, 1, 2))
    assert any_type == Price(60, 20)
    assert any_type.is_range
    assert rates.price_per_hour(supply, Shape(1, 1, 2, "a100")) == Price(60, 60)
    assert rates.price_per_hour(supply, Shape(1, 1, 2, "v100")) == Price(20, 20)


def test_cost_so_far_counts_from_the_start_and_waiting_costs_nothing() -> None:
    seen, rates = scene(), pricing()
    on_v100 = seen.by_id[103]
    assert rates.cost_so_far(seen, on_v100, NOW) == 120 * MICRO
    assert rates.cost_so_far(seen, on_v100, NOW - 7200) == 0
    assert rates.cost_so_far(seen, seen.by_id[106], NOW) == 0
    assert rates.cost_so_far(seen, seen.by_id[101], NOW) == 0
    assert Pricing().cost_so_far(seen, on_v100, NOW) is None


def test_an_exclusive_job_on_two_nodes_pays_both() -> None:
    nodes = [node("n1", "x", 8), node("n2", "x", 8)]
    running = job(1, "mia", "x", "RUNNING", node_list="n[1-2]", nodes=2, cpus=16)
    seen = survey(nodes, [partition("x", nodes, exclusive=True)], [running], ())
    rates = pricing([CardLine("x", node=5, whole_node=True)])
    price = rates.price_of_job(seen, running)
    assert price is not None
    assert price.per_hour == 10


def test_a_job_of_a_queue_that_is_gone_or_of_odd_nodes_breaks_nothing() -> None:
    seen = scene()
    rates = pricing()
    gone = job(1, "mia", "gone", "RUNNING", starts_at=int(NOW))
    odd = job(2, "mia", "cpu", "RUNNING", node_list="n[1-", cpus=2)
    assert rates.price_of_job(seen, gone) is None
    price = rates.price_of_job(seen, odd)
    assert price is not None
    assert price.per_hour == 3_000_000


@given(
    per_hour=st.integers(0, 10**12),
    first=st.integers(0, 10**7),
    second=st.integers(0, 10**7),
)
def test_cost_in_two_parts_is_the_whole_but_for_rounding(
    per_hour: int, first: int, second: int
) -> None:
    parts = cost(per_hour, first) + cost(per_hour, second)
    assert abs(parts - cost(per_hour, first + second)) <= 1


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_cost_is_never_negative_and_grows(per_hour: int, seconds: int) -> None:
    assert 0 <= cost(per_hour, seconds) <= cost(per_hour, seconds + 1)
    assert cost(per_hour, -seconds) == 0


@pytest.mark.parametrize(
    ("text", "millionths"),
    [
        ("0", 0),
        ("0.1", 100_000),
        ("0.000001", 1),
        ("123456789.654321", 123456789654321),
    ],
)
def test_amounts_of_the_settings_are_exact(text: str, millionths: int) -> None:
    assert micro(text) == millionths


CHANGE = int(NOW) + 1800
CARDS = (
    RateCard(1, 0, (CardLine("cpu", cpu=1_000_000, minimum=700_000),)),
    RateCard(
        2,
        CHANGE,
        (CardLine("cpu", cpu=3_000_000),),
        qos={"high": 2_000_000},
        tenants={"vision": TenantTerms(discount=250_000)},
    ),
)


@pytest.mark.parametrize(
    ("lasts_s", "payer", "micro"),
    [
        (3600, Payer(), 500_000 + 1_500_000),
        (1800, Payer(), 700_000),
        (60, Payer(), 700_000),
        (5400, Payer(qos="high"), 500_000 + 6_000_000),
        (5400, Payer("vision"), 500_000 + 2_250_000),
        (5400, Payer("vision", "high"), 500_000 + 4_500_000),
        (5400, Payer("nlp", "low"), 500_000 + 3_000_000),
    ],
)
def test_the_price_of_a_time_knows_the_rates_to_come(
    lasts_s: int, payer: Payer, micro: int
) -> None:
    rates = Pricing(CARDS, wall=lambda: NOW)
    supply = scene().supplies["cpu"]
    assert rates.cost_of_time(supply, Shape(1, 1024), lasts_s, payer) == micro


def test_a_time_on_the_dearest_node_counts_and_none_without_a_rate() -> None:
    nodes = [node("a", "gpu", gpus=("v100", 4)), node("b", "gpu", gpus=("a100", 8))]
    supply = survey(nodes, [partition("gpu", nodes)], [], ()).supplies["gpu"]
    rates = pricing([CardLine("gpu", gpu=10), CardLine("gpu", "a100", gpu=30)])
    assert rates.cost_of_time(supply, Shape(1, 1, 2), 7200) == 120
    only = pricing([CardLine("gpu", "a100", gpu=30)])
    assert only.cost_of_time(supply, Shape(1, 1, 2), 7200) is None
    assert only.cost_of_time(supply, Shape(1, 1, 2, "a100"), 7200) == 120
    assert only.cost_of_time(supply, Shape(1, 1), 7200) is None
    assert Pricing().cost_of_time(supply, Shape(1, 1), 60) is None


@pytest.mark.parametrize("after_s", [0, 1, 1799, 1800, 1801, 86_400, 40 * 86_400])
@pytest.mark.parametrize("job_id", [101, 103, 105])
def test_the_cost_so_far_is_the_bill_if_it_ended_now(job_id: int, after_s: int) -> None:
    cards = (RateCard(1, 0, RATES), RateCard(2, CHANGE, (CardLine("*", cpu=7),)))
    days = SiteDays("Asia/Tokyo")
    rates, seen, now = Pricing(cards, days=days), scene(), NOW + after_s
    has = [NodeShape(one.name, 0, one.cpus, one.memory_mb, "v100=4")
           for one in seen.nodes.values()]  # fmt: skip
    ended = record_of_job(seen.by_id[job_id], now)
    bill = charges(ended, rates.tariff, days, NodeShapes(has))
    found = rates.cost_so_far(seen, seen.by_id[job_id], now)
    assert found == sum(part.amount for part in bill)


def test_what_nodes_had_at_the_start_counts_when_they_were_changed_since() -> None:
    seen = scene()
    rates = Pricing()
    line = CardLine("v100", cpu=3600, whole_node=True)
    before = NodeShape("v100-01", 0, 20, 1, "v100=4")
    since = NodeShape("v100-01", int(NOW), 40, 1, "v100=4")
    rates.use([RateCard(1, 0, (line,))], NodeShapes([before, since]))
    # An hour on what was a node of twenty CPUs.
    assert rates.cost_so_far(seen, seen.by_id[103], NOW) == 20 * 3600


def test_other_cards_are_reckoned_with_at_once() -> None:
    rates, supply = pricing(), scene().supplies["cpu"]
    rates.use([RateCard(2, 0, (CardLine("*", node=9),))])
    assert rates.price_per_hour(supply, Shape()) == Price(9, 9)
    assert [line.node for line in rates.rates_of("v100")] == [9]
    rates.use([])
    assert not rates.has_rates
    assert rates.rates_of("v100") == ()


def test_who_pays_is_the_tenant_at_the_usual_qos() -> None:
    assert payer_of(scene(), "mia", "vision", "cpu") == Payer("vision", "")
