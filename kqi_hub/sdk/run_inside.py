"""What goes on inside a run, through one's own agent: its TensorBoard, its ports."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urljoin

from kqi_hub.sdk.errors import PortalError, WrongState
from kqi_hub.sdk.models import Answer
from kqi_hub.sdk.run_logs import RunLogCalls
from kqi_hub.sdk.run_models import Run, UseSample

_LOOK_EVERY_S: Final = 1.0
_COMING: Final = frozenset({"asked", "waiting", "starting"})


@dataclass(frozen=True, slots=True)
class RunBoard(Answer):
    """A TensorBoard of a run; `url` opens in a browser that is logged in.

    `state`: none, asked, waiting, starting, running, ended or failed.
    """

    state: str
    job: int | None = None
    hours: int | None = None
    path: str = ""
    said: str = ""
    ends_in_s: int | None = None
    url: str = ""


class RunInsideCalls(RunLogCalls):
    """The part of `Client` for what goes on inside runs of one's own."""

    # Where the portal is; the client knows.
    server: str

    def run_use(self, run: Run, since: float = 0) -> tuple[UseSample, ...]:
        """Return what its job noted of its use after a moment; while it runs, too."""
        path = f"runs/{run.kind}/{_number(run)}/use?since={int(since)}"
        said = self._agent_json("GET", path)
        names = said["fields"]
        found = (dict(zip(names, one, strict=True)) for one in said["lines"])
        samples = (UseSample.read(one) for one in found)
        return tuple(one for one in samples if one.epoch > since)

    def run_board(self, run: Run) -> RunBoard:
        """Return how the run's TensorBoard stands."""
        return self._board("GET", run)

    def start_run_board(
        self, run: Run, hours: int = 3, beside: Sequence[str] = ()
    ) -> RunBoard:
        """Start it, or return the one that runs; `beside`: more, as training/11."""
        asked: dict[str, object] = {"hours": hours, "with": list(beside)}
        return self._board(
            "POST", run, {**asked, "queue": run.queue, "tenant": run.tenant}
        )

    def stop_run_board(self, run: Run) -> RunBoard:
        """Stop it; none is no error."""
        return self._board("DELETE", run)

    def wait_run_board(self, run: Run, most_s: float = 600.0) -> RunBoard:
        """Return it once it can be opened; PortalError when it cannot."""
        until = time.monotonic() + most_s
        while True:
            found = self.run_board(run)
            if found.state == "running":
                return found
            if found.state not in _COMING:
                raise PortalError(
                    f"TensorBoard of {run.kind} {run.id} is {found.state}. "
                    f"{found.said}".strip(),
                    "Start it again.",
                )
            if time.monotonic() > until:
                raise PortalError(
                    f"TensorBoard of {run.kind} {run.id} is still {found.state}.",
                    "It goes on: ask again later.",
                )
            time.sleep(_LOOK_EVERY_S)

    def run_port(self, run: Run, port: int) -> str:
        """Return where a browser that is logged in finds a port of a running run."""
        if run.job_id is None:
            raise WrongState(
                f"{run.kind} {run.id} has no job: it is {run.state}.",
                "Ports are there while it runs.",
            )
        return urljoin(
            self.server, f"{self._known_way().url}proxy/{run.job_id}/{port}/"
        )

    def _board(
        self, method: str, run: Run, body: dict[str, object] | None = None
    ) -> RunBoard:
        path = f"runs/{run.kind}/{_number(run)}/tensorboard"
        found = RunBoard.read(self._agent_json(method, path, body))
        if not found.path:
            return found
        url = urljoin(self.server, f"{self._known_way().url}{found.path}")
        return replace(found, url=url)


def _number(run: Run) -> str:
    """Return its folder's name: a copy of a script has its own."""
    return run.folder.rpartition("/")[2] or str(run.id)
