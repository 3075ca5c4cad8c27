"""Any text survives storage, and plain text is stored as it is."""

import pytest
from hypothesis import given, strategies as st
from sqlalchemy.dialects import sqlite

from kqi_hub.db.text import AnyText, Gpus, Words, from_stored, to_storable
from kqi_hub.domain.cluster import GpuCount

ANY_TEXT = st.text(
    st.characters(exclude_categories=[])
    | st.sampled_from("\0\x1a\ud800\udcff\udfff0123456789abcdef")
)
DIALECT = sqlite.dialect()


@given(ANY_TEXT)
def test_any_text_comes_back_exactly(text: str) -> None:
    assert from_stored(to_storable(text)) == text


@given(ANY_TEXT)
def test_what_is_stored_is_utf8_without_nul(text: str) -> None:
    assert "\0" not in to_storable(text).encode().decode()


@given(ANY_TEXT, ANY_TEXT)
def test_two_texts_are_never_stored_alike(one: str, other: str) -> None:
    assert (to_storable(one) == to_storable(other)) == (one == other)


@pytest.mark.parametrize(
    "text", ["", "train", "a|b\tc\nd\r\x01\x1e", "学習 🖥 \\x1a \\0", "%s ' \" --"]
)
def test_ordinary_text_is_stored_as_it_is(text: str) -> None:
    assert to_storable(text) == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\0b", "a\x1a0000b"), ("\udcff", "\x1adcff"), ("\x1a0000", "\x1a001a0000")],
)
def test_what_databases_refuse_is_stored_marked(text: str, stored: str) -> None:
    assert to_storable(text) == stored


@given(st.lists(ANY_TEXT).map(tuple))
def test_a_list_of_any_texts_comes_back_exactly(words: tuple[str, ...]) -> None:
    stored = Words().process_bind_param(words, DIALECT)
    assert stored is not None
    assert stored.isascii()
    assert "\0" not in stored
    assert Words().process_result_value(stored, DIALECT) == words


def test_gpus_come_back_exactly() -> None:
    gpus = (GpuCount("v100\0\udcff", 4, 2), GpuCount("", 0, 0))
    stored = Gpus().process_bind_param(gpus, DIALECT)
    assert Gpus().process_result_value(stored, DIALECT) == gpus


@pytest.mark.parametrize("kind", [AnyText(), Words(), Gpus()])
def test_none_stays_none(kind: AnyText | Words | Gpus) -> None:
    assert kind.process_bind_param(None, DIALECT) is None
    assert kind.process_result_value(None, DIALECT) is None
