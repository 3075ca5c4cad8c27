"""The doctor's look at what book and Slurm said of each other."""

from collections.abc import Callable
from typing import Final

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.reconciliation import Cause, Reconciliation
from kqi_hub.services.checks.examine import Check, aside
from kqi_hub.services.checks.finding import Finding, fail, ok, skip, warn

AGREE: Final = "use and Slurm"
_DAY_S: Final = 24 * 3600.0
_OLD_S: Final = 3 * _DAY_S
_SHOW: Final = "Run as the service user: kqi-hub reconcile --last"
_RUNAWAY: Final = "An administrator of Slurm mends it: sacctmgr show runawayjobs"


class UseChecks:
    """Whether what is billed is what Slurm's accounting has."""

    def __init__(
        self,
        last: Callable[[], Reconciliation | None],
        wall: Callable[[], float],
    ) -> None:
        self._last = last
        self._wall = wall

    def checks(self) -> list[Check]:
        """Return one check a line."""
        return [Check(AGREE, self._agree)]

    async def _agree(self) -> Finding:
        try:
            found = await aside(self._last)
        except KqiError as error:
            return fail(AGREE, error.message, error.hint)
        if found is None:
            return skip(AGREE, "the worker compares them once a day")
        if not found.unexplained.is_nothing:
            return fail(AGREE, "differ without a cause", _SHOW)
        if found.troubles:
            told = ", ".join(f"{found.counts[c]} {c}" for c in found.troubles)
            todo = _RUNAWAY if found.troubles == (Cause.RUNAWAY,) else _SHOW
            return warn(AGREE, f"differ: {told}", todo)
        age = self._wall() - found.at
        if age > _OLD_S:
            seen = f"were last compared {int(age // _DAY_S)} days ago"
            return warn(AGREE, seen, "Look whether the worker runs: kqi-hub worker")
        return ok(AGREE, f"agree to the second, accounts: {len(found.accounts)}")
