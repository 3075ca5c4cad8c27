"""Everything that pages ask of use, bills and runs, over days and years."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Final

from sqlalchemy import Engine

from benchmarks.report_history import CLUSTER, DAYS, NOW, person, tenant
from kqi_hub.db.bills import SqlBillStore
from kqi_hub.db.usage import SqlUsageStore
from kqi_hub.db.usage_top import SqlRunsAndTops
from kqi_hub.domain.usage import Days, Group, Narrowing, Place, RunsAsked
from kqi_hub.domain.usage_top import Top, TopAsked

MINE: Final = (Group.QUEUE, Group.KIND)
TENANT: Final = (Group.PERSON, Group.QUEUE, Group.KIND, Group.GPU_TYPE)
ALL: Final = (
    *(Group.TENANT, Group.PERSON, Group.QUEUE),
    *(Group.GPU_TYPE, Group.QOS, Group.KIND),
)
TODAY: Final = DAYS.day_of(NOW - 1)
SPANS: Final = {
    "7 days": Days(TODAY - 6, TODAY),
    "this month": Days(TODAY - 17, TODAY),
    "100 days": Days(TODAY - 99, TODAY),
    "12 months": Days(TODAY - 364 + 19, TODAY),
    "3 years": Days(TODAY - 3 * 365 + 1, TODAY),
}
TOP_SPANS: Final = {
    **{name: SPANS[name] for name in ("7 days", "12 months")},
    "400 days of then": Days(TODAY - 800, TODAY - 401),
}
WHOSE: Final = {
    "a person": (Narrowing(person=person(1)), MINE),
    "a person in a queue": (Narrowing(person=person(1), queue="a100"), MINE),
    "a tenant": (Narrowing((tenant(1),)), TENANT),
    "the largest tenant": (Narrowing((tenant(0),)), TENANT),
    "the largest tenant in a queue": (Narrowing((tenant(0),), queue="a100"), TENANT),
    "everybody": (Narrowing(), ALL),
    "everybody in a queue": (Narrowing(queue="a100"), ALL),
    "everybody with a GPU": (Narrowing(gpu_type="v100"), ALL),
    "everybody's trainings": (Narrowing(kind="training"), ALL),
    "everybody's trainings in a queue": (
        Narrowing(queue="a100", kind="training"),
        ALL,
    ),
    "everybody of a rare QOS": (Narrowing(qos="urgent"), ALL),
}


@dataclass(frozen=True)
class Asked:
    """A question, and how to ask it; its answer is thrown away."""

    name: str
    ask: Callable[[], object]


# What sreport is asked, too.
SAME: Final = "everybody, 12 months"


def questions(engine: Engine) -> list[Asked]:
    """Return all of them."""
    return [*_tables(engine), *_bills(engine), *_runs(engine), *_tops(engine)]


def _tables(engine: Engine) -> list[Asked]:
    store = SqlUsageStore(engine, CLUSTER)

    def one(whose: Narrowing, span: Days, groups: tuple[Group, ...]) -> object:
        by = Group.DAY if span.number <= 100 else Group.MONTH
        return store.tables(whose, span, (by, *groups))

    found = [
        Asked(f"{who}, {when}", partial(one, whose, span, groups))
        for who, (whose, groups) in WHOSE.items()
        for when, span in SPANS.items()
    ]
    year = Days(TODAY - 399, TODAY)
    for who in ("a person", "the largest tenant in a queue", "everybody in a queue"):
        ask = partial(store.tables, WHOSE[who][0], year, (Group.DAY,))
        found.append(Asked(f"{who}, 400 days one by one", ask))
    return found


def _bills(engine: Engine) -> list[Asked]:
    store = SqlBillStore(engine, CLUSTER)
    return [
        Asked("the largest bill", lambda: store.statement(tenant(0), 202610)),
        Asked("all bills of a year", lambda: store.bills(None, 202512, 202611)),
    ]


def _runs(engine: Engine) -> list[Asked]:
    store = SqlRunsAndTops(engine, CLUSTER, DAYS)
    all_days, earlier = SPANS["3 years"], Days(TODAY - 700, TODAY - 670)
    deep = Place(NOW - 200 * 86_400, 1 << 40)
    wanted: dict[str, tuple[Narrowing, Days, dict[str, Any]]] = {
        "everybody's": (Narrowing(), all_days, {}),
        "everybody's, 1,000 of them": (Narrowing(), all_days, {"limit": 1000}),
        "everybody's, deep down": (Narrowing(), all_days, {"after": deep}),
        "of a month two years ago": (Narrowing(), earlier, {}),
        "a person's of then": (Narrowing(person=person(1)), earlier, {}),
        "a tenant's": (Narrowing((tenant(1),)), all_days, {}),
        "the largest tenant's of then": (Narrowing((tenant(0),)), earlier, {}),
        "failed of then": (Narrowing(), earlier, {"failed": True}),
        "a person's in a tenant": (
            Narrowing((tenant(1),), person=person(1)),
            all_days,
            {},
        ),
        "failed of a queue": (Narrowing(queue="h100"), all_days, {"failed": True}),
        "of a rare QOS": (Narrowing(qos="urgent"), all_days, {}),
        "rare and failed": (Narrowing(qos="urgent"), all_days, {"failed": True}),
        "rare, of a person": (
            Narrowing(person=person(9), qos="urgent"),
            all_days,
            {"failed": True},
        ),
        "of no such queue": (Narrowing(queue="gone"), all_days, {}),
        "of a job": (Narrowing(), all_days, {"job": 4_321}),
        "of an array": (Narrowing(), all_days, {"job": 40_000}),
        "of a training": (Narrowing(kind="training"), all_days, {"thing": 4_000}),
    }
    return [
        Asked(f"runs: {name}", partial(store.runs, _asked(*one)))
        for name, one in wanted.items()
    ]


def _tops(engine: Engine) -> list[Asked]:
    store = SqlRunsAndTops(engine, CLUSTER, DAYS)
    found = []
    # No more than 400 days are asked for.
    for (who, (whose, _)), when, by in product(WHOSE.items(), TOP_SPANS, Top):
        days = TOP_SPANS[when]
        times = DAYS.begins(days.first), DAYS.begins(days.last + 1)
        asked = TopAsked(whose, *times, by)
        found.append(Asked(f"{by.value}: {who}, {when}", partial(store.top, asked)))
    return found


def _asked(whose: Narrowing, days: Days, more: dict[str, Any]) -> RunsAsked:
    ends = DAYS.begins(days.last + 1)
    return RunsAsked(whose, days, DAYS.begins(days.first), ends, **more)
