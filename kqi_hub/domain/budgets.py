"""What a tenant may spend in a month, and what it may have at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from kqi_hub.domain.amounts import GPU
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.money import MB_PER_GB, MICRO, Price, amount_said
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.site_days import Period

# At each of these percent of a budget its tenant is told so, once a month.
STEPS: Final = (50, 80, 90, 100)
MOST_AMOUNT: Final = 10**12 * MICRO
MOST_OF_ANYTHING: Final = 10**8
_AMOUNT: Final = re.compile(r"(0|[1-9]\d{0,11})(\.\d{1,6})?", re.ASCII)
_PERIOD: Final = re.compile(r"(\d{4})-?(0[1-9]|1[0-2])", re.ASCII)
_LONGEST_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Budget:
    """What a tenant may spend in a month, and what that month has cost it so far.

    `amount` None is no budget. `spent` is the bill so far and `running` the cost of
    jobs that have not ended, which stand in no bill yet: provisional.
    """

    tenant: str
    period: Period
    amount: int | None = None
    spent: int = 0
    running: int = 0

    @property
    def used(self) -> int:
        """Return the money that is gone, running jobs included."""
        return max(0, self.spent + self.running)

    @property
    def left(self) -> int | None:
        """Return what may still be spent, below nothing where it was too much."""
        return None if self.amount is None else self.amount - self.used

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is left."""
        return self.left is not None and self.left <= 0

    @property
    def percent(self) -> int | None:
        """Return the part that is gone, in whole percent, cut off."""
        if self.amount is None:
            return None
        return 100 if self.amount == 0 else 100 * self.used // self.amount

    @property
    def steps(self) -> tuple[int, ...]:
        """Return the steps that are reached."""
        percent = self.percent
        return () if percent is None else tuple(s for s in STEPS if s <= percent)

    def lasts_until(self, now: float, begins: float) -> float | None:
        """Return when nothing will be left, if money goes on as it has this month.

        None without a budget, and where nothing has been spent yet.
        """
        left, passed = self.left, now - begins
        if left is None or self.used <= 0 or passed <= 0:
            return None
        return now + max(0, left) * passed / self.used


@dataclass(frozen=True, slots=True)
class TenantQuota:
    """What a tenant may have at once; 0 is without limit, as people read it."""

    cpus: int = 0
    memory_gb: int = 0
    gpus: int = 0

    def __post_init__(self) -> None:
        for name in ("cpus", "memory_gb", "gpus"):
            if not 0 <= getattr(self, name) <= MOST_OF_ANYTHING:
                raise InvalidInput(
                    "{field}: {value} is no quota.",
                    "Write a whole number, 0 for no limit.",
                    field=name,
                    value=getattr(self, name),
                )

    def limits(self) -> Mapping[str, int | None]:
        """Return it by Slurm's names of resources, None for no limit."""
        memory_mb = self.memory_gb * MB_PER_GB
        return {
            "cpu": self.cpus or None,
            "mem": memory_mb or None,
            GPU: self.gpus or None,
        }


class Warned(NamedTuple):
    """A step that a tenant's month reached, and when that was seen."""

    tenant: str
    period: Period
    percent: int
    at: float


class BudgetStore(Protocol):
    """Budgets, quotas and warnings at rest. Every method blocks."""

    def amounts(self, period: Period) -> Mapping[str, int]:
        """Return the budgets that hold in a month, by tenant."""

    def billed(self, period: Period) -> Mapping[str, int]:
        """Return what the lines of a month come to, by tenant."""

    def set_amount(
        self, tenant: str, from_period: Period, amount: int | None, by: str, at: float
    ) -> int | None:
        """Set a budget from a month on; return what held there before."""

    def quotas(self) -> Mapping[str, TenantQuota]:
        """Return the quotas that were set, by tenant."""

    def set_quota(
        self, tenant: str, quota: TenantQuota, by: str, at: float
    ) -> TenantQuota | None:
        """Set a quota; return what was set before."""

    def warn(self, tenant: str, period: Period, percent: int, at: float) -> bool:
        """Note that a step is reached; False if it was noted before."""

    def warnings(self, period: Period) -> tuple[Warned, ...]:
        """Return the steps that were reached in a month, the latest first."""


class BudgetGate(Protocol):
    """What is asked before a job is submitted. All block, seldom for long."""

    def objection(self, tenant: str, price: Price | None) -> Phrase | None:
        """Say why a tenant's money does not allow a job of this price."""

    def caution(
        self, tenant: str, price: Price | None, lasts_s: int | None
    ) -> Phrase | None:
        """Say what to know of a tenant's money before a job that may last so long."""

    def told(self, tenant: str) -> tuple[int, Phrase] | None:
        """Return the last step that a tenant's month has reached, and a sentence."""

    def left(self, tenant: str) -> int | None:
        """Return what a tenant has left this month; None without a budget."""


def amount_of(text: str) -> int:
    """Return an amount of money as people write it, `1200.50`, in millionths."""
    if _AMOUNT.fullmatch(text) is None:
        raise InvalidInput(
            "{text} is no amount of money.",
            "Write digits, and at most 6 after a point, such as 1200.50.",
            text=repr(text[:_LONGEST_SHOWN]),
        )
    return int(Decimal(text) * MICRO)


def amount_text(amount: int) -> str:
    """Return millionths as `amount_of` takes them, without zeros that say nothing."""
    return amount_said(amount).replace(",", "")


def period_named(text: str) -> Period:
    """Return the month of `2026-11` or `202611`."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise InvalidInput(
            "{text} is no month.",
            "Write year and month, such as 2026-11.",
            text=repr(text[:_LONGEST_SHOWN]),
        )
    return int(found[1]) * 100 + int(found[2])


def period_text(period: Period) -> str:
    """Return a month as 2026-11."""
    return f"{period // 100:04d}-{period % 100:02d}"
