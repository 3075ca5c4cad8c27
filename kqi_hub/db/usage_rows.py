"""Sums of the book as rows of their tables, without those that are nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kqi_hub.domain.bill_positions import BillPositions
from kqi_hub.domain.usage_counts import DayKey, UsageCounts
from kqi_hub.domain.usage_cuts import Grain, cuts_of
from kqi_hub.domain.usage_peaks import UsagePeaks

Row = tuple[Any, ...]


def sum_rows(cluster: str, sums: Mapping[DayKey, Sequence[int]]) -> list[Row]:
    """Return sums by day or month and all that is told apart."""
    found = ((when, whose, numbers) for (when, whose), numbers in sums.items())
    return [(cluster, when, *whose, *n) for when, whose, n in found if any(n)]


def cut_rows(cluster: str, usage: UsageCounts) -> Iterator[Row]:
    """Yield the same by less, of days and of months."""
    both = ((Grain.DAY, usage.by_day), (Grain.MONTH, usage.by_month()))
    for grain, sums in both:
        for cut, found in cuts_of(sums, grain):
            begins = (cluster, cut.value, grain.value)
            for key, numbers in found.items():
                if any(numbers):
                    yield (*begins, *key, *numbers)


def peak_rows(cluster: str, peaks: UsagePeaks) -> list[Row]:
    """Return the most that runs come to, of days and of months."""
    both = ((Grain.DAY, peaks.by_day), (Grain.MONTH, peaks.by_month()))
    return [
        (cluster, grain.value, when, *whose, *numbers)
        for grain, found in both
        for (when, whose), numbers in found.items()
    ]


def position_rows(cluster: str, positions: BillPositions) -> list[Row]:
    """Return positions of bills."""
    found = positions.sums.items()
    return [(cluster, *key, *numbers) for key, numbers in found if any(numbers)]
