"""Costs on pages of notebooks are short enough to read."""

import pytest

from handlers.pages.notebooks.money import readable

YEN, CENT = 1_000_000, 10_000


@pytest.mark.parametrize(
    ("micro", "coin", "shown"),
    [
        (0, YEN, 0),
        (1, YEN, 1),
        (266_667, YEN, 270_000),
        (999_999, YEN, 1_000_000),
        (1_499_999, YEN, 1_000_000),
        (1_500_000, YEN, 2_000_000),
        (4_449, CENT, 4_400),
        (12_345_678, CENT, 12_350_000),
    ],
)
def test_a_cost_is_rounded_to_the_coin_or_to_two_digits(
    micro: int, coin: int, shown: int
) -> None:
    assert readable(micro, coin) == shown
