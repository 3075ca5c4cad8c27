"""Run the command of a run to its end, and pass on what Slurm tells it."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.runner.orphans import adopt_orphans
from kqi_hub.runner.runs.ears import Ears
from kqi_hub.runner.runs.mounts import Home, with_info
from kqi_hub.runner.runs.processes import catching, descendants, send

# Slurm kills 30 s (KillWait) after it has asked; results are written in the rest.
GRACE_S: Final = 20.0
# A signal of Slurm's to everybody has reached everybody by then.
_ALL_TOLD_S: Final = 0.3
_LEFT_GRACE_S: Final = 5.0
_LOOK_S: Final = 0.2

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended: its exit code as a shell has it, and whether asked to."""

    code: int
    was_stopped: bool


def run_command(
    argv: list[str],
    home: Home,
    environment: Mapping[str, str],
    say: Say,
    began: Callable[[int], None],
    beside: Collection[int] = (),
) -> Ended:
    """Run a program in the run's own folders; nothing of it is left afterwards.

    `began` is called with the number of its process. Those `beside` are the caller's.
    """
    adopt_orphans(lambda _: None)
    with Ears() as ears, _Watch(argv, home, environment, ears, say) as watch:
        watch.beside |= set(beside)
        began(watch.pid)
        return watch.to_the_end()


class _Watch:
    def __init__(
        self,
        argv: list[str],
        home: Home,
        environment: Mapping[str, str],
        ears: Ears,
        say: Say,
    ) -> None:
        self._ears, self._say = ears, say
        self.beside: set[int] = set()
        self._ended: dict[int, int] = {}
        # Dies of a SIGTERM that goes to everybody, and of this process's own end.
        self._canary = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE)
        self._top, self._inner = _started(argv, home, environment)
        self._deadline: float | None = None
        self._ask_at: float | None = None

    def __enter__(self) -> "_Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self._bury()
        for process in (self._top, self._canary):
            status = self._ended.get(process.pid)
            # It was waited for here: Popen would not know.
            process.returncode = -9 if status is None else status
        if self._canary.stdin is not None:
            self._canary.stdin.close()
        if self._canary.pid not in self._ended:
            self._canary.returncode = None
            self._canary.wait()

    @property
    def pid(self) -> int:
        return self._top.pid if self._inner is None else self._inner

    def to_the_end(self) -> Ended:
        while (code := self._code()) is None:
            self._hear()
        self._end_what_is_left()
        return Ended(code if code >= 0 else 128 - code, self._deadline is not None)

    def _code(self) -> int | None:
        """Return how the command ended; None while it runs."""
        self._bury()
        top = self._ended.get(self._top.pid)
        if self._inner is None or top is None:
            return top
        # bwrap ends as its child did, unless it was itself killed: then that is ours.
        if top >= 0:
            return top
        inner = self._ended.get(self._inner)
        if inner is None and self._inner not in descendants(os.getpid()):
            self._bury()
            return self._ended.get(self._inner, top)
        return inner

    def _hear(self) -> None:
        now = time.monotonic()
        moments = [at - now for at in (self._ask_at, self._deadline) if at is not None]
        timeout = max(0.0, min(moments)) if moments else None
        heard = self._ears.wait(timeout)
        if signal.SIGUSR1 in heard:
            self._warn()
        if signal.SIGTERM in heard and self._deadline is None:
            self._say("Told to stop: the command is asked to end.")
            self._deadline = time.monotonic() + GRACE_S
            self._ask_at = time.monotonic() + _ALL_TOLD_S
        self._ask_if_needed()
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._say(f"It did not end within {GRACE_S:.0f} s and is killed.")
            send(self._own(), signal.SIGKILL)
            self._deadline += _LEFT_GRACE_S

    def _warn(self) -> None:
        """Pass USR1 to those that wait for it; others would die of it."""
        waiting = catching(self._own(), signal.SIGUSR1)
        send(waiting, signal.SIGUSR1)
        told = f"{len(waiting)} programs are told" if waiting else "no program waits"
        self._say(f"The time limit is near: USR1; {told}.")

    def _ask_if_needed(self) -> None:
        """Pass TERM on, unless Slurm has sent it to every process by itself.

        Twice would interrupt a program that saves its work after the first.
        """
        if self._ask_at is None or time.monotonic() < self._ask_at:
            return
        self._ask_at = None
        self._bury()
        if self._ended.get(self._canary.pid) != -signal.SIGTERM:
            send(self._own(), signal.SIGTERM)

    def _end_what_is_left(self) -> None:
        """Wait for what still saves its work, end what was left in the background."""
        if self._ask_at is not None:
            time.sleep(max(0.0, self._ask_at - time.monotonic()))
            self._ask_if_needed()
        left = self._own()
        if not left:
            return
        until = self._deadline
        if until is None:
            self._say(
                f"The command has left {len(left)} programs behind: they end now."
            )
            send(left, signal.SIGTERM)
            until = time.monotonic() + _LEFT_GRACE_S
        while self._own() and time.monotonic() < until:
            self._ears.wait(_LOOK_S)
            self._bury()
        send(self._own(), signal.SIGKILL)

    def _own(self) -> set[int]:
        """Return the command's processes, without ours and without bwrap."""
        helpers = {self._canary.pid} | self.beside
        if self._inner is not None:
            helpers.add(self._top.pid)
        return descendants(os.getpid()) - helpers

    def _bury(self) -> None:
        """Note how children ended, adopted ones included."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self._ended[pid] = os.waitstatus_to_exitcode(status)


def _started(
    argv: list[str], home: Home, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], int | None]:
    """Start it; return its process and, behind bwrap, the number of the real one."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as told:
        try:
            whole = [*with_info(home, writer).argv]
            process = subprocess.Popen(
                [*whole, "--", *argv] if whole else argv,
                # bwrap goes there by itself, inside.
                cwd="/" if whole else Path(home.at("git")),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                pass_fds=[writer] if whole else [],
                start_new_session=True,
            )
        finally:
            os.close(writer)
        return process, _inner(told.read()) if whole else None


def _inner(told: bytes) -> int | None:
    try:
        return int(json.loads(told)["child-pid"])
    except (ValueError, KeyError, TypeError):
        return None
