"""Prices are integers, exclusive queues cost the whole node, and free is free."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.money import FREE, MICRO, Price, Rate, Rule, cost
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import Scene, survey
from kqi_hub.services.pricing import Pricing
from kqi_hub.settings.queues import micro
from tests.fakes.queues import RATES, job, node, partition, reading

NOW = 1_800_000_000.0


def scene() -> Scene:
    seen = reading(NOW)
    return survey(seen.nodes, seen.partitions, seen.jobs, ())


def per_hour(pricing: Pricing, queue: str, shape: Shape) -> Price | None:
    return pricing.price_per_hour(scene().supplies[queue], shape)


@pytest.mark.parametrize(
    ("rate", "queue", "shape", "micro_per_hour"),
    [
        (Rate("cpu", cpu=1_500_000), "cpu", Shape(2, 1024), 3_000_000),
        (Rate("cpu", memory_gb=10), "cpu", Shape(1, 1536), 15),
        # 10 * 1/1024 of a millionth is nothing, half of one is one.
        (Rate("cpu", memory_gb=10), "cpu", Shape(1, 1), 0),
        (Rate("cpu", memory_gb=512), "cpu", Shape(1, 1), 1),
        (Rate("cpu", cpu=1, memory_gb=5, rule=Rule.MAX), "cpu", Shape(2, 1024), 5),
        (Rate("cpu", cpu=1, memory_gb=5), "cpu", Shape(2, 1024), 7),
        # The whole node of an exclusive queue: 40 CPUs and 4 GPUs, whatever is asked.
        (Rate("v100", gpu=100), "v100", Shape(1, 1, 0), 400),
        (Rate("v100", cpu=1, gpu=100), "v100", Shape(40, 1, 4), 440),
        (Rate("v100", node=7), "v100", Shape(1, 1, 1), 7),
        # A shape that no node takes has the price of itself.
        (Rate("cpu", cpu=1), "cpu", Shape(1000, 1), 1000),
    ],
)
def test_the_price_of_an_hour(
    rate: Rate, queue: str, shape: Shape, micro_per_hour: int
) -> None:
    found = per_hour(Pricing([rate]), queue, shape)
    assert found is not None
    assert found.per_hour == micro_per_hour


def test_a_free_queue_is_free_and_one_without_a_rate_has_no_price() -> None:
    pricing = Pricing(RATES)
    assert per_hour(pricing, "jupyter", Shape()) is FREE
    assert pricing.is_free("jupyter")
    assert not pricing.is_free("v100")
    bare = Pricing()
    assert per_hour(bare, "v100", Shape()) is None
    assert not bare.is_free("v100")
    assert not bare.has_rates


def test_nodes_of_several_kinds_have_a_range_of_prices() -> None:
    nodes = [node("a", "gpu", gpus=("v100", 4)), node("b", "gpu", gpus=("a100", 8))]
    supply = survey(nodes, [partition("gpu", nodes)], [], ()).supplies["gpu"]
    pricing = Pricing([Rate("gpu", gpu=10), Rate("gpu", "a100", gpu=30)])
    any_type = pricing.price_per_hour(supply, Shape(1, 1, 2))
    assert any_type == Price(60, 20)
    assert any_type.is_range
    assert pricing.price_per_hour(supply, Shape(1, 1, 2, "a100")) == Price(60, 60)
    assert pricing.price_per_hour(supply, Shape(1, 1, 2, "v100")) == Price(20, 20)


def test_cost_so_far_counts_from_the_start_and_waiting_costs_nothing() -> None:
    seen, pricing = scene(), Pricing(RATES)
    on_v100 = seen.by_id[103]
    assert pricing.cost_so_far(seen, on_v100, NOW) == 120 * MICRO
    assert pricing.cost_so_far(seen, on_v100, NOW - 7200) == 0
    assert pricing.cost_so_far(seen, seen.by_id[106], NOW) == 0
    assert pricing.cost_so_far(seen, seen.by_id[101], NOW) == 0
    assert Pricing().cost_so_far(seen, on_v100, NOW) is None


def test_an_exclusive_job_on_two_nodes_pays_both() -> None:
    nodes = [node("n1", "x", 8), node("n2", "x", 8)]
    running = job(1, "mia", "x", "RUNNING", node_list="n[1-2]", nodes=2, cpus=16)
    seen = survey(nodes, [partition("x", nodes, exclusive=True)], [running], ())
    pricing = Pricing([Rate("x", node=5)])
    price = pricing.price_of_job(seen, running)
    assert price is not None
    assert price.per_hour == 10


def test_a_job_of_a_queue_that_is_gone_or_of_odd_nodes_breaks_nothing() -> None:
    seen = scene()
    pricing = Pricing(RATES)
    gone = job(1, "mia", "gone", "RUNNING", starts_at=int(NOW))
    odd = job(2, "mia", "cpu", "RUNNING", node_list="n[1-", cpus=2)
    assert pricing.price_of_job(seen, gone) is None
    price = pricing.price_of_job(seen, odd)
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


def test_a_rate_of_nothing_is_free_whatever_is_taken() -> None:
    assert Rate("x").is_free
    assert Rate("x").per_hour(Amounts(10**6, 10**9, {"a": 10**4}, 10**3)) == 0
