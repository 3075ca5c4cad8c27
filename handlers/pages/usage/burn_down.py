"""A tenant's budget of this month, and how long it lasts at this rate."""

import time
from dataclasses import dataclass

from handlers.ask import Ask
from handlers.pages.notebooks.money import in_money
from kqi_hub.domain.budgets import Budget
from kqi_hub.domain.usage_periods import said_period

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class BurnDown:
    """A budget in words; `amount` is empty without one, `days_left` None where unknown.

    `holds`: at this rate it is not empty before the month ends.
    """

    month: str
    amount: str
    used: str
    left: str
    running: str
    percent: int
    days_left: int | None
    holds: bool


def burn_down(ask: Ask, budget: Budget) -> BurnDown:
    """Return a budget as the page of its tenant shows it."""
    days, now = ask.deps.usage.days, time.time()
    ends = days.month_ends(budget.period)
    empty_at = budget.lasts_until(now, days.month_begins(budget.period))
    left_s = None if empty_at is None else max(0.0, empty_at - now)
    return BurnDown(
        month=said_period(budget.period),
        amount="" if budget.amount is None else in_money(ask, budget.amount),
        used=in_money(ask, budget.used),
        left=in_money(ask, budget.left or 0),
        running=in_money(ask, budget.running) if budget.running else "",
        percent=budget.percent or 0,
        days_left=None if left_s is None else int(left_s // _DAY_S),
        holds=empty_at is not None and empty_at >= ends,
    )
