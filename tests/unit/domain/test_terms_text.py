"""The terms of use as blocks: nothing in them is ever more than text."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.terms_text import Block, Form, blocks

H, P, L, N = Form.HEADING, Form.PARAGRAPH, Form.LIST, Form.NUMBERED_LIST


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("\n \n\t\n", []),
        ("One\nparagraph.\n\nAnother.", [(P, "One paragraph."), (P, "Another.")]),
        (
            "# Rules\n## Of use ##\nBe kind.",
            [(H, "Rules"), (H, "Of use"), (P, "Be kind.")],
        ),
        ("- a\n* b\n• c", [(L, "a", "b", "c")]),
        ("1. a\n2) b", [(N, "a", "b")]),
        ("Do:\n- a\n  goes on\n- b", [(P, "Do:"), (L, "a goes on", "b")]),
        ("\ufeffText\r\nmore\r\n\r\nnext", [(P, "Text more"), (P, "next")]),
        ("#no heading", [(P, "#no heading")]),
        ("-no item", [(P, "-no item")]),
        ("<script>alert(1)</script>", [(P, "<script>alert(1)</script>")]),
        ("[a](javascript:alert(1))", [(P, "[a](javascript:alert(1))")]),
        ("2026. was a year", [(P, "2026. was a year")]),
        ("規約\n\n- 一\n- 二", [(P, "規約"), (L, "一", "二")]),
    ],
)
def test_a_text_becomes_these_blocks(text: str, found: list[tuple[Form, str]]) -> None:
    assert blocks(text) == tuple(Block(form, tuple(texts)) for form, *texts in found)


@given(st.text())
def test_any_text_becomes_blocks_that_say_something(text: str) -> None:
    for block in blocks(text):
        assert block.texts
        assert all(one.strip() for one in block.texts)


@given(st.text(alphabet=st.sampled_from("ab #-*1.)\n")))
def test_no_letter_is_lost(text: str) -> None:
    said = "".join("".join(block.texts) for block in blocks(text))
    for letter in "ab":
        assert said.count(letter) == text.count(letter)


def test_a_long_text_takes_no_long_time() -> None:
    assert len(blocks("- x\n" * 50_000 + "\n" + "#" * 50_000 + " " * 50_000)) >= 1
