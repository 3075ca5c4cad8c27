"""Queues as one person sees them from one tenant: what is free, and what is allowed.

`survey` sorts a picture of the cluster once, for everybody; `queue_for` and
`queues_for` add what only one person's eyes need, cheaply.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.amounts import GPU, Amounts, free_of, is_enough, of_node
from kqi_hub.domain.cluster import Association, Node, Partition, Qos
from kqi_hub.domain.hostlist import expand_hostlist
from kqi_hub.domain.job import Job
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.qos_limits import book_of
from kqi_hub.domain.tenant_limits import Accounts, Allowance, accounts_of

_NOTHING: Final = Amounts()
# A node inside a reservation takes only the jobs of that reservation.
_RESERVED: Final = frozenset({"RESERVED", "MAINT", "MAINTENANCE"})


@dataclass(frozen=True, slots=True)
class QueueRules:
    """What Slurm does not tell of a queue, and the site's operators do."""

    name: str
    purpose: str = ""
    shares_gpus: bool = False
    # How many jobs Slurm lets onto a node, where something bounds it (shards, QOS).
    places_per_node: int | None = None
    most_cpus: int | None = None
    most_memory_mb: int | None = None
    most_gpus: int | None = None


@dataclass(frozen=True, slots=True)
class NodeKind:
    """Nodes of a queue that are alike: what each has, how many, how many usable."""

    has: Amounts
    count: int
    usable: int


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Nodes of a queue by what they do; each node counts once."""

    allocated: int = 0
    mixed: int = 0
    idle: int = 0
    down: int = 0

    @property
    def total(self) -> int:
        """Return all of them."""
        return self.allocated + self.mixed + self.idle + self.down


@dataclass(frozen=True)
class Supply:
    """What a queue has, the same for everybody; `waiting` counts jobs by person."""

    partition: Partition
    nodes: tuple[Node, ...]
    counts: NodeCounts
    total: Amounts
    free: Amounts
    kinds: tuple[NodeKind, ...]
    waiting: Mapping[str, int] = field(default_factory=dict)
    running: Mapping[str, int] = field(default_factory=dict)

    @property
    def free_nodes(self) -> tuple[Node, ...]:
        """Return the nodes that could take a job now, if it is small enough."""
        return tuple(n for n in self.nodes if is_open(n, self.partition.exclusive))


@dataclass(frozen=True)
class Scene:
    """A picture of the cluster, sorted for quick answers."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    supplies: Mapping[str, Supply] = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
    accounts: Accounts = field(default_factory=Accounts)
    by_id: Mapping[int, Job] = field(default_factory=dict)
    running_on: Mapping[str, tuple[Job, ...]] = field(default_factory=dict)
    waiting_in: Mapping[str, tuple[Job, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue for one person in one tenant; `obstacle` says why it is not for them."""

    supply: Supply
    rules: QueueRules
    allowance: Allowance
    obstacle: Phrase | None
    mine_waiting: int
    others_waiting: int
    mine_running: int
    tenant: str = ""

    @property
    def name(self) -> str:
        """Return Slurm's name of the queue."""
        return self.supply.partition.name

    @property
    def partition(self) -> Partition:
        """Return the queue as Slurm describes it."""
        return self.supply.partition

    @property
    def is_exclusive(self) -> bool:
        """Tell whether a job has its node to itself."""
        return self.partition.exclusive

    @property
    def shares_gpus(self) -> bool:
        """Tell whether several people's jobs use the same GPU."""
        return self.rules.shares_gpus or self.partition.shared

    @property
    def max_time_s(self) -> int | None:
        """Return the longest lifetime of a job of this person, None for no limit."""
        if self.allowance.beats_queue_time:
            return self.allowance.max_time_s
        both = (self.partition.max_time_s, self.allowance.max_time_s)
        return min((one for one in both if one is not None), default=None)

    @property
    def places(self) -> tuple[int, int] | None:
        """Return free and all places, where the number of jobs a node is bounded."""
        per_node = self.rules.places_per_node
        if per_node is None:
            return None
        usable = self.supply.counts.total - self.supply.counts.down
        taken = sum(self.supply.running.values())
        return max(0, per_node * usable - taken), per_node * self.supply.counts.total

    @property
    def largest(self) -> Amounts:
        """Return the most of each thing that one job can have, each by itself."""
        kinds = [kind.has for kind in self.supply.kinds]
        types = {name for has in kinds for name in has.gpus}
        rules, partition = self.rules, self.partition
        memory = max((has.memory_mb for has in kinds), default=0)
        gpus = {t: max(has.gpus.get(t, 0) for has in kinds) for t in sorted(types)}
        cpus = max((has.cpus for has in kinds), default=0)
        most = {
            name: min((x.most for x in self.allowance.limits if x.resource == name),
                      default=None)
            for name in ("cpu", "mem", GPU, *(f"{GPU}:{kind}" for kind in gpus))
        }  # fmt: skip
        return Amounts(
            _bounded(cpus, rules.most_cpus, most["cpu"]),
            _bounded(
                memory,
                rules.most_memory_mb,
                partition.max_memory_per_node_mb,
                most["mem"],
            ),
            {
                kind: _bounded(n, rules.most_gpus, most[GPU], most[f"{GPU}:{kind}"])
                for kind, n in gpus.items()
            },
            1,
        )


def survey(
    nodes: Iterable[Node],
    partitions: Iterable[Partition],
    jobs: Iterable[Job],
    associations: Iterable[Association],
    qos: Iterable[Qos] = (),
) -> Scene:
    """Sort a picture once; what it costs grows with nodes, queues and jobs."""
    by_name = {node.name: node for node in nodes}
    live, queues = tuple(jobs), tuple(partitions)
    waiting, running = _by_queue(live)
    supplies = {
        partition.name: _supply(
            partition,
            [by_name[name] for name in partition.nodes if name in by_name],
            Counter(job.user for job in waiting.get(partition.name, ())),
            Counter(job.user for job in running.get(partition.name, ())),
        )
        for partition in queues
    }
    return Scene(
        nodes=by_name,
        supplies=supplies,
        jobs=live,
        accounts=accounts_of(associations, live, book_of(qos, queues)),
        by_id={job.job_id: job for job in live},
        running_on=_by_node(live),
        waiting_in={queue: tuple(found) for queue, found in waiting.items()},
    )


def names_of(node_list: str) -> tuple[str, ...]:
    """Return the nodes of a job; none where the list cannot be read."""
    try:
        return expand_hostlist(node_list)
    except ValueError:
        return ()


def queue_for(
    scene: Scene,
    name: str,
    person: str,
    tenant: str | None,
    rules: Mapping[str, QueueRules],
) -> Queue | None:
    """Return one queue for a person in a tenant; None if there is no such queue."""
    supply = scene.supplies.get(name)
    if supply is None:
        return None
    allowance = scene.accounts.allowance(person, tenant, name) if tenant else None
    mine = supply.waiting.get(person, 0)
    return Queue(
        supply=supply,
        rules=rules.get(name) or QueueRules(name),
        allowance=allowance or Allowance(),
        obstacle=_obstacle(supply.partition, scene.accounts, tenant, allowance),
        mine_waiting=mine,
        others_waiting=sum(supply.waiting.values()) - mine,
        mine_running=supply.running.get(person, 0),
        tenant=tenant or "",
    )


def queues_for(
    scene: Scene, person: str, tenant: str | None, rules: Mapping[str, QueueRules]
) -> tuple[Queue, ...]:
    """Return every queue, in Slurm's order, those that are not for the person too."""
    found = (queue_for(scene, name, person, tenant, rules) for name in scene.supplies)
    return tuple(queue for queue in found if queue is not None)


def is_closed(node: Node) -> bool:
    """Tell whether ordinary jobs cannot start on a node, full or empty."""
    return node.is_down or bool(_RESERVED & set(node.flags))


def is_open(node: Node, exclusive: bool) -> bool:
    """Tell whether a job could start on a node now, if it were small enough."""
    if is_closed(node) or "COMPLETING" in node.flags:
        return False
    return node.cpus_used == 0 if exclusive else node.cpus_used < node.cpus


def smallest_fit(supply: Supply, wanted: Amounts) -> Amounts | None:
    """Return what the smallest node has that takes so much; None if none does."""
    fits = [kind.has for kind in supply.kinds if is_enough(kind.has, wanted)]
    return min(
        fits, key=lambda has: (has.gpu_total, has.cpus, has.memory_mb), default=None
    )


def _by_queue(
    jobs: Iterable[Job],
) -> tuple[Mapping[str, list[Job]], Mapping[str, list[Job]]]:
    """Return the waiting and the running jobs of each queue."""
    waiting: dict[str, list[Job]] = {}
    running: dict[str, list[Job]] = {}
    for job in jobs:
        found = waiting if job.is_waiting else running
        # A waiting job may stand in several queues: `gpu,gpu-long`.
        for queue in job.partition.split(","):
            found.setdefault(queue, []).append(job)
    return waiting, running


def _by_node(jobs: Iterable[Job]) -> Mapping[str, tuple[Job, ...]]:
    found: dict[str, list[Job]] = {}
    for job in jobs:
        if not job.is_waiting:
            for name in names_of(job.node_list):
                found.setdefault(name, []).append(job)
    return {name: tuple(its) for name, its in found.items()}


def _supply(
    partition: Partition,
    nodes: list[Node],
    waiting: Mapping[str, int],
    running: Mapping[str, int],
) -> Supply:
    total = free = _NOTHING
    kinds: dict[tuple[object, ...], NodeKind] = {}
    for node in nodes:
        has = of_node(node)
        total = total.plus(has)
        if is_open(node, partition.exclusive):
            free = free.plus(free_of(node))
        key = (has.cpus, has.memory_mb, tuple(sorted(has.gpus.items())))
        known = kinds.get(key, NodeKind(has, 0, 0))
        usable = known.usable + (not is_closed(node))
        kinds[key] = NodeKind(has, known.count + 1, usable)
    return Supply(
        partition=partition,
        nodes=tuple(nodes),
        counts=_counts(nodes),
        total=total,
        free=free,
        kinds=tuple(kinds.values()),
        waiting=waiting,
        running=running,
    )


def _counts(nodes: Iterable[Node]) -> NodeCounts:
    found = Counter(_activity(node) for node in nodes)
    return NodeCounts(found["allocated"], found["mixed"], found["idle"], found["down"])


def _activity(node: Node) -> str:
    if is_closed(node):
        return "down"
    if node.state in {"allocated", "mixed", "idle"}:
        return node.state
    if node.cpus_used == 0:
        return "idle"
    return "allocated" if node.cpus_used >= node.cpus else "mixed"


def _obstacle(
    partition: Partition,
    accounts: Accounts,
    tenant: str | None,
    allowance: Allowance | None,
) -> Phrase | None:
    """Say why Slurm would not take a job of this person for this queue."""
    if tenant is None:
        return Phrase("You belong to no tenant, so you cannot run jobs.")
    if allowance is None:
        return Phrase(
            "You may not run jobs in tenant {tenant}: Slurm knows no association of "
            "yours there. Ask a manager of the tenant.",
            tenant=tenant,
        )
    allowed = partition.allow_accounts
    lineage = set(accounts.lineage(tenant)) or {tenant}
    if tenant in partition.deny_accounts or (
        allowed is not None and not lineage & set(allowed)
    ):
        return Phrase(
            "Queue {queue} is not open to tenant {tenant}.",
            queue=partition.name,
            tenant=tenant,
        )
    return _qos_obstacle(partition, allowance)


def _qos_obstacle(partition: Partition, allowance: Allowance) -> Phrase | None:
    allowed = partition.allow_qos
    if allowed is None or allowance.qos in allowed:
        return None
    return Phrase(
        "Queue {queue} takes only jobs of QOS {allowed}; yours have {qos}. "
        "Ask the operators to change it.",
        queue=partition.name,
        allowed=", ".join(allowed),
        qos=allowance.qos or "-",
    )


def _bounded(most: int, *bounds: int | None) -> int:
    return min((most, *(one for one in bounds if one is not None)))
