"""The log of a job as pages show it: the reader's agent reads it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Log:
    """Whose log is shown: the job's number, empty without one or of other people's."""

    job: str
    file: str
    # What stands below it once nothing more comes.
    ended: str
    saved_as: str


NO_LOG: Final = Log("", "", "", "")


def log_of_job(owner: str, job: str, ended: str, saved_as: str) -> Log:
    """Return the log of a job that has begun."""
    return Log(job, f"/scratch/{owner}/log/{job}.log", ended, saved_as)
