"""Datasets, as answers and as calls of the client."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from kqi_hub.sdk.calls import Calls, part
from kqi_hub.sdk.data import Blocker, chain, pages
from kqi_hub.sdk.models import Answer, known

# Numbers of data items by type; of a flat dataset just numbers.
Entries = Mapping[str, Sequence[int]] | Sequence[int]


@dataclass(frozen=True, slots=True)
class DatasetItem(Answer):
    """A data item where it is in a dataset; `folder` is below a job's input."""

    type: str
    id: int
    name: str
    folder: str
    tags: tuple[str, ...] = ()
    files: int = 0
    bytes: int = 0

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        return cls(**{**known(cls, said), "tags": tuple(said["tags"])})


@dataclass(frozen=True, slots=True)
class PathPair(Answer):
    """Where a job finds a file, and which file of which data item that is."""

    path: str
    data_id: int
    data_name: str
    data_path: str
    size: int


# No slots: which client it came from is kept beside the fields.
@dataclass(frozen=True)
class Dataset(Answer):
    """Data items in groups, as a job finds them; times are seconds since 1970."""

    id: int
    tenant: str
    name: str
    memo: str = ""
    is_flat: bool = False
    items: int = 0
    files_count: int = 0
    bytes: int = 0
    is_locked: bool = False
    created_by: str = ""
    created_at: float = 0.0
    changed_at: float = 0.0
    page: str = ""
    types: tuple[tuple[str, int], ...] = ()
    blockers: tuple[Blocker, ...] = ()
    may_change: bool = False

    def files(self) -> Iterator[PathPair]:
        """Yield every file where a job would find it."""
        calls: DatasetCalls = vars(self)["_calls"]
        return calls.dataset_files(self.id)

    def data(self, type: str | None = None) -> Iterator[DatasetItem]:
        """Yield the data items, of one type or all."""
        calls: DatasetCalls = vars(self)["_calls"]
        return calls.dataset_items(self.id, type)

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        types = tuple((one["type"], one["items"]) for one in said.get("types", ()))
        deeper = {
            "files_count": said["files"],
            "types": types,
            "blockers": tuple(Blocker.read(one) for one in said.get("blockers", ())),
        }
        return cls(**{**known(cls, said), **deeper})

    def of(self, calls: "DatasetCalls") -> Self:
        """Return it, able to ask for what is in it."""
        vars(self)["_calls"] = calls
        return self


@dataclass(frozen=True, slots=True)
class Staged(Answer):
    """How far a dataset is on its way to be read by jobs."""

    state: str
    path: str = ""
    files: int = 0
    bytes: int = 0
    done: int = 0


class DatasetCalls(Calls):
    """The part of `Client` for datasets."""

    def datasets(self, most: int | None = None, **wanted: object) -> Iterator[Dataset]:
        """Yield datasets of one's tenants, filtered as the REST interface does.

        Filters: tenant, id, name, memo, created_at, created_by, locked, data_id, sort.
        """
        for said in pages(self, "datasets", "datasets", most, wanted):
            yield Dataset.read(said).of(self)

    def dataset(self, dataset_id: int) -> Dataset:
        """Return one, with its types and what locks it."""
        return self._dataset("GET", f"datasets/{dataset_id}")

    def create_dataset(
        self,
        tenant: str,
        name: str,
        entries: Entries,
        *,
        memo: str = "",
        is_flat: bool = False,
    ) -> Dataset:
        """Make one."""
        asked = {
            "tenant": tenant,
            "name": name,
            "memo": memo,
            "is_flat": is_flat,
            "entries": _plain(entries),
        }
        return self._dataset("POST", "datasets", asked)

    def rename_dataset(
        self, dataset_id: int, name: str | None = None, memo: str | None = None
    ) -> Dataset:
        """Change name or memo, locked or not."""
        asked = {"name": name, "memo": memo}
        given = {key: text for key, text in asked.items() if text is not None}
        return self._dataset("PATCH", f"datasets/{dataset_id}", given)

    def replace_dataset_entries(
        self, dataset_id: int, entries: Entries, changed_at: float
    ) -> Dataset:
        """Replace all entries of one as it was seen."""
        asked = {"entries": _plain(entries), "changed_at": changed_at}
        return self._dataset("PUT", f"datasets/{dataset_id}", asked)

    def copy_dataset(self, dataset_id: int, name: str = "") -> Dataset:
        """Make one with the same entries, free to be changed."""
        return self._dataset("POST", f"datasets/{dataset_id}/copy", {"name": name})

    def delete_dataset(self, dataset_id: int) -> None:
        """Delete one that nothing locks; its data stay."""
        self._api("DELETE", f"datasets/{dataset_id}")

    def dataset_entries(self, dataset_id: int) -> Mapping[str, Any]:
        """Return all entries with `is_flat` and `changed_at`, as they are sent."""
        found: Mapping[str, Any] = self._api("GET", f"datasets/{dataset_id}/entries")
        return found

    def dataset_items(
        self, dataset_id: int, type_: str | None = None
    ) -> Iterator[DatasetItem]:
        """Yield the data items, of one type or all."""
        path = f"datasets/{dataset_id}/items"
        for said in chain(self, path, "items", type=type_):
            yield DatasetItem.read(said)

    def dataset_files(self, dataset_id: int) -> Iterator[PathPair]:
        """Yield every file where a job would find it."""
        for said in chain(self, f"datasets/{dataset_id}/path-pairs", "pairs"):
            yield PathPair.read(said)

    def stage_dataset(self, dataset_id: int) -> Staged:
        """Have one ready for jobs; ask again while its state is `building`."""
        return Staged.read(self._api("POST", f"datasets/{dataset_id}/stage"))

    def dataset_types(self, tenant: str) -> tuple[str, ...]:
        """Return a tenant's types of data."""
        return tuple(self._api("GET", f"tenants/{part(tenant)}/dataset-types")["types"])

    def set_dataset_types(self, tenant: str, types: Sequence[str]) -> tuple[str, ...]:
        """Replace a tenant's types of data; for its managers."""
        path = f"tenants/{part(tenant)}/dataset-types"
        return tuple(self._api("PUT", path, {"types": list(types)})["types"])

    def _dataset(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Dataset:
        return Dataset.read(self._api(method, path, body)).of(self)


def _plain(entries: Entries) -> object:
    if isinstance(entries, Mapping):
        return {kind: list(numbers) for kind, numbers in entries.items()}
    return list(entries)
