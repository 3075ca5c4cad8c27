"""How much of a cluster something takes: CPUs, memory, GPUs, as the limits name it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from kqi_hub.domain.cluster import Node
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebooks import Shape

GPU: Final = "gres/gpu"
# Slurm writes a job's memory as 62.50G or 4000M.
_MEMORY: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,3}))?([KMGTP]?)", re.ASCII)
_MEGABYTES: Final = {
    "": 1,
    "K": 1 / 1024,
    "M": 1,
    "G": 1024,
    "T": 1024**2,
    "P": 1024**3,
}
_GRES: Final = re.compile(r"([A-Za-z_]\w*)(?::([\w.-]+))?:(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Amounts:
    """So much of everything; `gpus` by type, the type empty where none is named."""

    cpus: int = 0
    memory_mb: int = 0
    gpus: Mapping[str, int] = field(default_factory=dict)
    nodes: int = 0

    @property
    def gpu_total(self) -> int:
        """Return the GPUs of all types together."""
        return sum(self.gpus.values())

    def plus(self, other: "Amounts") -> "Amounts":
        """Return both together."""
        gpus = dict(self.gpus)
        for kind, count in other.gpus.items():
            gpus[kind] = gpus.get(kind, 0) + count
        return Amounts(
            self.cpus + other.cpus,
            self.memory_mb + other.memory_mb,
            gpus,
            self.nodes + other.nodes,
        )

    def of(self, resource: str) -> int | None:
        """Return how much of what Slurm calls `cpu`, `mem`, `node`, `gres/gpu:v100`.

        None for a resource that is not counted here, such as a licence.
        """
        if resource in {"cpu", "mem", "node"}:
            return {"cpu": self.cpus, "mem": self.memory_mb, "node": self.nodes}[
                resource
            ]
        if resource == GPU:
            return self.gpu_total
        if resource.startswith(f"{GPU}:"):
            return self.gpus.get(resource.removeprefix(f"{GPU}:"), 0)
        return None


def of_shape(shape: Shape) -> Amounts:
    """Return what a shape asks for, on one node."""
    gpus = {shape.gpu_type: shape.gpus} if shape.gpus else {}
    return Amounts(shape.cpus, shape.memory_mb, gpus, 1)


def of_node(node: Node) -> Amounts:
    """Return everything that a node has."""
    gpus = {gpu.type: gpu.total for gpu in node.gpus}
    return Amounts(node.cpus, node.memory_mb, gpus, 1)


def free_of(node: Node) -> Amounts:
    """Return what is not in use on a node, whoever may use it."""
    return Amounts(
        max(0, node.cpus - node.cpus_used),
        max(0, node.memory_mb - node.memory_used_mb),
        {gpu.type: max(0, gpu.total - gpu.used) for gpu in node.gpus},
        1,
    )


def of_job(job: Job) -> Amounts:
    """Return what a job has, or asks for while it waits."""
    return Amounts(job.cpus, memory_mb(job.memory), job_gpus(job.gres), job.nodes)


@lru_cache(maxsize=4096)
def memory_mb(text: str) -> int:
    """Return megabytes of Slurm's 62.50G; 0 for what is no amount."""
    found = _MEMORY.fullmatch(text)
    if found is None:
        return 0
    number = float(f"{found[1]}.{found[2] or 0}")
    return int(number * _MEGABYTES[found[3]])


@lru_cache(maxsize=4096)
def job_gpus(gres: str) -> Mapping[str, int]:
    """Return the GPUs of a job's `gpu:v100:2,shard:1` by type."""
    counts: dict[str, int] = {}
    for entry in gres.split(","):
        found = _GRES.fullmatch(entry.strip())
        if found is not None and found[1] == "gpu":
            kind = found[2] or ""
            counts[kind] = counts.get(kind, 0) + int(found[3])
    return counts


def is_enough(has: Amounts, wanted: Amounts) -> bool:
    """Tell whether one node that has so much takes what is wanted."""
    if wanted.cpus > has.cpus or wanted.memory_mb > has.memory_mb:
        return False
    return all(
        count <= (has.gpus.get(kind, 0) if kind else has.gpu_total)
        for kind, count in wanted.gpus.items()
    )
