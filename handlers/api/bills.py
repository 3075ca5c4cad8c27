"""Bills of tenants: what a month comes to, and what it is made of."""

from typing import Final

from pydantic import Field

from handlers import usage_files
from handlers.access import Who
from handlers.api.usage import currency
from handlers.api.usage_models import BookLine, line
from handlers.ask import Ask, Listing, Plain
from handlers.route import Model, Routes, Spec
from kqi_hub.domain import bills as domain
from kqi_hub.domain.errors import InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.usage_periods import read_period, said_period
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Usage"))
_ERRORS: Final = (InvalidInput, NotFound, NotPermitted)
_EXAMPLE: Final = {"period": "2026-10", "tenant": "vision"}


class WantedBills(Model):
    """Whose bills, of which months."""

    tenant: str | None = Field(
        None, max_length=64, description="One tenant; all that you manage if left out."
    )
    since: str = Field("2000-01", max_length=7, description="First month: 2026-01.")
    until: str = Field("2100-12", max_length=7, description="Last month, it too.")


class Bill(Model):
    """What a month comes to. Amounts are millionths of the currency's unit."""

    period: str = Field(description="The month.")
    tenant: str = Field(description="Who is charged.")
    charged_micro: int = Field(description="For use.")
    corrected_micro: int = Field(description="Corrections, of earlier months too.")
    credited_micro: int = Field(description="Credits; negative: in favour.")
    total_micro: int = Field(description="What is to be paid.")
    closed_at: float | None = Field(
        description="When it became final; none: it still grows."
    )


class BillList(Model):
    """Bills, the newest month first."""

    currency: str = Field(description="The currency of amounts.")
    bills: tuple[Bill, ...] = Field(description="The bills.")


class Position(Model):
    """What a person's runs of a kind in a queue come to."""

    person: str = Field(description="Whose runs.")
    queue: str = Field(description="In which queue.")
    kind: str = Field(description="Of which kind.")
    earlier: bool = Field(description="Whether it is use of a month closed before.")
    runs: int = Field(description="How many runs.")
    seconds: int = Field(description="How long they had their nodes.")
    cpu_s: int = Field(description="CPUs times seconds.")
    gpu_s: int = Field(description="GPUs times seconds.")
    amount_micro: int = Field(description="What they come to.")


class StatementAnswer(Model):
    """A bill, and what it is made of: positions and credits add up to it."""

    currency: str = Field(description="The currency of amounts.")
    bill: Bill = Field(description="The bill.")
    positions: tuple[Position, ...] = Field(description="The dearest first.")
    credits: tuple[BookLine, ...] = Field(description="Credits with their reasons.")


@routes.get("/bills", Spec(query=WantedBills, answer=BillList, errors=_ERRORS))
async def list_bills(ask: Ask) -> Listing:
    """List the bills of tenants that you manage; operators those of all."""
    sent = ask.query(WantedBills)
    since, until = read_period(sent.since), read_period(sent.until)
    found = await ask.deps.bills.list(ask.asker, sent.tenant, since, until)
    return Listing(
        lambda: BillList(currency=currency(ask), bills=tuple(map(bill, found)))
    )


@routes.get(
    "/tenants/{tenant}/bills/{period}",
    Spec(
        who=Who.MANAGER, answer=StatementAnswer, errors=_ERRORS, example_path=_EXAMPLE
    ),
)
async def show_bill(ask: Ask) -> Listing:
    """Show a tenant's bill of a month, and what it is made of."""
    found = await statement_of(ask)
    return Listing(
        lambda: StatementAnswer(
            currency=currency(ask),
            bill=bill(found.bill),
            positions=tuple(map(_position, found.positions)),
            credits=tuple(map(line, found.credits)),
        )
    )


@routes.get(
    "/tenants/{tenant}/bills/{period}/csv",
    Spec(
        who=Who.MANAGER,
        plain=True,
        plain_type="text/csv",
        errors=_ERRORS,
        example_path=_EXAMPLE,
    ),
)
async def download_bill(ask: Ask) -> Plain:
    """Show a tenant's bill of a month, as a file for spreadsheets."""
    return bill_file(ask, await statement_of(ask))


async def statement_of(ask: Ask) -> domain.Statement:
    """Return the bill that the path names."""
    period = read_period(ask.path["period"])
    return await ask.deps.bills.one(ask.asker, ask.path["tenant"], period)


def bill_file(ask: Ask, found: domain.Statement) -> Plain:
    """Return a bill as a file."""
    name = f"bill-{said_period(found.bill.period)}.csv"
    return Plain(lambda: usage_files.bill_file(found, currency(ask)), name)


def bill(one: domain.Bill) -> Bill:
    """Return a bill as JSON shows it."""
    return Bill(
        period=said_period(one.period),
        tenant=one.tenant,
        charged_micro=one.charged,
        corrected_micro=one.corrected,
        credited_micro=one.credited,
        total_micro=one.total,
        closed_at=one.closed_at,
    )


def _position(one: domain.Position) -> Position:
    known = one._asdict()
    known["amount_micro"] = known.pop("amount")
    return Position(**known)
