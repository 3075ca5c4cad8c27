"""Preprocessings, as answers and as calls of the client."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from kqi_hub.sdk.data import Blocker, DataItem, pages
from kqi_hub.sdk.models import Answer, known
from kqi_hub.sdk.run_inside import RunInsideCalls
from kqi_hub.sdk.run_models import PreprocessingRun, RunEstimate


@dataclass(frozen=True, slots=True)
class Preprocessing(Answer):
    """A way to make new data from data; `source` and `shape` as the portal says."""

    id: int
    tenant: str
    name: str
    memo: str = ""
    command: str = ""
    environment: str = ""
    image: str = ""
    source: Mapping[str, Any] | None = None
    shape: Mapping[str, Any] = field(default_factory=dict)
    is_locked: bool = False
    created_by: str = ""
    created_at: float = 0.0
    changed_at: float = 0.0
    page: str = ""
    may_change: bool = False
    may_run: bool = False


@dataclass(frozen=True, slots=True)
class Batch(Answer):
    """What was submitted: one array, a run for each data item."""

    job_name: str
    runs: tuple[int, ...] = ()
    data: tuple[int, ...] = ()
    passed_over: tuple[int, ...] = ()

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        lists = {name: tuple(said[name]) for name in ("runs", "data", "passed_over")}
        return cls(**{**known(cls, said), **lists})


@dataclass(frozen=True, slots=True)
class PastDeletion:
    """What deleting a run of a preprocessing would take along, what is against it."""

    data: tuple[DataItem, ...]
    blockers: tuple[Blocker, ...]


@dataclass(frozen=True, slots=True)
class ArrayUse(Answer):
    """The tasks of an array together; spreads have `least`, `median` and `most`."""

    array: int
    job_id: int | None = None
    tasks: int = 0
    ended: int = 0
    ran: int = 0
    measured: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    total_s: float = 0.0
    median_s: float | None = None
    longest_s: float | None = None
    cpus: int = 0
    memory_mb: int = 0
    gpus: int = 0
    cpu: Mapping[str, float] | None = None
    memory: Mapping[str, float] | None = None
    memory_mb_max: float | None = None
    gpu_percent: Mapping[str, float] | None = None
    gpu_hours: float = 0.0
    cost: int | None = None
    currency: str = ""
    unbooked: int = 0
    advice: tuple[str, ...] = ()


class PreprocessingCalls(RunInsideCalls):
    """The part of `Client` for preprocessings.

    Their runs are read as others are: `run(PreprocessingRun, 8)`, `wait`, `run_log`.
    """

    def preprocessings(
        self, most: int | None = None, **wanted: object
    ) -> Iterator[Preprocessing]:
        """Yield those of one's tenants, filtered as the REST interface does."""
        for said in pages(self, "preprocessing", "preprocessings", most, wanted):
            yield Preprocessing.read(said)

    def preprocessing(self, preprocessing_id: int) -> Preprocessing:
        """Return one."""
        return Preprocessing.read(self._api("GET", f"preprocessing/{preprocessing_id}"))

    def create_preprocessing(
        self, tenant: str, name: str, **about: object
    ) -> Preprocessing:
        """Define one; `about`: memo, command, environment, image, source, shape."""
        body = {"tenant": tenant, "name": name, **about}
        return Preprocessing.read(self._api("POST", "preprocessing", body))

    def change_preprocessing(
        self, preprocessing_id: int, **changes: object
    ) -> Preprocessing:
        """Change it; after its first run only name, memo and shape."""
        path = f"preprocessing/{preprocessing_id}"
        return Preprocessing.read(self._api("PATCH", path, changes))

    def delete_preprocessing(self, preprocessing_id: int) -> None:
        """Delete one of which no run is there any more."""
        self._api("DELETE", f"preprocessing/{preprocessing_id}")

    def estimate_preprocessing(
        self, preprocessing_id: int, queue: str, data: Sequence[int], **how: object
    ) -> RunEstimate:
        """Return what each of the jobs would cost and meet; nothing is kept."""
        body = {"queue": queue, "data": list(data), **how}
        path = f"preprocessing/{preprocessing_id}/estimate"
        return RunEstimate.read(self._api("POST", path, body))

    def run_preprocessing(
        self, preprocessing_id: int, queue: str, data: Sequence[int], **how: object
    ) -> Batch:
        """Run it once on each of up to 1000 data items: one array of Slurm.

        `how`: shape, lifetime_s, variables, memo, skips_done.
        """
        body = {"queue": queue, "data": list(data), **how}
        path = f"preprocessing/{preprocessing_id}/run"
        return Batch.read(self._api("POST", path, body))

    def preprocessing_runs(
        self, most: int | None = None, **wanted: object
    ) -> Iterator[PreprocessingRun]:
        """Yield what has run: of one `preprocessing`, on one `data` item, or of all."""
        return self.runs(PreprocessingRun, most, **wanted)

    def products(self, run_id: int) -> tuple[DataItem, ...]:
        """Return the data that a run has made."""
        said = self._api("GET", f"preprocessing-runs/{run_id}/data")
        return tuple(DataItem.read(one) for one in said["data"])

    def array_use(self, run_id: int) -> ArrayUse:
        """Return what the array that a run is a task of has used together."""
        return ArrayUse.read(self._api("GET", f"preprocessing-runs/{run_id}/array"))

    def past_deletion(self, run_id: int) -> PastDeletion:
        """Return what deleting a run of one's own would take along."""
        said = self._api("GET", f"preprocessing-runs/{run_id}/deletion")
        return PastDeletion(
            tuple(DataItem.read(one) for one in said["data"]),
            tuple(Blocker.read(one) for one in said["blockers"]),
        )
