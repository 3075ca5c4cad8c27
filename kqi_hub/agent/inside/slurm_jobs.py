"""What Slurm says of the person's own jobs, asked when it is needed and remembered."""

import re
import time
from dataclasses import dataclass
from typing import Final

from kqi_hub.agent.environment_rules import EnvironmentRules
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.submitting import SlurmSilent, run_program

JOB: Final = re.compile(r"[1-9][0-9]{0,9}(?:_[0-9]{1,7})?", re.ASCII)
# What does not run yet may run a moment later.
_SOON_S: Final = 5.0
# A job that runs is asked about again after this, if nothing told of its end before.
_LATER_S: Final = 300.0
_MOST: Final = 200
_FORM: Final = "%A|%T|%N|%L|%j"
_LEFT: Final = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the person's, as Slurm has it."""

    id: int
    state: str
    node: str
    name: str
    ends_at: float | None = None

    @property
    def left_s(self) -> int | None:
        """Return how long it may still run; None where Slurm sets no end."""
        if self.ends_at is None:
            return None
        return max(0, round(self.ends_at - time.time()))

    @property
    def is_running(self) -> bool:
        """Tell whether something can be started inside."""
        return self.state == "RUNNING"

    @property
    def is_over(self) -> bool:
        """Tell whether nothing of it runs any more, though Slurm still tidies up."""
        return self.state == "COMPLETING"


class Jobs:
    """Ask Slurm once for each job, not once for each click."""

    def __init__(self, rules: EnvironmentRules | None) -> None:
        self._rules = rules
        self._known: dict[str, tuple[float, Job | None]] = {}

    @property
    def rules(self) -> EnvironmentRules:
        """Return how Slurm is reached; Problem where this site has not said."""
        if self._rules is None:
            raise Problem(
                409, "no-slurm", "Your agent is old: stop it, and open the page again."
            )
        return self._rules

    async def one(self, job: str) -> Job | None:
        """Return one of the person's own; None when Slurm knows of none such."""
        until, known = self._known.get(job, (0.0, None))
        if time.monotonic() < until:
            return known
        found = await self._ask(job)
        is_running = found is not None and found.is_running
        kept_s = _LATER_S if is_running else _SOON_S
        self._known[job] = (time.monotonic() + kept_s, found)
        while len(self._known) > _MOST:
            self._known.pop(next(iter(self._known)))
        return found

    async def running(self, job: str) -> Job:
        """Return one that runs; Problem 404 or 409 when it does not."""
        found = await self.one(job)
        if found is None:
            raise Problem(
                404, "no-such-job", f"You have no job {job} that waits or runs."
            )
        if not found.is_running:
            word = found.state.lower().replace("_", " ")
            raise Problem(409, "not-running", f"Job {job} does not run: it is {word}.")
        return found

    def forget(self, job: str) -> None:
        """Ask again the next time: something of it has ended."""
        self._known.pop(job, None)

    async def _ask(self, job: str) -> Job | None:
        command = [str(self.rules.slurm_bin / "squeue"), "--me", f"--jobs={job}",
                   "--noheader", f"--format={_FORM}"]  # fmt: skip
        try:
            ran = await run_program(self.rules, command)
        except SlurmSilent as error:
            raise silent(error) from error
        if ran.code != 0 and "Invalid job id" not in ran.said:
            raise silent(ran.said)
        return _read(ran.out.decode(errors="replace")) if ran.code == 0 else None


def silent(said: object) -> Problem:
    """Return the Problem of a Slurm that gives no answer."""
    return Problem(503, "slurm-silent", f"Slurm does not answer: {said}. Try again.")


def _read(text: str) -> Job | None:
    for line in text.splitlines():
        number, _, rest = line.strip().partition("|")
        words = rest.split("|", 3)
        if number.isdecimal() and len(words) == 4:
            state, node, left, name = words
            return Job(int(number), state, node, name, _ends_at(left))
    return None


def _ends_at(left: str) -> float | None:
    """Return when `1-02:03:04` of time is over."""
    found = _LEFT.fullmatch(left)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return time.time() + ((days * 24 + hours) * 60 + minutes) * 60 + seconds
