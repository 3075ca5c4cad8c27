"""A comparison of book and Slurm that was made before, for pages and routes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.reconciliation import Reconciliation, SlurmUse, Use
from kqi_hub.domain.site_days import Day, SiteDays
from kqi_hub.services.reconcile_use import UseReconciler


@dataclass
class FakeComparison:
    """Nothing was used, on neither side; `found` is what was found last."""

    found: Reconciliation | None = None
    days: SiteDays = field(default_factory=SiteDays)

    def reconciler(self) -> UseReconciler:
        """Return the service on it."""
        return UseReconciler(self, self, self.days)

    async def use(self, since: int, until: int) -> Sequence[SlurmUse]:
        del since, until
        return ()

    async def rolled_up(self, since: int, until: int) -> Mapping[str, Use] | None:
        del since, until
        return None

    def records(self, since: int, until: int) -> Sequence[JobRecord]:
        del since, until
        return ()

    def booked(self, day: Day) -> Mapping[str, Use]:
        del day
        return {}

    def read_until(self) -> int:
        return 0

    def filled_back_to(self) -> int | None:
        return None

    def live(self) -> frozenset[int]:
        return frozenset()

    def keep(self, found: Reconciliation) -> None:
        self.found = found

    def kept(self) -> Reconciliation | None:
        return self.found
