"""Budgets and quotas as limits in Slurm, so that they bind a bare sbatch, too."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from kqi_hub.domain.billing_weights import Worth
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.slurm_limits import (
    BILLING,
    LimitDesk,
    LimitDrift,
    LimitKey,
    WrittenLimits,
    drifts,
    found_limits,
    wanted_limits,
)
from kqi_hub.services.budgets import Budgets

# What an hour of `billing` is worth to each tenant. Blocks.
Worths = Callable[[frozenset[str]], Mapping[str, Worth]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying would do, and what an operator should know of the weights."""

    limits: tuple[LimitDrift, ...]
    worths: Mapping[str, Worth]
    unpriced: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[LimitDrift, ...]:
        """Return what applying changes."""
        return tuple(one for one in self.limits if one.is_change)

    @property
    def notes(self) -> tuple[Phrase, ...]:
        """Return what is wrong with weights, each once."""
        told = {str(note): note for one in self.worths.values() for note in one.notes}
        for name in self.unpriced:
            note = Phrase(
                "The budget of {tenant} cannot be a limit in Slurm: no queue has a "
                "price that its TRESBillingWeights count.",
                tenant=name,
            )
            told[str(note)] = note
        return tuple(told.values())

    def by_account(self) -> Mapping[str, Mapping[str, int | None]]:
        """Return the changes as Slurm is told them: all of an account at once."""
        ordered = sorted(self.changes, key=lambda one: one.account)
        return {
            account: {one.resource: one.wanted for one in its}
            for account, its in groupby(ordered, key=lambda one: one.account)
        }


@dataclass(frozen=True)
class Limits:
    """Compare what tenants may have with what Slurm gives them, and put it right."""

    desk: LimitDesk
    budgets: Budgets
    written: WrittenLimits
    worths: Worths
    audit: AuditLog
    wall: Callable[[], float] = time.time

    async def plan(self, taken_over: frozenset[str] = frozenset()) -> Plan:
        """Return what should change; nothing is."""
        # What Slurm counts is asked first: what is used up meanwhile makes the limit
        # narrower, never wider.
        used = await self.desk.used_minutes()
        associations = await self.desk.associations()
        return await asyncio.to_thread(
            lambda: self._plan(used, found_limits(associations), taken_over)
        )

    async def apply(self, actor: str, taken_over: frozenset[str] = frozenset()) -> Plan:
        """Put Slurm right and return what was changed; twice changes nothing more."""
        plan = await self.plan(taken_over)
        adopted = [one for one in plan.limits if one.is_adopted]
        await asyncio.to_thread(self._keep, adopted)
        for account, limits in plan.by_account().items():
            await self.desk.set_limits(account, limits)
            changed = [one for one in plan.changes if one.account == account]
            await asyncio.to_thread(self._note, actor, account, changed)
        return plan

    def commands(self, plan: Plan) -> tuple[tuple[str, ...], ...]:
        """Return what an administrator of Slurm runs to the same end."""
        return tuple(
            self.desk.command(account, limits)
            for account, limits in plan.by_account().items()
        )

    def _plan(
        self,
        used: Mapping[str, int],
        found: Mapping[LimitKey, int],
        taken_over: frozenset[str],
    ) -> Plan:
        tenants = frozenset(self.budgets.tenants())
        money = self.budgets.read(self.budgets.period)
        worths = self.worths(tenants)
        minutes = {
            name: worths[name].minutes(max(0, one.left or 0))
            for name, one in money.items()
            if name in worths and worths[name].per_hour
        }
        quotas = {
            name: quota
            for name, quota in self.budgets.store.quotas().items()
            if name in tenants
        }
        wanted = wanted_limits(quotas, money.values(), used, minutes)
        known = {key: n for key, n in found.items() if key.account in tenants}
        # Where the portal has no quota, what the site has set is never lifted.
        taken = frozenset(
            key
            for key in {*wanted, *known}
            if key.account in taken_over and (key in wanted or key.account in quotas)
        )
        compared = drifts(wanted, known, self.written.written(), taken)
        held = [name for name, one in sorted(money.items()) if one.amount is not None]
        return Plan(
            compared,
            {name: worths[name] for name in held if name in worths},
            tuple(name for name in held if name not in minutes),
        )

    def _keep(self, found: Iterable[LimitDrift]) -> None:
        for one in found:
            self.written.note(one.key, one.wanted, self.wall())

    def _note(self, actor: str, account: str, changed: list[LimitDrift]) -> None:
        self._keep(changed)
        now = self.wall()
        detail = {
            one.resource: f"{_n(one.found)} -> {_n(one.wanted)}" for one in changed
        }
        event = AuditEvent(now, actor, "limits-apply", account, detail=detail)
        self.audit.append(event)


def unit_of(resource: str) -> str:
    """Return what a limit of a resource counts in, for a table."""
    return {"mem": "MB", BILLING: "min"}.get(resource, "")


def _n(amount: int | None) -> str:
    return "-" if amount is None else str(amount)
