"""What can be asked of queues, as answers and as calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from kqi_hub.sdk.calls import Calls, part
from kqi_hub.sdk.models import Answer, known


@dataclass(frozen=True, slots=True)
class PictureAge(Answer):
    """How old what one sees of the cluster is."""

    sequence: int
    taken_at: float | None
    age_s: float | None
    trust: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class NodeCounts(Answer):
    """Nodes by what they do."""

    allocated: int
    mixed: int
    idle: int
    down: int
    total: int


@dataclass(frozen=True, slots=True)
class FreeOf(Answer):
    """How much is free of how much; `type` is that of GPUs."""

    free: int
    total: int
    type: str = ""


@dataclass(frozen=True, slots=True)
class Price(Answer):
    """The price of an hour in millionths of the currency's unit."""

    currency: str
    micro_per_hour: int
    least_micro_per_hour: int = 0
    is_free: bool = False
    whole_node: bool = False


@dataclass(frozen=True, slots=True)
class Queue(Answer):
    """A queue as the asker sees it."""

    name: str
    purpose: str
    state: str
    may_use: bool
    obstacle: str | None
    exclusive: bool
    shares_gpus: bool
    nodes: NodeCounts
    cpus: FreeOf
    memory_mb: FreeOf
    gpus: tuple[FreeOf, ...]
    places: FreeOf | None
    waiting_mine: int
    waiting_others: int
    running_mine: int
    max_time_s: int | None
    is_free: bool
    has_price: bool
    is_default: bool = False

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        places = said.get("places")
        deeper = {
            "nodes": NodeCounts.read(said["nodes"]),
            "cpus": FreeOf.read(said["cpus"]),
            "memory_mb": FreeOf.read(said["memory_mb"]),
            "gpus": tuple(FreeOf.read(one) for one in said["gpus"]),
            "places": None if places is None else FreeOf.read(places),
        }
        return cls(**{**known(cls, said), **deeper})


@dataclass(frozen=True, slots=True)
class QueueList(Answer):
    """All queues, and how old what one sees of them is."""

    tenant: str | None
    picture: PictureAge
    queues: tuple[Queue, ...]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(
            said["tenant"],
            PictureAge.read(said["picture"]),
            tuple(Queue.read(one) for one in said["queues"]),
        )


@dataclass(frozen=True, slots=True)
class NodeKind(Answer):
    """Nodes that are alike; `gpus` by type."""

    count: int
    usable: int
    cpus: int
    memory_mb: int
    gpus: tuple[tuple[str, int], ...] = ()

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        gpus = tuple((one["type"], one["count"]) for one in said["gpus"])
        return cls(**{**known(cls, said), "gpus": gpus})


@dataclass(frozen=True, slots=True)
class Limit(Answer):
    """A limit that Slurm holds the asker to."""

    resource: str
    scope: str
    account: str
    most: int
    used: int
    left: int


@dataclass(frozen=True, slots=True)
class WaitingJob(Answer):
    """A job of the asker's that waits, with the reason in words."""

    job_id: int
    name: str
    reason: str
    text: str
    hint: str = ""
    kind: str = ""
    can_act: bool = False
    submitted_at: int | None = None
    starts_at: int | None = None


@dataclass(frozen=True, slots=True)
class QueueDetails(Answer):
    """A queue in full."""

    tenant: str | None
    picture: PictureAge
    queue: Queue
    nodes: tuple[NodeKind, ...]
    limits: tuple[Limit, ...]
    waiting: tuple[WaitingJob, ...]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(
            said["tenant"],
            PictureAge.read(said["picture"]),
            Queue.read(said["queue"]),
            tuple(NodeKind.read(one) for one in said["nodes"]),
            tuple(Limit.read(one) for one in said["limits"]),
            tuple(WaitingJob.read(one) for one in said["waiting"]),
        )


@dataclass(frozen=True, slots=True)
class Estimate(Answer):
    """What a job would meet in a queue if it were submitted now."""

    queue: str
    is_possible: bool
    wait: str
    wait_s: int | None
    why: str | None
    price: Price | None
    objections: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    # In millionths: of the time asked for; what the tenant has left this month.
    cost_micro: int | None = None
    left_micro: int | None = None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        price = said["price"]
        deeper = {
            "price": None if price is None else Price.read(price),
            "objections": tuple(said["objections"]),
            "cautions": tuple(said["cautions"]),
        }
        return cls(**{**known(cls, said), **deeper})


@dataclass(frozen=True, slots=True)
class PriceList(Answer):
    """What a job would cost, queue by queue, the cheapest that takes it first."""

    tenant: str | None
    lifetime_s: int | None
    queues: tuple[Estimate, ...]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        found = tuple(Estimate.read(one) for one in said["queues"])
        return cls(said["tenant"], said["lifetime_s"], found)


class QueueCalls(Calls):
    """What a client asks of queues."""

    def queues(self, tenant: str = "") -> QueueList:
        """Return all queues, seen from a tenant."""
        return QueueList.read(self._api("GET", f"queues{_query(tenant=tenant)}"))

    def queue(self, name: str, tenant: str = "") -> QueueDetails:
        """Return one queue in full."""
        path = f"queues/{part(name)}{_query(tenant=tenant)}"
        return QueueDetails.read(self._api("GET", path))

    def estimate(  # noqa: PLR0913 - each is a field of the request
        self,
        queue: str,
        *,
        cpus: int = 1,
        memory_mb: int = 1024,
        gpus: int = 0,
        gpu_type: str = "",
        lifetime_s: int | None = None,
        tenant: str = "",
    ) -> Estimate:
        """Return what such a job would cost, and how long it would wait."""
        asked = _query(
            cpus=cpus,
            memory_mb=memory_mb,
            gpus=gpus,
            gpu_type=gpu_type,
            lifetime_s=lifetime_s,
            tenant=tenant,
        )
        return Estimate.read(self._api("GET", f"queues/{part(queue)}/estimate{asked}"))

    def price(  # noqa: PLR0913 - each is a field of the request
        self,
        queue: str = "",
        *,
        cpus: int = 1,
        memory_mb: int = 1024,
        gpus: int = 0,
        gpu_type: str = "",
        lifetime_s: int | None = None,
        tenant: str = "",
    ) -> PriceList:
        """Return what a job would cost in a queue, or in all that the asker may use."""
        asked = _query(
            queue=queue,
            cpus=cpus,
            memory_mb=memory_mb,
            gpus=gpus,
            gpu_type=gpu_type,
            lifetime_s=lifetime_s,
            tenant=tenant,
        )
        return PriceList.read(self._api("GET", f"price{asked}"))

    def live_job(self, job_id: int) -> Mapping[str, Any] | None:
        """Return a job of one's own that waits or runs; None if it does neither."""
        found = self._api("GET", f"jobs{_query(job_id=job_id)}")["jobs"]
        return found[0] if found else None

    def refresh(self) -> float:
        """Ask for a fresh look at Slurm; return when, in the portal's clock."""
        return float(self._api("POST", "refresh")["asked_at"])


def _query(**asked: object) -> str:
    given = {name: value for name, value in asked.items() if value not in {None, ""}}
    return f"?{urlencode(given)}" if given else ""
