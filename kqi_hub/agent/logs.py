"""Logs of the person's jobs: a piece at a time, or as they grow."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Final, Protocol

from tornado.iostream import StreamClosedError

from kqi_hub.agent.access import HubSilent
from kqi_hub.agent.base import OwnerHandler
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.follower import Event, Follower
from kqi_hub.agent.logfile import MOST_BYTES, Piece, log_path, read_piece
from kqi_hub.agent.logsearch import LONGEST_TEXT, search_log

TAIL_BYTES: Final = 64 * 1024
_FAST_S: Final = 0.1
_NEWS_S: Final = 0.25
_QUIET_S: Final = 1.0
_HEARTBEAT_S: Final = 15.0
_CHECK_TOKEN_S: Final = 5.0
_SLOW_READER_S: Final = 60.0
_LONGEST_S: Final = 3600.0


class Log(OwnerHandler):
    """GET api/log?job=12&from=0: the piece from an offset on, as JSON."""

    async def get(self) -> None:
        """Answer with text, where it begins and ends, and how long the log is."""
        job, start = self.job(), self.offset(-TAIL_BYTES)
        wanted = self.whole_number("to", start + MOST_BYTES) - start
        most = min(MOST_BYTES, max(0, wanted))
        folder = self.agent.told.folder
        piece = await self.on_disk(read_piece, folder, job, start, most)
        self.answer({"job": shown_job(job), **piece_fields(piece)})


def shown_job(job: str) -> int | str:
    """Return a job as answers name it: a number, or a task such as `12_3`."""
    return int(job) if job.isdecimal() else job


class Search(OwnerHandler):
    """GET api/log/search?job=12&text=loss&from=0: where a text is in a log."""

    async def get(self) -> None:
        """Answer with what one bounded look finds, and where to go on."""
        job, start = self.job(), self.offset(0)
        text = self.line("text", LONGEST_TEXT)
        is_exact = self.whole_number("exact", 0) == 1
        found = await self.on_disk(
            search_log, self.agent.told.folder, job, text, start, is_exact
        )
        self.answer({"job": shown_job(job), **asdict(found)})


def piece_fields(piece: Piece) -> dict[str, object]:
    """Return a piece as JSON."""
    return {
        "from": piece.start,
        "to": piece.end,
        "size": piece.size,
        "changed_at": piece.changed_at,
        "text": piece.text,
    }


class Looker(Protocol):
    """What a stream is fed from. Blocks: call `look` off the loop."""

    @property
    def position(self) -> int:
        """Return how far it has been read."""

    @property
    def is_behind(self) -> bool:
        """Tell whether there is more to read at once."""

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will come."""

    def look(self) -> tuple[Event, ...]:
        """Return what is new; raises OSError when it cannot be read."""


class Stream(OwnerHandler):
    """A log as a stream of events; who is below says which."""

    def initialize(self) -> None:
        """Expect a reader who may leave at any moment."""
        self._gone = asyncio.Event()

    def on_connection_close(self) -> None:
        """Stop when the reader has left."""
        self._gone.set()

    async def stream(self, looker: Looker) -> None:
        """Send what the log has and what comes, until the reader leaves."""
        if self.agent.use.is_full:
            raise Problem(429, "too-many-streams", "Too many logs are open already.")
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")
        with self.agent.use.stream(), suppress(StreamClosedError, TimeoutError):
            await self._send("retry: 2000\n\n")
            await self._follow(looker)

    def start_offset(self) -> int:
        """Go on where a browser's last connection broke off."""
        last = self.request.headers.get("Last-Event-ID", "")
        is_offset = last.isascii() and last.isdigit() and len(last) <= 15
        return int(last) if is_offset else self.offset(-TAIL_BYTES)

    async def _follow(self, follower: Looker) -> None:
        began = checked = spoke = time.monotonic()
        pause = _NEWS_S
        while not self._gone.is_set() and time.monotonic() < began + _LONGEST_S:
            try:
                events = await self.on_disk(follower.look)
            except Problem as problem:
                failed = Event("failed", {"message": problem.message})
                return await self._send(_text(failed, 0))
            now = time.monotonic()
            if events or now > spoke + _HEARTBEAT_S:
                texts = [_text(event, follower.position) for event in events]
                await self._send("".join(texts) or ": still here\n\n")
                spoke = now
            if follower.is_over:
                return None
            if now > checked + _CHECK_TOKEN_S:
                if not await self._is_still_welcome():
                    return None
                checked = now
            pause = _NEWS_S if events else min(_QUIET_S, pause * 1.5)
            await self._rest(_FAST_S if follower.is_behind else pause)
        return None

    async def _send(self, text: str) -> None:
        self.write(text)
        async with asyncio.timeout(_SLOW_READER_S):
            await self.flush()

    async def _is_still_welcome(self) -> bool:
        try:
            return await self.agent.access.admits(self.token)
        except HubSilent:
            return True  # a hub that restarts ends nobody's view of a log

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._gone.wait()


class Follow(Stream):
    """GET api/log/follow?job=12&from=0: the same as a stream of events."""

    async def get(self) -> None:
        """Send the log of a job."""
        job = self.job()
        await self.stream(
            Follower(
                self.agent.told.folder,
                log_path(job),
                self.start_offset(),
                {"job": shown_job(job)},
            )
        )


def _text(event: Event, position: int) -> str:
    """Return an event as a line of JSON; only a log's text moves the reader on."""
    number = f"id: {position}\n" if event.name == "log" else ""
    return f"event: {event.name}\n{number}data: {json.dumps(event.fields)}\n\n"
