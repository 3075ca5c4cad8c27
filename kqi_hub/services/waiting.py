"""Say when a job of some shape would probably start, from the stored picture alone.

Slurm is not asked. Jobs that run are taken to last until their limit, jobs that wait to
start in the order of their priority, each with the node that is free first. Jobs often
end early and better ones may come: so the answer is "about", rounded, or "not known".
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kqi_hub.domain.amounts import Amounts, free_of, is_enough, of_job, of_shape
from kqi_hub.domain.cluster import Node
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.objections import cautions
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.queues import Queue, Scene, Supply, is_closed
from kqi_hub.services.board import Picture
from kqi_hub.services.freshness import Trust

# More waiting jobs than this are not thought through.
MOST_AHEAD: Final = 200
HORIZON_S: Final = 14 * 86_400
# A job that waits for one of these waits for its turn; all others wait for something
# else, and stand in nobody's way.
_IN_LINE: Final = frozenset({"", "None", "Priority", "Resources"})
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_STEPS: Final = (
    (30 * _MINUTE_S, 5 * _MINUTE_S),
    (3 * _HOUR_S, 15 * _MINUTE_S),
    (24 * _HOUR_S, _HOUR_S),
    (HORIZON_S, 12 * _HOUR_S),
)


class Outlook(StrEnum):
    """What can be said of a wait."""

    NOW = "now"
    ABOUT = "about"
    LONGER = "longer"
    UNKNOWN = "unknown"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a job would wait; `seconds` are rounded, `why` says what is unsure."""

    outlook: Outlook
    seconds: int | None = None
    why: Phrase | None = None


_UNKNOWN: Final = Wait(Outlook.UNKNOWN)


def estimate_wait(
    picture: Picture,
    queue: Queue,
    shape: Shape,
    lifetime_s: int | None,
    now: float,
    is_impossible: bool = False,
) -> Wait:
    """Return how long a job would probably wait if it were submitted now."""
    if is_impossible:
        return Wait(Outlook.NEVER)
    if picture.trust in {Trust.NONE, Trust.STALE}:
        return Wait(Outlook.UNKNOWN, None, Phrase("The picture of the cluster is old."))
    held_up = cautions(queue, shape)
    if held_up:
        return Wait(Outlook.UNKNOWN, None, held_up[0])
    ahead = list(_ahead(picture.scene, queue))
    if len(ahead) > MOST_AHEAD:
        why = Phrase("More than {count} jobs wait there.", count=MOST_AHEAD)
        return Wait(Outlook.UNKNOWN, None, why)
    lasts_s = queue.max_time_s if lifetime_s is None else lifetime_s
    start = _Line(picture.scene, queue, ahead, now).start_of(shape, lasts_s)
    return _in_words(start, now)


