"""Pieces of files for people to read: text, tables, notebooks, or that it is none."""

import codecs
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.notebooks import notebook_fields
from kqi_hub.agent.files.places import Found, Place, opened_file
from kqi_hub.agent.files.sniffing import (
    HEAD_BYTES,
    image_type,
    is_binary,
    marked_encoding,
)
from kqi_hub.agent.files.tables import table_fields

MOST_BYTES: Final = 256 * 1024
WAYS: Final = ("auto", "text", "table", "notebook")
_HEX_BYTES: Final = 256
_TABLES: Final = (".csv", ".tsv")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which piece of a file, read as what; a negative start counts from the end."""

    way: str
    encoding: str
    start: int
    end: int | None


def view(place: Place, asked: Asked) -> Mapping[str, Any]:
    """Return what a page shows of a file. Blocks."""
    with opened_file(place) as (file, held):
        head = os.pread(file, HEAD_BYTES, 0)
        chosen = _way(place.names[-1], head) if asked.way == "auto" else asked.way
        known = {
            "kind": chosen,
            "size": held.info.st_size,
            "changed_at": held.info.st_mtime,
            "version": held.version,
        }
        return {**known, **_fields(chosen, file, held, head, asked)}


def _way(name: str, head: bytes) -> str:
    if image_type(head):
        return "image"
    if is_binary(head):
        return "binary"
    if name.lower().endswith(".ipynb"):
        return "notebook"
    return "table" if name.lower().endswith(_TABLES) else "text"


def _fields(
    way: str, file: int, held: Found, head: bytes, asked: Asked
) -> Mapping[str, Any]:
    if way == "image":
        return {"type": image_type(head)}
    if way == "binary":
        return {"hex": head[:_HEX_BYTES].hex(" ")}
    if way == "notebook":
        return notebook_fields(file, held.info.st_size)
    piece = _piece(file, held.info.st_size, head, asked)
    if way == "table":
        return table_fields(piece, is_end=piece["to"] >= held.info.st_size)
    return piece


def _piece(file: int, size: int, head: bytes, asked: Asked) -> dict[str, Any]:
    """Return text, cut between characters; damaged text is shown with U+FFFD."""
    marked, mark = marked_encoding(head)
    chosen = asked.encoding or marked
    start, end = asked.start, asked.end
    begin = max(0, size + start) if start < 0 else min(start, size)
    if chosen.startswith("utf-16"):
        begin -= begin % 2
    most = MOST_BYTES if end is None else max(0, min(MOST_BYTES, end - begin))
    raw = os.pread(file, min(most, size - begin), begin)
    skipped = _skipped(raw, begin, mark, chosen)
    text, held_back, damaged = _decoded(raw[skipped:], chosen, begin + len(raw) >= size)
    return {
        "from": begin + skipped if begin else 0,
        "to": begin + len(raw) - held_back,
        "text": text,
        "encoding": chosen,
        "damaged": damaged,
    }


def _skipped(raw: bytes, begin: int, mark: int, encoding: str) -> int:
    if begin == 0:
        return mark if raw[:mark] and marked_encoding(raw)[0] == encoding else 0
    if encoding != "utf-8":
        return 0
    return next((n for n, one in enumerate(raw[:4]) if not 0x80 <= one < 0xC0), 0)


def _decoded(raw: bytes, encoding: str, is_end: bool) -> tuple[str, int, bool]:
    """Return the text, how many bytes wait for the rest of a character, any damage."""
    try:
        strict = codecs.getincrementaldecoder(encoding)("strict")
        text = strict.decode(raw, is_end)
        return text, len(strict.getstate()[0]), False
    except UnicodeDecodeError:
        loose = codecs.getincrementaldecoder(encoding)("replace")
        text = loose.decode(raw, is_end)
        return text, len(loose.getstate()[0]), True


def head_of_image(place: Place) -> str:
    """Return the type of an image; Problem when it is none. Blocks."""
    with opened_file(place) as (file, _):
        kind = image_type(os.pread(file, HEAD_BYTES, 0))
    if kind is None:
        raise Problem(409, "no-image", "This is no image that is shown here.")
    return kind
