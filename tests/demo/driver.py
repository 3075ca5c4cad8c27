"""Drive ./demo from outside, as a person would."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.demo.host import is_alive, listening, mentions, processes_of_namespace

CHECKOUT = Path(__file__).resolve().parents[2]
DEMO = CHECKOUT / "demo"


@dataclass(frozen=True)
class Demo:
    """One embedded cluster in a folder of its own."""

    folder: Path

    def environment(self) -> dict[str, str]:
        return {**os.environ, "KQI_DEMO_DIR": str(self.folder)}

    def __call__(
        self, *arguments: str, timeout_s: float = 120, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run ./demo with these arguments to its end."""
        return subprocess.run(
            [DEMO, *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            **options,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ./demo with these arguments and leave it running."""
        return subprocess.Popen(
            [DEMO, *arguments],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def status(self) -> dict[str, Any]:
        answer = self("status", "--json")
        assert answer.returncode == 0, answer.stderr
        found: dict[str, Any] = json.loads(answer.stdout)
        return found

    def run(self, *command: str, **options: Any) -> str:
        """Return what a command prints inside, which must succeed."""
        answer = self("run", *command, **options)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def inside(self) -> dict[int, str]:
        """Return the host's pid and start time of every process of its namespace."""
        supervisor = self.status()["supervisor_pid"]
        return processes_of_namespace(Path(f"/proc/{supervisor}/ns/pid").readlink())


@dataclass(frozen=True)
class Before:
    """A running demo's processes and ports, to be looked for once it is gone."""

    folder: Path
    processes: dict[int, str]
    ports: frozenset[int]

    @classmethod
    def of(cls, demo: Demo) -> "Before":
        ports = frozenset(demo.status()["ports"].values())
        return cls(demo.folder, demo.inside(), ports)

    def left(self) -> dict[str, Any]:
        """Return what is left of it: nothing, when all is well."""
        return {
            "processes": [p for p, t in self.processes.items() if is_alive(p, t)],
            "ports": self.ports & listening(),
            "mounts": [
                line
                for line in Path("/proc/self/mountinfo").read_text().splitlines()
                if str(self.folder) in line or "kqi-demo" in line
            ],
            "mentions": mentions(self.folder),
        }


NOTHING: dict[str, Any] = {
    "processes": [], "ports": frozenset(), "mounts": [], "mentions": [],
}  # fmt: skip
