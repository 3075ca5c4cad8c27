"""What the stores of datasets do: the database's, on both databases, and the fake's."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.data_blockers import SqlBlockers
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.engine import make_engine
from kqi_hub.db.lineage import SqlLineageStore
from kqi_hub.db.trees import SqlTreeStore
from kqi_hub.db.uses import SqlUseStore
from kqi_hub.domain.data import Kind, Placed, StoredFile, Thing, Use
from kqi_hub.domain.dataset_list import DatasetColumn, DatasetFilter
from kqi_hub.domain.dataset_ports import (
    Beside,
    Blocker,
    Blockers,
    DatasetStore,
    LineageStore,
    Seen,
    TreeStore,
    UseStore,
    Why,
)
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.domain.filters import Part, Span
from tests.adapters.db.data_rows_for_tests import add_data
from tests.fakes.data_items import data_item
from tests.fakes.datasets import FakeDatasets
from tests.fakes.trees import note_of

TRAINING, NOTEBOOK = Thing(Kind.TRAINING, "7"), Thing(Kind.NOTEBOOK, "3")
KEY = "a" * 40
FILES = {"a/one": 3, "B": 4, "é": 5}


@dataclass(frozen=True)
class Stores:
    """Every store on the same data; `add` adds an item of FILES to `vision`."""

    datasets: DatasetStore
    uses: UseStore
    blockers: Blockers
    lineage: LineageStore
    trees: TreeStore
    add: Callable[[], int]

    def make(self, *numbers: int, name: str = "signs") -> int:
        entries = tuple(Placed("training", one) for one in numbers)
        new = NewDataset("vision", name, "memo", entries=entries)
        return self.datasets.create(new, "mia", 10.0).id


def of_fakes() -> Stores:
    fakes = FakeDatasets()

    def add() -> int:
        number = len(fakes.data) + 1
        size = sum(FILES.values())
        fakes.data[number] = data_item(number, files=len(FILES), size=size)
        fakes.files[number] = [StoredFile(p, s, "") for p, s in FILES.items()]
        return number

    return Stores(fakes, fakes, fakes, fakes, fakes, add)


def of_database(engine: Engine) -> Stores:
    schema.upgrade(engine)
    return Stores(
        SqlDatasetStore(engine),
        SqlUseStore(engine),
        SqlBlockers(engine),
        SqlLineageStore(engine),
        SqlTreeStore(engine),
        lambda: add_data(engine, FILES),
    )


@pytest.fixture(params=["fakes", "sqlite_url", "postgresql_url"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "fakes":
        return of_fakes()
    engine = make_engine(request.getfixturevalue(request.param), create=True)
    request.addfinalizer(engine.dispose)
    return of_database(engine)


def test_pages_are_in_order_and_whole(stores: Stores) -> None:
    one, two = stores.add(), stores.add()
    number = stores.make(two, one)
    assert stores.datasets.placed(number) == (
        Placed("training", one),
        Placed("training", two),
    )
    first = stores.datasets.paths(number, None, 4)
    rest = stores.datasets.paths(number, Seen("training", two, first[-1].data_path))
    assert [(p.data_id, p.data_path, p.size) for p in first + rest] == [
        (item, path, FILES[path]) for item in (one, two) for path in ("B", "a/one", "é")
    ]
    [item] = stores.datasets.items(number, "training", Seen("training", one))
    assert (item.placed.data_id, item.files, item.bytes) == (two, 3, 12)
    assert stores.datasets.items(number, "testing") == ()
    assert stores.datasets.count_by_type(number) == {"training": 2}


def test_lists_are_filtered_and_sorted_alike(stores: Stores) -> None:
    item = stores.add()
    numbers = [stores.make(name=name) for name in ("b", "a", "c")]
    numbers.append(stores.make(item, name="ab"))
    stores.uses.lock(numbers[2], TRAINING, 11.0)

    def found(**wanted: object) -> list[int]:
        full = DatasetFilter(("vision",), **wanted)  # type: ignore[arg-type]  # a table
        ids = [one.id for one in stores.datasets.search(full)]
        assert stores.datasets.count(full) == len(ids)
        return ids

    assert found() == numbers[::-1]
    assert found(sort=DatasetColumn.NAME, is_descending=False) == [
        numbers[at] for at in (1, 3, 0, 2)
    ]
    assert found(name=Part("A")) == [numbers[3], numbers[1]]
    assert found(id=Span(None, numbers[1])) == numbers[:1]
    assert found(is_locked=True) == [numbers[2]]
    assert found(data_id=item) == [numbers[3]]


def test_refusals_are_alike(stores: Stores) -> None:
    number = stores.make(stores.add())
    seen = stores.datasets.one(number)
    assert seen is not None
    with pytest.raises(InvalidInput, match="no data 99 in tenant vision"):
        stores.make(99)
    with pytest.raises(NotFound):
        stores.datasets.rename(99, "a", "", 1.0)
    changed = stores.datasets.replace(number, (), seen.changed_at, 5.0)
    assert changed.changed_at > seen.changed_at
    with pytest.raises(Conflict):
        stores.datasets.replace(number, (), seen.changed_at, 5.0)
    stores.uses.lock(number, TRAINING, 11.0)
    for call in (
        lambda: stores.datasets.replace(number, (), 1e12, 5.0),
        lambda: stores.datasets.delete(number),
    ):
        with pytest.raises(Conflict):
            call()
    assert stores.datasets.rename(number, "n", "m", 9.0).is_locked


def test_types_are_alike(stores: Stores) -> None:
    stores.make(stores.add())
    assert stores.datasets.types("vision") == ("training", "testing", "validation")
    with pytest.raises(Conflict):
        stores.datasets.set_types("vision", ("testing",))
    stores.datasets.set_types("vision", ("training", "x"))
    assert stores.datasets.types("vision") == ("training", "x")


def test_uses_locks_and_the_graph_are_alike(stores: Stores) -> None:
    item = stores.add()
    number = stores.make(item)
    data, dataset = Thing(Kind.DATA, str(item)), Thing(Kind.DATASET, str(number))
    stores.uses.record(Use(dataset, NOTEBOOK, 12.0, locks=False))
    assert stores.uses.locks(number) == ()
    stores.uses.lock(number, TRAINING, 11.0)
    assert stores.uses.locks(number) == (Use(dataset, TRAINING, 11.0, locks=True),)
    assert stores.blockers.of_dataset(number) == (Blocker(TRAINING, Why.USED),)
    blocked = (Blocker(dataset, Why.IN_LOCKED_DATASET, "signs"),)
    assert stores.blockers.of_data([item]) == {item: blocked}
    assert stores.lineage.sources([dataset], 9) == {dataset: Beside((data,), 1)}
    found = stores.lineage.results([data, dataset], 9)
    assert found[data] == Beside((dataset,), 1)
    assert set(found[dataset].things) == {TRAINING, NOTEBOOK}
    nodes = stores.lineage.nodes([data, dataset, TRAINING, NOTEBOOK])
    assert nodes[dataset].is_locked
    assert (nodes[NOTEBOOK].is_gone, nodes[TRAINING].is_gone) == (True, True)
    stores.uses.forget_uses(NOTEBOOK)
    stores.uses.release(number, TRAINING)
    assert stores.lineage.results([dataset], 9) == {}


def test_trees_are_alike(stores: Stores) -> None:
    number, trees = stores.make(stores.add()), stores.trees
    content = trees.content(number)
    assert content is not None
    assert (content.key, content.busy) == (None, None)
    trees.remember_key(number, content.stamp, KEY)
    again = trees.content(number)
    assert again is not None
    assert again.key == KEY
    assert trees.content(99) is None
    trees.built(note_of(KEY, 10.0))
    assert trees.use("vision", KEY, "session:1", 11.0)
    assert trees.unused(99.0) == ()
    trees.release_trees("session:1", 12.0)
    assert [one.used_at for one in trees.unused(99.0)] == [12.0]
    assert trees.begin_removal("vision", KEY, 99.0)
    assert not trees.use("vision", KEY, None, 13.0)
    assert [one.key for one in trees.removing()] == [KEY]
    trees.forget("vision", KEY)
    assert trees.keys("vision") == ()
