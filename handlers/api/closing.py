"""Close a month: ordered by an operator, carried out by the worker."""

from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.close_orders import CloseOrder
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.domain.usage_periods import read_period, said_period
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Usage"))
MOST_ACCEPTED: Final = 2**53
_EXAMPLE: Final = {"period": "2026-09"}


class Confirmed(Model):
    """The plan that was looked at."""

    confirmation: str = Field(max_length=64, description="That of the plan.")
    accepted_differences: int = Field(
        0,
        ge=0,
        le=MOST_ACCEPTED,
        description="So many differences from Slurm do not stand against it.",
    )


class Order(Model):
    """An order to close a month, and what has become of it."""

    period: str = Field(description="The month.")
    step: str = Field(
        description="waiting, reading, comparing, closing; or how it ended: closed, "
        "changed (a bill is another one: look at the plan again), differs (from Slurm, "
        "in more runs than were accepted), failed, canceled."
    )
    is_open: bool = Field(description="Whether the worker has still to do with it.")
    asked_by: str = Field(description="Who ordered it.")
    asked_at: float = Field(description="When.")
    changed_at: float = Field(description="When anything of it changed last.")
    read_percent: int = Field(description="How much of the month was read once more.")
    runs_read: int = Field(description="Runs that were read once more.")
    runs_changed: int = Field(description="How many of them were new, or had changed.")
    differences: int | None = Field(
        description="Differences between book and Slurm; none: not compared yet."
    )
    why: str = Field(description="Why it failed.")


@routes.post(
    "/ledger/months/{period}/close",
    Spec(
        who=Who.OPERATOR,
        body=Confirmed,
        answer=Order,
        status=202,
        errors=(InvalidInput, Conflict),
        example_path=_EXAMPLE,
        # That of a month without a bill.
        example={"confirmation": "2ab5f99023c354ff"},
    ),
)
async def order_close(ask: Ask) -> Order:
    """Have a month closed: it is read from Slurm once more, compared, then closed."""
    sent, period = ask.body(Confirmed), read_period(ask.path["period"])
    found = await ask.deps.closing.order(
        ask.asker, period, sent.confirmation, sent.accepted_differences
    )
    return order_of(ask, found)


@routes.delete(
    "/ledger/months/{period}/close",
    Spec(
        who=Who.OPERATOR,
        answer=Order,
        errors=(InvalidInput, NotFound, Conflict),
        example_path={"period": "2026-08"},
    ),
)
async def cancel_close(ask: Ask) -> Order:
    """Take back an order to close a month; the month stays open."""
    period = read_period(ask.path["period"])
    return order_of(ask, await ask.deps.closing.cancel(ask.asker, period))


def order_of(ask: Ask, order: CloseOrder) -> Order:
    """Return an order as programs read it."""
    asked = order.asked
    return Order(
        period=said_period(asked.period),
        step=order.step.value,
        is_open=order.is_open,
        asked_by=asked.author,
        asked_at=order.asked_at,
        changed_at=order.changed_at,
        read_percent=read_percent(order, ask.deps.ledger.days),
        runs_read=order.runs_read,
        runs_changed=order.runs_changed,
        differences=order.differences,
        why=ask.texts.phrase(order.reason),
    )


def read_percent(order: CloseOrder, days: SiteDays) -> int:
    """Return how much of its month was read once more."""
    begins = days.month_begins(order.asked.period)
    whole = days.month_ends(order.asked.period) - begins
    return 100 * ((order.read_to or begins) - begins) // whole
