"""A small cluster in a picture: free, charged, shared and exclusive queues, some jobs.

The queues are those of the demo: `jupyter` is free and shared, `v100` and `a100` give
whole nodes, `cpu` shares them. Times are around NOW.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from kqi_hub.domain.cluster import Freshness, GpuCount, Node, Partition, Reading
from kqi_hub.domain.job import Job
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.notebooks import Preset, Shape
from kqi_hub.domain.queues import QueueRules
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.services import board, queues
from kqi_hub.services.board import AssociationStore, Board
from kqi_hub.services.pricing import Billing, Pricing
from kqi_hub.services.queues import Queues
from tests.fakes.snapshot_store import FakeSnapshotStore

HOUR = 3600


def glance_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what waits for a new picture look for it at once, not twice a second."""
    for module in (board, queues):
        monkeypatch.setattr(module, "GLANCE_S", 0.01)


def node(
    name: str,
    queue: str,
    cpus: int = 64,
    memory_mb: int = 256_000,
    gpus: tuple[str, int] | None = None,
    used: tuple[int, int, int] = (0, 0, 0),
    state: str = "",
    flags: tuple[str, ...] = (),
) -> Node:
    """Return a node; `used` are CPUs, MB and GPUs, and decide on the state."""
    cpus_used, memory_used, gpus_used = used
    busy = "allocated" if cpus_used >= cpus else "mixed"
    return Node(
        name=name,
        state=state or (busy if cpus_used else "idle"),
        flags=flags,
        partitions=tuple(queue.split(",")),
        cpus=cpus,
        cpus_used=cpus_used,
        memory_mb=memory_mb,
        memory_used_mb=memory_used,
        gpus=(GpuCount(gpus[0], gpus[1], gpus_used),) if gpus else (),
    )


def partition(name: str, nodes: Sequence[Node], **about: object) -> Partition:
    """Return a queue of nodes, open to everybody, with no limit but seven days."""
    plain = Partition(
        name=name,
        state="UP",
        nodes=tuple(one.name for one in nodes),
        is_default=False,
        max_time_s=7 * 24 * HOUR,
        default_time_s=24 * HOUR,
        max_nodes=None,
        exclusive=False,
        shared=False,
    )
    return replace(plain, **about)  # type: ignore[arg-type]  # names are the caller's


def job(job_id: int, user: str, queue: str, state: str, **about: object) -> Job:
    """Return a job of tenant `vision` with one CPU."""
    plain = Job(
        job_id=job_id,
        name=f"job-{job_id}",
        user=user,
        account="vision",
        partition=queue,
        qos="normal",
        state=state,
        reason="",
        nodes=1,
        cpus=1,
        memory="4G",
    )
    return replace(plain, **about)  # type: ignore[arg-type]  # names are the caller's


def reading(now: float) -> Reading:
    """Return the small cluster as it is at a time."""
    jup = [
        node("jup01", "jupyter", 40, 192_000, ("v100", 1), (8, 32_000, 0)),
        node("jup02", "jupyter", 40, 192_000, ("v100", 1)),
    ]
    v100 = [
        node("v100-01", "v100", 40, 384_000, ("v100", 4), (40, 64_000, 4)),
        node("v100-02", "v100", 40, 384_000, ("v100", 4)),
    ]
    a100 = [node("a100-01", "a100", 64, 1_024_000, ("a100", 8), (64, 512_000, 8))]
    cpu = [
        node("cpu01", "cpu", used=(16, 64_000, 0)),
        node("cpu02", "cpu", state="down", flags=("NOT_RESPONDING",)),
    ]
    start = int(now) - HOUR
    running = {"starts_at": start, "submitted_at": start}
    jobs = (
        job(101, "mia", "jupyter", "RUNNING", cpus=4, memory="16G", gres="shard:1",
            node_list="jup01", ends_at=start + 4 * HOUR, **running),
        job(102, "max", "jupyter", "RUNNING", cpus=4, memory="16G", gres="shard:1",
            node_list="jup01", ends_at=start + 8 * HOUR, **running),
        job(103, "max", "v100", "RUNNING", cpus=40, memory="62.50G", gres="gpu:v100:4",
            node_list="v100-01", ends_at=start + 3 * HOUR, **running),
        job(104, "mallory", "a100", "RUNNING", cpus=64, memory="500G",
            gres="gpu:a100:8", node_list="a100-01", account="nlp",
            ends_at=int(now) + 20 * 60, **running),
        job(105, "mia", "cpu", "RUNNING", cpus=16, memory="62.50G",
            node_list="cpu01", ends_at=start + 24 * HOUR, **running),
        job(106, "mia", "a100", "PENDING", reason="Resources", priority=200,
            gres="gpu:a100:8", cpus=64, time_limit_s=2 * HOUR,
            submitted_at=start, starts_at=int(now) + 20 * 60),
        job(107, "max", "a100", "PENDING", reason="Priority", priority=100,
            gres="gpu:a100:8", cpus=64, time_limit_s=24 * HOUR, submitted_at=start),
        job(108, "mia", "cpu", "PENDING", reason="JobHeldUser", submitted_at=start),
    )  # fmt: skip
    partitions = (
        partition("jupyter", jup, is_default=True, max_time_s=8 * HOUR, qos="jupyter"),
        partition("v100", v100, exclusive=True),
        partition("a100", a100, exclusive=True, deny_accounts=("empty",)),
        partition("cpu", cpu),
    )
    return Reading(now, (*jup, *v100, *a100, *cpu), partitions, jobs)


RATES = (
    CardLine("jupyter"),
    CardLine("v100", node=120 * MICRO, whole_node=True),
    CardLine("a100", node=900 * MICRO, whole_node=True),
    CardLine("cpu", cpu=1_500_000),
)
RULES = {
    "jupyter": QueueRules(
        "jupyter",
        purpose="Setting up, preprocessing, debugging",
        shares_gpus=True,
        places_per_node=10,
        most_cpus=4,
        most_gpus=0,
    )
}
PRESETS = (
    Preset("free-4h", "Free, 4 hours", "jupyter", Shape(2, 8192), 4 * HOUR),
    Preset("a100-day", "1 node A100, day", "a100", Shape(64, 512_000, 8), 24 * HOUR),
)


def pricing(lines: Sequence[CardLine] = RATES) -> Pricing:
    """Return prices of one card that has counted for ever; none without lines."""
    cards = [RateCard(1, 0, tuple(lines))] if lines else []
    return Pricing(cards, Billing("JPY", "https://prices.example.org"))


@dataclass
class FakeQueues:
    """The queues over a picture in memory, taken when the fake is made."""

    store: FakeSnapshotStore = field(default_factory=FakeSnapshotStore)
    rates: tuple[CardLine, ...] = RATES
    rules: dict[str, QueueRules] = field(default_factory=lambda: dict(RULES))
    presets: tuple[Preset, ...] = PRESETS

    def __post_init__(self) -> None:
        if self.store.fresh == Freshness(0, None, None):
            self.take(time.time())

    def take(self, now: float) -> None:
        """Leave a picture of the small cluster, as the worker would."""
        self.store.save(reading(now), {})

    def queues(self, associations: AssociationStore) -> Queues:
        """Return the service over this store."""
        return Queues(
            board=Board(self.store, associations),
            store=self.store,
            pricing=pricing(self.rates),
            rules=self.rules,
            presets=self.presets,
        )
