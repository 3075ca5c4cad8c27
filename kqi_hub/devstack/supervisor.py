"""Bring the services up in the order of their needs, and down in the reverse."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from kqi_hub.devstack.keeper import Keeper, ServiceFailed
from kqi_hub.devstack.processes import CommandFailed, Processes
from kqi_hub.devstack.services import Service, Step, Task

STEP_TIMEOUT_S = 60.0
_TRIM_LOGS_EVERY_S = 30.0

# Called with a step's name and how long it took.
Told = Callable[[str, float], None]


class StepFailed(Exception):
    """A step of the start failed; `step` names it and its log."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason


class Supervisor:
    """All services of one cluster."""

    def __init__(
        self, steps: tuple[Step, ...], processes: Processes, logs: Path
    ) -> None:
        self._steps = steps
        self._processes = processes
        self._logs = logs
        self.state = "starting"
        self.keepers = {
            step.name: Keeper(step, processes, self.log_of(step.name))
            for step in steps
            if isinstance(step, Service)
        }

    def log_of(self, step: str) -> Path:
        """Return the log file of a service or task."""
        return self._logs / f"{step}.log"

    async def bring_up(self, told: Told, *, first_start: bool) -> None:
        """Do every step, side by side where its needs allow; raise StepFailed."""
        done = {step.name: asyncio.Event() for step in self._steps}

        async def one(step: Step) -> None:
            for need in step.needs:
                await done[need].wait()
            began = time.monotonic()
            if isinstance(step, Service) or first_start or not step.first_start_only:
                await self._do(step)
                told(step.name, time.monotonic() - began)
            done[step.name].set()

        try:
            async with asyncio.TaskGroup() as group:
                for step in self._steps:
                    group.create_task(one(step))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        self.state = "ready"

    async def _do(self, step: Step) -> None:
        try:
            if isinstance(step, Service):
                self.keepers[step.name].want()
                await self.keepers[step.name].until_ready(STEP_TIMEOUT_S)
            else:
                await self._do_task(step)
        except (ServiceFailed, CommandFailed) as error:
            raise StepFailed(step.name, str(error)) from error

    async def _do_task(self, task: Task) -> None:
        work = task.work(self._processes, self.log_of(task.name))
        try:
            await asyncio.wait_for(work, STEP_TIMEOUT_S)
        except TimeoutError:
            raise StepFailed(
                task.name, f"not done after {STEP_TIMEOUT_S:.0f} s"
            ) from None

    async def bring_down(self, told: Told) -> None:
        """Stop every service, each after those that need it."""
        self.state = "stopping"
        down = {step.name: asyncio.Event() for step in self._steps}

        async def one(step: Step) -> None:
            for other in self._steps:
                if step.name in other.needs:
                    await down[other.name].wait()
            keeper = self.keepers.get(step.name)
            if keeper is not None and keeper.state != "waiting":
                began = time.monotonic()
                await keeper.stop()
                told(step.name, time.monotonic() - began)
            down[step.name].set()

        await asyncio.gather(*(one(step) for step in self._steps))
        self.state = "stopped"

    async def trim_logs(self) -> None:
        """Look at the logs' sizes now and then, for ever."""
        while True:
            await asyncio.sleep(_TRIM_LOGS_EVERY_S)
            for keeper in self.keepers.values():
                keeper.trim_log()
