"""The portal's own view of the cluster: one reading of the database for everybody."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from kqi_hub.domain.cluster import Association, Freshness, Node, Partition, Qos
from kqi_hub.domain.job import Job
from kqi_hub.domain.queues import Scene, survey
from kqi_hub.services.freshness import Standing, Trust, judge

# Between two questions whether there is a newer picture; each reads one row.
GLANCE_S: Final = 0.5
# Associations change seldom, and have no sequence of their own.
ASSOCIATIONS_S: Final = 15.0
_NEVER: Final = Freshness(0, None, None)
_TRIES: Final = 3


class PictureStore(Protocol):
    """Where the worker leaves the picture. Every method blocks."""

    def freshness(self) -> Freshness:
        """Return how old the picture is."""

    def nodes(self) -> tuple[Node, ...]:
        """Return every node."""

    def partitions(self) -> tuple[Partition, ...]:
        """Return every queue."""

    def live_jobs(self, user: str | None = None) -> tuple[Job, ...]:
        """Return the jobs that have not ended."""


class AssociationStore(Protocol):
    """Who may submit where. Every method blocks."""

    def associations(self) -> tuple[Association, ...]:
        """Return all of them."""

    def qos(self) -> tuple[Qos, ...]:
        """Return every QOS with its limits."""


@dataclass(frozen=True)
class Picture:
    """What the worker saw last, sorted; `standing` says how far to trust it now."""

    freshness: Freshness = _NEVER
    standing: Standing = field(default_factory=lambda: judge(_NEVER, 0.0, 1.0))
    nodes: tuple[Node, ...] = ()
    partitions: tuple[Partition, ...] = ()
    jobs: tuple[Job, ...] = ()
    associations: tuple[Association, ...] = ()
    qos: tuple[Qos, ...] = ()
    scene: Scene = field(default_factory=Scene)
    # Grows when anything but the time differs from the picture before.
    version: int = 0

    @property
    def sequence(self) -> int:
        """Return the number of the picture; it grows with every look."""
        return self.freshness.sequence

    @property
    def trust(self) -> Trust:
        """Return how far the picture can be trusted."""
        return self.standing.trust

    def job(self, job_id: int) -> Job | None:
        """Return a live job by its number."""
        return self.scene.by_id.get(job_id)


class Board:
    """Give everybody the same picture, read at most once for each sequence."""

    def __init__(
        self,
        store: PictureStore,
        associations: AssociationStore,
        stale_after_s: float = 60.0,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        beside: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._associations = associations
        self._stale_after_s = stale_after_s
        self._wall = wall
        self._clock = clock
        # What else changes seldom, and is read as often as associations are.
        self._beside = beside
        self._one_reader = asyncio.Lock()
        self._picture = Picture()
        self._glanced_at: float | None = None
        self._associated_at: float | None = None
        self.readings = 0

    async def current(self) -> Picture:
        """Return the newest picture, judged at this moment."""
        if self._is_due():
            async with self._one_reader:
                if self._is_due():
                    self._picture = await asyncio.to_thread(self._newest)
                    self._glanced_at = self._clock()
        known = self._picture
        standing = judge(known.freshness, self._wall(), self._stale_after_s)
        return replace(known, standing=standing)

    def _is_due(self) -> bool:
        at = self._glanced_at
        return at is None or self._clock() - at >= GLANCE_S

    def _newest(self) -> Picture:
        """Read what is new; runs on a thread, one at a time."""
        known = self._picture
        fresh = self._store.freshness()
        rights = self._renewed(known.associations, known.qos)
        is_seen = fresh.sequence == known.sequence and fresh.sequence > 0
        parts = (known.nodes, known.partitions, known.jobs)
        if not is_seen:
            fresh, parts = self._whole(fresh)
            self.readings += 1
        before = (known.nodes, known.partitions, known.jobs)
        is_same = rights == (known.associations, known.qos) and parts == before
        if is_same and known.version:
            return replace(known, freshness=fresh)
        scene = survey(*parts, *rights)
        version = known.version + 1
        return Picture(fresh, known.standing, *parts, *rights, scene, version)

    def _whole(
        self, fresh: Freshness
    ) -> tuple[
        Freshness, tuple[tuple[Node, ...], tuple[Partition, ...], tuple[Job, ...]]
    ]:
        """Read nodes, queues and jobs of one and the same look."""
        for _ in range(_TRIES):
            parts = (
                self._store.nodes(),
                self._store.partitions(),
                self._store.live_jobs(),
            )
            after = self._store.freshness()
            if after.sequence == fresh.sequence:
                break
            fresh = after
        return fresh, parts

    def _renewed(
        self, known: tuple[Association, ...], qos: tuple[Qos, ...]
    ) -> tuple[tuple[Association, ...], tuple[Qos, ...]]:
        at, now = self._associated_at, self._clock()
        # None at all: the worker is about to store the first ones.
        if at is not None and known and now - at < ASSOCIATIONS_S:
            return known, qos
        found, limits = self._associations.associations(), self._associations.qos()
        self._beside()
        self._associated_at = now
        # The same objects again, so that comparing them later costs nothing.
        return known if found == known else found, qos if limits == qos else limits
