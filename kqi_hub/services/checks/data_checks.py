"""The doctor's look at what store and database said of each other."""

from collections.abc import Callable, Sequence
from typing import Final

from kqi_hub.domain.data_item_ports import Comparison
from kqi_hub.domain.errors import KqiError
from kqi_hub.services.checks.examine import Check, aside
from kqi_hub.services.checks.finding import Finding, fail, ok, warn

AGREE: Final = "store and database"
_DAY_S: Final = 24 * 3600.0
_OLD_S: Final = 3 * _DAY_S
_MOST_SHOWN: Final = 5
_GIB: Final = 1024**3
_COMPARE: Final = "Run as the service user: kqi-hub data compare"


class DataChecks:
    """Whether the files that the lists promise are there, and no others."""

    def __init__(
        self,
        comparisons: Callable[[], Sequence[Comparison]],
        wall: Callable[[], float],
    ) -> None:
        self._comparisons = comparisons
        self._wall = wall

    def checks(self) -> list[Check]:
        """Return one check a line."""
        return [Check(AGREE, self._agree)]

    async def _agree(self) -> Finding:
        try:
            found = await aside(self._comparisons)
        except KqiError as error:
            return fail(AGREE, error.message, error.hint)
        lost = [one for one in found if one.missing]
        if lost:
            return _missing(lost)
        troubled = [one for one in found if one.trouble]
        if troubled:
            seen = f"{troubled[0].tenant} was not compared: {troubled[0].trouble}"
            return warn(AGREE, seen, _COMPARE)
        old = [one for one in found if self._wall() - one.at > _OLD_S]
        if old:
            days = int((self._wall() - old[0].at) // _DAY_S)
            seen = f"{old[0].tenant} was last compared {days} days ago"
            return warn(AGREE, seen, "Look whether the worker runs: kqi-hub worker")
        return _strays([one for one in found if one.strays], len(found))


def _missing(lost: Sequence[Comparison]) -> Finding:
    ids = [str(number) for one in lost for number in one.missing]
    shown = ", ".join(ids[:_MOST_SHOWN]) + (", …" if len(ids) > _MOST_SHOWN else "")
    todo = "Bring them back from a backup of the store: docs/operators/data.md"
    return fail(AGREE, f"the store has lost the files of data {shown}", todo)


def _strays(found: Sequence[Comparison], tenants: int) -> Finding:
    if found:
        count = sum(one.strays for one in found)
        size = sum(one.stray_bytes for one in found) / _GIB
        seen = f"things in the store that belong to nothing: {count:,} ({size:.1f} GiB)"
        return warn(AGREE, seen, f"{_COMPARE} --remove")
    if not tenants:
        return ok(AGREE, "nothing to compare yet")
    return ok(AGREE, f"agree on the data, tenants: {tenants}")
