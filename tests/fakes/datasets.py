"""Datasets, uses and trees in memory, over data items that a test gives."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kqi_hub.domain.data import (
    USUAL_TYPES,
    DataItem,
    Dataset,
    DataState,
    Kind,
    Placed,
    StoredFile,
    Thing,
    Use,
)
from kqi_hub.domain.dataset_list import DatasetColumn, DatasetFilter
from kqi_hub.domain.dataset_ports import (
    Beside,
    Blocker,
    Content,
    DatasetItem,
    Node,
    PathPair,
    Seen,
    TreeNote,
    TreeState,
    Why,
)
from kqi_hub.domain.datasets import NewDataset, folder_of
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.services.datasets import Datasets
from kqi_hub.services.lineage import LineageGraph
from tests.fakes.login import FakeAuditLog

START = Seen("", 0)
# What we have tables of: such a thing without a row is gone.
GONE = {
    Kind.DATA,
    Kind.DATASET,
    Kind.NOTEBOOK,
    Kind.PREPROCESSING,
    Kind.TRAINING,
    Kind.INFERENCE,
}


@dataclass
class FakeDatasets:
    """A DatasetStore, UseStore, LineageStore, TreeStore and Blockers in one.

    `data` and `files` are the test's own, by the number of the item.
    """

    data: dict[int, DataItem] = field(default_factory=dict)
    files: dict[int, list[StoredFile]] = field(default_factory=dict)
    datasets: dict[int, Dataset] = field(default_factory=dict)
    entries: dict[int, tuple[Placed, ...]] = field(default_factory=dict)
    own_types: dict[str, tuple[str, ...]] = field(default_factory=dict)
    uses: dict[tuple[Thing, Thing], Use] = field(default_factory=dict)
    known_keys: dict[tuple[int, str], str] = field(default_factory=dict)
    notes: dict[tuple[str, str], TreeNote] = field(default_factory=dict)
    held: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)
    # Name, tenant and owner of notebooks.
    notebooks: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)
    numbers: int = 0

    def service(self) -> Datasets:
        """Return the service over these."""
        return Datasets(self, self, self, self.audit)

    def lineage(self) -> LineageGraph:
        """Return the graph over these."""
        return LineageGraph(self, self)

    def create(self, new: NewDataset, person: str, now: float) -> Dataset:
        self._check(new.tenant, new.entries)
        self.numbers += 1
        made = Dataset(
            id=self.numbers,
            tenant=new.tenant,
            name=new.name,
            memo=new.memo,
            is_flat=new.is_flat,
            items=0,
            files=0,
            bytes=0,
            is_locked=False,
            created_by=person,
            created_at=now,
            changed_at=now,
        )
        self.datasets[made.id], self.entries[made.id] = made, tuple(new.entries)
        return self._known(made.id)

    def one(self, dataset_id: int) -> Dataset | None:
        found = self.datasets.get(dataset_id)
        if found is None:
            return None
        items = [self.data[one.data_id] for one in self.entries[dataset_id]]
        return replace(
            found,
            items=len(items),
            files=sum(one.files for one in items),
            bytes=sum(one.bytes for one in items),
            is_locked=bool(self.locks(dataset_id)),
        )

    def search(self, wanted: DatasetFilter) -> tuple[Dataset, ...]:
        end = wanted.offset + wanted.limit
        return tuple(self._found(wanted)[wanted.offset : end])

    def count(self, wanted: DatasetFilter) -> int:
        return len(self._found(wanted))

    def rename(self, dataset_id: int, name: str, memo: str, now: float) -> Dataset:
        found = self._known(dataset_id)
        self.datasets[dataset_id] = replace(found, name=name, memo=memo)
        return self._known(dataset_id)

    def replace(
        self, dataset_id: int, entries: Sequence[Placed], seen_at: float, now: float
    ) -> Dataset:
        found = self._known(dataset_id)
        self._refuse_locked(dataset_id)
        if found.changed_at > seen_at:
            raise Conflict("This dataset was changed meanwhile.", "Look at it again.")
        self._check(found.tenant, entries)
        later = max(now, found.changed_at + 1e-6)
        self.datasets[dataset_id] = replace(found, changed_at=later)
        self.entries[dataset_id] = tuple(entries)
        return self._known(dataset_id)

    def delete(self, dataset_id: int) -> None:
        self._known(dataset_id)
        self._refuse_locked(dataset_id)
        del self.datasets[dataset_id], self.entries[dataset_id]

    def placed(self, dataset_id: int) -> tuple[Placed, ...]:
        return tuple(
            sorted(self.entries.get(dataset_id, ()), key=lambda o: (o.type, o.data_id))
        )

    def items(
        self,
        dataset_id: int,
        type_: str | None = None,
        after: Seen | None = None,
        limit: int = 100,
    ) -> tuple[DatasetItem, ...]:
        seen = after or START
        found = [
            _item(one, self.data[one.data_id])
            for one in self.placed(dataset_id)
            if (type_ is None or one.type == type_)
            and (one.type, one.data_id) > (seen.type, seen.data_id)
        ]
        return tuple(found[:limit])

    def count_by_type(self, dataset_id: int) -> Mapping[str, int]:
        types = [one.type for one in self.placed(dataset_id)]
        return {one: types.count(one) for one in dict.fromkeys(types)}

    def paths(
        self, dataset_id: int, after: Seen | None = None, limit: int = 100
    ) -> tuple[PathPair, ...]:
        seen = after or START
        found = [
            PathPair(
                f"{folder_of(one)}/{file.path}",
                one.data_id,
                self.data[one.data_id].name,
                file.path,
                file.size,
                one.type,
            )
            for one in self.placed(dataset_id)
            for file in sorted(
                self.files.get(one.data_id, ()), key=lambda f: f.path.encode()
            )
            if (one.type, one.data_id, file.path.encode())
            > (seen.type, seen.data_id, seen.path.encode())
        ]
        return tuple(found[:limit])

    def types(self, tenant: str) -> tuple[str, ...]:
        return self.own_types.get(tenant, USUAL_TYPES)

    def set_types(self, tenant: str, types: Sequence[str]) -> None:
        for number, one in self.datasets.items():
            used = {entry.type for entry in self.entries[number]}
            lost = (used & set(self.types(tenant))) - set(types)
            if one.tenant == tenant and not one.is_flat and lost:
                raise Conflict("A dataset uses this type.", "Keep it.")
        self.own_types[tenant] = tuple(types)

    def record(self, use: Use) -> None:
        known = self.uses.get((use.used, use.by))
        if known is None:
            self.uses[use.used, use.by] = use
        elif use.locks:
            self.uses[use.used, use.by] = replace(known, locks=True)

    def lock(self, dataset_id: int, by: Thing, now: float) -> None:
        self._known(dataset_id)
        if any(one.data_id in self.busy for one in self.entries[dataset_id]):
            raise Conflict("Files are being added to an item.", "Try again.")
        self.record(Use(_dataset(dataset_id), by, now, locks=True))

    def release(self, dataset_id: int, by: Thing) -> None:
        self.uses.pop((_dataset(dataset_id), by), None)

    def locks(self, dataset_id: int, limit: int = 20) -> tuple[Use, ...]:
        found = [
            one
            for one in self.uses.values()
            if one.used == _dataset(dataset_id) and one.locks
        ]
        return tuple(sorted(found, key=lambda one: one.at)[:limit])

    def forget_uses(self, of: Thing) -> None:
        self.uses = {
            key: one for key, one in self.uses.items() if of not in (one.by, one.used)
        }

    def of_data(
        self, data_ids: Collection[int], most_each: int = 20
    ) -> Mapping[int, tuple[Blocker, ...]]:
        found = {}
        for number in data_ids:
            blockers = [
                Blocker(_dataset(one), Why.IN_LOCKED_DATASET, self.datasets[one].name)
                for one, entries in self.entries.items()
                if self.locks(one) and any(e.data_id == number for e in entries)
            ]
            if blockers:
                found[number] = tuple(blockers[:most_each])
        return found

    def of_dataset(self, dataset_id: int, most: int = 20) -> tuple[Blocker, ...]:
        return tuple(Blocker(one.by, Why.USED) for one in self.locks(dataset_id, most))

    def sources(
        self, things: Collection[Thing], most_each: int
    ) -> Mapping[Thing, Beside]:
        pairs = self._pairs()
        return _beside(things, [(made, source) for source, made in pairs], most_each)

    def results(
        self, things: Collection[Thing], most_each: int
    ) -> Mapping[Thing, Beside]:
        return _beside(things, self._pairs(), most_each)

    def nodes(self, things: Collection[Thing]) -> Mapping[Thing, Node]:
        met = {one for pair in self.uses for one in pair}
        found = {}
        for thing in things:
            number = int(thing.id) if thing.id.isdecimal() else 0
            if thing.kind is Kind.DATA and number in self.data:
                item = self.data[number]
                found[thing] = Node(thing, item.name, item.tenant, item.created_by)
            elif thing.kind is Kind.DATASET and number in self.datasets:
                one = self._known(number)
                found[thing] = Node(
                    thing,
                    one.name,
                    one.tenant,
                    one.created_by,
                    one.created_at,
                    one.is_locked,
                )
            elif thing.kind is Kind.NOTEBOOK and number in self.notebooks:
                found[thing] = Node(thing, *self.notebooks[number])
            elif thing in met:
                found[thing] = Node(thing, is_gone=thing.kind in GONE)
        return found

    def content(self, dataset_id: int) -> Content | None:
        found = self.one(dataset_id)
        if found is None:
            return None
        versions = self.versions(dataset_id)
        stamp = f"{found.changed_at!r}-{sum(version for _, version in versions)}"
        busy = [one.data_id for one, _ in versions if one.data_id in self.busy]
        key = self.known_keys.get((dataset_id, stamp))
        return Content(found, stamp, key, busy[0] if busy else None)

    def versions(self, dataset_id: int) -> tuple[tuple[Placed, int], ...]:
        return tuple(
            (one, self.data[one.data_id].version) for one in self.placed(dataset_id)
        )

    def remember_key(self, dataset_id: int, stamp: str, key: str) -> None:
        self.known_keys[dataset_id, stamp] = key

    def tree(self, tenant: str, key: str) -> TreeNote | None:
        return self.notes.get((tenant, key))

    def use(self, tenant: str, key: str, holder: str | None, now: float) -> bool:
        note = self.notes.get((tenant, key))
        if note is None or note.state is not TreeState.READY:
            return False
        self.notes[tenant, key] = replace(note, used_at=now)
        if holder is not None:
            self.held.setdefault(holder, set()).add((tenant, key))
        return True

    def built(self, tree: TreeNote) -> None:
        self.notes[tree.tenant, tree.key] = tree

    def release_trees(self, holder: str, now: float) -> None:
        for place in self.held.pop(holder, set()):
            self.notes[place] = replace(self.notes[place], used_at=now)

    def holders(self) -> tuple[str, ...]:
        return tuple(sorted(self.held))

    def unused(self, before: float, limit: int = 100) -> tuple[TreeNote, ...]:
        found = [
            one
            for place, one in self.notes.items()
            if one.used_at < before
            and one.state is TreeState.READY
            and not any(place in places for places in self.held.values())
            and not self._is_needed(one)
        ]
        return tuple(found[:limit])

    def begin_removal(self, tenant: str, key: str, before: float) -> bool:
        note = self.notes.get((tenant, key))
        if note is None or note not in self.unused(before):
            return False
        self.notes[tenant, key] = replace(note, state=TreeState.REMOVING)
        return True

    def removing(self) -> tuple[TreeNote, ...]:
        return tuple(
            one for one in self.notes.values() if one.state is TreeState.REMOVING
        )

    def forget(self, tenant: str, key: str) -> None:
        self.notes.pop((tenant, key), None)

    def keys(self, tenant: str) -> tuple[str, ...]:
        return tuple(key for of, key in self.notes if of == tenant)

    def _is_needed(self, note: TreeNote) -> bool:
        content = self.content(note.dataset_id)
        if content is None or not content.dataset.is_locked:
            return False
        return content.key == note.key

    def _pairs(self) -> list[tuple[Thing, Thing]]:
        pairs = [
            (Thing(Kind.DATA, str(parent)), Thing(Kind.DATA, str(item.id)))
            for item in self.data.values()
            for parent in item.parents
        ]
        pairs += [
            (Thing(Kind.DATA, str(one.data_id)), _dataset(number))
            for number, entries in self.entries.items()
            for one in entries
        ]
        return list(dict.fromkeys([*pairs, *self.uses]))

    def _found(self, wanted: DatasetFilter) -> list[Dataset]:
        found = [one for number in self.datasets if (one := self.one(number))]
        found = [one for one in found if self._fits(one, wanted)]
        column = DatasetColumn(wanted.sort).value
        found.sort(
            key=lambda one: (getattr(one, column), one.id),
            reverse=wanted.is_descending,
        )
        return found

    def _fits(self, one: Dataset, wanted: DatasetFilter) -> bool:
        in_it = [entry.data_id for entry in self.entries[one.id]]
        return (
            (wanted.tenants is None or one.tenant in wanted.tenants)
            and wanted.id.fits(one.id)
            and wanted.name.fits(one.name)
            and wanted.memo.fits(one.memo)
            and wanted.created_at.fits(one.created_at)
            and wanted.created_by.fits(one.created_by)
            and wanted.is_locked in (None, one.is_locked)
            and (wanted.data_id is None or wanted.data_id in in_it)
        )

    def _check(self, tenant: str, entries: Sequence[Placed]) -> None:
        for one in entries:
            item = self.data.get(one.data_id)
            if item is None or (item.tenant, item.state) != (tenant, DataState.READY):
                raise InvalidInput(
                    "entries: there is no data {id} in tenant {tenant}.",
                    "Take the numbers from the list of data.",
                    id=one.data_id,
                    tenant=tenant,
                )

    def _refuse_locked(self, dataset_id: int) -> None:
        if self.locks(dataset_id):
            raise Conflict("This dataset is locked.", "Make a copy of it.")

    def _known(self, dataset_id: int) -> Dataset:
        found = self.one(dataset_id)
        if found is None:
            raise NotFound("There is no such dataset.", "Look at the list again.")
        return found


def _dataset(number: int) -> Thing:
    return Thing(Kind.DATASET, str(number))


def _item(placed: Placed, item: DataItem) -> DatasetItem:
    return DatasetItem(
        placed, item.name, item.tags, item.files, item.bytes, item.version
    )


def _beside(
    things: Collection[Thing], pairs: list[tuple[Thing, Thing]], most_each: int
) -> Mapping[Thing, Beside]:
    found = {}
    for thing in things:
        others = [to for start, to in pairs if start == thing]
        if others:
            found[thing] = Beside(tuple(others[:most_each]), len(others))
    return found
