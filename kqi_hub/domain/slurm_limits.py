"""Limits of tenants as they should stand in Slurm, beside those that do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from kqi_hub.domain.amounts import GPU
from kqi_hub.domain.budgets import Budget, TenantQuota
from kqi_hub.domain.cluster import Association

# The one resource whose minutes are limited; the others are limited at once.
BILLING: Final = "billing"
RESOURCES: Final = ("cpu", "mem", GPU, BILLING)


class LimitKey(NamedTuple):
    """A limit of an account; `billing` is of minutes (GrpTRESMins), else GrpTRES."""

    account: str
    resource: str


class Standing(StrEnum):
    """What is the matter with a limit."""

    SAME = "same"
    # It is not there, or is our own of an earlier time: applying sets it.
    SET = "set"
    LIFT = "lift"
    # Somebody else's stands there: left alone unless it is taken over by name.
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class LimitDrift:
    """One limit: what should stand, what stands, what we wrote last; None is none."""

    account: str
    resource: str
    wanted: int | None
    found: int | None
    written: int | None
    standing: Standing

    @property
    def key(self) -> LimitKey:
        """Return which limit it is."""
        return LimitKey(self.account, self.resource)

    @property
    def is_adopted(self) -> bool:
        """Tell whether somebody set what is wanted now: from then on it is ours."""
        return self.standing is Standing.SAME and self.found != self.written

    @property
    def is_change(self) -> bool:
        """Tell whether applying changes it."""
        return self.standing in {Standing.SET, Standing.LIFT}


class WrittenLimits(Protocol):
    """What the portal wrote into Slurm. Every method blocks."""

    def written(self) -> Mapping[LimitKey, int]:
        """Return the limits that were written."""

    def note(self, key: LimitKey, amount: int | None, at: float) -> None:
        """Note that a limit was written, or (None) lifted."""


class LimitDesk(Protocol):
    """Where limits stand: Slurm's accounting, and what its controller counts."""

    async def associations(self) -> tuple[Association, ...]:
        """Return who may use which account, with limits."""

    async def used_minutes(self) -> Mapping[str, int]:
        """Return what counts against limits of `billing` minutes, by account.

        It shrinks by itself with PriorityDecayHalfLife: it is not what was used.
        """

    async def set_limits(self, account: str, limits: Mapping[str, int | None]) -> None:
        """Set or (None) lift limits of an account; the others stay as they are."""

    def command(
        self, account: str, limits: Mapping[str, int | None]
    ) -> tuple[str, ...]:
        """Return the command that does so, for an administrator's own hands."""


def found_limits(associations: Iterable[Association]) -> Mapping[LimitKey, int]:
    """Return the limits that stand in Slurm on accounts, of what we limit."""
    found: dict[LimitKey, int] = {}
    for one in associations:
        if one.user or one.partition:
            continue
        for resource, amount in one.grp_tres:
            if resource in RESOURCES and resource != BILLING:
                found[LimitKey(one.account, resource)] = amount
        for resource, minutes in one.grp_tres_mins:
            if resource == BILLING:
                found[LimitKey(one.account, BILLING)] = minutes
    return found


def wanted_limits(
    quotas: Mapping[str, TenantQuota],
    budgets: Iterable[Budget],
    used_minutes: Mapping[str, int],
    minutes: Mapping[str, int],
) -> Mapping[LimitKey, int]:
    """Return the limits that should stand.

    `minutes` are what the money that is left pays for. Slurm compares the limit with
    all that it counts, so that is added; where nothing is left, nothing starts.
    """
    wanted = {
        LimitKey(tenant, resource): amount
        for tenant, quota in quotas.items()
        for resource, amount in quota.limits().items()
        if amount is not None
    }
    for budget in budgets:
        if budget.amount is None or budget.tenant not in minutes:
            continue
        left = minutes[budget.tenant]
        used = used_minutes.get(budget.tenant, 0)
        wanted[LimitKey(budget.tenant, BILLING)] = used + left if left else 0
    return wanted


def drifts(
    wanted: Mapping[LimitKey, int],
    found: Mapping[LimitKey, int],
    written: Mapping[LimitKey, int],
    taken_over: frozenset[LimitKey] = frozenset(),
) -> tuple[LimitDrift, ...]:
    """Compare; limits that are `taken_over` are ours, whoever set them."""
    keys = sorted({*wanted, *found, *written}, key=lambda k: (k[0], _place(k[1])))
    compared = (
        LimitDrift(
            *key,
            wanted.get(key),
            found.get(key),
            written.get(key),
            _standing(
                wanted.get(key),
                found.get(key),
                written.get(key),
                key in taken_over,
            ),
        )
        for key in keys
    )
    return tuple(
        one for one in compared if one.wanted is not None or one.found is not None
    )


def _standing(
    wanted: int | None, found: int | None, written: int | None, ours: bool
) -> Standing:
    if wanted == found:
        return Standing.SAME
    if found is not None and found != written and not ours:
        return Standing.FOREIGN
    return Standing.LIFT if wanted is None else Standing.SET


def _place(resource: str) -> int:
    return RESOURCES.index(resource)
