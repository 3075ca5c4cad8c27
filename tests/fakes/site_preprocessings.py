"""Preprocessings of a portal in memory, over its fakes of runs and data."""

from dataclasses import dataclass, field, replace

from kqi_hub.domain.data import DataState
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.preprocessings import NewPreprocessing
from kqi_hub.domain.run_ports import NewRun, Told
from kqi_hub.domain.runs import RunKind, RunState
from kqi_hub.services.array_use import Arrays
from kqi_hub.services.outside_runs import OutsideRuns
from kqi_hub.services.preprocessing_runs import PreprocessingRuns
from kqi_hub.services.preprocessings import Preprocessings
from kqi_hub.services.runs import Runs
from tests.fakes.array_use import FakeArrayUses
from tests.fakes.login import FakeAuditLog
from tests.fakes.outside_outputs import FakeOutsideOutputs
from tests.fakes.preprocessings import FakePreprocessingStore
from tests.fakes.runs import SPEC, FakeRuns
from tests.fakes.site_data import FakeSiteData

DONE_RUN, WAITING_RUN = 8, 9


@dataclass
class FakeSitePreprocessings:
    """What the services of preprocessings work with, all in memory."""

    fakes: FakeRuns
    data: FakeSiteData
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)

    def __post_init__(self) -> None:
        self.store = FakePreprocessingStore(self.fakes.store)
        self.outputs = FakeOutsideOutputs(self.fakes.store)

    def preprocessings(self, runs: Runs) -> Preprocessings:
        """Return the service over these."""
        return Preprocessings(self.store, runs, self.data.lab.book, self.audit)

    def history(self, runs: Runs) -> PreprocessingRuns:
        """Return the service of their runs over these."""
        lab, uses = self.data.lab, self.data.datasets
        return PreprocessingRuns(
            runs, lab.book, uses, uses, lab.book, lab.store, self.outputs, lab.uploads
        )

    def arrays(self, runs: Runs) -> Arrays:
        """Return the service of whole arrays over these."""
        return Arrays(runs, FakeArrayUses(self.fakes.store))

    def outside_runs(self, runs: Runs) -> OutsideRuns:
        """Return the service of what was done elsewhere over these."""
        preprocessings = self.preprocessings(runs)
        return OutsideRuns(preprocessings, self.outputs, self.data.lab.uploads)

    def furnish(self, person: str) -> None:
        """Give a person preprocessing 1, which has been run, and 2, which has not.

        After the site's data (1) and runs (1 to 7): run 8 of it has completed on data
        1, run 9 waits on data 2.
        """
        self.store.known.clear()
        self.store.numbers = 0
        self.outputs.kept.clear()
        item = self.data.lab.book.items[1]
        second = replace(item, id=2, name="more signs", state=DataState.READY)
        self.data.lab.book.items[2] = second
        for name in ("resize 224", "crop"):
            new = NewPreprocessing(
                "vision", name, command="python resize.py", shape=Shape(1, 1024)
            )
            self.store.create(new, person, 5.0)
        spec = replace(SPEC, name="resize-224", shape=Shape(1, 1024))
        new_runs = [
            NewRun(
                RunKind.PREPROCESSING, person, "arraykey", spec,
                preprocessing=1, data=number,
            )
            for number in (1, 2)
        ]  # fmt: skip
        first, late = self.fakes.store.ask_batch(new_runs, 30.0)
        self.fakes.end(first, 120, RunState.COMPLETED)
        self.fakes.store.told(late.id, Told(RunState.PENDING, 31.0, job_id=120))

    def furnish_outside(self, person: str) -> None:
        """Give a person run 10 beside: of 1 on data 3, open for outside results."""
        item = self.data.lab.book.items[1]
        self.data.lab.book.items[3] = replace(item, id=3, name="outside signs")
        spec = replace(SPEC, name="resize-224", queue="", is_outside=True)
        new = NewRun(
            RunKind.PREPROCESSING, person, "outsidekey", spec, preprocessing=1, data=3
        )
        self.fakes.store.ask(new, 40.0)
