"""Tell tenants of their budgets, keep limits in Slurm, compare use with it nightly."""

from collections.abc import Awaitable, Callable
from typing import Final

from kqi_hub.services.budgets import Budgets
from kqi_hub.services.limits import Limits
from kqi_hub.services.reconcile_use import UseReconciler
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import BUDGETS, LIMITS, RECONCILE, StepFailed, step

INTERVAL_S: Final = 300.0
# Slurm forgets use with time: limits of minutes are set anew as often as this.
LIMITS_S: Final = 900.0
RECONCILE_S: Final = 24 * 3600.0
# Nightly comparisons look at this many days; a whole month is compared by hand.
DAYS: Final = 35
_ACTOR: Final = "worker"


class BudgetRounds:
    """Three things that are due now and then; one that fails leaves the others be.

    `limits` is None where operators write limits by hand.
    """

    def __init__(
        self,
        budgets: Budgets,
        limits: Limits | None,
        reconciler: UseReconciler,
        journal: Journal,
        clocks: Clocks = Clocks(),  # noqa: B008  immutable, and nothing starts in it
    ) -> None:
        self._budgets = budgets
        self._limits = limits
        self._reconciler = reconciler
        self._journal = journal
        self._clocks = clocks
        self._done_at: dict[str, float] = {}

    async def run(self) -> None:
        """Go round for ever; only cancelling ends it."""
        while True:
            await self.round()
            await self._clocks.sleep(INTERVAL_S)

    async def round(self) -> None:
        """Do what is due."""
        await self._when_due(BUDGETS, 0.0, self._warn)
        if self._limits is not None:
            await self._when_due(LIMITS, LIMITS_S, self._apply)
        await self._when_due(RECONCILE, RECONCILE_S, self._compare)

    async def _when_due(
        self, name: str, every_s: float, todo: Callable[[], Awaitable[None]]
    ) -> None:
        now = self._clocks.steady()
        if now - self._done_at.get(name, float("-inf")) < every_s:
            return
        try:
            with step(name):
                await todo()
        except StepFailed as failed:
            self._journal.trouble(name, failed.cause)
            return
        self._done_at[name] = now
        self._journal.fine(name)

    async def _warn(self) -> None:
        for one in await self._budgets.warn_of_steps():
            say(BUDGETS, tenant=one.tenant, period=one.period, percent=one.percent)

    async def _apply(self) -> None:
        if self._limits is not None:
            plan = await self._limits.apply(_ACTOR)
            if plan.changes:
                say(LIMITS, changed=len(plan.changes))

    async def _compare(self) -> None:
        """Compare what is over; after a restart not before a day has passed."""
        last, now = await self._reconciler.last(), self._reconciler.wall()
        if last is not None and 0 <= now - last.at < RECONCILE_S:
            return
        time = await self._reconciler.lately(DAYS)
        if time is None:
            return
        found = await self._reconciler.compare(*time)
        counts = {cause.value: count for cause, count in found.counts.items()}
        say(RECONCILE, **counts)
