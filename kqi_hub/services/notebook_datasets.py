"""Datasets as notebooks use them: whose they may be, and what is forgotten of them."""

from dataclasses import dataclass

from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.dataset_ports import DatasetStore, UseStore
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.services.proving import Who


@dataclass(frozen=True)
class NotebookDatasets:
    """What notebooks ask of datasets. All of it blocks: call it off the loop."""

    store: DatasetStore
    uses: UseStore

    def check(self, who: Who, dataset_id: int | None) -> None:
        """Refuse a dataset that is of no tenant of the person's, or not there.

        Operators are no exception: the files are read as the person.
        """
        if dataset_id is None:
            return
        found = self.store.one(dataset_id)
        standing = who.standing
        role = found and standing and standing.role_in(found.tenant)
        if role is None:
            raise InvalidInput(
                "dataset: there is no dataset {id}, or it is of no tenant of yours.",
                "Choose one from the list of datasets, or none.",
                id=dataset_id,
            )

    def forget(self, notebook_id: int) -> None:
        """Take a deleted notebook out of the lineage."""
        self.uses.forget_uses(Thing(Kind.NOTEBOOK, str(notebook_id)))
