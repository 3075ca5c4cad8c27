"""What a run writes: its log and its files, through one's own agent."""

import time
from collections.abc import Iterator
from typing import Any, Final

from kqi_hub.sdk.agent_calls import AgentCalls, AgentRefused
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.run_models import Run
from kqi_hub.sdk.runs import RunCalls

_LOOK_EVERY_S: Final = 1.0
_NOT_THERE: Final = 404
# A shared file system may show the last lines a little later than Slurm the end.
_LAST_LOOK_S: Final = 2.0


class RunLogCalls(RunCalls, AgentCalls):
    """The part of `Client` that follows the log of a run."""

    def run_log(
        self, run: Run, *, follow: bool = False, whole: bool = True
    ) -> Iterator[str]:
        """Yield the log, and with `follow` what comes, until the run has ended.

        Without `whole` it begins near its end.
        """
        start: int | None = 0 if whole else None
        ended_at: float | None = None
        while True:
            piece = self._log_piece(run, start)
            if piece is not None:
                yield piece["text"]
                start = int(piece["to"])
                if start < int(piece["size"]):
                    continue
            if not follow:
                if piece is None:
                    raise PortalError(
                        f"{run.kind} {run.id} has no log yet: it is {run.state}.",
                        "Wait until it runs, or follow it: --follow.",
                    )
                return
            if ended_at is not None and time.monotonic() > ended_at + _LAST_LOOK_S:
                return
            time.sleep(_LOOK_EVERY_S)
            if ended_at is None:
                run = self.run(type(run), run.id)
                ended_at = None if run.is_live else time.monotonic()

    def _log_piece(self, run: Run, start: int | None) -> Any:
        """Return a piece of the log; None while there is none."""
        if not run.slurm_id:
            return None
        begin = "" if start is None else f"&from={start}"
        try:
            return self._agent_json("GET", f"log?job={run.slurm_id}{begin}")
        except AgentRefused as error:
            if error.status == _NOT_THERE:
                return None
            raise
