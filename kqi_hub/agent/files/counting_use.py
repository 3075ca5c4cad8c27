"""How much a folder holds: bytes, files, and which of its entries are the largest."""

import heapq
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from kqi_hub.agent.files.leaving import Leaving
from kqi_hub.agent.files.names import travelling
from kqi_hub.agent.files.places import Place, found
from kqi_hub.agent.files.walking import Missed, Seen, walk

_BLOCK_BYTES: Final = 512
_MOST_SHOWN: Final = 100
# Room is counted once for a file with many names, as long as it can be remembered.
_MOST_REMEMBERED: Final = 100_000
_TELL_EVERY: Final = 2000


@dataclass(slots=True)
class Use:
    """What has been counted so far."""

    bytes: int = 0
    on_disk: int = 0
    files: int = 0
    folders: int = 0
    missed: int = 0
    entries: list[tuple[int, int, str]] = field(default_factory=list)
    _known: set[tuple[int, int]] = field(default_factory=set)

    def add(self, seen: Seen) -> None:
        """Count one thing; a file with several names takes its room once."""
        if seen.is_folder:
            self.folders += 1
        else:
            self.files += 1
            self.bytes += seen.info.st_size
        if seen.is_folder or not self._is_known(seen.info):
            self.on_disk += seen.info.st_blocks * _BLOCK_BYTES

    def _is_known(self, info: os.stat_result) -> bool:
        """Tell whether a file was met under another name."""
        if info.st_nlink == 1:
            return False
        key = (info.st_dev, info.st_ino)
        if key in self._known:
            return True
        if len(self._known) < _MOST_REMEMBERED:
            self._known.add(key)
        return False

    def fields(self) -> dict[str, Any]:
        """Return it as it is told."""
        largest = sorted(self.entries, reverse=True)
        return {
            "bytes": self.bytes, "on_disk": self.on_disk, "files": self.files,
            "folders": self.folders, "missed": self.missed,
            "entries": [
                {"name": travelling(name), "bytes": size, "files": files}
                for size, files, name in largest
            ],
        }  # fmt: skip


def use_of(place: Place, leaving: Leaving, tell: Callable[[Use], None]) -> Use:
    """Count what is below a place; tells now and then how far it is. Blocks."""
    use = Use()
    with found(place) as held:
        entry, before = "", (0, 0)
        for step, one in enumerate(walk(held.place, ".", leaving)):
            if isinstance(one, Missed):
                use.missed += 1
                continue
            if len(one.names) == 2:
                _note(use, entry, before)
                entry, before = one.names[1], (use.on_disk, use.files)
            use.add(one)
            if step % _TELL_EVERY == 0:
                tell(use)
        _note(use, entry, before)
    return use


def _note(use: Use, entry: str, before: tuple[int, int]) -> None:
    """Remember an entry of the folder itself, if it is one of the largest."""
    if not entry:
        return
    weight = (use.on_disk - before[0], use.files - before[1], entry)
    if len(use.entries) < _MOST_SHOWN:
        heapq.heappush(use.entries, weight)
    else:
        heapq.heappushpop(use.entries, weight)
