"""What arrays have used, of runs in memory; nothing of it is in a book."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from kqi_hub.domain.array_use import ArrayUse, Spread
from kqi_hub.domain.runs import Run
from tests.fakes.runs import FakeRunStore


@dataclass
class FakeArrayUses:
    """An ArrayUses over a FakeRunStore; what it answers besides, tests set."""

    store: FakeRunStore

    def of(self, run: Run) -> ArrayUse:
        tasks = [one for one in self.store.named(run.key) if one.batch == run.batch]
        ran = [
            one.ended_at - one.began_at
            for one in tasks
            if not one.is_live and one.began_at is not None and one.ended_at is not None
        ]
        uses = [one.use for one in tasks if one.use is not None]
        busy = [one.gpu_percent_mean for one in uses]
        return ArrayUse(
            states=Counter(one.state for one in tasks),
            ran=len(ran),
            measured=len(uses),
            total_s=sum(ran),
            median_s=median(ran) if ran else None,
            longest_s=max(ran, default=None),
            cores=_spread([one.cores for one in uses]),
            memory_mb=_spread([one.memory_mb_max for one in uses]),
            gpu_percent=_spread([one for one in busy if one is not None]),
        )


def _spread(values: Sequence[float]) -> Spread | None:
    return Spread(min(values), median(values), max(values)) if values else None
