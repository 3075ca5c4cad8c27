"""Everything that one has in Slurm: look, cancel, hold, release, wait, read the log."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlencode

from kqi_hub.sdk.calls import part
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.job_logs import JobLogCalls
from kqi_hub.sdk.models import Answer, known

_LOOK_EVERY_S: Final = 2.0
_TOO_LONG: Final = 124


@dataclass(frozen=True, slots=True)
class JobTask(Answer):
    """A job, or a task of an array; `id` is such as 12 or 12_3."""

    id: str
    job_id: int
    task: str
    state: str
    is_live: bool
    is_waiting: bool
    is_held: bool = False
    node: str = ""
    reason: str = ""
    why: str = ""
    hint: str = ""
    submitted_at: int | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    ran_s: int | None = None
    left_s: int | None = None
    cost_micro: int | None = None
    is_billed: bool = False
    exit_code: int | None = None
    actions: tuple[str, ...] = ()

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(**{**known(cls, said), "actions": tuple(said["actions"])})


@dataclass(frozen=True, slots=True)
class SlurmJob(Answer):
    """A job of one's own; an array is one, with its tasks."""

    id: int
    name: str
    kind: str
    thing: int | None
    tenant: str
    queue: str
    cpus: int
    memory: str
    gres: str
    is_array: bool
    is_live: bool
    counts: Mapping[str, int]
    cost_micro: int | None
    currency: str
    actions: tuple[str, ...]
    tasks: tuple[JobTask, ...]
    more: int = 0
    is_billed: bool = False

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        deeper = {
            "actions": tuple(said["actions"]),
            "tasks": tuple(JobTask.read(one) for one in said["tasks"]),
        }
        return cls(**{**known(cls, said), **deeper})

    @property
    def has_completed(self) -> bool:
        """Tell whether all of it has ended well."""
        return not self.is_live and set(self.counts) == {"COMPLETED"}


@dataclass(frozen=True, slots=True)
class JobList(Answer):
    """A page of one's jobs; `said` is how old the picture is."""

    jobs: tuple[SlurmJob, ...]
    found: int
    total: int
    is_cut: bool
    said: str

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        deeper = {
            "jobs": tuple(SlurmJob.read(one) for one in said["jobs"]),
            "said": said["picture"]["said"],
        }
        return cls(**{**known(cls, said), **deeper})


class JobCalls(JobLogCalls):
    """The part of `Client` about all jobs of one's own."""

    def jobs(
        self,
        *,
        show: str = "all",
        kind: str = "",
        text: str = "",
        page: int = 1,
        per_page: int = 50,
    ) -> JobList:
        """Return a page of one's jobs, the newest first.

        `show`: all, live, waiting, running or ended; `text`: a part of number, name,
        queue or tenant.
        """
        asked = {"show": show, "kind": kind, "q": text}
        asked |= {"page": str(page), "per_page": str(per_page)}
        query = urlencode({name: value for name, value in asked.items() if value})
        return JobList.read(self._api("GET", f"jobs/all?{query}"))

    def job(self, job: int | str) -> SlurmJob:
        """Return a job, an array with its tasks, or one task such as 12_3."""
        return SlurmJob.read(self._api("GET", f"jobs/{part(str(job))}")["job"])

    def cancel_job(self, job: int | str) -> None:
        """Cancel a job, a task, or a whole array."""
        self._api("POST", f"jobs/{part(str(job))}/cancel")

    def hold_job(self, job: int | str) -> None:
        """Keep a waiting job from starting."""
        self._api("POST", f"jobs/{part(str(job))}/hold")

    def release_job(self, job: int | str) -> None:
        """Let a held job start."""
        self._api("POST", f"jobs/{part(str(job))}/release")

    def wait_job(
        self,
        job: int | str,
        *,
        most_s: float | None = None,
        tell: Callable[[SlurmJob], object] = lambda _: None,
    ) -> SlurmJob:
        """Return it when all of it has ended; PortalError after `most_s` seconds."""
        until = None if most_s is None else time.monotonic() + most_s
        while True:
            found = self.job(job)
            tell(found)
            if not found.is_live:
                return found
            if until is not None and time.monotonic() > until:
                error = PortalError(
                    f"Job {job} has not ended in time.", "It goes on without you."
                )
                error.exit_code = _TOO_LONG
                raise error
            time.sleep(_LOOK_EVERY_S)

    def job_log(
        self, job: int | str, *, follow: bool = False, whole: bool = True
    ) -> Iterator[str]:
        """Return its log, and with `follow` what comes, until it has ended.

        Without `whole` it begins near its end.
        """
        return self._log_of(
            lambda: job,
            lambda: self.job(job).is_live,
            lambda: _no_log(job),
            follow=follow,
            whole=whole,
        )


def _no_log(job: int | str) -> PortalError:
    return PortalError(
        f"There is no log of job {job} in your folder of logs.",
        "What was submitted by hand writes where its script says, usually to "
        f"slurm-{job}.out in the folder it was submitted from: kqi files",
    )
