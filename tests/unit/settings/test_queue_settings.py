"""Rates, presets and words about queues: exact amounts, each name once."""

import pytest

from kqi_hub.bootstrap.queues import presets_of, queue_rules_of
from kqi_hub.bootstrap.rates import card_of
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.notebooks import Preset, Shape
from kqi_hub.settings.building import build
from kqi_hub.settings.model import Settings

NEEDED = {
    "cluster": {"name": "gpu1"},
    "database": {"url": "sqlite:////var/lib/kqi/kqi.sqlite"},
}
RATE = {"queue": "a100", "per_node": "1200.5"}
PRESET = {"name": "free-4h", "title": "Free, 4 h", "queue": "jupyter"}


def settings(**tables: object) -> Settings:
    built, problems = build({**NEEDED, **tables})
    assert problems == []
    assert built is not None
    return built


def problems(**tables: object) -> str:
    built, found = build({**NEEDED, **tables})
    assert built is None
    return " ".join(map(str, found))


def test_without_any_table_nothing_has_a_price() -> None:
    bare = settings()
    assert card_of(bare, (), 0).lines == ()
    assert presets_of(bare) == ()
    assert queue_rules_of(bare) == {}


def test_amounts_are_read_exactly() -> None:
    [line] = card_of(settings(rate=[RATE]), (), 0).lines
    assert line.node == 1200 * MICRO + MICRO // 2


def test_on_an_exclusive_queue_the_whole_node_is_paid_for() -> None:
    rates = settings(rate=[RATE, {"queue": "cpu"}])
    found = {line.queue: line.whole_node for line in card_of(rates, {"a100"}, 0).lines}
    assert found == {"a100": True, "cpu": False}


def test_a_preset_becomes_a_choice_of_notebooks() -> None:
    table = {**PRESET, "cpus": 2, "memory_gb": 8, "lifetime_hours": 0.5}
    [preset] = presets_of(settings(preset=[table]))
    assert preset == Preset("free-4h", "Free, 4 h", "jupyter", Shape(2, 8192), 1800, ())
    [endless] = presets_of(settings(preset=[PRESET]))
    assert endless.lifetime_s is None


def test_bounds_of_a_queue_are_in_megabytes_and_nought_is_a_bound() -> None:
    table = {"name": "jupyter", "most_memory_gb": 2, "most_gpus": 0}
    rules = queue_rules_of(settings(queue=[table]))["jupyter"]
    assert (rules.most_memory_mb, rules.most_gpus, rules.most_cpus) == (2048, 0, None)


@pytest.mark.parametrize(
    "amount",
    [
        "",
        "-1",
        "1,5",
        "1.",
        ".5",
        "1e3",
        "0.0000001",
        "1234567890",
        "NaN",
        "1\n",
        1,
        1.5,
    ],
)
def test_an_amount_that_is_none_is_refused(amount: object) -> None:
    assert "rate[1].per_node" in problems(rate=[{**RATE, "per_node": amount}])


@pytest.mark.parametrize(
    ("tables", "where"),
    [
        ({"rate": [RATE, RATE]}, "rate[2].queue"),
        ({"preset": [PRESET, PRESET]}, "preset[2].name"),
        ({"queue": [{"name": "x"}, {"name": "x"}]}, "queue[2].name"),
        ({"preset": [{**PRESET, "gpu_type": "a100"}]}, "preset[1].gpu_type"),
        ({"preset": [{**PRESET, "name": "Free 4h"}]}, "preset[1].name"),
        ({"preset": [{**PRESET, "queue": "a;b"}]}, "preset[1].queue"),
        ({"preset": [{**PRESET, "lifetime_hours": 0}]}, "preset[1].lifetime_hours"),
        ({"queue": [{"name": "x", "purpose": "a\nb"}]}, "queue[1].purpose"),
        ({"billing": {"currency": "yen"}}, "billing.currency"),
        ({"billing": {"price_page": "javascript:alert(1)"}}, "billing.price_page"),
    ],
)
def test_what_is_wrong_is_named(tables: dict[str, object], where: str) -> None:
    assert where in problems(**tables)


def test_one_queue_may_have_a_rate_for_each_type_of_gpu() -> None:
    rates = [RATE, {**RATE, "gpu_type": "h100"}]
    assert len(card_of(settings(rate=rates), (), 0).lines) == 2
