"""What a run has used of what it asked for, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.runs import Run
from kqi_hub.i18n import N_

_GB: Final = 1024
SOURCE_WORDS: Final[Mapping[str, str]] = {
    "cgroup v2": N_("Measured in the job: its cgroup"),
    "cgroup v1": N_("Measured in the job: its cgroup"),
    "processes": N_("Measured in the job: its processes"),
    "samples": N_("Measured in the job until it was cut off"),
}


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Used and asked for; shares are of 1, `gpu` is None without a measured GPU.

    CPUs are a mean over its time, memory is the most that it held at once.
    """

    cores: float
    cpus: int
    memory_mb: float
    memory_asked_mb: int
    gpu: float | None
    source: str

    @property
    def cpu(self) -> float:
        """Return the share of CPU seconds that were used."""
        return self.cores / max(1, self.cpus)

    @property
    def memory(self) -> float | None:
        """Return the share of memory that was used; None where none was asked for."""
        asked = self.memory_asked_mb
        return self.memory_mb / asked if asked else None

    @property
    def words(self) -> tuple[Phrase, ...]:
        """Return it in words."""
        memory = memory_in_words(self.memory_mb, self.memory_asked_mb)
        cpus = Phrase("{used} of {cpus} CPU", used=amount(self.cores), cpus=self.cpus)
        if self.gpu is None:
            return (cpus, memory)
        percent = amount(100 * self.gpu)
        return (cpus, memory, Phrase("GPU {percent} %", percent=percent))


def efficiency_of(run: Run) -> Efficiency | None:
    """Return what an ended run has used; None where nothing was measured."""
    use, shape = run.use, run.spec.shape
    if use is None:
        return None
    gpu = use.gpu_percent_mean
    return Efficiency(
        cores=use.cores,
        cpus=shape.cpus,
        memory_mb=use.memory_mb_max,
        memory_asked_mb=shape.memory_mb,
        gpu=None if gpu is None or not shape.gpus else min(1.0, gpu / 100),
        source=use.source,
    )


def memory_in_words(used_mb: float, asked_mb: int) -> Phrase:
    """Return memory that was used beside what was asked for, 0 for nothing."""
    used = amount(used_mb / _GB)
    if not asked_mb:
        return Phrase("{used} GB memory", used=used)
    asked = amount(asked_mb / _GB)
    return Phrase("{used} of {asked} GB memory", used=used, asked=asked)


def amount(value: float) -> str:
    """Return a number with as many digits as people want to read."""
    digits = 0 if value >= 10 or value == int(value) else 1 if value >= 0.1 else 2
    return f"{value:.{digits}f}"
