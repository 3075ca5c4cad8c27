"""Use: added up by anything, the runs behind it, as JSON and for spreadsheets."""

from typing import Final

from handlers import usage_files
from handlers.access import Who
from handlers.api import usage_models as shown
from handlers.ask import Ask, Listing, Plain
from handlers.costs_so_far import so_far
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.usage import Group
from kqi_hub.domain.usage_periods import said_day
from kqi_hub.i18n import N_
from kqi_hub.services.usage import Asked, Of
from kqi_hub.services.what_ran import what_ran

routes = Routes("/api/v1", tag=N_("Usage"))
_CSV: Final = "text/csv"
_ERRORS: Final = (InvalidInput, NotFound)


@routes.get(
    "/usage", Spec(query=shown.WantedTable, answer=shown.UsageAnswer, errors=_ERRORS)
)
async def add_up_usage(ask: Ask) -> Listing:
    """Add up what was used: by day, month, queue, person, tenant, kind, GPU type."""
    sent = ask.query(shown.WantedTable)
    asked, days = sent.asked(ask), sent.days(ask)
    usage = ask.deps.usage
    [table] = await usage.tables(ask.asker, asked, days, [Group(sent.by)])
    state = await usage.intake()
    return Listing(
        lambda: shown.UsageAnswer(
            of=sent.of,
            tenant=asked.tenant,
            first=said_day(days.first),
            last=said_day(days.last),
            time_zone=usage.days.zone,
            currency=currency(ask),
            by=sent.by,
            rows=shown.lines(table),
            total=shown.sums(table.total),
            intake=shown.intake(state),
        )
    )


@routes.get(
    "/usage/csv",
    Spec(query=shown.WantedTable, plain=True, plain_type=_CSV, errors=_ERRORS),
)
async def download_usage(ask: Ask) -> Plain:
    """Add up what was used, as a file for spreadsheets."""
    return await usage_file(ask, ask.query(shown.WantedTable))


@routes.get(
    "/usage/runs", Spec(query=shown.WantedRuns, answer=shown.RunList, errors=_ERRORS)
)
async def list_used_runs(ask: Ask) -> Listing:
    """List the runs behind the sums, submitted by hand too, with what each cost."""
    sent = ask.query(shown.WantedRuns)
    days = sent.days(ask)
    found = await ask.deps.usage.runs(ask.asker, sent.asked(ask), days, sent.runs())
    runs = await so_far(ask, found.runs, days)
    return Listing(
        lambda: shown.RunList(
            first=said_day(days.first),
            last=said_day(days.last),
            currency=currency(ask),
            runs=tuple(map(shown.run, runs)),
            following=shown.said_place(found.following),
        )
    )


@routes.get(
    "/usage/top", Spec(query=shown.WantedTop, answer=shown.TopAnswer, errors=_ERRORS)
)
async def list_top_runs(ask: Ask) -> Listing:
    """List the dearest runs, failed GPU hours and longest waits of some days."""
    sent = ask.query(shown.WantedTop)
    days, usage = sent.days(ask), ask.deps.usage
    found = await usage.top(ask.asker, sent.asked(ask), days, sent.limit)
    return Listing(
        lambda: shown.TopAnswer(
            first=said_day(days.first),
            last=said_day(days.last),
            currency=currency(ask),
            lists=tuple(
                shown.TopRuns(by=one.by.value, runs=tuple(map(shown.run, one.runs)))
                for one in found
            ),
        )
    )


@routes.get(
    "/usage/runs/csv",
    Spec(query=shown.WantedRunFile, plain=True, plain_type=_CSV, errors=_ERRORS),
)
async def download_used_runs(ask: Ask) -> Plain:
    """List the runs behind the sums, as a file for spreadsheets."""
    return await runs_file(ask, ask.query(shown.WantedRunFile))


@routes.get(
    "/usage/samples/csv",
    Spec(
        who=Who.OPERATOR,
        query=shown.WantedSamples,
        plain=True,
        plain_type=_CSV,
        errors=_ERRORS,
    ),
)
async def download_samples(ask: Ask) -> Plain:
    """Tell what ran on which node at each full hour, as a file for spreadsheets."""
    sent, usage = ask.query(shown.WantedSamples), ask.deps.usage
    days = sent.days(ask)
    asked = Asked(Of.CLUSTER, sent.tenant)
    found, zone = await usage.samples(ask.asker, asked, days), usage.days.zone
    name = f"samples-{said_day(days.first)}-{said_day(days.last)}.csv"
    return Plain(lambda: usage_files.sample_file(found, zone, sent.header), name)


@routes.get(
    "/usage/runs/{run_id}",
    Spec(answer=shown.RunDetails, errors=(NotFound,), example_path={"run_id": "1"}),
)
async def show_used_run(ask: Ask) -> shown.RunDetails:
    """Show a run with every line that its cost is made of."""
    run, entries = await ask.deps.usage.run(ask.asker, ask.number("run_id"))
    [run] = await so_far(ask, [run])
    return shown.RunDetails(
        currency=currency(ask),
        run=shown.run(run),
        lines=tuple(map(shown.line, entries)),
        ran=shown.ran(await what_ran(ask.deps.runs, ask.asker, run)),
    )


async def usage_file(ask: Ask, sent: shown.WantedTable) -> Plain:
    """Return use added up as a file."""
    days, by = sent.days(ask), Group(sent.by)
    [table] = await ask.deps.usage.tables(ask.asker, sent.asked(ask), days, [by])
    name = f"usage-{sent.by}-{said_day(days.first)}-{said_day(days.last)}.csv"
    return Plain(lambda: usage_files.table_file(table, currency(ask)), name)


async def runs_file(ask: Ask, sent: shown.WantedRunFile) -> Plain:
    """Return runs as a file."""
    days, usage = sent.days(ask), ask.deps.usage
    found = await usage.all_runs(ask.asker, sent.asked(ask), days, sent.runs())
    zone = usage.days.zone
    name = f"runs-{said_day(days.first)}-{said_day(days.last)}.csv"

    def text() -> str:
        return usage_files.run_file(found, currency(ask), zone, sent.header)

    return Plain(text, name)


def currency(ask: Ask) -> str:
    """Return the site's currency."""
    return ask.deps.queues.pricing.billing.currency
