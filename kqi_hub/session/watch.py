"""Watch one session: how long it is idle, when its time is up, and end it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from kqi_hub.session.idle import (
    SHOWN,
    USES,
    Idleness,
    Look,
    Rule,
    Verdict,
    seconds_between_looks,
)

_SLURMS_HASTE_S: Final = 90.0
# A job that never had so much time left is signalled in its first minutes.
_FIRST_S: Final = 180.0
Looking = Callable[[], Awaitable[Look]]


class Log(Protocol):
    """What the watch needs of a logger."""

    def info(self, text: str, *values: object) -> None:
        """Write a line."""

    def exception(self, text: str, *values: object) -> None:
        """Write a line and what went wrong."""


class Watch:
    """What is known of a session, and the task that looks at it."""

    def __init__(
        self,
        order: Mapping[str, Any],
        look: Looking,
        stop: Callable[[str], None],
        log: Log,
    ) -> None:
        now = time.time()
        self.order = order
        self.ends_at: float | None = order["ends_at"]
        self._began = now
        self.rule = Rule(float(order["idle_stop_s"]), float(order["idle_warn_s"]))
        self.idleness = Idleness(used_at=now, looked_at=now)
        self.seen: Mapping[str, int] = dict.fromkeys(USES + SHOWN, 0)
        self._look, self._stop, self._log = look, stop, log
        self._warned = False

    async def run(self) -> None:
        """Look again and again until it is time to stop."""
        pause = seconds_between_looks(self.rule)
        while True:
            await asyncio.sleep(pause)
            try:
                await self.once()
            except Exception:  # noqa: BLE001  # as the next line says
                # A look that fails ends no session: what works there is not known.
                self._log.exception("The idle rule could not look at the session")

    async def once(self) -> Verdict:
        """Look once and do what follows."""
        look = await self._look()
        self.seen = look.counts
        self.idleness = self.idleness.after(look, self.rule)
        verdict = self.idleness.verdict(self.rule, time.time())
        if verdict is Verdict.WARN and not self._warned:
            self._log.info("Nothing happens here: it ends soon. Seen: %s", self.seen)
        self._warned = verdict is Verdict.WARN
        if verdict is Verdict.STOP:
            idle_s = time.time() - self.idleness.used_at
            self._log.info("Idle for %d s: it ends. Seen: %s", idle_s, self.seen)
            self._stop("idle")
        return verdict

    def here(self) -> None:
        """Note that somebody is here."""
        self.idleness = self.idleness.touched(time.time())

    def time_is_nearly_up(self) -> None:
        """Note Slurm's signal: the time limit is about `end_warn_s` away."""
        signalled = time.time() + float(self.order["end_warn_s"])
        known = self.ends_at
        is_short = time.time() - self._began < _FIRST_S
        # Slurm signals up to a minute early. More than that: the limit was changed,
        # unless the queue ends the job sooner than it would be warned.
        if known is None or (
            abs(known - signalled) > _SLURMS_HASTE_S
            and not (is_short and known < signalled)
        ):
            self.ends_at = signalled
        self._log.info("The time limit is near: it ends at %d", self.ends_at)
