"""What a run writes: its log, through one's own agent."""

from collections.abc import Iterator

from kqi_hub.sdk.errors import WrongState
from kqi_hub.sdk.job_logs import JobLogCalls
from kqi_hub.sdk.run_models import Run
from kqi_hub.sdk.runs import RunCalls


class RunLogCalls(RunCalls, JobLogCalls):
    """The part of `Client` that follows the log of a run."""

    def run_log(
        self, run: Run, *, follow: bool = False, whole: bool = True
    ) -> Iterator[str]:
        """Return the log, and with `follow` what comes, until the run has ended.

        Without `whole` it begins near its end.
        """
        now = run

        def is_live() -> bool:
            nonlocal now
            now = self.run(type(run), run.id)
            return now.is_live

        return self._log_of(
            lambda: now.slurm_id,
            is_live,
            lambda: WrongState(
                f"{run.kind} {run.id} has no log yet: it is {run.state}.",
                "Wait until it runs, or follow it: --follow.",
            ),
            follow=follow,
            whole=whole,
        )
