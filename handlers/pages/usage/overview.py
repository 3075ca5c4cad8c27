"""What was used: one's own, a tenant's, the whole cluster's."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from handlers.access import Who
from handlers.ask import Ask, Page, Values
from handlers.costs_so_far import so_far
from handlers.pages.notebooks.money import in_money
from handlers.pages.usage import figures
from handlers.pages.usage.burn_down import burn_down
from handlers.pages.usage.rows import Row, row_of
from handlers.pages.usage.wanted import (
    SHOWS,
    ClusterWanted,
    PageWanted,
    api_address,
    periods,
    runs_path,
    time_group,
)
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.job import Job
from kqi_hub.domain.people import Role
from kqi_hub.domain.usage import Capacity, Days, Group, Measured, UsageTable
from kqi_hub.domain.usage_periods import said_day
from kqi_hub.i18n import N_
from kqi_hub.services.usage import Asked, Of, RunsWanted
from kqi_hub.services.usage_now import RunningNow, idle_gpus, running_now

routes = Routes(tag=N_("Usage"))
_ERRORS: Final = (InvalidInput, NotFound)
_LAST_RUNS: Final = 10
_TOP: Final = 12
# By what each page adds up, below its chart; the query's name of each, and its title.
_TITLES: Final = {
    Group.QUEUE: ("queue", N_("By queue")),
    Group.KIND: ("kind", N_("By kind")),
    Group.PERSON: ("person", N_("By person")),
    Group.TENANT: ("account", N_("By tenant")),
    Group.QOS: ("qos", N_("By QOS")),
    Group.GPU_TYPE: ("gpu_type", N_("By GPU type")),
}
_GROUPS: Final = {
    Of.MINE: (Group.QUEUE, Group.KIND),
    Of.TENANT: (Group.PERSON, Group.QUEUE, Group.KIND, Group.GPU_TYPE),
    Of.CLUSTER: (
        *(Group.TENANT, Group.PERSON, Group.QUEUE),
        *(Group.GPU_TYPE, Group.QOS, Group.KIND),
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A table below the chart; `name` is what its rows narrow in the address."""

    name: str
    title: str
    rows: list[figures.Ranked]
    more: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a page of use is drawn from."""

    asked: Asked
    days: Days
    tables: tuple[UsageTable, ...]
    runs: tuple[Row, ...]
    running: RunningNow
    measured: Measured | None = None


@routes.get("/usage", Spec(query=PageWanted, errors=_ERRORS))
async def show_own_usage(ask: Ask) -> Page:
    """Show what you used and what it cost."""
    me = ask.me.person
    found = await _found(
        ask, ask.query(PageWanted), Of.MINE, lambda job: job.user == me
    )
    return await _page(ask, "pages/usage/mine.html", found)


@routes.get("/usage/tenant", Spec(who=Who.MANAGER, query=PageWanted, errors=_ERRORS))
async def show_tenant_usage(ask: Ask) -> Page:
    """Show what a tenant used, who of it, and what is left of its budget."""
    tenant = ask.tenant
    found = await _found(
        ask, ask.query(PageWanted), Of.TENANT, lambda job: job.account == tenant
    )
    budget = await ask.deps.budgets.left(ask.asker, tenant or "")
    said = burn_down(ask, budget)
    return await _page(ask, "pages/usage/tenant.html", found, lambda: {"budget": said})


@routes.get(
    "/usage/cluster", Spec(who=Who.OPERATOR, query=ClusterWanted, errors=_ERRORS)
)
async def show_cluster_usage(ask: Ask) -> Page:
    """Show the use of the cluster against what it has, and what goes to waste."""
    wanted, usage = ask.query(ClusterWanted), ask.deps.usage
    found = await _found(ask, wanted, Of.CLUSTER, lambda _: True)
    picture = await ask.deps.queues.board.current()
    slots = figures.slot_days(found.tables[0], found.days)
    capacity = await usage.capacity((*slots, found.days))
    runaways = await usage.runaways(ask.asker, {job.job_id for job in picture.jobs})

    def more() -> Values:
        gpus = idle_gpus(picture.nodes)
        by_type = {row.key: row.totals.gpu_s for row in found.tables[4].rows}
        return {
            "idle": gpus,
            "idle_now": sum(one.idle for one in gpus),
            "against": _against(ask, found, capacity[-1], by_type),
            "runaways": [row_of(ask, run) for run in runaways],
        }

    line = figures.capacity_hours(capacity[:-1], wanted.show)
    return await _page(ask, "pages/usage/cluster.html", found, more, line)


async def _found(
    ask: Ask, wanted: PageWanted, of: Of, is_meant: Callable[[Job], bool]
) -> Found:
    usage, asked = ask.deps.usage, wanted.asked_as(of, ask)
    days = wanted.days(ask)
    groups = (time_group(days), *_GROUPS[of])
    tables = await usage.tables(ask.asker, asked, days, groups)
    page = await usage.runs(ask.asker, asked, days, RunsWanted(limit=_LAST_RUNS))
    measured = (
        None if of is Of.CLUSTER else await usage.measured(ask.asker, asked, days)
    )
    picture = await ask.deps.queues.board.current()
    running = running_now(picture, ask.deps.queues.pricing, time.time(), is_meant)
    runs = tuple(row_of(ask, run) for run in await so_far(ask, page.runs, days))
    return Found(asked, days, tables, runs, running, measured)


async def _page(
    ask: Ask,
    template: str,
    found: Found,
    more: Callable[[], Values] = dict,
    line: tuple[float, ...] = (),
) -> Page:
    state = await ask.deps.usage.intake()
    wanted = ask.query(PageWanted)
    over_time, *others = found.tables

    def values() -> Values:
        total = over_time.total
        said = figures.sentences(ask, total, found.days, found.measured)
        return {
            "wanted": wanted,
            "first": said_day(found.days.first),
            "last": said_day(found.days.last),
            "zone": ask.deps.usage.days.zone,
            "periods": periods(ask, wanted),
            "shows": [(name, ask.texts.say(word)) for name, word in SHOWS.items()],
            "state": state,
            "is_empty": not any(total) and not found.runs,
            "cards": figures.cards(ask, total),
            "sentences": [*said, *_now(ask, found.running)],
            "chart": figures.chart(ask, over_time, found.days, wanted.show, line),
            "parts": [_part(ask, table, wanted.show) for table in others],
            "runs": found.runs,
            "of": found.asked.of.value,
            "runs_path": runs_path(ask, wanted, found.asked.of),
            "csv_use": api_address(
                ask, "usage/csv", found.asked, found.days, by=over_time.group.value
            ),
            "csv_runs": api_address(ask, "usage/runs/csv", found.asked, found.days),
            "tabs": tabs(ask),
            **more(),
        }

    return Page(template, values)


def tabs(ask: Ask) -> list[tuple[str, str]]:
    """Return the pages of use that somebody may open, with their names."""
    say, tenant = ask.texts.say, ask.tenant
    found = [("usage", say(N_("Mine")))]
    role = None if tenant is None else ask.asker.role_in(tenant)
    if tenant is not None and role is Role.MANAGER:
        found.append(("usage/tenant", say(N_("Tenant {tenant}"), {"tenant": tenant})))
    if ask.me.is_operator:
        found.append(("usage/cluster", say(N_("Cluster"))))
    if role is Role.MANAGER or ask.me.is_operator:
        found.append(("usage/bills", say(N_("Bills"))))
    if ask.me.is_operator:
        found.append(("usage/months", say(N_("Months"))))
        found.append(("usage/rates", say(N_("Rates"))))
    return found


def _now(ask: Ask, running: RunningNow) -> list[str]:
    """Return what is said of the jobs that run: they are in no sum yet."""
    if not running.jobs:
        return []
    text = N_(
        "Jobs that run now: {count}. So far they cost {cost}, not in these sums yet."
    )
    cost = in_money(ask, running.cost)
    return [ask.texts.say(text, {"count": str(running.jobs), "cost": cost})]


def _part(ask: Ask, table: UsageTable, show: str) -> Part:
    name, title = _TITLES[table.group]
    rows = figures.ranked(ask, table, show)
    return Part(name, ask.texts.say(title), rows[:_TOP], max(0, len(rows) - _TOP))


def _against(
    ask: Ask, found: Found, capacity: Capacity, by_type: dict[str, int]
) -> list[tuple[str, int, str, str]]:
    """Return use beside what there was: name, percent, used and there, in hours."""
    total = found.tables[0].total
    whole = [
        (ask.texts.say(N_("CPUs")), total.cpu_s, capacity.cpu_s),
        (ask.texts.say(N_("GPUs")), total.gpu_s, capacity.gpu_s),
        *(
            (f"GPU {kind}", by_type.get(kind, 0), there)
            for kind, there in capacity.by_type
        ),
    ]
    return [
        (name, min(100, figures.percent(used, there)), *_both(ask, used, there))
        for name, used, there in whole
        if there
    ]


def _both(ask: Ask, used: int, there: int) -> tuple[str, str]:
    return figures.hours(ask, used), figures.hours(ask, there)
