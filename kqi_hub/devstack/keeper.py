"""Keep one service running: start, watch until ready, restart when it dies."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from kqi_hub.devstack.processes import CommandFailed, Processes, Running
from kqi_hub.devstack.services import Service

LOG_LIMIT_BYTES = 20_000_000
_CHECK_EVERY_S = 0.1
_CHECK_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 15.0
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 10.0
# A program that lived this long had started well: its next restart is quick again.
_HEALTHY_AFTER_S = 20.0
# A program that ended this often without ever being ready will not become ready.
_HOPELESS_AFTER = 3
_CANNOT_RUN = 127


class ServiceFailed(Exception):
    """A service did not become ready; the message says how it ended."""


class Keeper:
    """One service as it is now, and what may be done to it."""

    def __init__(self, service: Service, processes: Processes, log: Path) -> None:
        self.service = service
        self.log = log
        self.state = "waiting"
        self.deaths = 0
        self.last_exit: int | None = None
        self.started_at: float | None = None
        self._processes = processes
        self._running: Running | None = None
        self._obstacle = ""
        self._asked_to_stop = False
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._hopeless = asyncio.Event()
        self._hurry = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Return the pid, as this namespace numbers it."""
        alive = self._alive()
        return alive.pid if alive else None

    def _alive(self) -> Running | None:
        if self._running is None or self._running.ended.done():
            return None
        return self._running

    def want(self) -> None:
        """Have it running from now on."""
        self._wanted.set()
        self._hurry.set()
        if self._alive() is None:
            self.state = "starting"
        if self._loop is None:
            self._loop = asyncio.create_task(self._keep())

    async def until_ready(self, timeout_s: float) -> None:
        """Return when it is ready; raise ServiceFailed when that will not happen."""
        events = (self._ready.wait(), self._hopeless.wait())
        waiting = [asyncio.create_task(event) for event in events]
        await asyncio.wait(
            waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        for task in waiting:
            task.cancel()
        if self._ready.is_set():
            return
        if self._hopeless.is_set():
            raise ServiceFailed(
                self._obstacle
                if self.last_exit == _CANNOT_RUN
                else f"it ended {self.deaths} times, last with status {self.last_exit}"
            )
        raise ServiceFailed(
            f"it is not ready after {timeout_s:.0f} s: {self._obstacle}"
        )

    async def stop(self) -> None:
        """End it and leave it down until `want`."""
        self._wanted.clear()
        alive = self._alive()
        if alive is not None:
            self._asked_to_stop = True
            self.state = "stopping"
            await self._end(alive)
        self.state = "stopped"

    async def _end(self, alive: Running) -> None:
        alive.signal(signal.SIGTERM)
        alive.signal(signal.SIGCONT)
        try:
            await asyncio.wait_for(asyncio.shield(alive.ended), _STOP_TIMEOUT_S)
        except TimeoutError:
            alive.signal(signal.SIGKILL)
            await alive.ended

    async def kill(self) -> None:
        """Kill it as kill -9 does; it is restarted after the usual delay."""
        alive = self._alive()
        if alive is not None:
            alive.signal(signal.SIGKILL)
            await alive.ended
            self.state = "restarting"

    def pause(self) -> None:
        """Freeze it: it keeps its sockets and answers nobody."""
        alive = self._alive()
        if alive is not None:
            alive.signal(signal.SIGSTOP)
            self.state = "paused"

    def resume(self) -> None:
        """Let a frozen one go on."""
        alive = self._alive()
        if alive is not None:
            alive.signal(signal.SIGCONT)
            self.state = "ready" if self._ready.is_set() else "starting"

    async def _keep(self) -> None:
        delay_s = _FIRST_DELAY_S
        while True:
            await self._wanted.wait()
            began = time.monotonic()
            self.last_exit = await self._run_once()
            if time.monotonic() - began > _HEALTHY_AFTER_S:
                delay_s = _FIRST_DELAY_S
            if self._asked_to_stop:
                self._asked_to_stop = False
                continue
            self.deaths += 1
            if self.deaths >= _HOPELESS_AFTER:
                self._hopeless.set()
            self.state = "restarting" if self._wanted.is_set() else "stopped"
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), delay_s)
            delay_s = min(delay_s * 2, _LONGEST_DELAY_S)

    async def _run_once(self) -> int:
        self.state = "starting"
        self._ready.clear()
        try:
            with self.log.open("ab") as output:
                command = self.service.command
                self._running = self._processes.start(command, output.fileno())
        except (CommandFailed, OSError) as error:
            sys.stderr.write(f"{self.service.name}: {error}\n")
            self._obstacle = str(error)
            return _CANNOT_RUN
        self.started_at = time.time()
        watch = asyncio.create_task(self._watch_until_ready())
        try:
            return await self._running.ended
        finally:
            watch.cancel()
            self._ready.clear()

    async def _watch_until_ready(self) -> None:
        while True:
            self._obstacle = await self._check()
            if not self._obstacle:
                break
            await asyncio.sleep(_CHECK_EVERY_S)
        self._ready.set()
        self._hopeless.clear()
        if self.state == "starting":
            self.state = "ready"

    async def _check(self) -> str:
        check = self.service.ready(self._processes)
        try:
            return await asyncio.wait_for(check, _CHECK_TIMEOUT_S)
        except TimeoutError:
            return "its check gets no answer"
        except CommandFailed as error:
            return str(error)

    def trim_log(self) -> None:
        """Keep the log from growing without end; the last part is kept beside it."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            old = self.log.with_suffix(".log.1")
            old.write_bytes(self.log.read_bytes())
            # The service appends (O_APPEND), so it goes on at the new end.
            os.truncate(self.log, 0)
