"""What is uploaded for runs that were done elsewhere, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kqi_hub.domain.outside_runs import (
    MOST_OUTPUTS,
    OutsideOutput,
    not_opened,
    too_many_outputs,
)
from kqi_hub.domain.runs import RunState
from tests.fakes.runs import FakeRunStore


@dataclass
class FakeOutsideOutputs:
    """OutsideOutputs of the runs of a fake store."""

    runs: FakeRunStore
    kept: dict[int, dict[str, OutsideOutput]] = field(default_factory=dict)

    def of_run(self, run_id: int) -> Sequence[OutsideOutput]:
        mine = self.kept.get(run_id, {})
        return [mine[name] for name in sorted(mine)]

    def reserve(
        self, run_id: int, name: str, upload: str, in_place_of: str = ""
    ) -> OutsideOutput:
        run = self.runs.one(run_id)
        if run is None or run.state is not RunState.OPENED:
            raise not_opened()
        mine = self.kept.setdefault(run_id, {})
        if name in mine and mine[name].upload != in_place_of:
            return mine[name]
        if name not in mine and len(mine) >= MOST_OUTPUTS:
            raise too_many_outputs()
        mine[name] = OutsideOutput(name, upload)
        return mine[name]

    def begun(self, run_id: int, upload: str, data_id: int) -> None:
        for name, one in self.kept.get(run_id, {}).items():
            if one.upload == upload:
                self.kept[run_id][name] = OutsideOutput(name, upload, data_id)

    def forget(self, run_id: int) -> None:
        self.kept.pop(run_id, None)