def rounded(seconds: float) -> int:
    """Round a wait up, the coarser the longer it is."""
    for most, step in _STEPS:
        if seconds <= most:
            return int(-(-seconds // step) * step)
    return HORIZON_S


def _in_words(start: float | None, now: float) -> Wait:
    if start is None:
        why = Phrase("Jobs without a time limit hold what it would need.")
        return Wait(Outlook.UNKNOWN, None, why)
    if start <= now:
        return Wait(Outlook.NOW, 0)
    if start - now > HORIZON_S:
        return Wait(Outlook.LONGER, HORIZON_S)
    return Wait(Outlook.ABOUT, rounded(start - now))


def _rivals(queue: Queue) -> frozenset[str]:
    """Return the queues whose jobs may take this queue's nodes."""
    names = {name for node in queue.supply.nodes for name in node.partitions}
    return frozenset(names | {queue.name})


def _ahead(scene: Scene, queue: Queue) -> Iterator[Job]:
    """Return the jobs that wait for nodes of this queue, the next one first."""
    found = {
        job.job_id: job
        for name in _rivals(queue)
        for job in scene.waiting_in.get(name, ())
        if job.reason in _IN_LINE
    }
    return iter(sorted(found.values(), key=lambda job: (-job.priority, job.job_id)))


@dataclass(slots=True)
class _Room:
    """What is left of a node, and how many jobs are on it."""

    has: Amounts
    left: Amounts
    jobs: int = 0

    def believe(self, node: Node) -> None:
        """Take no more for free than Slurm does: it may know of jobs that we do not."""
        free = free_of(node)
        gpus = {
            kind: min(n, free.gpus.get(kind, n)) for kind, n in self.left.gpus.items()
        }
        self.left = Amounts(
            min(self.left.cpus, free.cpus),
            min(self.left.memory_mb, free.memory_mb),
            gpus,
            1,
        )
        if node.cpus_used and not self.jobs:
            self.jobs = 1


class _Line:
    """The nodes that a queue's jobs compete for, and time passing over them."""

    def __init__(
        self, scene: Scene, queue: Queue, ahead: Sequence[Job], now: float
    ) -> None:
        self._scene = scene
        self._queue = queue
        self._ahead = ahead
        self._now = now
        self._rooms: dict[str, _Room] = {}
        # End, a number that keeps equal ends apart, node, what becomes free.
        self._ends: list[tuple[float, int, str, Amounts]] = []
        self._count = 0
        self._fill()

    def start_of(self, shape: Shape, lasts_s: int | None) -> float | None:
        """Return when the shape would start behind those ahead; None if never.

        A short job goes first where it is over before the first of them can start.
        """
        began, wanted = self._now, of_shape(shape)
        for job in self._ahead:
            fitted = self._now == began and bool(
                self._fitting(wanted, self._queue.supply)
            )
            started = self._place(job)
            until = HORIZON_S if started is None else started - began
            if fitted and lasts_s is not None and 0 < lasts_s <= until:
                return began
            if started is None:
                return None
            if until > HORIZON_S:
                return started
        return self._advance(wanted, 1, self._queue.supply)[0]

    def _fill(self) -> None:
        """Look at the nodes that somebody in the line could take, and at no others."""
        supplies = [self._queue.supply, *map(self._supply_of, self._ahead)]
        by_queue = {one.partition.name: one for one in supplies}
        nodes = {node.name: node for one in by_queue.values() for node in one.nodes}
        for name, node in nodes.items():
            if not is_closed(node):
                self._rooms[name] = _room(node)
                for job in self._scene.running_on.get(name, ()):
                    self._occupy(job, name)
                self._rooms[name].believe(node)

    def _supply_of(self, job: Job) -> Supply:
        first = job.partition.split(",")[0]
        return self._scene.supplies.get(first, self._queue.supply)

    def _occupy(self, job: Job, name: str) -> None:
        share = _share(of_job(job), max(1, job.nodes))
        room = self._rooms[name]
        room.left = _minus(room.left, share)
        room.jobs += 1
        if job.ends_at is not None:
            self._end(max(float(job.ends_at), self._now), name, share)

    def _end(self, at: float, name: str, share: Amounts) -> None:
        self._count += 1
        heapq.heappush(self._ends, (at, self._count, name, share))

    def _place(self, job: Job) -> float | None:
        """Start a waiting job as soon as it can; return when."""
        share = _share(of_job(job), job.nodes)
        start, names = self._advance(share, max(1, job.nodes), self._supply_of(job))
        if start is None:
            return None
        for name in names:
            self._rooms[name].left = _minus(self._rooms[name].left, share)
            self._rooms[name].jobs += 1
            if job.time_limit_s is not None:
                self._end(start + job.time_limit_s, name, share)
        return start

    def _advance(
        self, wanted: Amounts, nodes: int, supply: Supply
    ) -> tuple[float | None, list[str]]:
        """Let time pass until so many nodes of a queue have room."""
        fits = self._fitting(wanted, supply)
        members = set(supply.partition.nodes)
        while len(fits) < nodes:
            if not self._ends:
                return None, []
            at, _, name, share = heapq.heappop(self._ends)
            self._now = max(self._now, at)
            room = self._rooms[name]
            room.left = room.left.plus(share)
            room.jobs -= 1
            if name in members and self._has_room(name, wanted, supply):
                fits.add(name)
        return self._now, sorted(fits)[:nodes]

    def _fitting(self, wanted: Amounts, supply: Supply) -> set[str]:
        return {
            name
            for name in supply.partition.nodes
            if name in self._rooms and self._has_room(name, wanted, supply)
        }

    def _has_room(self, name: str, wanted: Amounts, supply: Supply) -> bool:
        room = self._rooms[name]
        if supply.partition.exclusive:
            return room.jobs == 0 and is_enough(room.has, wanted)
        places = self._queue.rules.places_per_node
        if places is not None and room.jobs >= places:
            return False
        return is_enough(room.left, wanted)


def _room(node: Node) -> _Room:
    has = Amounts(
        node.cpus, node.memory_mb, {gpu.type: gpu.total for gpu in node.gpus}, 1
    )
    return _Room(has, has)


def _share(takes: Amounts, nodes: int) -> Amounts:
    """Return what a job takes of each of its nodes, rounded up."""
    many = max(1, nodes)
    gpus = {kind: -(-count // many) for kind, count in takes.gpus.items()}
    return Amounts(-(-takes.cpus // many), -(-takes.memory_mb // many), gpus, 0)


def _minus(left: Amounts, share: Amounts) -> Amounts:
    """Take away; GPUs of no type come from whatever there is."""
    gpus = dict(left.gpus)
    for kind, count in share.gpus.items():
        gpus[kind] = gpus.get(kind, 0) - count
    return Amounts(left.cpus - share.cpus, left.memory_mb - share.memory_mb, gpus, 1)
