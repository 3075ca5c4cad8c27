"""What a tenant's money has to say before a job is submitted."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from kqi_hub.domain.budgets import Budget, period_text
from kqi_hub.domain.money import Money, Price
from kqi_hub.domain.phrase import Phrase

# So old may be what a job is judged by: every form asks, and seldom is anything new.
KEPT_S: Final = 5.0
_CAUTION_PERCENT: Final = 80


class Purse:
    """A BudgetGate (domain/budgets.py): one reading of the money serves everybody.

    Where it does not refuse, an empty budget is told of as a caution.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, Budget]],
        currency: str = "",
        *,
        refuses: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._currency = currency
        self._refuses = refuses
        self._clock = clock
        self._one_reader = threading.Lock()
        self._known: Mapping[str, Budget] = {}
        self._read_at: float | None = None

    def objection(self, tenant: str, price: Price | None) -> Phrase | None:
        """Say why a tenant's money does not allow a job of this price. Blocks."""
        if not self._refuses or price is None or price.is_free:
            return None
        found = self._lately().get(tenant)
        return self._empty(found) if found is not None and found.is_empty else None

    def caution(
        self, tenant: str, price: Price | None, lasts_s: int | None
    ) -> Phrase | None:
        """Say what to know of a tenant's money before such a job. Blocks."""
        if price is None or price.is_free:
            return None
        found = self._lately().get(tenant)
        if found is None or found.left is None or found.percent is None:
            return None
        if found.is_empty:
            return None if self._refuses else self._empty(found)
        if lasts_s is not None and price.cost(lasts_s) > found.left:
            return Phrase(
                "In its whole time this costs up to {cost}, and tenant {tenant} has "
                "{left} left for {month}: Slurm may let it wait for the next month.",
                cost=self._money(price.cost(lasts_s)),
                tenant=tenant,
                left=self._money(found.left),
                month=period_text(found.period),
            )
        return self._nearly(found) if found.percent >= _CAUTION_PERCENT else None

    def told(self, tenant: str) -> tuple[int, Phrase] | None:
        """Return the last step that a month has reached, and a sentence. Blocks."""
        found = self._lately().get(tenant)
        if found is None or not found.steps:
            return None
        said = self._empty(found) if found.is_empty else self._nearly(found)
        return found.steps[-1], said

    def left(self, tenant: str) -> int | None:
        """Return what a tenant has left this month; None without a budget. Blocks."""
        found = self._lately().get(tenant)
        return None if found is None else found.left

    def _lately(self) -> Mapping[str, Budget]:
        """Return the money as it was a moment ago."""
        with self._one_reader:
            at, now = self._read_at, self._clock()
            if at is None or now - at >= KEPT_S:
                self._known, self._read_at = self._read(), now
            return self._known

    def _nearly(self, found: Budget) -> Phrase:
        return Phrase(
            "Tenant {tenant} has used {percent} % of its budget for {month}. "
            "Left: {left}.",
            tenant=found.tenant,
            percent=found.percent,
            month=period_text(found.period),
            left=self._money(found.left or 0),
        )

    def _empty(self, found: Budget) -> Phrase:
        return Phrase(
            "Tenant {tenant} has used up its budget for {month}: {used} of {amount}. "
            "Free queues stay open; an operator can raise the budget.",
            tenant=found.tenant,
            month=period_text(found.period),
            used=self._money(found.used),
            amount=self._money(found.amount or 0),
        )

    def _money(self, amount: int) -> Money:
        return Money(amount, self._currency)
