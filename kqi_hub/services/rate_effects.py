"""What new rates would make of use: every run priced by the old ones and by them."""

from collections.abc import Iterable
from dataclasses import replace

from kqi_hub.domain.charges import charges
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.node_shapes import NodeShapes
from kqi_hub.domain.rate_cards import WHOLE, CardLine, RateCard, Tariff, TenantTerms
from kqi_hub.domain.rate_ports import Effect, Sums
from kqi_hub.domain.site_days import SiteDays


class Comparison:
    """Price runs twice, from a moment on, and sum it up by tenant."""

    def __init__(
        self, old: Tariff, new: Tariff, days: SiteDays, shapes: NodeShapes
    ) -> None:
        self._old = old
        self._new = new
        self._days = days
        self._shapes = shapes

    def effect(self, runs: Iterable[JobRecord], begins: int, is_real: bool) -> Effect:
        """Return what the runs come to since a moment; blocks as long as it takes."""
        counted = unpriced = 0
        tenants: dict[str, Sums] = {}
        for run in runs:
            if run.started_at is None:
                continue
            before, _ = self._sum(run, self._old, begins)
            after, is_unpriced = self._sum(run, self._new, begins)
            known = tenants.get(run.account, Sums())
            sums = Sums(known.before + before, known.after + after)
            tenants[run.account] = sums
            counted += 1
            unpriced += is_unpriced
        found = dict(sorted(tenants.items()))
        return Effect(begins, is_real, counted, unpriced, found)

    def _sum(self, run: JobRecord, tariff: Tariff, begins: int) -> tuple[int, bool]:
        first = self._days.day_of(begins)
        every = charges(run, tariff, self._days, self._shapes)
        parts = [part for part in every if part.day >= first]
        is_unpriced = any(part.per_hour is None for part in parts)
        return sum(part.amount for part in parts), is_unpriced


def differing_factors(
    old: RateCard | None, new: RateCard
) -> tuple[tuple[str, int, int], ...]:
    """Return the QOS whose factor changes: name, before and after."""
    before = old.qos if old else {}
    names = sorted({*before, *new.qos})
    pairs = ((x, before.get(x, WHOLE), new.qos.get(x, WHOLE)) for x in names)
    return tuple((name, was, will) for name, was, will in pairs if was != will)


def differing_terms(
    old: RateCard | None, new: RateCard
) -> tuple[tuple[str, TenantTerms, TenantTerms], ...]:
    """Return the tenants whose own terms change: name, before and after."""
    before, none = old.tenants if old else {}, TenantTerms()
    names = sorted({*before, *new.tenants})
    pairs = ((x, before.get(x, none), new.tenants.get(x, none)) for x in names)
    return tuple((name, was, will) for name, was, will in pairs if was != will)


def differing(
    old: RateCard | None, new: RateCard
) -> tuple[tuple[CardLine | None, CardLine | None], ...]:
    """Return the lines that a card changes, adds or leaves out: before and after.

    A queue that loses its own line, or gets one, has that of all others beside it.
    """
    keys = dict.fromkeys((x.queue, x.gpu_type) for x in (old.lines if old else ()))
    keys |= dict.fromkeys((x.queue, x.gpu_type) for x in new.lines)
    pairs = ((_line_of(old, *key), _line_of(new, *key)) for key in keys)
    return tuple((was, will) for was, will in pairs if was != will)


def _line_of(card: RateCard | None, queue: str, gpu_type: str) -> CardLine | None:
    """Return the line that counts for a queue, under the queue's own name."""
    line = card.line_for(queue, (gpu_type,)) if card else None
    return None if line is None else replace(line, queue=queue, gpu_type=gpu_type)
