"""Show queues to a person, judge and price what they want, ask for a fresh look."""

import asyncio
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from kqi_hub.domain.budgets import BudgetGate
from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import ClusterTimedOut, ClusterUnreachable, NotFound
from kqi_hub.domain.job import Job
from kqi_hub.domain.money import Price
from kqi_hub.domain.notebooks import Preset, Shape
from kqi_hub.domain.objections import cautions, objections
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.queues import Queue, QueueRules, queue_for, queues_for
from kqi_hub.services.board import GLANCE_S, Board, Picture
from kqi_hub.services.costs import Books, Costs, NoBooks
from kqi_hub.services.pricing import Pricing
from kqi_hub.services.waiting import Wait, estimate_wait

_LONGEST_SHOWN: Final = 64
# Waits are kept this long, for everybody who asks the same.
_KEPT_S: Final = 30
_MOST_KEPT: Final = 5000
# A look that is asked for begins within 5 s of a controller that answers quickly.
_LOOK_S: Final = 20.0


class RefreshStore(Protocol):
    """Where a wish for a fresh look is left. Every method blocks."""

    def freshness(self) -> Freshness:
        """Return how old the picture is."""

    def request_refresh(self, asked_at: float) -> None:
        """Ask the worker for a fresh look; many requests become one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job of some shape would meet in a queue."""

    queue: Queue
    price: Price | None
    wait: Wait
    objections: tuple[Phrase, ...]
    cautions: tuple[Phrase, ...]
    # In micro-currency: of the time that was asked for, None without one or a rate;
    # and what the tenant has left this month, None without a budget.
    cost: int | None = None
    left: int | None = None


