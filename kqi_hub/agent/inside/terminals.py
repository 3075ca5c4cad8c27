"""The terminals of one person, and the tickets that open them.

A browser's WebSocket carries no token of its own, and an address is no place for one: a
ticket is asked for with the token, works once, and only for half a minute.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.inside.slurm_jobs import Job
from kqi_hub.agent.inside.terminal import Size, Terminal

MOST: Final = 12
_TICKET_S: Final = 30.0
# A tab that is closed ends its terminal; one that lost its way has this long.
UNWATCHED_S: Final = 300.0
_LOOK_S: Final = 5.0
# What has ended stays so long that its last words can still be read.
_ENDED_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to open a terminal once, and the token that it was given for."""

    terminal: str
    token: str
    until: float


@dataclass(slots=True)
class Open:
    """A terminal that somebody has opened."""

    id: str
    job: Job
    terminal: Terminal
    watched_at: float


class Terminals:
    """Open terminals, and who may look at them."""

    def __init__(self, unwatched_s: float = UNWATCHED_S) -> None:
        self._unwatched_s = unwatched_s
        self._open: dict[str, Open] = {}
        self._tickets: dict[str, Ticket] = {}
        self._sweeper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return sum(not one.terminal.ended.is_set() for one in self._open.values())

    def open(
        self, job: Job, command: Sequence[str], surroundings: Mapping[str, str],
        size: Size,
    ) -> Open:  # fmt: skip
        """Start a program on a new terminal."""
        if len(self) >= MOST:
            raise Problem(429, "too-many-terminals", "Close a terminal first.")
        try:
            terminal = Terminal(command, surroundings, size)
        except OSError as error:
            raise Problem(
                503, "no-terminal", f"No terminal: {error.strerror}."
            ) from error
        found = Open(secrets.token_hex(8), job, terminal, time.monotonic())
        self._open[found.id] = found
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep())
        return found

    def one(self, name: str) -> Open:
        """Return one; Problem 404 when there is none (any more)."""
        found = self._open.get(name)
        if found is None:
            raise Problem(404, "no-terminal", "This terminal is closed.")
        return found

    def all(self) -> list[Open]:
        """Return those whose program runs."""
        return [one for one in self._open.values() if not one.terminal.ended.is_set()]

    def ticket(self, found: Open, token: str) -> str:
        """Give out a ticket for one."""
        now = time.monotonic()
        self._tickets = {
            name: one for name, one in self._tickets.items() if one.until > now
        }
        name = secrets.token_urlsafe(32)
        self._tickets[name] = Ticket(found.id, token, now + _TICKET_S)
        return name

    def redeem(self, ticket: str, terminal: str) -> str | None:
        """Return the token that a ticket was given for; once only."""
        found = self._tickets.pop(ticket, None)
        is_good = found is not None and found.terminal == terminal
        is_good = is_good and found is not None and found.until > time.monotonic()
        return found.token if found is not None and is_good else None

    def end(self, name: str) -> None:
        """Close one."""
        self.one(name).terminal.hang_up()

    def close(self) -> None:
        """End all of them at once."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for one in self._open.values():
            one.terminal.kill()

    async def _sweep(self) -> None:
        """End what nobody looks at, forget what has ended."""
        while self._open:
            await asyncio.sleep(min(_LOOK_S, self._unwatched_s / 4))
            now = time.monotonic()
            for one in list(self._open.values()):
                if one.terminal.is_watched:
                    one.watched_at = now
                elif not one.terminal.ended.is_set():
                    if now > one.watched_at + self._unwatched_s:
                        one.terminal.hang_up()
                elif now > one.watched_at + _ENDED_S:
                    del self._open[one.id]
