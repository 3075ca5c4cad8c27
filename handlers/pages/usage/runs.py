"""The runs behind the sums; one of them with all that its cost is made of."""

from typing import Final

from handlers.api.usage_models import said_place
from handlers.ask import Ask, Page, Values
from handlers.costs_so_far import so_far
from handlers.pages.notebooks.money import in_exact_money
from handlers.pages.usage.overview import tabs
from handlers.pages.usage.rows import line_of, prices_of, row_of
from handlers.pages.usage.wanted import RunsPageWanted, api_address, periods
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.usage_periods import said_day
from kqi_hub.domain.usage_top import Top
from kqi_hub.i18n import N_
from kqi_hub.services.usage import Of
from kqi_hub.services.what_ran import what_ran

routes = Routes(tag=N_("Usage"))
_PER_PAGE: Final = 50
_TOPS: Final = {
    Top.COST: N_("Dearest runs"),
    Top.FAILED_GPU: N_("Most failed GPU hours"),
    Top.WAIT: N_("Longest waits"),
}


@routes.get("/usage/runs", Spec(query=RunsPageWanted, errors=(InvalidInput, NotFound)))
async def list_runs(ask: Ask) -> Page:
    """List the runs behind the sums, with what each cost."""
    wanted, usage = ask.query(RunsPageWanted), ask.deps.usage
    asked, days = wanted.asked_as(Of(wanted.of), ask), wanted.days(ask)
    found = await usage.runs(ask.asker, asked, days, wanted.runs(_PER_PAGE))
    runs = await so_far(ask, found.runs, days)

    def values() -> Values:
        failed = {"failed": "true"} if wanted.failed else {}
        return {
            "wanted": wanted,
            "of": wanted.of,
            "first": said_day(days.first),
            "last": said_day(days.last),
            "periods": periods(ask, wanted),
            "runs": [row_of(ask, run) for run in runs],
            "following": said_place(found.following),
            "csv_runs": api_address(ask, "usage/runs/csv", asked, days, **failed),
            "tabs": tabs(ask),
        }

    return Page("pages/usage/runs.html", values)


@routes.get("/usage/top", Spec(query=RunsPageWanted, errors=(InvalidInput, NotFound)))
async def list_top_runs(ask: Ask) -> Page:
    """List the dearest runs, failed GPU hours and longest waits of some days."""
    wanted, usage = ask.query(RunsPageWanted), ask.deps.usage
    asked, days = wanted.asked_as(Of(wanted.of), ask), wanted.days(ask)
    found = await usage.top(ask.asker, asked, days)

    def values() -> Values:
        lists = [
            (ask.texts.say(_TOPS[one.by]), [row_of(ask, run) for run in one.runs])
            for one in found
            if one.runs
        ]
        return {
            "wanted": wanted,
            "of": wanted.of,
            "first": said_day(days.first),
            "last": said_day(days.last),
            "periods": periods(ask, wanted),
            "lists": lists,
            "tabs": tabs(ask),
        }

    return Page("pages/usage/top.html", values)


@routes.get(
    "/usage/runs/{run_id}", Spec(errors=(NotFound,), example_path={"run_id": "1"})
)
async def show_run(ask: Ask) -> Page:
    """Show a run: its record, each line that its cost is made of, its script."""
    run, entries = await ask.deps.usage.run(ask.asker, ask.number("run_id"))
    [run] = await so_far(ask, [run])
    ran = await what_ran(ask.deps.runs, ask.asker, run)

    def values() -> Values:
        return {
            "row": row_of(ask, run),
            "run": run,
            "record": run.record,
            "lines": [line_of(ask, run, entry) for entry in entries],
            "prices": prices_of(ask, run, entries),
            "total": in_exact_money(ask, run.amount),
            "ran": ran,
            "is_mine": run.record.user == ask.me.person,
            "tabs": tabs(ask),
        }

    return Page("pages/usage/run.html", values)
