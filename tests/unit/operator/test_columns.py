"""Columns stay columns, and nobody's job name controls an operator's terminal."""

import pytest

from kqi_hub.operator.columns import columns, printable


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    text = columns(("A", "LONG", ""), [("1", "2", "x"), ("333", "4", "")])
    assert text.splitlines() == ["A    LONG", "1    2     x", "333  4"]


def test_long_cells_are_cut_except_in_the_last_column() -> None:
    text = columns(("A", "B"), [("x" * 100, "y" * 100)], widest=10)
    assert text.splitlines()[1] == "x" * 9 + "…  " + "y" * 100


def test_wide_characters_count_twice() -> None:
    first, second = columns(("名前", "B"), [("a", "1")]).splitlines()
    assert first == "名前  B"
    assert second == "a     1"


@pytest.mark.parametrize(
    "name",
    ["\x1b[2J", "a\nb", "a\rb", "\x00", "\x9b31m", "\u202eabc", "\ud800", "a\tb"],
)
def test_nothing_that_moves_the_cursor_is_printed(name: str) -> None:
    text = columns(("A", "B"), [(name, name)])
    assert len(text.splitlines()) == 2
    assert printable(text.replace("\n", "")) == text.replace("\n", "")
    assert text.encode()
