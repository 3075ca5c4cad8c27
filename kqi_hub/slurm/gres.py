"""Slurm's generic resources: what nodes have and what jobs ask for."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kqi_hub.domain.cluster import GpuCount
from kqi_hub.slurm.tres import parse_size, parse_tres

# `(S:0-1)`, `(IDX:0,2)`: which of them, not how many; the commas inside do not divide.
_WHICH: Final = re.compile(r"\([^()]*\)")
_COUNT: Final = re.compile(r"\d+[KMGTP]?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Gres:
    """So many of one kind, `type` empty where Slurm names none."""

    name: str
    type: str
    count: int

    def __str__(self) -> str:
        return ":".join(
            part for part in (self.name, self.type, str(self.count)) if part
        )


def parse_gres(text: str) -> tuple[Gres, ...]:
    """Read `gpu:v100:4(S:0-1),shard:8`; raise ValueError for what is no such list."""
    bare = _WHICH.sub("", text.replace(":(null)", ""))
    return tuple(
        _read_entry(entry) for entry in bare.split(",") if _says_something(entry)
    )


def _says_something(entry: str) -> bool:
    return entry not in {"", "N/A", "(null)"}


def _read_entry(entry: str) -> Gres:
    # `gres:gpu:v100:2` until 23.11, `gres/gpu:v100:2` since 24.05, `=2` in TRES.
    bare = entry.removeprefix("gres:").removeprefix("gres/").replace("=", ":")
    name, *rest = (word for word in bare.split(":") if word != "no_consume")
    count = rest.pop() if rest and _COUNT.fullmatch(rest[-1]) else "1"
    kind = rest.pop() if rest else ""
    if rest or not name:
        raise ValueError(f"{entry!r} is no generic resource in Slurm's way of writing")
    return Gres(name, kind, parse_size(count))


@lru_cache(maxsize=4096)
def node_gpus(configured: str, used: str) -> tuple[GpuCount, ...]:
    """Return a node's GPUs by type, from its `Gres` and its `GresUsed`."""
    totals = _by_type(parse_gres(configured))
    busy = _by_type(parse_gres(used))
    # With AutoDetect, Slurm may name a type for what is used and none for what there
    # is: such use counts wherever something is free.
    elsewhere = sum(count for kind, count in busy.items() if kind not in totals)
    gpus = []
    for kind, total in totals.items():
        known = min(total, busy.get(kind, 0))
        moved = min(total - known, elsewhere)
        elsewhere -= moved
        gpus.append(GpuCount(kind, total, known + moved))
    return tuple(gpus)


def _by_type(gres: Iterable[Gres]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in gres:
        if one.name == "gpu":
            counts[one.type] = counts.get(one.type, 0) + one.count
    return counts


@lru_cache(maxsize=4096)
def job_gres(tres: str, per_job: str, per_node: str, nodes: int) -> str:
    """Return all that a job has, or waits for, such as `gpu:v100:2,shard:1`.

    The resources that accounting tracks are exact, whichever option asked for them.
    What it does not track (AccountingStorageTRES) is counted from the request; what
    cannot be read of a request is left out, for a person wrote it.
    """
    tracked = list(_tracked(tres))
    names = {one.name for one in tracked}
    asked = [
        *_request(per_job),
        *(Gres(one.name, one.type, one.count * nodes) for one in _request(per_node)),
    ]
    untracked = [one for one in asked if one.name not in names]
    return ",".join(str(one) for one in (*tracked, *untracked) if one.count)


def _request(text: str) -> tuple[Gres, ...]:
    try:
        return parse_gres(text)
    except ValueError:
        return ()


def _tracked(tres: str) -> Iterator[Gres]:
    """Read `cpu=4,gres/gpu=3,gres/gpu:v100=2`, where 3 is the sum."""
    entries = ",".join(one for one in tres.split(",") if one.startswith("gres/"))
    amounts = dict(parse_tres(entries))
    for full_name, amount in amounts.items():
        name, _, kind = full_name.removeprefix("gres/").partition(":")
        if not kind:
            amount -= sum(
                typed
                for other, typed in amounts.items()
                if other.startswith(f"{full_name}:")
            )
        if amount > 0:
            yield Gres(name, kind, amount)
