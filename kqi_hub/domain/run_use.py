"""What a run has used of what it asked for: measured in its job, kept at its end."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

# Who measured: the job's cgroup, sums over its processes, or the lines that were left
# of a job that could not sum up any more.
SOURCES: Final = ("cgroup v2", "cgroup v1", "processes", "samples")
_MOST: Final = 1e12
_GPU: Final = ("gpu_percent_mean", "gpu_percent_max", "gpu_memory_mb_max")


@dataclass(frozen=True, slots=True)
class RunUse:
    """Means and maxima over `seconds`, on the node of the command; no GPU: None."""

    source: str
    seconds: float
    cpu_s: float
    cores_max: float
    memory_mb_mean: float
    memory_mb_max: float
    samples: int = 0
    gpu_percent_mean: float | None = None
    gpu_percent_max: float | None = None
    gpu_memory_mb_max: float | None = None

    @property
    def cores(self) -> float:
        """Return how many CPUs were busy, on average."""
        return self.cpu_s / self.seconds

    @classmethod
    def read(cls, said: object) -> Self | None:
        """Read what a program of somebody's said; None of what is no such thing."""
        if not isinstance(said, Mapping) or said.get("source") not in SOURCES:
            return None
        found: dict[str, Any] = {"source": said["source"]}
        for one in fields(cls)[1:]:
            number = _number(said.get(one.name))
            if number is None and one.name not in _GPU:
                return None
            found[one.name] = number
        if not found["seconds"]:
            return None
        return cls(**found | {"samples": int(found["samples"])})

    def told(self) -> Mapping[str, Any]:
        """Return it as `read` takes it."""
        return asdict(self)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # A whole number of any length can be compared, and not be turned into a float.
    if not 0 <= value < _MOST or math.isnan(value):
        return None
    return float(value)
