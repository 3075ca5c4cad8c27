"""Pieces of a job's log, cut between characters."""

import codecs
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.agent.folder import open_file

MOST_BYTES: Final = 256 * 1024
_CONTINUATION: Final = range(0x80, 0xC0)


@dataclass(frozen=True, slots=True)
class Piece:
    """What lies between two offsets of a log, and which file that was."""

    start: int
    end: int
    size: int
    changed_at: float
    inode: int
    text: str


def log_path(job: int | str) -> tuple[str, str]:
    """Return where a job's log lies below the person's folder."""
    return "log", f"{job}.log"


def read_piece(root: Path, job: int | str, start: int, most: int = MOST_BYTES) -> Piece:
    """Read a job's log from an offset on; see `read_piece_of`. Blocks."""
    return read_piece_of(root, log_path(job), start, most)


def read_piece_of(
    root: Path, names: tuple[str, ...], start: int, most: int = MOST_BYTES
) -> Piece:
    """Read from an offset; a negative one counts from the end.

    Bytes that are no UTF-8 become replacement characters; a character of which only
    a part has been written so far is left for the next piece. Blocks.
    """
    with open_file(root, *names) as file:
        info = os.fstat(file)
        is_tail = start < 0
        begin = max(0, info.st_size + start) if is_tail else min(start, info.st_size)
        raw = os.pread(file, min(most, info.st_size - begin), begin)
    skipped = _half_character(raw) if is_tail and begin else 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(raw[skipped:])
    held_back = len(decoder.getstate()[0])
    return Piece(
        start=begin + skipped,
        end=begin + len(raw) - held_back,
        size=info.st_size,
        changed_at=info.st_mtime,
        inode=info.st_ino,
        text=text,
    )


def _half_character(raw: bytes) -> int:
    """Return how many bytes in front belong to a character cut in two."""
    for count, byte in enumerate(raw[:3]):
        if byte not in _CONTINUATION:
            return count
    return 0 if len(raw) <= 3 or raw[3] in _CONTINUATION else 3
