"""Do one thing to many runs; each succeeds or fails for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kqi_hub.domain.data_rules import checked_tag
from kqi_hub.domain.errors import InvalidInput, KqiError
from kqi_hub.domain.runs import RunChange, RunKind
from kqi_hub.services.runs import Runs
from kqi_hub.services.tenant_rights import Asker

MOST_AT_ONCE: Final = 1000


class Bulk(StrEnum):
    """What can be done to many runs at once."""

    TAG = "tag"
    UNTAG = "untag"
    STOP = "stop"
    FAIL = "fail"
    DELETE = "delete"


_WITH_TAG: Final = frozenset({Bulk.TAG, Bulk.UNTAG})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run of many; `error` is None where it went well."""

    run_id: int
    error: KqiError | None = None


@dataclass(frozen=True, slots=True)
class ManyRuns:
    """One thing to do to many runs of one kind."""

    runs: Runs
    asker: Asker
    kind: RunKind
    action: Bulk
    tag: str = ""

    async def do(self, run_ids: Sequence[int]) -> tuple[Outcome, ...]:
        """Do it to each, and return what came of it; InvalidInput does nothing."""
        ids = tuple(dict.fromkeys(run_ids))
        if not 1 <= len(ids) <= MOST_AT_ONCE:
            raise InvalidInput(
                "ids: 1 to {most} runs can be changed at once.",
                "Send several requests.",
                most=MOST_AT_ONCE,
            )
        if self.action in _WITH_TAG:
            checked_tag(self.tag)
        return tuple([await self._outcome(one) for one in ids])

    async def _outcome(self, run_id: int) -> Outcome:
        try:
            await self._do(run_id)
        except KqiError as error:
            return Outcome(run_id, error)
        return Outcome(run_id)

    async def _do(self, run_id: int) -> None:
        runs, at = self.runs, (self.asker, self.kind, run_id)
        if self.action is Bulk.DELETE:
            await runs.delete(*at)
        elif self.action is Bulk.TAG:
            await runs.change(*at, RunChange(add_tags=(self.tag,)))
        elif self.action is Bulk.UNTAG:
            await runs.change(*at, RunChange(remove_tags=(self.tag,)))
        else:
            await runs.stop(*at, as_failed=self.action is Bulk.FAIL)
