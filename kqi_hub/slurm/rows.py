"""Rows of fields whose text anybody may have chosen, told apart beyond doubt.

People put `|`, tabs, newlines, control characters and whole forged lines into names of
jobs, and Slurm prints them as they are. So each call chooses separators of 64 random
bits, which nobody can have known when naming a job. On reading they become NUL, which
no C program can print inside a text: a row then is one unambiguous string, equal from
call to call as long as the job is, and can be looked up instead of read again.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from kqi_hub.domain.phrase import Phrase
from kqi_hub.slurm.errors import unreadable

T = TypeVar("T")
PLAIN_SEPARATOR: Final = "|"
FREE_SEPARATOR: Final = "\0"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The separators of one call."""

    field: str
    row: str

    @classmethod
    def fresh(cls) -> "Tokens":
        """Choose separators that nobody can have guessed."""
        # Slurm reads digits after `name:0` as a width: a letter stands first.
        return cls(*(f"x{secrets.token_urlsafe(8)}" for _ in range(2)))


@dataclass(frozen=True, slots=True)
class Shape:
    """Which fields a row has: `plain` ones that Slurm words itself, then `free` ones.

    Plain fields share one random separator at their end and `|` among themselves,
    because at 10,000 jobs every separator costs.
    """

    plain: tuple[str, ...]
    free: tuple[str, ...]

    def squeue_format(self, tokens: Tokens) -> str:
        """Return it for `squeue --Format`; width 0 neither cuts nor pads."""
        *first, last = self.plain
        *more, end = self.free
        return ",".join(
            [
                *(f"{name}:0{PLAIN_SEPARATOR}" for name in first),
                *(f"{name}:0{tokens.field}" for name in (last, *more)),
                f"{end}:0{tokens.row}",
            ]
        )

    def fields(self, row: bytes) -> list[str]:
        """Return the texts of one row, in the order of `plain` and `free`."""
        plain, *free = row.decode(errors="replace").split(FREE_SEPARATOR)
        fields = plain.split(PLAIN_SEPARATOR) + free
        if len(fields) != len(self.plain) + len(self.free):
            raise ValueError(
                f"a row has {len(fields)} fields and not what was asked for"
            )
        return fields


def split_rows(program: str, answer: bytes, tokens: Tokens) -> list[bytes]:
    """Return the rows of a whole answer; raise ClusterError for a part of one."""
    if b"\0" in answer:
        raise unreadable(program, Phrase("it has a NUL character in it"))
    rows = answer.replace(tokens.field.encode(), b"\0").split(
        tokens.row.encode() + b"\n"
    )
    if rows.pop():
        raise unreadable(program, Phrase("it breaks off in the middle of a row"))
    return rows


class RowCache(Generic[T]):
    """Read rows, and rows that were in the last reading not at all.

    Only the rows of one reading are kept, so it never outgrows the cluster.
    """

    def __init__(self, program: str, read: Callable[[bytes], T]) -> None:
        self._program = program
        self._read = read
        self._known: dict[bytes, T] = {}

    def read(
        self, rows: Sequence[bytes], keys: Sequence[bytes] | None = None
    ) -> tuple[T, ...]:
        """Return one thing for each row; raise ClusterError for one it cannot read.

        `keys` are what must differ where things do, the rows themselves by default.
        """
        known = self._known
        fresh: dict[bytes, T] = {}
        things = []
        for key, row in zip(keys or rows, rows, strict=True):
            thing = known.get(key)
            if thing is None:
                thing = self._read_one(row)
            fresh[key] = thing
            things.append(thing)
        self._known = fresh
        return tuple(things)

    def _read_one(self, row: bytes) -> T:
        try:
            return self._read(row)
        except ValueError as error:
            raise unreadable(self._program, f"{error} (row {row[:200]!r})") from error
