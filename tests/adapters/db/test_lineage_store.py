"""The graph of lineage in the database, a level at a time."""

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.lineage import SqlLineageStore
from kqi_hub.db.notebooks import SqlNotebookStore
from kqi_hub.db.uses import SqlUseStore
from kqi_hub.domain.data import DataState, Kind, Placed, Thing, Use
from kqi_hub.domain.dataset_ports import Beside, Node
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.notebooks import Choices
from tests.adapters.db.data_rows_for_tests import add_data, forget_data

NASTY = "git@h:a/b.git@" + "0" * 40 + "'\"; --"


@pytest.fixture
def base(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


def data(number: int) -> Thing:
    return Thing(Kind.DATA, str(number))


def dataset(number: int) -> Thing:
    return Thing(Kind.DATASET, str(number))


def use(base: Engine, used: Thing, by: Thing, at: float, locks: bool = False) -> None:
    SqlUseStore(base).record(Use(used, by, at, locks=locks))


def make(base: Engine, *numbers: int) -> int:
    entries = tuple(Placed("training", one) for one in numbers)
    entries += tuple(Placed("testing", one) for one in numbers)
    new = NewDataset("vision", "signs", entries=entries)
    return SqlDatasetStore(base).create(new, "mia", 10.0).id


def test_things_are_joined_from_source_to_result(base: Engine) -> None:
    raw = add_data(base)
    fine = add_data(base, parents=(raw,))
    number = make(base, fine)
    training = Thing(Kind.TRAINING, "4")
    model = Thing(Kind.COMMIT, NASTY)
    use(base, dataset(number), training, 11.0, locks=True)
    use(base, model, training, 11.0)
    graph = SqlLineageStore(base)
    assert graph.results([data(raw), data(fine), dataset(number), model], 9) == {
        data(raw): Beside((data(fine),), 1),
        data(fine): Beside((dataset(number),), 1),
        dataset(number): Beside((training,), 1),
        model: Beside((training,), 1),
    }
    assert graph.sources([data(fine), dataset(number), training], 9) == {
        data(fine): Beside((data(raw),), 1),
        dataset(number): Beside((data(fine),), 1),
        training: Beside((model, dataset(number)), 2),
    }


def test_of_many_neighbours_the_newest_are_told_and_all_counted(base: Engine) -> None:
    raw = add_data(base)
    children = [add_data(base, parents=(raw,)) for _ in range(4)]
    holders = [make(base, raw) for _ in range(3)]
    for at in range(5):
        use(base, data(raw), Thing(Kind.PREPROCESSING, str(at)), float(at))
    found = SqlLineageStore(base).results([data(raw)], 2)[data(raw)]
    assert found.total == 12
    assert found.things == tuple(Thing(Kind.PREPROCESSING, n) for n in ("4", "3"))
    found = SqlLineageStore(base).results([data(raw)], 50)[data(raw)]
    assert found.things[5:] == (
        *(dataset(one) for one in reversed(holders)),
        *(data(one) for one in reversed(children)),
    )


def test_nodes_say_what_is_known(base: Engine) -> None:
    parent = add_data(base)
    child = add_data(base, name="é", parents=(parent,))
    early = add_data(base, state=DataState.UPLOADING)
    going = add_data(base, state=DataState.REMOVING)
    number = make(base, child)
    training = Thing(Kind.TRAINING, "4")
    use(base, dataset(number), training, 11.0, locks=True)
    forget_data(base, parent)
    items = map(data, (parent, child, early, going, 998))
    unknown = (dataset(999), Thing(Kind.TRAINING, "5"))
    found = SqlLineageStore(base).nodes([*items, dataset(number), training, *unknown])
    assert found == {
        data(parent): Node(data(parent), is_gone=True),
        data(child): Node(data(child), "é", "vision", "mia", 5.0, is_locked=True),
        data(going): Node(data(going), "signs", "vision", "mia", 5.0, is_gone=True),
        dataset(number): Node(
            dataset(number), "signs", "vision", "mia", 10.0, is_locked=True
        ),
        training: Node(training, is_gone=True),
    }


def test_notebook_is_a_node_with_its_owner(base: Engine) -> None:
    choices = Choices("first", "vision", "cpu", dataset=7)
    kept = SqlNotebookStore(base).create("mia", choices, 3.0)
    thing = Thing(Kind.NOTEBOOK, str(kept.id))
    found = SqlLineageStore(base).nodes([thing])
    assert found == {thing: Node(thing, "first", "vision", "mia", 3.0)}
    read = SqlNotebookStore(base).one(kept.id)
    assert read is not None
    assert read.choices.dataset == 7


def test_dataset_that_a_notebook_used_and_that_is_gone_is_remembered(
    base: Engine,
) -> None:
    number, notebook = make(base), Thing(Kind.NOTEBOOK, "3")
    use(base, dataset(number), notebook, 1.0)
    SqlDatasetStore(base).delete(number)
    graph = SqlLineageStore(base)
    assert graph.sources([notebook], 9) == {notebook: Beside((dataset(number),), 1)}
    assert graph.nodes([dataset(number)])[dataset(number)].is_gone
