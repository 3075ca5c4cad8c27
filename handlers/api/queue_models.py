"""How queues look as JSON, and the way there from the services' own types."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from handlers.route import Model
from kqi_hub.domain import money, queues as domain, tenant_limits
from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.job import Job
from kqi_hub.domain.reasons import explain
from kqi_hub.i18n import Texts
from kqi_hub.services.board import Picture
from kqi_hub.services.pricing import Pricing


class PictureAge(Model):
    """How old what you see is; Slurm is looked at by one process for everybody."""

    sequence: int = Field(description="Number of the picture; it grows with each look.")
    taken_at: float | None = Field(description="When it was taken; none: never yet.")
    age_s: float | None = Field(description="Its age in seconds.")
    trust: Literal["none", "fresh", "partial", "stale"] = Field(
        description="How far to trust it; stale: what it shows may have changed."
    )
    said: str = Field(description="Age and trust in a sentence.")


class NodeCounts(Model):
    """Nodes by what they do; each counts once."""

    allocated: int = Field(description="Wholly in use.")
    mixed: int = Field(description="Partly in use.")
    idle: int = Field(description="Free.")
    down: int = Field(description="Not usable: down, drained, reserved.")
    total: int = Field(description="All of them.")


class FreeOf(Model):
    """How much is free, of how much."""

    free: int = Field(description="What a job could have now.")
    total: int = Field(description="What there is, usable or not.")


class FreeGpus(FreeOf):
    """GPUs of one type."""

    type: str = Field(description="Their type; empty where Slurm names none.")


class Price(Model):
    """The price of an hour, in millionths of the currency's unit: integers, exact."""

    currency: str = Field(description="Currency, by its ISO 4217 code.")
    micro_per_hour: int = Field(
        description="Millionths for an hour, on the dearest node that may be picked."
    )
    least_micro_per_hour: int = Field(
        description="Millionths for an hour, on the cheapest node."
    )
    is_free: bool = Field(description="Whether it costs nothing.")
    whole_node: bool = Field(description="Whether the whole node is paid for.")


class QueueRow(Model):
    """A queue as you see it."""

    name: str = Field(description="Slurm's name of the queue, its partition.")
    purpose: str = Field(description="What the site says that it is for.")
    is_default: bool = Field(description="Whether jobs go there that name no queue.")
    state: str = Field(description="UP, or why nothing starts: DOWN, DRAIN, INACTIVE.")
    may_use: bool = Field(description="Whether Slurm takes your jobs there.")
    obstacle: str | None = Field(description="Why it does not.")
    exclusive: bool = Field(description="Whether a job has its node to itself.")
    shares_gpus: bool = Field(
        description="Whether several people's jobs use the same GPU, unprotected."
    )
    nodes: NodeCounts = Field(description="Its nodes.")
    cpus: FreeOf = Field(description="Its CPUs.")
    memory_mb: FreeOf = Field(description="Its memory in MB.")
    gpus: tuple[FreeGpus, ...] = Field(description="Its GPUs by type.")
    places: FreeOf | None = Field(
        description="Jobs that fit, where the site bounds them for each node."
    )
    waiting_mine: int = Field(description="Your jobs that wait there.")
    waiting_others: int = Field(description="Everybody else's jobs that wait there.")
    running_mine: int = Field(description="Your jobs that run there.")
    max_time_s: int | None = Field(
        description="The longest that a job of yours may run; none: no limit."
    )
    is_free: bool = Field(description="Whether everything there is free of charge.")
    has_price: bool = Field(description="Whether the site has a rate for it.")


class QueueList(Model):
    """Queues in Slurm's order."""

    tenant: str | None = Field(description="The tenant that they are seen from.")
    picture: PictureAge = Field(description="How old what you see is.")
    queues: tuple[QueueRow, ...] = Field(description="All queues of the cluster.")


class GpusOfNode(Model):
    """GPUs of one type on a node."""

    type: str = Field(description="Their type; empty where Slurm names none.")
    count: int = Field(description="How many.")


class NodeKind(Model):
    """Nodes that are alike; one job of a notebook runs on one node."""

    count: int = Field(description="How many there are.")
    usable: int = Field(description="How many of them are in service.")
    cpus: int = Field(description="CPUs of each.")
    memory_mb: int = Field(description="Memory of each, in MB.")
    gpus: tuple[GpusOfNode, ...] = Field(description="GPUs of each.")


class LimitRow(Model):
    """A limit that Slurm holds you to."""

    resource: str = Field(description="In Slurm's words: cpu, mem, gres/gpu:a100.")
    scope: Literal["job", "person", "tenant", "qos"] = Field(
        description="Who is limited; qos: everybody whose jobs have that QOS."
    )
    account: str = Field(description="The tenant, the account above it, or the QOS.")
    most: int = Field(description="The limit; memory in MB.")
    used: int = Field(description="What runs now takes of it.")
    left: int = Field(description="What is left of it.")


