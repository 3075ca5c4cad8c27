"""Keep wishes and the hub's servers together.

What should run is asked for again, what should not is stopped, a wish that came to
nothing ends. The hub may be killed between the wish and the start, or have been down
when somebody pressed Stop; the spawner adopts a job that is there, so asking twice is
safe.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.errors import Conflict, HubUnavailable, KqiError
from kqi_hub.domain.notebook_ports import HubServers, SessionEnd, SessionStore
from kqi_hub.domain.notebooks import Cause, Session
from kqi_hub.services.notebooks import profile_of

LOOK_EVERY_S: Final = 5.0
# A start or stop under way is given so long before it is asked for once more.
PATIENCE_S: Final = 10.0
# From try to try longer: what fails for minutes fails for a reason.
LONGEST_PAUSE_S: Final = 300.0
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Tries:
    """How often something was asked for again, and when it may be next."""

    count: int = 0
    next_at: float = 0.0


@dataclass
class NotebookKeeper:
    """Compare live sessions with the hub's servers, every few seconds."""

    sessions: SessionStore
    hub: HubServers
    wall: Callable[[], float] = time.time
    tries: dict[int, _Tries] = field(default_factory=dict)

    async def run(self) -> None:
        """Look for ever; only cancelling ends it."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once; a database or hub that does not answer is asked again later."""
        try:
            live = await asyncio.to_thread(self.sessions.live)
        except KqiError as error:
            log.warning("live notebooks are not known now: %s", error)
            return
        self.tries = {
            one.id: known for one in live if (known := self.tries.get(one.id))
        }
        of_person: dict[str, list[Session]] = defaultdict(list)
        for session in live:
            if self.wall() - session.changed_at >= PATIENCE_S:
                of_person[session.owner].append(session)
        for person, theirs in of_person.items():
            await self._look_at(person, theirs)

    async def _look_at(self, person: str, theirs: list[Session]) -> None:
        try:
            states = await self.hub.states(person)
            for session in theirs:
                await self._repair(session, states.get(session.server, ""))
        except HubUnavailable as error:
            log.warning("the servers of %s are not known now: %s", person, error)

    async def _repair(self, session: Session, state: str) -> None:
        is_right = state == "stop" if session.stopping else bool(state)
        if is_right:
            self.tries.pop(session.id, None)
            return
        known = self.tries.setdefault(session.id, _Tries())
        if self.wall() < known.next_at:
            return
        known.count += 1
        pause = min(LONGEST_PAUSE_S, PATIENCE_S * 2 ** min(known.count - 1, 10))
        known.next_at = self.wall() + pause
        try:
            await self._ask(session, state)
        except Conflict as error:
            log.info("%s of %s: %s", session.server, session.owner, error)
        except KqiError as error:
            if isinstance(error, HubUnavailable):
                raise
            log.warning("%s of %s: %s", session.server, session.owner, error)

    async def _ask(self, session: Session, state: str) -> None:
        name = f"{session.server} of {session.owner}"
        if session.stopping is None:
            log.info("%s is asked for again: the hub does not run it", name)
            await self.hub.start(session.owner, session.server, profile_of(session))
        elif state:
            log.info("%s is stopped again: the hub still runs it", name)
            await self.hub.stop(session.owner, session.server)
        elif session.job_id is None:
            log.info("%s was never submitted: its session ends", name)
            end = SessionEnd(self.wall(), Cause.STOPPED)
            await asyncio.to_thread(self.sessions.ended, session.id, end)
        # A job without a server that is to stop is the hub's: it cancels such jobs.