@dataclass(frozen=True)
class Queues:
    """The queues of one cluster, for everybody."""

    board: Board
    store: RefreshStore
    pricing: Pricing
    rules: Mapping[str, QueueRules]
    presets: tuple[Preset, ...] = ()
    wall: Callable[[], float] = time.time
    kept: dict[Hashable, Wait] = field(default_factory=dict, repr=False)
    budgets: BudgetGate | None = None
    books: Books = field(default_factory=NoBooks)

    @property
    def costs(self) -> Costs:
        """Return what tells what jobs have cost."""
        return Costs(self.pricing, self.books)

    async def list(
        self, person: str, tenant: str | None
    ) -> tuple[Picture, tuple[Queue, ...]]:
        """Return every queue as the person sees it from a tenant."""
        picture = await self.board.current()
        return picture, queues_for(picture.scene, person, tenant, self.rules)

    async def one(
        self, name: str, person: str, tenant: str | None
    ) -> tuple[Picture, Queue]:
        """Return one queue; NotFound if the cluster has none of this name."""
        picture = await self.board.current()
        return picture, self.pick(picture, name, person, tenant)

    def pick(
        self, picture: Picture, name: str, person: str, tenant: str | None
    ) -> Queue:
        """Return one queue of a picture; NotFound if it has none of this name."""
        found = queue_for(picture.scene, name, person, tenant, self.rules)
        if found is None:
            raise NotFound(
                "There is no queue {queue}.",
                "Look at the list of queues.",
                queue=name[:_LONGEST_SHOWN],
            )
        return found

    async def estimate(
        self, picture: Picture, queue: Queue, shape: Shape, lifetime_s: int | None
    ) -> Estimate:
        """Judge and price a job before it is submitted; nothing is sent to Slurm."""
        [found] = await self.estimates(picture, [queue], shape, lifetime_s)
        return found

    async def estimates(
        self,
        picture: Picture,
        queues: Sequence[Queue],
        shape: Shape,
        lifetime_s: int | None,
    ) -> tuple[Estimate, ...]:
        """Judge and price the same job in several queues, off the loop."""
        return await asyncio.to_thread(
            lambda: tuple(
                self._estimate(picture, queue, shape, lifetime_s) for queue in queues
            )
        )

    def _estimate(
        self, picture: Picture, queue: Queue, shape: Shape, lifetime_s: int | None
    ) -> Estimate:
        against = objections(queue, shape, lifetime_s)
        price = self.pricing.price_per_hour(queue, shape)
        wait = self._wait(picture, queue, shape, lifetime_s, bool(against))
        money_against, money_cautions = self._of_money(queue, price, lifetime_s)
        return Estimate(
            queue=queue,
            price=price,
            wait=wait,
            objections=(*against, *money_against),
            cautions=(*cautions(queue, shape), *money_cautions),
            cost=None
            if lifetime_s is None
            else self.pricing.cost_of_time(queue, shape, lifetime_s),
            left=None
            if self.budgets is None or not queue.tenant
            else self.budgets.left(queue.tenant),
        )

    def _of_money(
        self, queue: Queue, price: Price | None, lifetime_s: int | None
    ) -> tuple[tuple[Phrase, ...], tuple[Phrase, ...]]:
        """Return what the tenant's budget has against such a job, and what to know."""
        if self.budgets is None or not queue.tenant:
            return (), ()
        lasts_s = queue.max_time_s if lifetime_s is None else lifetime_s
        against = self.budgets.objection(queue.tenant, price)
        known = self.budgets.caution(queue.tenant, price, lasts_s)
        return (against,) if against else (), (known,) if known else ()

    def _wait(
        self,
        picture: Picture,
        queue: Queue,
        shape: Shape,
        lifetime_s: int | None,
        is_impossible: bool,
    ) -> Wait:
        """Return the wait; for all who may start it is the same, and thought once."""
        now = self.wall()
        if is_impossible or cautions(queue, shape):
            return estimate_wait(picture, queue, shape, lifetime_s, now, is_impossible)
        lasts_s = queue.max_time_s if lifetime_s is None else lifetime_s
        minute = int(now // _KEPT_S)
        key = (picture.version, picture.trust, minute, queue.name, shape, lasts_s)
        kept = self.kept.get(key)
        if kept is None:
            kept = estimate_wait(picture, queue, shape, lifetime_s, now)
            while len(self.kept) >= _MOST_KEPT:
                self.kept.pop(next(iter(self.kept)), None)
            self.kept[key] = kept
        return kept

    def presets_for(self, tenant: str | None) -> tuple[Preset, ...]:
        """Return the ready-made choices that a tenant may use."""
        return tuple(
            one for one in self.presets if not one.tenants or tenant in one.tenants
        )

    def jobs_waiting(
        self, picture: Picture, queue: str, person: str
    ) -> tuple[Job, ...]:
        """Return the person's own waiting jobs of a queue, oldest first."""
        return tuple(
            job
            for job in picture.jobs
            if job.user == person
            and job.is_waiting
            and queue in job.partition.split(",")
        )

    async def look(self, people: frozenset[str]) -> Mapping[str, Mapping[str, object]]:
        """Tell pages which picture there is; they fetch what it shows if it is new."""
        picture = await self.board.current()
        told = {
            "version": picture.version,
            "sequence": picture.sequence,
            "taken_at": picture.freshness.taken_at,
            "trust": picture.trust.value,
        }
        return dict.fromkeys(people, told)

    async def refresh(self) -> float:
        """Ask the worker for a fresh look; return when it was asked.

        ClusterUnreachable at once while Slurm does not answer: it is not pressed.
        """
        now = self.wall()
        fresh = await asyncio.to_thread(self.store.freshness)
        tried_at, taken_at = fresh.tried_at or 0.0, fresh.taken_at or 0.0
        if fresh.error and tried_at > taken_at:
            raise ClusterUnreachable(
                "The last look at Slurm failed: {error}",
                "It is tried again by itself; a refresh would only press Slurm.",
                error=fresh.error,
            )
        await asyncio.to_thread(self.store.request_refresh, now)
        return now

    async def renewed(self) -> Picture:
        """Return a picture that the worker took after this call."""
        asked_at = await self.refresh()
        until = time.monotonic() + _LOOK_S
        while True:
            picture = await self.board.current()
            if (picture.freshness.taken_at or 0) >= asked_at:
                return picture
            if time.monotonic() >= until:
                raise ClusterTimedOut(
                    "No fresh picture within {limit} s; the worker will still take "
                    "one.",
                    "Try again in a moment.",
                    limit=f"{_LOOK_S:g}",
                )
            await asyncio.sleep(GLANCE_S)
