"""What a dataset may hold and be called, and the key of its tree."""

import pytest

from kqi_hub.domain.data import Placed
from kqi_hub.domain.datasets import (
    MOST_ITEMS,
    checked_entries,
    checked_memo,
    checked_name,
    checked_types,
    folder_of,
    tree_key,
)
from kqi_hub.domain.errors import InvalidInput

TYPES = ("training", "testing")


@pytest.mark.parametrize("name", ["a", " 交通標識 2026 ", "x" * 200, "🚦", "a'\"<b>"])
def test_name_is_kept_trimmed(name: str) -> None:
    assert checked_name(name) == name.strip()


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 201, "a\nb", "a\0", "\x1b[1m", "a\u202eb", "\ud800"]
)
def test_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="name: "):
        checked_name(name)


def test_memo_has_lines_and_an_end() -> None:
    assert checked_memo("a\nb") == "a\nb"
    for memo in ("x" * 4001, "\0", "\ud800"):
        with pytest.raises(InvalidInput, match="memo: "):
            checked_memo(memo)


@pytest.mark.parametrize(
    "types",
    [
        (),
        ("a",) * 51,
        ("",),
        ("..",),
        ("a/b",),
        ("meta.json",),
        ("7",),
        ("a\n",),
        ("\uff41",),
        ("x" * 41,),
        ("Training", "training"),
    ],
)
def test_types_that_cannot_be_folders_are_refused(types: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="types: "):
        checked_types(types)


def test_types_keep_their_order() -> None:
    assert checked_types(["z-1", "A_b"]) == ("z-1", "A_b")


def test_entries_come_in_order_and_an_item_may_have_two_types() -> None:
    given = [Placed("training", 10), Placed("training", 9), Placed("testing", 10)]
    assert checked_entries(given, TYPES, is_flat=False) == (
        Placed("testing", 10),
        Placed("training", 9),
        Placed("training", 10),
    )


@pytest.mark.parametrize(
    ("entries", "is_flat", "match"),
    [
        ([Placed("", 1), Placed("", 1)], True, "data 1 is there twice"),
        ([Placed("testing", 1)] * 2, False, "data 1 is there twice"),
        ([Placed("training", 1)], True, "flat dataset has no types"),
        ([Placed("", 1)], False, "no type ''"),
        ([Placed("../x", 1)], False, "no type '../x'"),
        ([Placed("validation", 1)], False, "Choose from: testing, training"),
        ([Placed("", 0)], True, "no number"),
        ([Placed("", -1)], True, "no number"),
        ([Placed("", 2**63)], True, "no number"),
        ([Placed("", 1)] * (MOST_ITEMS + 1), True, "up to 100000"),
    ],
)
def test_entries_that_cannot_be_are_refused(
    entries: list[Placed], is_flat: bool, match: str
) -> None:
    with pytest.raises(InvalidInput, match=match):
        checked_entries(entries, TYPES, is_flat)


def test_folder_is_the_number_below_the_type() -> None:
    assert folder_of(Placed("training", 7)) == "training/7"
    assert folder_of(Placed("", 7)) == "7"


def test_key_stands_for_the_content_and_nothing_else() -> None:
    one, two = (Placed("training", 1), 1), (Placed("testing", 2), 1)
    key = tree_key(5, False, [one, two])
    assert len(key) == 40
    assert set(key) <= set("0123456789abcdef")
    assert tree_key(5, False, [two, one]) == key
    others = {
        tree_key(6, False, [one, two]),
        tree_key(5, True, [one, two]),
        tree_key(5, False, [one]),
        tree_key(5, False, [one, (two[0], 2)]),
        tree_key(5, False, [one, (Placed("training", 2), 1)]),
        tree_key(5, False, []),
    }
    assert len(others) == 6
    assert key not in others
