"""Slurm's lists of trackable resources, such as `cpu=32,mem=62.50G,gres/gpu=4`."""

import re
from typing import Final

Tres = tuple[tuple[str, int], ...]

_SIZE: Final = re.compile(r"(\d+)(?:\.(\d+))?([KMGTPE]?)", re.ASCII)
_UNITS: Final = {unit: 1 << 10 * power for power, unit in enumerate(("", *"KMGTPE"))}


def parse_tres(text: str) -> Tres:
    """Return names and amounts in Slurm's order; memory is in MB.

    Raises ValueError for what is no such list. A limit that is lifted (-1) is left out.
    """
    if text in {"", "N/A", "(null)"}:
        return ()
    pairs = []
    for entry in text.split(","):
        name, equals, amount = entry.partition("=")
        if not (name and equals):
            raise ValueError(f"{entry!r} of {text!r} is no resource with an amount")
        if amount != "-1":
            pairs.append((name, parse_size(amount, is_memory=name == "mem")))
    return tuple(pairs)


def parse_size(text: str, *, is_memory: bool = False) -> int:
    """Return a whole number from `2048`, `2K` or, for memory in MB, `62.50G`."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no amount in Slurm's way of writing")
    whole, fraction, unit = found[1], found[2] or "", found[3]
    # Slurm writes at most two decimals; integers keep 62.50G at exactly 64000 MB.
    amount = int(whole + fraction) * _UNITS[unit or ("M" if is_memory else "")]
    scale: int = 10 ** len(fraction)
    return amount // (scale * _UNITS["M" if is_memory else ""])
