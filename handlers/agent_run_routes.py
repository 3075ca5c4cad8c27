"""The agent's routes into runs and jobs, as the document tells them."""

from typing import Final

from handlers import agent_run_models as shown
from handlers.agent_route import reads, sends

_RUN: Final = "/api/runs/{kind}/{id}"
_NO_RUN: Final = {404: "no-run"}
_IN_JOB: Final = {
    400: "invalid-input",
    404: "no-such-job",
    409: "not-running",
    429: "too-many-terminals",
}

RUN_ROUTES: Final = (
    reads("/api/log/search", "Find a text in a job's log.", answer=shown.Found,
          query=("job", "text", "from", "exact"), needs=("job", "text"),
          codes={400: "invalid-input", 404: "not-there"}),
    reads(f"{_RUN}/state", "Tell how a run of yours stands.", answer=shown.RunState,
          codes=_NO_RUN),
    reads(f"{_RUN}/use", "Show what a run of yours uses over time.",
          answer=shown.RunUse, query=("since",),
          codes={400: "invalid-input", 404: "no-run"}),
    reads(f"{_RUN}/tensorboard", "Tell how a run's TensorBoard stands.",
          answer=shown.BoardState, codes=_NO_RUN),
    sends("POST", f"{_RUN}/tensorboard", "Start it, or find the one that runs.",
          body=shown.BoardWish, answer=shown.BoardState, status=202,
          codes={400: "invalid-input", 404: "no-run", 409: "no-training",
                 503: "slurm-silent"}),
    sends("DELETE", f"{_RUN}/tensorboard", "Stop it.", answer=shown.BoardState,
          codes={404: "no-run", 503: "slurm-silent"}),
    reads("/api/terminals", "List your open terminals.", answer=shown.Terminals,
          codes={403: "needs-token"}),
    sends("POST", "/api/terminals", "Open a terminal in a running job.",
          body=shown.TerminalWish, answer=shown.OpenTerminal, status=201,
          codes=_IN_JOB),
    sends("POST", "/api/terminals/{id}", "Get a ticket to look at one again.",
          answer=shown.OpenTerminal, codes={404: "no-terminal"}),
    sends("DELETE", "/api/terminals/{id}", "Close one.", status=204,
          codes={404: "no-terminal"}),
)  # fmt: skip
