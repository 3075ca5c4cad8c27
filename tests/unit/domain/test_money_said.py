"""Money in sentences: rounded so that it can be read, with separators."""

import pytest

from kqi_hub.domain.budgets import amount_of, amount_text
from kqi_hub.domain.money import Money, amount_said

YEN, CENT = 0, 2


@pytest.mark.parametrize(
    ("micro", "digits", "shown"),
    [
        (0, YEN, 0),
        (1, YEN, 1),
        (266_667, YEN, 270_000),
        (999_999, YEN, 1_000_000),
        (1_499_999, YEN, 1_000_000),
        (1_500_000, YEN, 2_000_000),
        (-1_500_000, YEN, -2_000_000),
        (-266_667, YEN, -270_000),
        (4_449, CENT, 4_400),
        (12_345_678, CENT, 12_350_000),
    ],
)
def test_a_cost_is_rounded_to_the_coin_or_to_two_digits(
    micro: int, digits: int, shown: int
) -> None:
    assert Money(micro, "JPY").to_coin(digits).micro == shown


@pytest.mark.parametrize(
    ("micro", "said"),
    [
        (0, "0"),
        (200_000_000_000, "200,000"),
        (1_200_500_000, "1,200.5"),
        (-1_234_000_001, "-1,234.000001"),
        (999_999_000_000, "999,999"),
    ],
)
def test_an_amount_is_said_with_separators_and_written_without(
    micro: int, said: str
) -> None:
    assert amount_said(micro) == said
    assert amount_text(micro) == said.replace(",", "")
    assert micro < 0 or amount_of(amount_text(micro)) == micro
    assert str(Money(micro, "JPY")) == f"{said} JPY"
    assert str(Money(micro, "")) == said
