"""Follow a task to its end: what it says as it says it, and why it waits."""

import sys
import time
from collections.abc import Callable
from typing import Final

import click

from kqi_hub.cli.output import moment, say
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.environments import EnvironmentTask
from kqi_hub.sdk.errors import PortalError, Refused

LOOK_EVERY_S: Final = 0.7
_QUEUE_EVERY_S: Final = 5.0
# The portal's picture of Slurm is so old at most, unless Slurm is silent.
_SEEN_S: Final = 60.0
_REMEMBERED: Final = 10_000
_EXIT_CODES: Final = {"failed": 1, "refused": 5, "cancelled": 130}


def follow(portal: Client, task: EnvironmentTask) -> EnvironmentTask:
    """Return a task that is done; PortalError when it ended otherwise.

    Ctrl-C ends the following, not the task.
    """
    try:
        task, told = _to_the_end(portal, task, _tell)
    except KeyboardInterrupt:
        say(
            f"\nIt goes on without you. Follow it: kqi env log {task.id} --follow; "
            f"cancel it: kqi env cancel {task.id}"
        )
        raise click.exceptions.Exit(130) from None
    if task.state != "done":
        raise _ended(task, told)
    return task


def print_log(portal: Client, task: EnvironmentTask, goes_on: bool) -> None:
    """Print what a task says; with `goes_on` until it ends."""
    if not goes_on:
        _Log(portal, task.id, _print).read()
        return
    try:
        ended, told = _to_the_end(portal, task, _print)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None
    if ended.state != "done":
        raise _ended(ended, told)


class _Log:
    """What a task has said so far, told once."""

    def __init__(
        self, portal: Client, task_id: str, tell: Callable[[str], None]
    ) -> None:
        self._portal, self._id, self._tell = portal, task_id, tell
        self._from = 0
        self.told = ""

    def read(self) -> None:
        """Tell what is new."""
        while True:
            try:
                piece = self._portal.environment_log(self._id, self._from)
            except Refused as error:
                if error.code == "not-there":
                    return  # it has said nothing yet
                raise
            self._tell(piece["text"])
            self.told = (self.told + piece["text"])[-_REMEMBERED:]
            self._from = int(piece["to"])
            if self._from >= int(piece["size"]):
                return


def _to_the_end(
    portal: Client, task: EnvironmentTask, tell: Callable[[str], None]
) -> tuple[EnvironmentTask, str]:
    """Return how it ended and the last of what it said."""
    log, queue = _Log(portal, task.id, tell), _Queue(portal)
    while True:
        task = portal.environment_task(task.id)
        log.read()
        if task.is_over:
            return task, log.told
        queue.look(task)
        time.sleep(LOOK_EVERY_S)


class _Queue:
    """Why a task's job waits, each reason once; one that Slurm lost is noticed."""

    def __init__(self, portal: Client) -> None:
        self._portal = portal
        self._told: set[str] = set()
        self._look_at = 0.0
        self._missing_since: float | None = None

    def look(self, task: EnvironmentTask) -> None:
        """Say what is new; the portal's picture is asked, not Slurm."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _QUEUE_EVERY_S
        if task.job_id is None:
            self._once(task.text)
            return
        job = self._portal.live_job(task.job_id)
        self._missing_since = None if job else (self._missing_since or now)
        if job and job["text"] and task.state == "waiting":
            when = f" Expected: {moment(job['starts_at'])}." if job["starts_at"] else ""
            self._once(f"Waits: {job['text']} {job['hint']}".rstrip() + when)
        if self._missing_since and now - self._missing_since > _SEEN_S:
            self._missing_since = now
            self._portal.check_environment_task(task.id)

    def _once(self, text: str) -> None:
        if text and text not in self._told:
            self._told.add(text)
            say(text)


def _tell(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _ended(task: EnvironmentTask, told: str) -> PortalError:
    """Return why it is not done; what its log has just said is not said again."""
    said = task.error or {}
    message, hint = said.get("message", ""), said.get("hint", "")
    if not message or message in told:
        message, hint = f"{task.operation} {task.name}: {task.state}.", ""
    error = PortalError(message, hint)
    error.exit_code = _EXIT_CODES.get(task.state, 1)
    return error
