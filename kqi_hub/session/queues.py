"""The queues and their free nodes, asked as the person when the person asks."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Final

_TIMEOUT_S: Final = 10.0
_FRESH_S: Final = 10.0
_LINE: Final = re.compile(r"([^|]{1,64})\|([a-z]+)\|(\d+)/(\d+)/(\d+)/(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue as `sinfo` tells of it."""

    name: str
    is_up: bool
    allocated: int
    idle: int
    other: int
    total: int


class NoAnswer(Exception):
    """Slurm does not answer; the message is for people."""


def read_queues(text: str) -> list[Queue]:
    """Return what `sinfo` wrote."""
    found = []
    for line in text.splitlines():
        if told := _LINE.fullmatch(line.strip()):
            name, up, *numbers = told.groups()
            found.append(Queue(name, up == "up", *map(int, numbers)))
    return found


class Queues:
    """Asks at most once in ten seconds."""

    def __init__(self) -> None:
        self._known: list[Queue] = []
        self._asked_at = -_FRESH_S

    async def look(self) -> list[Queue]:
        """Return them as they are now; NoAnswer."""
        if time.monotonic() - self._asked_at > _FRESH_S:
            self._known = read_queues(await _sinfo())
            self._asked_at = time.monotonic()
        return self._known


async def _sinfo() -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *("sinfo", "--noheader", "--format=%R|%a|%F"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise NoAnswer(f"sinfo cannot be run here: {error.strerror}.") from error
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            text, _ = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise NoAnswer("Slurm does not answer at the moment.") from error
    if process.returncode != 0:
        raise NoAnswer("Slurm does not answer at the moment.")
    return text.decode(errors="replace")
