"""Budgets and quotas of tenants: set, told, and warned of."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.budgets import (
    MOST_AMOUNT,
    Budget,
    BudgetStore,
    TenantQuota,
    Warned,
    amount_text,
    period_text,
)
from kqi_hub.domain.errors import InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.people import Role
from kqi_hub.domain.site_days import Day, Period, SiteDays, period_of
from kqi_hub.services.tenant_rights import Asker, require

_LONGEST_SHOWN: Final = 64
# What running jobs of each tenant have cost in a month until a moment. Blocks.
RunningCosts = Callable[[Period, float], Mapping[str, int]]
# So much of a month's amount is not asked of a tenant, beside what the book has.
Relief = Callable[[str, Period, int], int]


def nothing_runs(period: Period, now: float) -> Mapping[str, int]:
    """Return that no running job costs anything."""
    del period, now
    return {}


def no_relief(tenant: str, period: Period, amount: int) -> int:
    """Return that everything is asked of everybody."""
    del tenant, period, amount
    return 0


@dataclass(frozen=True)
class Budgets:
    """The money and the quotas of one cluster's tenants; one a process."""

    store: BudgetStore
    days: SiteDays
    tenants: Callable[[], Collection[str]]
    audit: AuditLog
    running: RunningCosts = nothing_runs
    relief: Relief = no_relief
    wall: Callable[[], float] = time.time

    @property
    def period(self) -> Period:
        """Return the month of now."""
        return period_of(self.today)

    @property
    def today(self) -> Day:
        """Return the local day of now."""
        return self.days.day_of(self.wall())

    async def left(
        self, asker: Asker, tenant: str, period: Period | None = None
    ) -> Budget:
        """Return a tenant's money, to everybody whom it binds."""
        require(asker, tenant, Role.VIEWER)
        month = period or self.period
        found = await asyncio.to_thread(self.read, month)
        return _seen_by(asker, found.get(tenant) or Budget(tenant, month))

    async def all(
        self, asker: Asker, period: Period | None = None
    ) -> tuple[Budget, ...]:
        """Return the money of every tenant that somebody sees."""
        found = await asyncio.to_thread(self.read, period or self.period)
        return tuple(
            _seen_by(asker, one)
            for name, one in sorted(found.items())
            if asker.sees(name)
        )

    async def quotas(self, asker: Asker) -> Mapping[str, TenantQuota]:
        """Return the quotas of every tenant that somebody sees; 0 is no limit."""
        set_ones, names = await asyncio.to_thread(
            lambda: (self.store.quotas(), self.tenants())
        )
        known = sorted({*set_ones, *names})
        return {
            name: set_ones.get(name, TenantQuota())
            for name in known
            if asker.sees(name)
        }

    async def warnings(
        self, asker: Asker, period: Period | None = None
    ) -> tuple[Warned, ...]:
        """Return the steps that tenants of somebody have reached, the latest first."""
        found = await asyncio.to_thread(self.store.warnings, period or self.period)
        return tuple(one for one in found if asker.sees(one.tenant))

    async def set_amount(
        self,
        asker: Asker,
        tenant: str,
        amount: int | None,
        from_period: Period | None = None,
    ) -> None:
        """Set what a tenant may spend a month from a month on; None lifts it."""
        self._operators_only(asker)
        month = from_period or self.period
        if amount is not None and not 0 <= amount <= MOST_AMOUNT:
            raise InvalidInput(
                "{amount} cannot be a budget.",
                "Write an amount from 0 on; 0 leaves the free queues alone.",
                amount=amount_text(amount),
            )
        if month < self.period:
            raise InvalidInput(
                "The budget of {month} cannot be changed: that month is over.",
                "Set it from this month on: {now}.",
                month=period_text(month),
                now=period_text(self.period),
            )
        await asyncio.to_thread(self._set_amount, asker, tenant, amount, month)

    async def set_quota(self, asker: Asker, tenant: str, quota: TenantQuota) -> None:
        """Set what a tenant may have at once; Slurm is told by `kqi-hub limits`."""
        self._operators_only(asker)
        await asyncio.to_thread(self._set_quota, asker, tenant, quota)

    async def warn_of_steps(self) -> tuple[Warned, ...]:
        """Note each step that was reached since the last time, once each."""
        return await asyncio.to_thread(self._warn_of_steps)

    def read(self, period: Period) -> Mapping[str, Budget]:
        """Return the money of every tenant. Blocks."""
        now = self.wall()
        amounts, billed = self.store.amounts(period), self.store.billed(period)
        running = self.running(period, now)
        names = {*self.tenants(), *amounts, *billed, *running}
        return {
            name: self._budget(
                name,
                period,
                amounts.get(name),
                (billed.get(name, 0), running.get(name, 0)),
            )
            for name in names
        }

    def _budget(
        self, tenant: str, period: Period, amount: int | None, sums: tuple[int, int]
    ) -> Budget:
        billed, running = sums
        spent = billed - self.relief(tenant, period, billed + running)
        return Budget(tenant, period, amount, spent, running)

    def _set_amount(
        self, asker: Asker, tenant: str, amount: int | None, month: Period
    ) -> None:
        self._known(tenant)
        now = self.wall()
        before = self.store.set_amount(tenant, month, amount, asker.person, now)
        detail = {
            "from": period_text(month),
            "before": _shown(before),
            "amount": _shown(amount),
        }
        self._note(asker, "budget-set", tenant, detail)

    def _set_quota(self, asker: Asker, tenant: str, quota: TenantQuota) -> None:
        self._known(tenant)
        before = self.store.set_quota(tenant, quota, asker.person, self.wall())
        detail = {
            "before": "-" if before is None else _quota_text(before),
            "quota": _quota_text(quota),
        }
        self._note(asker, "quota-set", tenant, detail)

    def _warn_of_steps(self) -> tuple[Warned, ...]:
        now, found = self.wall(), self.read(self.period)
        known = {(one.tenant, one.percent) for one in self.store.warnings(self.period)}
        fresh = [
            Warned(name, one.period, step, now)
            for name, one in sorted(found.items())
            for step in one.steps
            if (name, step) not in known
        ]
        return tuple(one for one in fresh if self.store.warn(*one))

    def _known(self, tenant: str) -> None:
        if tenant not in self.tenants():
            raise NotFound(
                "There is no tenant {tenant}.",
                "A tenant is a Slurm account with people in it.",
                tenant=tenant[:_LONGEST_SHOWN],
            )

    def _note(
        self, asker: Asker, action: str, tenant: str, detail: Mapping[str, str]
    ) -> None:
        now = self.wall()
        event = AuditEvent(
            now, asker.person, action, tenant, address=asker.address, detail=detail
        )
        self.audit.append(event)

    @staticmethod
    def _operators_only(asker: Asker) -> None:
        if not asker.standing.is_operator:
            raise NotPermitted(
                "Only operators may do this.", "Ask an operator to do it for you."
            )


def _seen_by(asker: Asker, found: Budget) -> Budget:
    """Leave out what a tenant spends where it has no budget that binds its people."""
    manages = asker.role_in(found.tenant) is Role.MANAGER
    if manages or found.amount is not None:
        return found
    return Budget(found.tenant, found.period)


def _shown(amount: int | None) -> str:
    return "-" if amount is None else amount_text(amount)


def _quota_text(quota: TenantQuota) -> str:
    return f"cpus={quota.cpus} memory_gb={quota.memory_gb} gpus={quota.gpus}"
