"""The life of a worker process: wait for its turn, look until told to stop."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from kqi_hub.domain.full_disk import NoRoom
from kqi_hub.worker.journal import Journal, say
from kqi_hub.worker.steps import DATABASE, StepFailed, step

TURN_S: Final = 1.0
DATABASE_S: Final = 5.0
# A database call that hangs must not hold the process up; killing it is safe,
# for what is stored is stored in transactions.
GRACE_S: Final = 3.0
_LOCK: Final = "lock"


class Lock(Protocol):
    """What makes a worker the only one."""

    def take(self) -> bool:
        """Take the lock if it is free, and tell whether it is ours."""

    def drop(self) -> None:
        """Let the next worker have it."""

    def holder(self) -> int | None:
        """Return the holder's process id."""


async def serve(
    lock: Lock,
    check_database: Callable[[], object],
    run: Callable[[], Awaitable[None]],
    journal: Journal,
) -> None:
    """Become the only worker, wait for a usable database, then run."""
    await _turn(lock, journal)
    try:
        await _database(check_database, journal)
        say("started", pid=os.getpid())
        await run()
    finally:
        lock.drop()


def run_until_stopped(main: Awaitable[None]) -> None:
    """Run the coroutine until it ends or SIGTERM or SIGINT arrives."""
    asyncio.run(_until_stopped(main))


async def _until_stopped(main: Awaitable[None]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main)

    def stop(name: str) -> None:
        say("stopping", signal=name)
        loop.call_later(GRACE_S, os._exit, 0)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number.name)
    try:
        await task
    except asyncio.CancelledError:
        say("stopped")


async def _turn(lock: Lock, journal: Journal) -> None:
    told = False
    while True:
        try:
            if lock.take():
                journal.fine(_LOCK)
                return
        except NoRoom as error:
            journal.trouble(_LOCK, error)
        else:
            if not told:
                reason = "another worker is at work"
                say("waiting", reason=reason, pid=lock.holder())
                told = True
        await asyncio.sleep(TURN_S)


async def _database(check: Callable[[], object], journal: Journal) -> None:
    while True:
        try:
            with step(DATABASE):
                await asyncio.to_thread(check)
        except StepFailed as failed:
            journal.trouble(DATABASE, failed.cause)
        else:
            journal.fine(DATABASE)
            return
        await asyncio.sleep(DATABASE_S)
