"""Charts of use as the server draws them: bars over time, and what there was."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kqi_hub.domain.site_days import next_period, period_of
from kqi_hub.domain.usage import Days, Group, Totals, UsageTable
from kqi_hub.domain.usage_periods import month_days, said_day, said_period

WIDTH = 720
HEIGHT = 160
# Bars do not reach the top, where the highest figure is written.
_ROOM = 4
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: where it stands, what it says, and which days it is for."""

    x: float
    y: float
    width: float
    height: float
    value: float
    label: str
    shown: str
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars from left to right; `line` is a limit above them, as points.

    Values and limits are for the script that makes the picture answer to the pointer;
    so many of them are one of what is written.
    """

    title: str
    told: str
    top: str
    bars: tuple[Bar, ...] = ()
    line: str = ""
    limits: tuple[float, ...] = ()
    per: int = 1
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def first(self) -> str:
        """Return what stands below the first bar."""
        return self.bars[0].label if self.bars else ""

    @property
    def last(self) -> str:
        """Return what stands below the last bar."""
        return self.bars[-1].label if len(self.bars) > 1 else ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A day or a month of a chart, with what was used then."""

    label: str
    days: Days
    totals: Totals = field(default_factory=Totals)

    def value(self, show: str) -> float:
        """Return the figure that is drawn."""
        if show == "cost":
            return self.totals.amount
        if show == "runs":
            return self.totals.runs
        seconds = self.totals.gpu_s if show == "gpu" else self.totals.cpu_s
        return seconds / _HOUR_S


def slots(table: UsageTable, days: Days) -> tuple[Slot, ...]:
    """Return every day or month of some days, those without use too."""
    known = {int(row.key): row.totals for row in table.rows}
    if table.group is Group.DAY:
        return tuple(
            Slot(said_day(day), Days(day, day), known.get(day, Totals()))
            for day in range(days.first, days.last + 1)
        )
    found, period = [], period_of(days.first)
    while period <= period_of(days.last):
        whole = month_days(period)
        part = Days(max(whole.first, days.first), min(whole.last, days.last))
        found.append(Slot(said_period(period), part, known.get(period, Totals())))
        period = next_period(period)
    return tuple(found)


def bars(
    found: Sequence[Slot], show: str, shown: Sequence[str], top: float
) -> tuple[Bar, ...]:
    """Return the bars of a chart; `shown` is what each says."""
    step = WIDTH / max(1, len(found))
    made = []
    for place, (slot, text) in enumerate(zip(found, shown, strict=True)):
        height = scaled(slot.value(show), top)
        made.append(
            Bar(
                x=round(place * step + step * 0.1, 2),
                y=round(HEIGHT - height, 2),
                width=round(step * 0.8, 2),
                height=height,
                value=slot.value(show),
                label=slot.label,
                shown=text,
                since=said_day(slot.days.first),
                until=said_day(slot.days.last),
            )
        )
    return tuple(made)


def steps(values: Sequence[float], top: float) -> str:
    """Return a line over the bars as points, level over each of them."""
    step = WIDTH / max(1, len(values))
    points = []
    for place, value in enumerate(values):
        y = round(HEIGHT - scaled(value, top), 2)
        points += [f"{place * step:.2f},{y}", f"{(place + 1) * step:.2f},{y}"]
    return " ".join(points)


def scaled(value: float, top: float) -> float:
    """Return how high a figure is drawn."""
    return round(max(0.0, value) / top * (HEIGHT - _ROOM), 2) if top > 0 else 0.0
