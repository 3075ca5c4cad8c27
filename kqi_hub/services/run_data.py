"""The data that the tasks of an array preprocess, and where their files lie."""

from collections.abc import Sequence
from dataclasses import dataclass

from kqi_hub.domain.data import DataState
from kqi_hub.domain.data_item_ports import DataStore
from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.run_ports import DataOfTask
from kqi_hub.domain.runs import Run


@dataclass(frozen=True)
class DataOfTasks:
    """Find the data of runs; `root` is the store's folder as compute nodes see it."""

    items: DataStore
    root: str

    def __call__(self, runs: Sequence[Run]) -> tuple[DataOfTask, ...]:
        """Return the items of runs that have one; NotFound for one gone. Blocks."""
        wanted = [run.data for run in runs if run.data is not None]
        found = {item.id: item for item in self.items.many(wanted)}
        tasks = []
        for run in runs:
            if run.data is None:
                continue
            item = found.get(run.data)
            is_there = item is not None and item.state is DataState.READY
            if item is None or not is_there or item.tenant != run.spec.tenant:
                raise NotFound(
                    "Data {id} are no longer there.",
                    "Choose other data.",
                    id=run.data,
                )
            path = f"{self.root}/{item.tenant}/data/{item.id}"
            tasks.append(DataOfTask(run.id, item.id, item.name, path, item.tags))
        return tuple(tasks)
