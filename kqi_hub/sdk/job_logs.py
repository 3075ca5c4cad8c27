"""The log of a job, followed through one's own agent."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from kqi_hub.sdk.agent_calls import AgentCalls, AgentRefused
from kqi_hub.sdk.calls import part
from kqi_hub.sdk.errors import PortalError

_LOOK_EVERY_S: Final = 1.0
_NOT_THERE: Final = 404
# A shared file system may show the last lines a little later than Slurm the end.
_LAST_LOOK_S: Final = 2.0


class JobLogCalls(AgentCalls):
    """The part of `Client` that the logs of runs and of other jobs stand on."""

    def _log_of(
        self,
        job: Callable[[], int | str | None],
        is_live: Callable[[], bool],
        no_log: Callable[[], PortalError],
        *,
        follow: bool,
        whole: bool,
    ) -> Iterator[str]:
        """Yield the log of a job, whose number may only come while it is followed."""
        start: int | None = 0 if whole else None
        ended_at: float | None = None
        while True:
            piece = self._piece(job(), start)
            if piece is not None:
                yield piece["text"]
                start = int(piece["to"])
                if start < int(piece["size"]):
                    continue
            if not follow:
                if piece is None:
                    raise no_log()
                return
            if ended_at is not None and time.monotonic() > ended_at + _LAST_LOOK_S:
                return
            time.sleep(_LOOK_EVERY_S)
            if ended_at is None and not is_live():
                ended_at = time.monotonic()

    def _piece(self, job: int | str | None, start: int | None) -> Any:
        """Return a piece of the log; None while there is none."""
        if not job:
            return None
        begin = "" if start is None else f"&from={start}"
        try:
            return self._agent_json("GET", f"log?job={part(str(job))}{begin}")
        except AgentRefused as error:
            if error.status == _NOT_THERE:
                return None
            raise
