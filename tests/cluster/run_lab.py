"""Runs asked for as people do, by REST, and what the cluster makes of them."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.cluster.login_lab import login_lab
from tests.cluster.stack import Ran, Stack, run_as, wait_until

# A job has to wait for its node, be seen by the worker and be collected.
RUN_S = 90.0
_LIVE = {"prepared", "asked", "pending", "running", "collecting"}
Now = dict[str, Any]


@dataclass
class RunsOfPerson:
    """One person's runs, all of them asked for in a test."""

    stack: Stack
    name: str
    client: httpx2.Client
    asked: list[str] = field(default_factory=list)

    @property
    def scratch(self) -> Path:
        return Path("/scratch") / self.name

    def ask(self, command: str, *, kind: str = "training", **chosen: Any) -> Now:
        """Ask for a run, which must be taken."""
        size = {"cpus": 1, "memory_mb": 512, "lifetime_s": 600, "zip": False}
        made = {"name": f"r-{secrets.token_hex(5)}", "tenant": "vision", "queue": "cpu"}
        body = {**size, **made, "command": command, **chosen}
        answer = self.client.post(kind, json=body)
        assert answer.status_code in {200, 201, 202}, answer.text
        now: Now = answer.json()
        self.asked.append(f"{kind}/{now['id']}")
        return now

    def now(self, run: Now) -> Now:
        """Return a run as it is now."""
        answer = self.client.get(f"{run['kind']}/{run['id']}")
        assert answer.status_code == 200, answer.text
        found: Now = answer.json()
        return found

    def wait(self, run: Now, *states: str, limit_s: float = RUN_S) -> Now:
        """Return the run once it is in one of the states."""
        self._wait(
            lambda: self.now(run)["state"] in states, limit_s, lambda: self.told(run)
        )
        return self.now(run)

    def ended(self, run: Now, limit_s: float = RUN_S) -> Now:
        """Return the run once it has ended."""
        self._wait(
            lambda: self.now(run)["state"] not in _LIVE, limit_s, lambda: self.told(run)
        )
        return self.now(run)

    def stop(self, run: Now, *, as_failed: bool = False) -> None:
        answer = self.client.post(
            f"{run['kind']}/{run['id']}/stop", json={"as_failed": as_failed}
        )
        assert answer.status_code in {200, 202, 204}, answer.text

    def script(self, run: Now) -> str:
        answer = self.client.get(f"{run['kind']}/{run['id']}/script")
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def events(self, run: Now) -> list[str]:
        """Return the states that it has had."""
        answer = self.client.get(f"{run['kind']}/{run['id']}/events")
        return [one["state"] for one in answer.json()["events"]]

    def jobs(self, run: Now) -> list[str]:
        """Return the numbers of every job of its name: of now, and of accounting."""
        name = f"--name={run['job_name']}"
        live = run_as("root", "squeue", "-h", "-t", "all", name, "-o", "%i")
        words = ("sacct", "-X", "-n", "-P", "-D", "-a", "-S", "now-1hours")
        past = run_as("root", *words, name, "-o", "jobid")
        return sorted({*live.stdout.split(), *past.stdout.split()})

    def log(self, run: Now) -> str:
        path = self.scratch / "log" / f"{self.now(run)['slurm_id']}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def folder(self, run: Now) -> Path:
        return self.scratch / "kqi" / str(run["kind"]) / str(run["id"])

    def sbatch(self, script: str) -> Ran:
        """Submit a script as the person does at a terminal."""
        return run_as(self.name, "sbatch", "--parsable", input=script)

    def told(self, run: Now) -> str:
        """Say how a run stands, for a test that fails."""
        now = self.now(run)
        shown = {key: now[key] for key in ("state", "detail", "slurm_id", "exit_code")}
        return f"{shown} {self.events(run)}\n{self.log(run)[-2000:]}"

    def mend(self) -> None:
        """Stop whatever still lives."""
        for one in self.asked:
            self.client.post(f"{one}/stop", json={})
        run_as("root", "scancel", f"--user={self.name}")

    def _wait(
        self, true: Callable[[], bool], limit_s: float, told: Callable[[], str]
    ) -> None:
        wait_until(true, limit_s, told)


@contextmanager
def runs_of(stack: Stack, name: str = "alice", *scopes: str) -> Iterator[RunsOfPerson]:
    """Log somebody in with a token, which has further `scopes`.

    What still runs is stopped afterwards.
    """
    stack.wait_ready("portal", "worker", "runas")
    with login_lab(stack) as logins:
        token = logins.log_in(name, scopes=["custom:kqi:write", *scopes]).body["token"]
    base = f"http://127.0.0.1:{stack.ports['proxy']}/services/portal/api/v1/"
    headers = {"Authorization": f"token {token}"}
    with httpx2.Client(base_url=base, headers=headers, timeout=60) as client:
        made = RunsOfPerson(stack, name, client)
        try:
            yield made
        finally:
            stack.mend()
            made.mend()
