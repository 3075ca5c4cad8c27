"""Times and costs as the command writes them."""

import pytest

from kqi_hub.cli.notebook_figures import cost, span

FREE = {"is_free": True, "currency": "JPY"}
PAID = {"is_free": False, "currency": "JPY"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0, "0 min 00 s"),
        (30.9, "0 min 30 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (360_061, "100 h 01 min"),
    ],
)
def test_a_time_has_two_units(seconds: float | None, said: str) -> None:
    assert span(seconds) == said


@pytest.mark.parametrize(
    ("micro", "price", "said"),
    [
        (None, PAID, ""),
        (0, None, ""),
        (0, FREE, "free"),
        (0, PAID, "0 JPY"),
        (1_234_567_896_000, PAID, "1,234,567.90 JPY"),
    ],
)
def test_a_cost_has_its_currency(
    micro: int | None, price: dict[str, object] | None, said: str
) -> None:
    assert cost(micro, price) == said
