"""What running jobs have cost so far in a month: they stand in no bill yet."""

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Final

from kqi_hub.domain.charges import charges
from kqi_hub.domain.imagined import record_of_job
from kqi_hub.domain.job import Job
from kqi_hub.domain.node_shapes import NodeShapes
from kqi_hub.domain.rate_cards import Tariff
from kqi_hub.domain.site_days import Period, SiteDays, period_of

# A picture that is not renewed says less and less.
_OLDEST_S: Final = 60.0
Costs = Mapping[str, int]


class OncePerPicture:
    """What live jobs cost, worked out once for each picture: all pages ask for it.

    `stamp` is another one with each picture and each card of rates. Both block.
    """

    def __init__(
        self,
        stamp: Callable[[], Hashable],
        work_out: Callable[[Period, float], Costs],
    ) -> None:
        self._stamp = stamp
        self._work_out = work_out
        self._one_worker = threading.Lock()
        self._known: tuple[Hashable, float, Costs] | None = None

    def __call__(self, period: Period, now: float) -> Costs:
        """Return the cost of a month by tenant, as of the picture."""
        stamp = (period, self._stamp())
        with self._one_worker:
            known = self._known
            if known and known[0] == stamp and 0 <= now - known[1] < _OLDEST_S:
                return known[2]
            costs = self._work_out(period, now)
            self._known = (stamp, now, costs)
            return costs


def together(one: Costs, other: Costs) -> Costs:
    """Return the sums of both."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in {*one, *other}}


def running_costs(
    jobs: Iterable[Job],
    tariff: Tariff,
    days: SiteDays,
    shapes: NodeShapes,
    until: tuple[Period, float],
) -> Mapping[str, int]:
    """Return the cost of live jobs by tenant, of one month and until a moment.

    It is what the book will say of them if they end now.
    """
    period, now = until
    found: dict[str, int] = defaultdict(int)
    for job in jobs:
        record = record_of_job(job, now)
        if record.started_at is None:
            continue
        for part in charges(record, tariff, days, shapes):
            if period_of(part.day) == period:
                found[record.account] += part.amount
    return found
