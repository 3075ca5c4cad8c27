"""Submit in each way, in turn; runs inside the cluster, as root.

    python -m benchmarks.submit_inside PEER_PYTHON

Every node is taken, so that no job starts: submitting alone is measured. All ways are
one person's, whose calls sdiag counts; what the bench itself asks, it asks as root.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.hub_inside import as_portal
from benchmarks.our_portal import API, our_portal
from benchmarks.slurm_rpcs import Counts, counts
from benchmarks.submit_slurm import (
    QUEUE,
    Failed,
    as_person,
    cancel,
    jobs_of,
    require,
    taken_nodes,
    wait_until,
)
from kqi_hub.devstack import layout

MANY: Final = 1000
ROUNDS: Final = 3
SINGLES: Final = 30
ALICE, CAROL, TENANT = "alice", "carol", "vision"
ABOUT_ONE_JOB: Final = "REQUEST_JOB_INFO_SINGLE"
SUBMISSION: Final = "REQUEST_SUBMIT_BATCH_JOB"
_LIFETIME_S: Final = 3600
# The glances of whoever waits cost the portal time as well.
_GLANCE_S: Final = 0.01
_LONGEST_S: Final = 300.0
# The worker follows and collects a thousand runs that were cancelled.
_SETTLED_S: Final = 900.0

Found = dict[str, list[float]]


class Ways:
    """All ways to submit, with what each took and asked."""

    def __init__(self, python: str, folder: Path) -> None:
        self._python, self._folder = python, folder
        self._http = our_portal(ALICE).another()
        self._data = as_portal("benchmarks.submit_data", ALICE, TENANT, MANY)
        self._script = ""
        self.took: Found = {}
        self.calls: Found = {}
        self.submissions: Found = {}

    def singles(self) -> None:
        """Ask for a run, then submit its script by hand, again and again."""
        # The first one makes the person's folders, and is not counted.
        self._script = self._text(f"/training/{self._ask_one()[0]}/script")
        for _ in range(SINGLES):
            began = time.monotonic()
            _, answered_s, noted_s = self._ask_one()
            self._note("single, ours", time.monotonic() - began)
            self._note("single, ours: answered", answered_s)
            self._note("single, ours: noted", noted_s)
            began = time.monotonic()
            self._sbatch(self._script, "bare")
            self._note("single, sbatch", time.monotonic() - began)
        self._settle(f"/training?per_page={MANY}")

    def _ask_one(self) -> tuple[int, float, float]:
        """Ask for a run and look until the portal shows its job.

        Returns its number, when the portal answered, and when it noted the job, by
        its own record.
        """
        size = {"cpus": 1, "memory_mb": 100, "lifetime_s": _LIFETIME_S}
        asked = {"name": "bench", "tenant": TENANT, "queue": QUEUE, "command": "true"}
        clock, began = time.time(), time.monotonic()
        number = self._said("POST", "/training", {**size, **asked})["id"]
        answered_s = time.monotonic() - began
        path = f"/training/{number}"
        self._until_at_slurm(path)
        events = self._said("GET", f"{path}/events")["events"]
        [noted] = [one["at"] for one in events if one["state"] == "pending"]
        return number, answered_s, noted - clock

    def round(self) -> None:
        """Submit a thousand jobs in each way."""
        array = self._ours()
        with self._counted("sbatch --array"):
            self._sbatch(array, "bare")
        require(jobs_of(ALICE, "bare") == MANY, "sbatch --array made other jobs")
        cancel(ALICE)
        with self._counted("sbatch calls"):
            for _ in range(MANY):
                self._sbatch(self._script, "many")
        require(jobs_of(ALICE, "many") == MANY, "1,000 sbatch made other jobs")
        cancel(ALICE)
        self._submitit()
        cancel(ALICE)

    def _ours(self) -> str:
        """Run a preprocessing on all data; return the script that was submitted."""
        about = {"tenant": TENANT, "name": "bench", "command": "true"}
        number = self._said("POST", "/preprocessing", about)["id"]
        chosen = {"queue": QUEUE, "data": self._data, "lifetime_s": _LIFETIME_S}
        with self._counted("ours"):
            began = time.monotonic()
            made = self._said("POST", f"/preprocessing/{number}/run", chosen)
            self._note("ours: answered", time.monotonic() - began)
            # The last one: if they were noted one by one, all are noted by then.
            self._until_at_slurm(f"/preprocessing-runs/{made['runs'][-1]}")
        runs = self._said("GET", self._path_of(number))["runs"]
        require(len(runs) == MANY, "the list lacks runs")
        require(len({one["slurm_id"] for one in runs}) == MANY, "runs share a job")
        require(all(one["state"] == "pending" for one in runs), "a run has no job")
        require(jobs_of(ALICE, made["job_name"]) == MANY, "Slurm has other jobs")
        script = self._text(f"/preprocessing-runs/{made['runs'][0]}/script")
        self._settle(self._path_of(number))
        return script

    def _settle(self, path: str) -> None:
        """Cancel, and wait until the worker is done with all runs of a list."""
        cancel(ALICE)
        wait_until(
            lambda: not any(one["is_live"] for one in self._said("GET", path)["runs"]),
            _SETTLED_S,
            "the runs do not end",
        )

    def _submitit(self) -> None:
        program = str(layout.CODE / "benchmarks/submit_submitit.py")
        folder = tempfile.mkdtemp(dir=self._folder)
        shutil.chown(folder, ALICE)
        words = [self._python, program, folder, str(MANY), QUEUE, TENANT]
        with self._counted("submitit"):
            said = json.loads(as_person(ALICE, words).splitlines()[-1])
        require(said["jobs"] == MANY, "submitit made other jobs")
        require(jobs_of(ALICE, "submitit") == MANY, "Slurm has other jobs")
        # Without its start and its import.
        self.took["submitit"][-1] = said["seconds"]

    def _sbatch(self, script: str, name: str) -> None:
        """Submit as the person does at a terminal."""
        words = ["/usr/bin/sbatch", "--parsable", f"--job-name={name}"]
        as_person(ALICE, words, given=script)

    def _path_of(self, number: int) -> str:
        return f"/preprocessing-runs?preprocessing={number}&per_page={MANY}"

    def _until_at_slurm(self, path: str) -> None:
        until = time.monotonic() + _LONGEST_S
        while (found := self._said("GET", path))["job_id"] is None:
            told = f"{path} is {found['state']}: {found['detail']}"
            require(found["is_live"] and time.monotonic() < until, told)
            time.sleep(_GLANCE_S)

    @contextmanager
    def _counted(self, way: str) -> Iterator[None]:
        """Note how long a block takes, and what is asked of slurmctld meanwhile."""
        before, began = counts(), time.monotonic()
        yield
        self._note(way, time.monotonic() - began)
        after = counts()
        self.calls.setdefault(way, []).append(asked_between(before, after))
        submitted = after.kind(SUBMISSION) - before.kind(SUBMISSION)
        self.submissions.setdefault(way, []).append(submitted)

    def _note(self, way: str, seconds: float) -> None:
        self.took.setdefault(way, []).append(seconds)

    def _text(self, path: str) -> str:
        return self._http.get(API + path).raise_for_status().text

    def _said(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self._http.request(method, API + path, json=body)
        if not answer.is_success:
            raise Failed(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        said: dict[str, Any] = answer.json()
        return said

    def figures(self) -> dict[str, dict[str, float]]:
        """Return the medians of every way."""
        made = {way: told(found) for way, found in self.took.items()}
        for way, found in self.calls.items():
            made[way]["calls"] = median(found)
            made[way]["submissions"] = median(self.submissions[way])
        return made


def asked_between(before: Counts, after: Counts) -> int:
    """Return the calls as the person, and the portal's own about one job."""
    about_one = after.kind(ABOUT_ONE_JOB) - before.kind(ABOUT_ONE_JOB)
    return after.of([ALICE]) - before.of([ALICE]) + about_one


def told(found: Sequence[float]) -> dict[str, float]:
    return {"median_s": round(median(found), 4), "most_s": round(max(found), 4)}


def main(python: str) -> None:
    with tempfile.TemporaryDirectory(dir=layout.SCRATCH) as folder:
        Path(folder).chmod(0o755)
        with taken_nodes(CAROL, TENANT):
            ways = Ways(python, Path(folder))
            ways.singles()
            for _ in range(ROUNDS):
                ways.round()
    print(json.dumps(ways.figures()))


if __name__ == "__main__":
    main(*sys.argv[1:])
