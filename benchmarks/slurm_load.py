"""Fill the queue of a cluster, through slurmrestd because that is quickest."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

API = "/slurm/v0.0.38"
CONNECTIONS = 4
PERSON = "alice"
PORTS = Path("/opt/kqi-demo/ports.json")
# These run on the cluster's real nodes; the others wait for nodes that do not exist.
RUNNING_JOBS = 40


class Rest:
    """A connection to slurmrestd as one person."""

    def __init__(self, person: str) -> None:
        port = json.loads(PORTS.read_text())["slurmrestd"]
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {
            "Content-Type": "application/json",
            "X-SLURM-USER-NAME": person,
            "X-SLURM-USER-TOKEN": token(person),
        }

    def get(self, path: str) -> bytes:
        """Return the answer's body."""
        return self._ask("GET", path, None)

    def submit(self, job: Mapping[str, object]) -> int:
        """Submit and return the id."""
        body = json.dumps({"script": "#!/bin/sh\nexec sleep 36000\n", "job": job})
        answer: dict[str, Any] = json.loads(self._ask("POST", "/job/submit", body))
        return int(answer["job_id"])

    def _ask(self, method: str, path: str, body: str | None) -> bytes:
        self._connection.request(method, API + path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content


def token(person: str) -> str:
    """Return a token for slurmrestd."""
    argv = ["scontrol", "token", f"username={person}", "lifespan=3600"]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    return ran.stdout.strip().partition("=")[2]


def jobs_to_submit(first: int, last: int) -> Iterator[dict[str, object]]:
    """Describe jobs as people have them: names, two accounts, several sizes."""
    for number in range(first, last):
        runs = number < RUNNING_JOBS
        yield {
            "name": f"train-resnet50-seed{number}",
            "account": ("vision", "nlp")[number % 2],
            "partition": "cpu" if runs else "bench",
            "comment": "" if number % 3 else f"sweep {number // 100}",
            "gres": "" if runs else f"gpu:a100:{1 + number % 8}",
            "memory_per_node": 100 if runs else 4000 + number % 16 * 1000,
            "time_limit": 60 + number % 1000,
            "hold": not runs,
            "current_working_directory": "/",
            "standard_output": "/dev/null",
            "environment": {"LANG": "C.UTF-8"},
        }


def fill(first: int, last: int) -> None:
    """Submit the jobs of these numbers over some connections at once."""
    jobs = list(jobs_to_submit(first, last))
    with ThreadPoolExecutor(CONNECTIONS) as workers:
        list(
            workers.map(submit_all, (jobs[n::CONNECTIONS] for n in range(CONNECTIONS)))
        )


def submit_all(jobs: Sequence[Mapping[str, object]]) -> None:
    """Submit jobs one after the other over a connection of their own."""
    rest = Rest(PERSON)
    for job in jobs:
        rest.submit({name: value for name, value in job.items() if value != ""})


def main(first: str, last: str) -> None:
    """Submit jobs and print how many there are now."""
    fill(int(first), int(last))
    print(json.dumps(int(last)))


if __name__ == "__main__":
    main(*sys.argv[1:])
