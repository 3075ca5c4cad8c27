"""The terms of use as headings, paragraphs and lists.

The file is plain text, or the plainest Markdown: everything else in it stays the text
that it is, and no part is ever HTML.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_HEADING: Final = re.compile(r"#{1,6}\s+(.+?)\s*#*")
_ITEM: Final = re.compile(r"(?:[-*•]|\d{1,3}[.)])\s+(.+)")
_NUMBERED: Final = re.compile(r"\d")


class Form(StrEnum):
    """How a block is shown."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    NUMBERED_LIST = "numbered-list"


@dataclass(frozen=True, slots=True)
class Block:
    """One heading or paragraph, or the items of a list."""

    form: Form
    texts: tuple[str, ...]


def blocks(text: str) -> tuple[Block, ...]:
    """Return a text's blocks, in order; what stands between empty lines is one."""
    found: list[Block] = []
    for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n").lstrip("\ufeff")):
        lines = [line.strip() for line in part.split("\n") if line.strip()]
        found.extend(_of_lines(lines))
    return tuple(found)


def _of_lines(lines: list[str]) -> Iterator[Block]:
    kept: list[str] = []
    form = Form.PARAGRAPH
    for line in lines:
        heading, item = _HEADING.fullmatch(line), _ITEM.fullmatch(line)
        if heading:
            yield from _block(form, kept)
            kept, form = [], Form.PARAGRAPH
            yield Block(Form.HEADING, (heading[1],))
        elif item:
            if form is Form.PARAGRAPH:
                yield from _block(form, kept)
                kept, form = [], _list_of(line)
            kept.append(item[1])
        elif form is Form.PARAGRAPH:
            kept.append(line)
        else:
            # A line that goes on with the item above it.
            kept[-1] = f"{kept[-1]} {line}"
    yield from _block(form, kept)


def _list_of(line: str) -> Form:
    return Form.NUMBERED_LIST if _NUMBERED.match(line) else Form.LIST


def _block(form: Form, kept: list[str]) -> Iterator[Block]:
    if kept and form is Form.PARAGRAPH:
        yield Block(form, (" ".join(kept),))
    elif kept:
        yield Block(form, tuple(kept))
