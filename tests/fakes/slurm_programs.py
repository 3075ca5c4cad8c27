"""sbatch, scancel and scontrol over jobs in memory, behind a door: Slurm's own words.

Jobs run `sleep N` and `exit N` of their scripts and obey `#SBATCH` lines.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.ports import DoorAnswer
from kqi_hub.slurm.timelimit import parse_timelimit

MIN_JOB_AGE_S = 300
SIGNALS = {"USR1": 10, "USR2": 12, "TERM": 15, "INT": 2}
UNKNOWN = "Invalid job id specified"
DENIED = "Access/permission denied"
DONE = DoorAnswer(0, "", "")


@dataclass(frozen=True)
class Run:
    """A job and what its script is going to do."""

    job: Job
    lasts_s: float = 0.0
    exit_code: int = 0
    signal: int = 0
    held: bool = False

    @property
    def ended(self) -> EndedJob:
        job = self.job
        times = job.starts_at, job.ends_at or 0
        said = self.exit_code, self.signal
        return EndedJob(job.job_id, job.state, *times, *said, name=job.name)


class FakeSlurmPrograms:
    """The port Door; time stands still until `tick`.

    With `answers_of_submit_get_lost` a job exists although its submission timed out.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.starts_after_s = 1.0
        self.answers_of_submit_get_lost = False
        self.people = {"alice": ("vision", "nlp"), "bob": ("nlp",)}
        self.max_time_s = {"cpu": 7 * 86400, "jupyter": 8 * 3600}
        self.runs: dict[int, Run] = {}
        self.asked: list[str] = []

    def tick(self, seconds: float) -> None:
        """Let time pass and jobs grow older."""
        self.now += seconds
        self.runs = {job_id: self._aged(run) for job_id, run in self.runs.items()}

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        """Do as the programs would that the door runs for the verb."""
        self.asked.append(verb)
        verbs: dict[str, Callable[[str, Mapping[str, object]], DoorAnswer]] = {
            "submit": self._sbatch,
            "cancel": self._scancel,
            "signal": self._scancel_signal,
            "control": self._scontrol,
            "time-limit": self._scontrol_update,
        }
        return verbs[verb](person, arguments)

    def _sbatch(self, person: str, asked: Mapping[str, object]) -> DoorAnswer:
        text = str(asked["script"])
        options = dict(re.findall(r"^#SBATCH --([a-z-]+)(?:=(\S+))?$", text, re.M))
        partition = options.get("partition", "jupyter")
        account = options.get("account", self.people[person][0])
        failed = "sbatch: error: Batch job submission failed: "
        if partition not in self.max_time_s:
            return _failed(f"{failed}Invalid partition name specified")
        if account not in self.people[person]:
            said = "Invalid account or account/partition combination specified"
            return _failed(failed + said)
        job = Job(
            len(self.runs) + 1, str(asked["name"]), person, account, partition,
            "normal", "PENDING", "JobHeldUser" if "hold" in options else "",
            submitted_at=int(self.now), comment=str(asked.get("comment", "")),
            time_limit_s=parse_timelimit(options.get("time", "1:00:00")),
            nodes=1, cpus=1,
        )  # fmt: skip
        lasts_s = sum(float(n) for n in re.findall(r"\bsleep ([\d.]+)", text))
        code = re.search(r"\bexit (\d+)", text)
        self._keep(Run(job, lasts_s, int(code[1]) if code else 0, 0, "hold" in options))
        if self.answers_of_submit_get_lost:
            return _failed(f"{failed}Socket timed out on send/recv operation")
        return DoorAnswer(0, f"{job.job_id}\n", "")

    def _scancel(self, person: str, asked: Mapping[str, object]) -> DoorAnswer:
        job_ids = asked["job_ids"]
        assert isinstance(job_ids, list)
        said = ""
        for job_id in job_ids:
            run = self.runs.get(int(job_id))
            if run is None or run.job.is_over:
                continue  # scancel says nothing of these
            if run.job.user == person:
                self._end(run, "CANCELLED")
            else:
                said += f"scancel: error: Kill job error on job id {job_id}: {DENIED}\n"
        return _failed(said, 210) if said else DONE

    def _scancel_signal(self, person: str, asked: Mapping[str, object]) -> DoorAnswer:
        run, problem = self._look(person, asked["job_id"])
        if run is None:
            job_id = asked["job_id"]
            said = f"scancel: error: Kill job error on job id {job_id}: {problem}"
            return _failed(said)
        if run.job.state == "RUNNING":
            number = SIGNALS[str(asked["name"])]
            self._end(replace(run, signal=number, exit_code=0), "FAILED")
        return DONE

    def _scontrol(self, person: str, asked: Mapping[str, object]) -> DoorAnswer:
        run, problem = self._look(person, asked["job_id"])
        if run is None:
            return _failed(f"{problem} for job {asked['job_id']}")
        job = run.job
        if asked["action"] == "requeue":
            if job.is_waiting:
                return _failed(f"Job is pending execution for job {job.job_id}")
            again = {"submitted_at": int(self.now), "starts_at": None, "node_list": ""}
            self._keep(changed(run, state="PENDING", **again))
        elif asked["action"] == "hold" and job.is_waiting:
            self._keep(changed(replace(run, held=True), reason="JobHeldUser"))
        elif asked["action"] == "release":
            self._keep(changed(replace(run, held=False), reason=""))
        return DONE

    def _scontrol_update(self, person: str, asked: Mapping[str, object]) -> DoorAnswer:
        run, problem = self._look(person, asked["job_id"])
        limit = -(-int(str(asked["seconds"])) // 60) * 60
        if run is not None and run.job.state == "RUNNING" and limit > _limit(run):
            run, problem = None, DENIED
        if run is None:
            return _failed(f"{problem} for job {asked['job_id']}")
        self._keep(changed(run, time_limit_s=limit))
        return DONE

    def _look(self, person: str, job_id: object) -> tuple[Run | None, str]:
        run = self.runs.get(int(str(job_id)))
        if run is None or run.job.is_over:
            return None, UNKNOWN
        return (run, "") if run.job.user == person else (None, DENIED)

    def _aged(self, run: Run) -> Run:
        job = run.job
        if job.is_over or run.held:
            return run
        starts = job.starts_at or (job.submitted_at or 0) + self.starts_after_s
        if job.is_waiting and starts <= self.now:
            where = {"starts_at": int(starts), "node_list": f"{job.partition}01"}
            run = changed(run, state="RUNNING", reason="", **where)
        return self._finished_if_due(run, starts)

    def _finished_if_due(self, run: Run, started: float) -> Run:
        limit = run.job.time_limit_s or run.lasts_s
        ends = started + min(run.lasts_s, limit)
        if run.job.state != "RUNNING" or ends > self.now:
            return run
        over = "FAILED" if run.exit_code else "COMPLETED"
        state = "TIMEOUT" if run.lasts_s > limit else over
        return changed(run, state=state, ends_at=int(ends))

    def _end(self, run: Run, state: str) -> None:
        self._keep(changed(run, state=state, reason="", ends_at=int(self.now)))

    def _keep(self, run: Run) -> None:
        self.runs[run.job.job_id] = run


def _limit(run: Run) -> int:
    return run.job.time_limit_s or 0


def changed(run: Run, **changes: object) -> Run:
    """Return the run with other words in its job."""
    fields = {name: getattr(run.job, name) for name in Job.__slots__}
    return replace(run, job=Job(**{**fields, **changes}))


def _failed(said: str, exit_code: int = 1) -> DoorAnswer:
    return DoorAnswer(exit_code, "", f"{said}\n")
