"""A run of a job as Slurm's accounting keeps it: what is billed."""

from collections.abc import Mapping
from typing import NamedTuple

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.site_days import Day


class RecordKey(NamedTuple):
    """One run: a job that went back into its queue has several, one a submit time.

    Numbers of jobs come round again; together with the time they do not.
    """

    job_id: int
    submitted_at: int


class JobRecord(NamedTuple):
    """One row of sacct -X -D. A tuple: a back-fill makes a million of them.

    `shown_id` is 12, 12_3 or 12+1; `state` its first word; `gpus` by type as
    `a100=2,v100=1`, sorted, the type empty where none is told. `suspended` is how much
    of `suspended_s` lies on which local day, as `739577=120,739578=30`, where that is
    known.
    """

    job_id: int
    submitted_at: int
    db_index: int
    shown_id: str
    name: str
    user: str
    account: str
    partition: str
    qos: str
    state: str
    exit_code: str
    eligible_at: int | None
    started_at: int | None
    ended_at: int | None
    suspended_s: int
    time_limit_s: int | None
    nodes: int
    cpus: int
    memory_mb: int
    gpus: str
    node_list: str
    suspended: str = ""

    @property
    def key(self) -> RecordKey:
        """Return what tells this run from every other one of the cluster."""
        return RecordKey(self.job_id, self.submitted_at)

    @property
    def is_final(self) -> bool:
        """Tell whether its end is known; the state alone may be ahead of it."""
        return self.ended_at is not None

    @property
    def waited_s(self) -> int | None:
        """Return how long it waited since it could have run; None: never started."""
        began, could = self.started_at, self.eligible_at
        if began is None:
            return None
        return max(0, began - (self.submitted_at if could is None else could))

    @property
    def suspended_days(self) -> dict[Day, int]:
        """Return the seconds that it was suspended by local day, where known."""
        entries = (entry.partition("=") for entry in self.suspended.split(",") if entry)
        return {int(day): int(seconds) for day, _, seconds in entries}

    @property
    def amounts(self) -> Amounts:
        """Return what it had."""
        return Amounts(self.cpus, self.memory_mb, gpus_of(self.gpus), self.nodes)


def gpus_of(text: str) -> dict[str, int]:
    """Return the GPUs of `a100=2,v100=1` by type."""
    entries = (entry.rpartition("=") for entry in text.split(",") if entry)
    return {kind: int(count) for kind, _, count in entries}


def gpus_text(gpus: Mapping[str, int]) -> str:
    """Return `a100=2,v100=1`, as a record has it."""
    return ",".join(f"{kind}={gpus[kind]}" for kind in sorted(gpus) if gpus[kind])
