"""The lines of use.csv, and what they say in all: written by jobs, read by anybody."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

FILE: Final = "use.csv"
HEADER: Final = "epoch,cpu_cores_used,memory_mb,gpu_percent,gpu_memory_mb"
# Of what a file holds that is longer, only the beginning is read.
MOST_BYTES: Final = 256 * 1024
_FIELDS: Final = 5
_MOST: Final = 1e12


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: cores since the line before, the rest right then. None: no GPU."""

    epoch: float
    cores: float
    memory_mb: float
    gpu_percent: float | None = None
    gpu_memory_mb: float | None = None

    def line(self) -> str:
        """Return it as it stands in the file."""
        gpu = ("", "")
        if self.gpu_percent is not None and self.gpu_memory_mb is not None:
            gpu = (f"{self.gpu_percent:.0f}", f"{self.gpu_memory_mb:.0f}")
        numbers = f"{self.epoch:.1f},{self.cores:.2f},{self.memory_mb:.0f}"
        return ",".join((numbers, *gpu))


@dataclass(slots=True)
class Sums:
    """Means and maxima over a run, weighed by time."""

    began_at: float
    source: str = "samples"
    cpu_s: float = 0.0
    samples: int = 0
    cores_max: float = 0.0
    memory_mb_max: float = 0.0
    gpu_percent_max: float | None = None
    gpu_memory_mb_max: float | None = None
    _at: float = field(init=False)
    _memory: float = 0.0
    _gpu: float = 0.0
    _gpu_s: float = 0.0

    def __post_init__(self) -> None:
        self._at = self.began_at

    def add(self, one: Sample) -> None:
        """Take another sample into account."""
        passed = max(0.0, one.epoch - self._at)
        self._at, self.samples = max(self._at, one.epoch), self.samples + 1
        self.cpu_s += one.cores * passed
        self._memory += one.memory_mb * passed
        self.cores_max = max(self.cores_max, one.cores)
        self.memory_mb_max = max(self.memory_mb_max, one.memory_mb)
        if one.gpu_percent is None or one.gpu_memory_mb is None:
            return
        self._gpu += one.gpu_percent * passed
        self._gpu_s += passed
        self.gpu_percent_max = max(self.gpu_percent_max or 0.0, one.gpu_percent)
        self.gpu_memory_mb_max = max(self.gpu_memory_mb_max or 0.0, one.gpu_memory_mb)

    def told(self) -> dict[str, Any] | None:
        """Return it as it stands in result.json; None of nothing."""
        seconds = self._at - self.began_at
        if not self.samples or seconds <= 0:
            return None
        mean = self._gpu / self._gpu_s if self._gpu_s else None
        return {
            "source": self.source,
            "seconds": round(seconds, 1),
            "samples": self.samples,
            "cpu_s": round(self.cpu_s, 2),
            "cores_max": round(self.cores_max, 2),
            "memory_mb_mean": round(self._memory / seconds, 1),
            "memory_mb_max": round(self.memory_mb_max, 1),
            "gpu_percent_mean": None if mean is None else round(mean, 1),
            "gpu_percent_max": self.gpu_percent_max,
            "gpu_memory_mb_max": self.gpu_memory_mb_max,
        }


def samples_of(raw: bytes) -> Iterator[Sample]:
    """Read a file, whatever somebody has written there; what is no line is left out."""
    for line in raw[:MOST_BYTES].decode(errors="replace").splitlines():
        parts = line.split(",")
        numbers = [_number(one) for one in parts]
        if len(numbers) != _FIELDS or None in numbers[:3]:
            continue
        epoch, cores, memory, percent, gpu_memory = numbers
        yield Sample(epoch or 0.0, cores or 0.0, memory or 0.0, percent, gpu_memory)


def sums_of(samples: Iterable[Sample]) -> dict[str, Any] | None:
    """Return what samples say in all; the first only tells when they begin."""
    sums: Sums | None = None
    for one in samples:
        if sums is None:
            sums = Sums(one.epoch)
        sums.add(one)
    return None if sums is None else sums.told()


def _number(text: str) -> float | None:
    try:
        value = float(text) if len(text) <= 20 else math.nan
    except ValueError:
        return None
    return value if 0 <= value < _MOST else None
