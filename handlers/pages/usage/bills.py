"""Bills of tenants, and the statement of a month, which prints well."""

from dataclasses import dataclass
from typing import Final

from handlers.access import Who
from handlers.api.bills import statement_of
from handlers.ask import Ask, Page, Values
from handlers.pages.jobs.words import KINDS
from handlers.pages.notebooks.money import in_exact_money, in_money
from handlers.pages.usage.figures import hours
from handlers.pages.usage.overview import tabs
from handlers.route import Routes, Spec
from kqi_hub.domain.bills import Bill, Position
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.own_jobs import JobKind
from kqi_hub.domain.usage_periods import month_days, said_day, said_period
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Usage"))
_ALL_MONTHS: Final = (200_001, 210_012)
_EXAMPLE: Final = {"tenant": "vision", "period": "2026-10"}


@dataclass(frozen=True, slots=True)
class BillRow:
    """A bill in one line."""

    period: str
    tenant: str
    charged: str
    corrected: str
    credited: str
    total: str
    closed_at: float | None


@dataclass(frozen=True, slots=True)
class PositionRow:
    """A position of a bill."""

    person: str
    queue: str
    kind: str
    runs: int
    gpu: str
    cpu: str
    amount: str


@routes.get("/usage/bills", Spec())
async def list_bills(ask: Ask) -> Page:
    """List the bills of the tenants that you manage."""
    found = await ask.deps.bills.list(ask.asker, None, *_ALL_MONTHS)

    def values() -> Values:
        return {"rows": [_row(ask, bill) for bill in found], "tabs": tabs(ask)}

    return Page("pages/usage/bills.html", values)


@routes.get(
    "/usage/bills/{tenant}/{period}",
    Spec(who=Who.MANAGER, errors=(InvalidInput, NotFound), example_path=_EXAMPLE),
)
async def show_bill(ask: Ask) -> Page:
    """Show a tenant's bill of a month, with all that adds up to it."""
    found = await statement_of(ask)
    bill, month = found.bill, month_days(found.bill.period)

    def values() -> Values:
        return {
            "bill": _row(ask, bill),
            "first": said_day(month.first),
            "last": said_day(month.last),
            "zone": ask.deps.usage.days.zone,
            "positions": [
                _position(ask, one) for one in found.positions if not one.earlier
            ],
            "earlier": [_position(ask, one) for one in found.positions if one.earlier],
            "credits": [
                (said_day(one.day), one.reason, one.author, in_money(ask, one.amount))
                for one in found.credits
            ],
            "exact": in_exact_money(ask, bill.total),
            "tabs": tabs(ask),
        }

    return Page("pages/usage/bill.html", values)


def _row(ask: Ask, bill: Bill) -> BillRow:
    return BillRow(
        period=said_period(bill.period),
        tenant=bill.tenant,
        charged=in_money(ask, bill.charged),
        corrected=in_money(ask, bill.corrected),
        credited=in_money(ask, bill.credited),
        total=in_money(ask, bill.total),
        closed_at=bill.closed_at,
    )


def _position(ask: Ask, one: Position) -> PositionRow:
    is_known = one.kind in set(JobKind)
    return PositionRow(
        person=one.person,
        queue=one.queue,
        kind=ask.texts.say(KINDS[JobKind(one.kind)]) if is_known else one.kind,
        runs=one.runs,
        gpu=hours(ask, one.gpu_s),
        cpu=hours(ask, one.cpu_s),
        amount=in_money(ask, one.amount),
    )
