"""CSV that spreadsheets open as it was meant."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given, strategies

from kqi_hub.domain.spreadsheets import document, exact


def read(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK('x')"]
)
def test_no_text_is_a_formula(name: str) -> None:
    assert read(document(["a"], [[name]])) == [["a"], [f"'{name}"]]


def test_numbers_stay_numbers_below_nothing_too() -> None:
    text = document(["a", "b", "c"], [[-5, exact(-1), None]])
    assert read(text) == [["a", "b", "c"], ["-5", "-0.000001", ""]]


def test_names_of_every_script_and_with_quotes_come_back() -> None:
    names = ["日本語", "한국어", 'say "hi", twice', "two\nlines", "x;y"]
    assert read(document(names, [names])) == [names, names]
    assert "\r\n" in document(["a"], [])


def test_bytes_that_are_no_text_can_be_written() -> None:
    text = document(["a"], [["job\udcff\0name"]])
    assert read(text.encode().decode())[1] == ["job?name"]


def test_heads_can_be_left_out() -> None:
    assert read(document(["a"], [[1]], with_heads=False)) == [["1"]]


@given(strategies.integers(-(10**15), 10**15))
def test_money_has_every_millionth(micro: int) -> None:
    [[text]] = read(document([], [[exact(micro)]], with_heads=False))
    assert Decimal(text) * 1_000_000 == micro
    assert "E" not in text
