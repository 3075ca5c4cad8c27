"""Names below an output that some programs stumble over (K-95)."""

import os
import re
import time
from pathlib import Path
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_MOST_NAMED: Final = 3
_LONGEST_SHOWN: Final = 60


def told_of_odd_names(folder: Path, patience_s: float) -> str:
    """Return a sentence on names with other characters; empty where all are plain.

    What takes longer than one wants to wait is told of as far as it was looked at.
    """
    odd, named = 0, list[str]()
    until = time.monotonic() + patience_s
    for _, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if not _PLAIN.fullmatch(name):
                odd += 1
                named += [_shown(name)] if len(named) < _MOST_NAMED else []
        if time.monotonic() > until:
            break
    if not odd:
        return ""
    return (
        "Kept as they are, but other programs may stumble over them: names in the "
        f"output ({odd:,}) have characters other than letters, digits, '.', '-' "
        f"and '_', such as {', '.join(named)}."
    )


def _shown(name: str) -> str:
    text = ascii(name)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
