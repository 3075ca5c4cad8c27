"""Datasets of notebooks: whose they may be, how sessions get them, what is kept."""

import pytest

from kqi_hub.domain.data import Kind, Placed, StoredFile, Thing, Use
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import InvalidInput, StoreUnavailable
from kqi_hub.domain.notebook_ports import DatasetPlace
from kqi_hub.domain.notebooks import Choices, Session
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.services.notebook_datasets import NotebookDatasets
from kqi_hub.services.proving import Who
from kqi_hub.services.session_dataset import SessionDatasets
from kqi_hub.services.staging import Staging
from tests.fakes.data_items import data_item
from tests.fakes.datasets import FakeDatasets
from tests.fakes.store import FakeStore

USED = Thing(Kind.DATASET, "1")
NOTEBOOK = Thing(Kind.NOTEBOOK, "12")


def lab() -> FakeDatasets:
    fakes = FakeDatasets(data={1: data_item(1, files=1, size=3)})
    new = NewDataset("vision", "signs", entries=(Placed("training", 1),))
    fakes.create(new, "mia", 1.0)
    return fakes


def who(*tenants: str, role: Role = Role.VIEWER, operator: bool = False) -> Who:
    known = tuple(Membership(one, role) for one in tenants)
    return Who("ann", "192.0.2.1", Standing("ann", known, is_operator=operator))


def session(dataset: int | None) -> Session:
    chosen = Choices("try", "nlp", "cpu", dataset=dataset)
    return Session(3, 12, "ann", "k" * 26, chosen, 1.0, 1.0)


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        (1, who("nlp", role=Role.MANAGER)),
        (1, who(operator=True)),
        (1, Who("ann", "")),
        (2, who("vision")),
    ],
)
def test_dataset_of_no_tenant_of_ones_own_is_refused(asked: int, who: Who) -> None:
    fakes = lab()
    with pytest.raises(InvalidInput, match=f"no dataset {asked}"):
        NotebookDatasets(fakes, fakes).check(who, asked)


def test_who_looks_on_may_read_and_none_is_always_right() -> None:
    fakes = lab()
    NotebookDatasets(fakes, fakes).check(who("vision"), 1)
    NotebookDatasets(fakes, fakes).check(Who("ann", ""), None)


async def test_session_gets_its_dataset_held_and_the_use_is_remembered() -> None:
    fakes, store = lab(), FakeStore(data={1: {"f": StoredFile("f", 3, "")}})
    staging = Staging(fakes, fakes, store)
    sessions = SessionDatasets(staging, fakes, lambda: 5.0)
    place = await sessions(session(1))
    [key] = fakes.keys("vision")
    assert place == DatasetPlace(1, f"/store/vision/trees/{key}")
    assert fakes.holders() == ("session:3",)
    assert list(fakes.uses.values()) == [Use(USED, NOTEBOOK, 5.0, locks=False)]
    NotebookDatasets(fakes, fakes).forget(12)
    assert fakes.uses == {}


async def test_session_without_dataset_asks_nothing() -> None:
    fakes, store = lab(), FakeStore(is_down=True)
    sessions = SessionDatasets(Staging(fakes, fakes, store), fakes, lambda: 5.0)
    assert await sessions(session(None)) is None
    with pytest.raises(StoreUnavailable):
        await sessions(session(1))
    assert fakes.uses == {}
