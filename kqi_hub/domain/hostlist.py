"""Slurm's short form for lists of nodes, such as `v100-[01-02,5],cpu01`."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Final

# More than the largest cluster has; less than an answer gone wrong could demand.
LARGEST_LIST: Final = 65_536
_NAMES: Final = re.compile(r"(?:[^\[\],]|\[[^\[\]]*\])+")
_PARTS: Final = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_RANGE: Final = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)


def expand_hostlist(text: str, limit: int = LARGEST_LIST) -> tuple[str, ...]:
    """Return every name in order; raise ValueError if malformed or over the limit."""
    if text in {"", "(null)"}:
        return ()
    names: list[str] = []
    for group in _split(text):
        names.extend(_expand_group(group, limit - len(names)))
    return tuple(names)


def _split(text: str) -> list[str]:
    groups = _NAMES.findall(text)
    if ",".join(groups) != text:
        raise ValueError(f"{text[:80]!r} is no list of nodes in Slurm's way of writing")
    return groups


def _expand_group(group: str, limit: int) -> Iterator[str]:
    parts: list[list[str]] = []
    for found in _PARTS.finditer(group):
        part = [found[2]] if found[2] else list(_numbers(found[1], limit))
        parts.append(part)
    size = 1
    for part in parts:
        size *= len(part)
    _keep_below(size, limit)
    return ("".join(chosen) for chosen in product(*parts))


def _numbers(ranges: str, limit: int) -> Iterator[str]:
    total = 0
    for entry in ranges.split(","):
        found = _RANGE.fullmatch(entry)
        if found is None or int(found[2] or found[1]) < int(found[1]):
            raise ValueError(f"[{ranges[:80]}] is no range of node numbers")
        first, last = int(found[1]), int(found[2] or found[1])
        total += last - first + 1
        _keep_below(total, limit)
        for number in range(first, last + 1):
            yield f"{number:0{len(found[1])}d}"


def _keep_below(size: int, limit: int) -> None:
    if size > limit:
        raise ValueError(f"a list of more than {LARGEST_LIST} nodes is not expanded")
