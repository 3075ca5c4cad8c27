"""Read sacct's rows as records of use, many at a time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from kqi_hub.domain.accounting_ports import ReadRecord
from kqi_hub.domain.job_records import JobRecord, gpus_text
from kqi_hub.domain.phrase import Phrase
from kqi_hub.slurm.commands import USAGE_FIELDS
from kqi_hub.slurm.errors import unreadable
from kqi_hub.slurm.tres import parse_tres

_SIZE: Final = len(USAGE_FIELDS)
_HASH_BYTES: Final = 8
_MINUTE_S: Final = 60
_NO_NODE: Final = "None assigned"
# `1-02:03:04`, `02:03:04`, and `03:04` of less than an hour in some releases.
_SPAN: Final = re.compile(
    r"(?:(?:(\d{1,6})-)?(\d{1,9}):)?(\d{1,2}):(\d{2})(?:\.\d+)?", re.ASCII
)
Had = tuple[int, int, int, str]


class UsageRows:
    """Turn what sacct writes into records, piece by piece as it comes.

    Each row has as many fields as were asked for, each with the separator after it, and
    a line break after the last. As nobody can have known the separator, whatever people
    put into a name is a part of that name. Separators become NUL, which no C program
    can print inside of a text.
    """

    def __init__(self, separator: str) -> None:
        self._separator = separator.encode()
        self._rest = b""
        # A name may begin with a line break, and look like the end of its row.
        self._begun = b""

    def feed(self, piece: bytes) -> list[ReadRecord]:
        """Return the records that this piece of the answer completes."""
        if b"\0" in piece:
            raise unreadable("sacct", Phrase("it has a NUL character in it"))
        answer = self._rest + piece
        # What is cut may be in the middle of a separator: only whole lines are split.
        end = answer.rfind(self._separator + b"\n")
        if end < 0:
            self._rest = answer
            return []
        self._rest = answer[end + len(self._separator) + 1 :]
        lines = answer[:end].replace(self._separator, b"\0").split(b"\0\n")
        if self._begun:
            lines[0] = b"\0\n".join((self._begun, lines[0]))
            self._begun = b""
        return self._records(lines)

    def close(self) -> None:
        """Raise ClusterError where the answer ended in the middle of a row."""
        if self._rest or self._begun:
            raise unreadable("sacct", Phrase("it breaks off in the middle of a row"))

    def _records(self, lines: list[bytes]) -> list[ReadRecord]:
        records, begun = [], b""
        for line in lines:
            raw = b"\0\n".join((begun, line)) if begun else line
            fields = raw.decode(errors="replace").split("\0")
            if len(fields) < _SIZE:
                begun = raw
                continue
            begun = b""
            records.append(_read(raw, fields))
        self._begun = begun
        return records


def _read(raw: bytes, fields: list[str]) -> ReadRecord:
    try:
        record = _record(fields)
    except ValueError as error:
        what = Phrase("{row} cannot be read", row=repr(raw[:200]))
        raise unreadable("sacct", what) from error
    digest = blake2b(raw, digest_size=_HASH_BYTES).digest()
    return ReadRecord(record, int.from_bytes(digest, "little", signed=True))


def _record(row: list[str]) -> JobRecord:
    (
        raw, submitted, db_index, shown, name, user, account, partition, qos, state,
        exit_code, eligible, starts, ends, suspended, limit, nodes, cpus, tres,
        node_list,
    ) = row  # fmt: skip
    had = _had(tres)
    if not tres and node_list == _NO_NODE:
        # Of what never began, slurmdbd tells the end for its start.
        starts = ""
    # Words such as `Unknown` are no time, nor is 1970. A million rows: no calls.
    return JobRecord(
        int(raw), int(submitted), int(db_index), shown, name, user, account, partition,
        qos, state.partition(" ")[0], exit_code,
        (int(eligible) or None) if eligible.isdecimal() else None,
        (int(starts) or None) if starts.isdecimal() else None,
        (int(ends) or None) if ends.isdecimal() else None,
        0 if suspended == "00:00:00" else seconds_of(suspended),
        int(limit) * _MINUTE_S if limit.isdecimal() else None,
        had[2] or _count(nodes), had[0] or _count(cpus), had[1], had[3],
        "" if node_list == _NO_NODE else node_list,
    )  # fmt: skip


def _count(text: str) -> int:
    return int(text) if text.isdecimal() else 0


@lru_cache(maxsize=16384)
def seconds_of(text: str) -> int:
    """Return the seconds of `1-02:03:04`; ValueError for what is no span of time."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no span of time in Slurm's way of writing")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


@lru_cache(maxsize=16384)
def _had(tres: str) -> Had:
    """Return CPUs, MB, nodes and GPUs of `cpu=4,mem=8000M,node=1,gres/gpu:a100=2`."""
    amounts = dict(parse_tres(tres))
    return (
        amounts.get("cpu", 0),
        amounts.get("mem", 0),
        amounts.get("node", 0),
        gpus_text(_gpus(amounts)),
    )


def _gpus(amounts: Mapping[str, int]) -> dict[str, int]:
    typed = {
        name.removeprefix("gres/gpu:"): count
        for name, count in amounts.items()
        if name.startswith("gres/gpu:") and count
    }
    # `gres/gpu` is the sum of all; what no type accounts for has none.
    plain = amounts.get("gres/gpu", 0) - sum(typed.values())
    return typed | ({"": plain} if plain > 0 else {})


def read_suspended(
    rows: Iterator[Sequence[str]],
) -> dict[tuple[int, int], int]:
    """Return the seconds by job and submit time from rows of SUSPENDED_FIELDS."""
    found = {}
    for raw, submitted, suspended in rows:
        try:
            found[int(raw), int(submitted)] = seconds_of(suspended)
        except ValueError as error:
            what = Phrase("{row} cannot be read", row=repr([raw, submitted, suspended]))
            raise unreadable("sacct", what) from error
    return found
