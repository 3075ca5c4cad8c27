"""Sums as people read them: in money, in hours, in sentences."""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.ask import Ask
from handlers.pages.jobs.words import KINDS
from handlers.pages.notebooks.money import in_money
from handlers.pages.usage.charts import Chart, Slot, bars, slots, steps
from handlers.pages.usage.wanted import SHOWS
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.own_jobs import JobKind
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.usage import (
    Capacity,
    Days,
    Group,
    Measured,
    Totals,
    UsageTable,
)
from kqi_hub.face.formats import Formats
from kqi_hub.i18n import N_

_HOUR_S = 3600
_PERCENT = 100
NO_GPU = N_("without GPU")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A row of use by something; `share` is of the largest, `key` narrows to it."""

    key: str
    name: str
    share: float
    cost: str
    gpu: str
    cpu: str
    runs: str
    failed: str
    waited_s: int | None


@dataclass(frozen=True, slots=True)
class Card:
    """One large figure with what it is and what is to be said of it."""

    label: str
    figure: str
    note: str = ""


def hours(ask: Ask, seconds: float) -> str:
    """Write seconds as hours; with digits only where there are few."""
    found = seconds / _HOUR_S
    return _formats(ask).number(round(found, 0 if found >= 100 else 1))


def percent(part: float, whole: float) -> int:
    """Return how much of something a part is, in whole percent."""
    return round(_PERCENT * part / whole) if whole else 0


def chart(
    ask: Ask,
    table: UsageTable,
    days: Days,
    show: str,
    line: tuple[float, ...] = (),
) -> Chart:
    """Return the chart of some days; `line` is what there was, for each bar."""
    found = slots(table, days)
    values = [slot.value(show) for slot in found]
    top = max([*values, *line], default=0)
    shown = [_said(ask, slot, show) for slot in found]
    highest = max(values, default=0)
    told = "" if not shown else shown[values.index(highest)]
    return Chart(
        title=ask.texts.say(SHOWS[show]),
        told=told,
        top=_figure(ask, top, show),
        bars=bars(found, show, shown, top),
        line=steps(line, top) if line else "",
        limits=line,
        per=MICRO if show == "cost" else 1,
    )


def slot_days(table: UsageTable, days: Days) -> tuple[Days, ...]:
    """Return the days that each bar of a chart is for."""
    return tuple(slot.days for slot in slots(table, days))


def capacity_hours(found: tuple[Capacity, ...], show: str) -> tuple[float, ...]:
    """Return what there was for each bar; nothing where that makes no sense."""
    if show not in {"gpu", "cpu"}:
        return ()
    return tuple((one.gpu_s if show == "gpu" else one.cpu_s) / _HOUR_S for one in found)


def ranked(ask: Ask, table: UsageTable, show: str) -> list[Ranked]:
    """Return the rows of a table, the largest bar for the largest figure."""
    slots_of = [Slot(row.key, Days(0, 0), row.totals) for row in table.rows]
    top = max((slot.value(show) for slot in slots_of), default=0)
    return [
        Ranked(
            key=row.key or "-",
            name=_name(ask, table.group, row.key),
            share=max(0.0, slot.value(show)) / top if top else 0.0,
            cost=in_money(ask, row.totals.amount),
            gpu=hours(ask, row.totals.gpu_s),
            cpu=hours(ask, row.totals.cpu_s),
            runs=_formats(ask).number(row.totals.runs),
            failed=_formats(ask).number(row.totals.failed_runs),
            waited_s=row.totals.mean_wait_s,
        )
        for row, slot in zip(table.rows, slots_of, strict=True)
    ]


def cards(ask: Ask, total: Totals) -> list[Card]:
    """Return the large figures at the top of a page."""
    say, number = ask.texts.say, _formats(ask).number
    failed = say(N_("{count} of them failed"), {"count": number(total.failed_runs)})
    lost = say(
        N_("{hours} in runs that failed"), {"hours": hours(ask, total.failed_gpu_s)}
    )
    return [
        Card(say(N_("Cost")), in_money(ask, total.amount)),
        Card(say(N_("GPU hours")), hours(ask, total.gpu_s), lost),
        Card(say(N_("CPU hours")), hours(ask, total.cpu_s)),
        Card(say(N_("Runs ended")), number(total.runs), failed),
    ]


def sentences(
    ask: Ask, total: Totals, days: Days, measured: Measured | None = None
) -> list[str]:
    """Return what the sums say, in words."""
    found = [*_of_time(ask, total, days), *_of_waste(ask, total)]
    if measured is not None and measured.runs:
        found += _of_measured(ask, measured)
    return [ask.texts.phrase(one) for one in found]


def _of_time(ask: Ask, total: Totals, days: Days) -> Iterator[Phrase]:
    if total.amount > 0 and days.number > 1:
        yield Phrase(
            N_("That is {cost} a day on average."),
            cost=in_money(ask, total.amount // days.number),
        )
    wait = total.mean_wait_s
    if wait is not None:
        yield Phrase(
            N_("Runs waited {time} on average before they began."),
            time=_formats(ask).span(wait),
        )
    if total.unpriced_s:
        yield Phrase(
            N_("Hours of runs without a price: {hours}. They cost nothing."),
            hours=hours(ask, total.unpriced_s),
        )


def _of_waste(ask: Ask, total: Totals) -> Iterator[Phrase]:
    if total.failed_gpu_s:
        yield Phrase(
            N_(
                "GPU hours in runs that failed: {hours}, {percent} % of all; "
                "they cost {cost}."
            ),
            hours=hours(ask, total.failed_gpu_s),
            percent=percent(total.failed_gpu_s, total.gpu_s),
            cost=in_money(ask, total.failed_amount),
        )
    elif total.gpu_s:
        yield Phrase(N_("No GPU hour went into a run that failed."))


def _of_measured(ask: Ask, measured: Measured) -> Iterator[Phrase]:
    yield Phrase(
        N_("Runs that measured themselves: {count}. CPUs busy in them: {percent} %."),
        count=_formats(ask).number(measured.runs),
        percent=percent(measured.cpu_used_s, measured.cpu_had_s),
    )
    if measured.gpu_had_s:
        idle = measured.gpu_had_s - measured.gpu_used_s
        yield Phrase(
            N_(
                "Of their GPUs {percent} % were busy; GPU hours that went by "
                "unused: {hours}."
            ),
            percent=percent(measured.gpu_used_s, measured.gpu_had_s),
            hours=hours(ask, max(0.0, idle)),
        )


def _name(ask: Ask, group: Group, key: str) -> str:
    if group is Group.KIND:
        return ask.texts.say(KINDS[JobKind(key)]) if key in set(JobKind) else key
    if group is Group.GPU_TYPE and not key:
        return ask.texts.say(NO_GPU)
    return key or "-"


def _said(ask: Ask, slot: Slot, show: str) -> str:
    return f"{slot.label}: {_figure(ask, slot.value(show), show)}"


def _figure(ask: Ask, value: float, show: str) -> str:
    if show == "cost":
        return in_money(ask, int(value))
    if show == "runs":
        return _formats(ask).number(round(value))
    said = ask.texts.say(N_("{hours} h"), {"hours": hours(ask, value * _HOUR_S)})
    return str(said)


def _formats(ask: Ask) -> Formats:
    return Formats(ask.texts.language, ask.deps.site.timezone)
