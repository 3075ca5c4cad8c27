"""What the worker does with budgets, limits and the comparison, and how often."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from kqi_hub.domain.budgets import Warned
from kqi_hub.domain.errors import ClusterUnreachable
from kqi_hub.domain.reconciliation import Reconciliation
from kqi_hub.services.budgets import Budgets
from kqi_hub.services.limits import Limits, Plan
from kqi_hub.services.reconcile_use import UseReconciler
from kqi_hub.worker.budgets import LIMITS_S, RECONCILE_S, BudgetRounds
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal


@dataclass
class World:
    """Budgets, limits and the comparison as one that notes what is asked of it."""

    now: float = 1000.0
    done: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    found: Reconciliation | None = None
    time: tuple[int, int] | None = (0, 3600)

    def wall(self) -> float:
        return self.now

    def _do(self, name: str) -> None:
        if name in self.failing:
            raise ClusterUnreachable("slurmdbd is away.")
        self.done.append(name)

    async def warn_of_steps(self) -> tuple[Warned, ...]:
        self._do("warn")
        return ()

    async def apply(self, actor: str) -> Plan:
        self._do(f"apply as {actor}")
        return Plan((), {})

    async def last(self) -> Reconciliation | None:
        return self.found

    async def lately(self, count: int) -> tuple[int, int] | None:
        del count
        return self.time

    async def compare(self, since: int, until: int) -> Reconciliation:
        self._do("compare")
        self.found = Reconciliation(since, until, self.now)
        return self.found


def rounds(world: World, *, by_worker: bool = True) -> BudgetRounds:
    anything = cast(Any, world)
    return BudgetRounds(
        cast(Budgets, anything),
        cast(Limits, anything) if by_worker else None,
        cast(UseReconciler, anything),
        Journal(),
        Clocks(steady=lambda: world.now),
    )


def test_each_thing_is_done_when_it_is_due() -> None:
    world = World()
    its = rounds(world)
    for later in (0, 300, LIMITS_S, RECONCILE_S):
        world.now = 1000.0 + later
        asyncio.run(its.round())
    assert world.done.count("warn") == 4
    assert world.done.count("apply as worker") == 3
    assert world.done.count("compare") == 2


def test_limits_by_hand_are_not_written_by_the_worker() -> None:
    world = World()
    asyncio.run(rounds(world, by_worker=False).round())
    assert world.done == ["warn", "compare"]


@pytest.mark.parametrize("failing", ["warn", "apply as worker", "compare"])
def test_one_that_fails_leaves_the_others_be_and_is_tried_again(failing: str) -> None:
    world = World(failing={failing})
    its = rounds(world)
    asyncio.run(its.round())
    assert len(world.done) == 2
    world.failing.clear()
    asyncio.run(its.round())
    assert failing in world.done


def test_a_worker_that_is_started_again_does_not_compare_again() -> None:
    world = World()
    asyncio.run(rounds(world).round())
    world.now += 600
    asyncio.run(rounds(world).round())
    assert world.done.count("compare") == 1


def test_nothing_is_compared_before_anything_was_taken_in() -> None:
    world = World(time=None)
    asyncio.run(rounds(world).round())
    assert "compare" not in world.done