class WaitingJob(Model):
    """A job of yours that waits."""

    job_id: int = Field(description="Slurm's number of the job.")
    name: str = Field(description="Its name.")
    reason: str = Field(description="Slurm's own word for why it waits.")
    kind: str = Field(description="What it waits for, in one word that programs know.")
    text: str = Field(description="Why it waits, in words.")
    hint: str = Field(description="What to do about it.")
    can_act: bool = Field(description="Whether you can do something about it.")
    submitted_at: int | None = Field(description="When it was submitted.")
    starts_at: int | None = Field(description="When Slurm expects it to start.")


class QueueDetails(Model):
    """A queue in full."""

    tenant: str | None = Field(description="The tenant that it is seen from.")
    picture: PictureAge = Field(description="How old what you see is.")
    queue: QueueRow = Field(description="The queue.")
    nodes: tuple[NodeKind, ...] = Field(description="Its nodes, the like together.")
    limits: tuple[LimitRow, ...] = Field(description="What you are held to.")
    waiting: tuple[WaitingJob, ...] = Field(description="Your jobs that wait there.")


def picture(found: Picture, texts: Texts) -> PictureAge:
    """Return how old the picture is."""
    standing = found.standing
    return PictureAge(
        sequence=found.sequence,
        taken_at=found.freshness.taken_at,
        age_s=standing.age_s,
        trust=standing.trust.value,
        said=texts.say(standing.sentence),
    )


def row(queue: domain.Queue, pricing: Pricing, texts: Texts) -> QueueRow:
    """Return a queue as a row of the list."""
    supply, partition, counts = queue.supply, queue.partition, queue.supply.counts
    obstacle = queue.obstacle
    return QueueRow(
        name=queue.name,
        purpose=queue.rules.purpose,
        is_default=partition.is_default,
        state=partition.state,
        may_use=obstacle is None,
        obstacle=None if obstacle is None else texts.phrase(obstacle),
        exclusive=queue.is_exclusive,
        shares_gpus=queue.shares_gpus,
        nodes=NodeCounts(
            allocated=counts.allocated,
            mixed=counts.mixed,
            idle=counts.idle,
            down=counts.down,
            total=counts.total,
        ),
        cpus=FreeOf(free=supply.free.cpus, total=supply.total.cpus),
        memory_mb=FreeOf(free=supply.free.memory_mb, total=supply.total.memory_mb),
        gpus=_gpus(supply.free, supply.total),
        places=_places(queue),
        waiting_mine=queue.mine_waiting,
        waiting_others=queue.others_waiting,
        running_mine=queue.mine_running,
        max_time_s=queue.max_time_s,
        is_free=pricing.is_free(queue.name),
        has_price=bool(pricing.rates_of(queue.name)),
    )


def price(found: money.Price | None, pricing: Pricing) -> Price | None:
    """Return a price with its currency."""
    if found is None:
        return None
    return Price(
        currency=pricing.billing.currency,
        micro_per_hour=found.per_hour,
        least_micro_per_hour=found.at_least,
        is_free=found.is_free,
        whole_node=found.whole_node,
    )


def kinds(queue: domain.Queue) -> tuple[NodeKind, ...]:
    """Return the kinds of a queue's nodes."""
    return tuple(
        NodeKind(
            count=kind.count,
            usable=kind.usable,
            cpus=kind.has.cpus,
            memory_mb=kind.has.memory_mb,
            gpus=tuple(
                GpusOfNode(type=name, count=count)
                for name, count in kind.has.gpus.items()
            ),
        )
        for kind in queue.supply.kinds
    )


def limits(queue: domain.Queue) -> tuple[LimitRow, ...]:
    """Return the limits of the asker in a queue."""
    return tuple(map(_limit, queue.allowance.limits))


def waiting(
    jobs: Iterable[Job], found_in: Picture, texts: Texts
) -> tuple[WaitingJob, ...]:
    """Return jobs that wait, with the reason in words."""
    found = []
    for job in jobs:
        why = explain(job, found_in.scene)
        if why is None:
            continue
        found.append(
            WaitingJob(
                job_id=job.job_id,
                name=job.name,
                reason=why.reason,
                kind=why.kind.value,
                text=texts.phrase(why.text),
                hint="" if why.hint is None else texts.phrase(why.hint),
                can_act=why.can_act,
                submitted_at=job.submitted_at,
                starts_at=why.starts_at,
            )
        )
    return tuple(found)


def _limit(limit: tenant_limits.Limit) -> LimitRow:
    return LimitRow(
        resource=limit.resource,
        scope=limit.scope.value,
        account=limit.account,
        most=limit.most,
        used=limit.used,
        left=limit.left,
    )


def _gpus(free: Amounts, total: Amounts) -> tuple[FreeGpus, ...]:
    return tuple(
        FreeGpus(type=kind, free=free.gpus.get(kind, 0), total=count)
        for kind, count in total.gpus.items()
    )


def _places(queue: domain.Queue) -> FreeOf | None:
    if queue.places is None:
        return None
    free, total = queue.places
    return FreeOf(free=free, total=total)
