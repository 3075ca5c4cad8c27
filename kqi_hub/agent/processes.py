"""Children that outlive the agent: known by number and start time, never by number."""

import os
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ENDED: Final = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class Child:
    """A process, and when it began in the kernel's ticks: numbers are used again."""

    pid: int
    began: int

    def is_alive(self) -> bool:
        """Tell without asking anybody; takes microseconds."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return False
        state, *rest = stat.rpartition(b")")[2].decode().split()
        return state not in _ENDED and int(rest[18]) == self.began

    def signal(self, number: signal.Signals) -> None:
        """Signal it and what it started; one that is gone is no error."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


class Children:
    """Start detached processes, and take note of their ends so that none lingers."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def start(
        self, command: Sequence[str], surroundings: Mapping[str, str], log: int
    ) -> Child:
        """Start one in a session of its own; what it says goes to the log. Blocks."""
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            env=dict(surroundings), start_new_session=True, umask=0o077,
        )  # fmt: skip
        self._started.append(process)
        _lift_limits(process.pid)
        stat = Path(f"/proc/{process.pid}/stat").read_bytes()
        return Child(process.pid, int(stat.rpartition(b")")[2].split()[19]))

    def reap(self) -> int:
        """Let go of those that have ended; return how many have not."""
        self._started = [one for one in self._started if one.poll() is None]
        return len(self._started)


def _lift_limits(pid: int) -> None:
    """Let a child have what the agent may give: its own limits are an agent's."""
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE):
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, kind)
            resource.prlimit(pid, kind, (hard, hard))
