"""The graph around a thing: who sees what of it, and where it ends."""

import pytest

from kqi_hub.domain.data import Kind, Placed, Thing, Use
from kqi_hub.domain.dataset_ports import Blocker, Edge, Why
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.people import Role
from kqi_hub.services import lineage
from kqi_hub.services.lineage import Lineage, More, Side
from tests.fakes.data_items import data_item, somebody
from tests.fakes.datasets import FakeDatasets

MIA = somebody("mia")
EVE = somebody("eve", Role.MEMBER, "nlp")
RITA = somebody("rita", None, operator=True)
TRAINING, MODEL = Thing(Kind.TRAINING, "7"), Thing(Kind.COMMIT, "git.h/a@" + "0" * 40)
NOTEBOOK = Thing(Kind.NOTEBOOK, "3")


def data(number: int) -> Thing:
    return Thing(Kind.DATA, str(number))


def dataset(number: int) -> Thing:
    return Thing(Kind.DATASET, str(number))


def lab() -> FakeDatasets:
    """Return: data 1 made data 2, in dataset 1, which training 7 and notebook 3 use."""
    fakes = FakeDatasets(data={1: data_item(1), 2: data_item(2, parents=(1,))})
    entries = (Placed("training", 2),)
    fakes.create(NewDataset("vision", "signs", entries=entries), "mia", 10.0)
    fakes.notebooks[3] = ("mine", "vision", "mia")
    fakes.lock(1, TRAINING, 11.0)
    for used, by in ((MODEL, TRAINING), (dataset(1), NOTEBOOK)):
        fakes.record(Use(used, by, 12.0, locks=False))
    return fakes


async def around(fakes: FakeDatasets, thing: Thing, depth: int = 2) -> Lineage:
    return await fakes.lineage().around(MIA, thing, depth)


async def test_graph_goes_both_ways_as_far_as_it_is_asked() -> None:
    found = await around(lab(), dataset(1), 2)
    assert [one.thing for one in found.nodes] == [
        dataset(1),
        data(2),
        data(1),
        TRAINING,
        NOTEBOOK,
    ]
    assert set(found.edges) == {
        Edge(data(2), dataset(1)),
        Edge(data(1), data(2)),
        Edge(dataset(1), TRAINING),
        Edge(dataset(1), NOTEBOOK),
    }
    assert not found.is_cut


async def test_what_lies_further_away_is_said_to_be_there() -> None:
    found = await around(lab(), dataset(1), 1)
    assert {one.thing for one in found.nodes} == {
        dataset(1),
        data(2),
        TRAINING,
        NOTEBOOK,
    }
    assert found.is_cut


async def test_ring_comes_to_an_end() -> None:
    fakes = lab()
    fakes.data[1] = data_item(1, parents=(2,))
    found = await around(fakes, data(1), 10)
    assert Edge(data(2), data(1)) in found.edges
    assert Edge(data(1), data(2)) in found.edges
    assert not found.is_cut


async def test_too_many_neighbours_are_counted() -> None:
    fakes = FakeDatasets(data={one: data_item(one) for one in range(1, 81)})
    entries = tuple(Placed("training", one) for one in range(1, 81))
    fakes.create(NewDataset("vision", "signs", entries=entries), "mia", 10.0)
    found = await around(fakes, dataset(1))
    assert len(found.nodes) == 51
    assert found.more == (More(dataset(1), Side.SOURCES, 30),)
    assert found.is_cut


async def test_graph_has_no_more_nodes_than_a_page_can_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lineage, "MOST_NODES", 3)
    found = await around(lab(), dataset(1), 2)
    assert len(found.nodes) == 3
    assert found.is_cut
    things = {one.thing for one in found.nodes}
    assert all({one.source, one.made} <= things for one in found.edges)


async def test_nobody_learns_of_other_tenants_things() -> None:
    fakes = lab()
    fakes.data[5] = data_item(5, "nlp")
    entries = (Placed("training", 5),)
    fakes.create(NewDataset("nlp", "voices", entries=entries), "eve", 10.0)
    fakes.record(Use(MODEL, Thing(Kind.TRAINING, "8"), 1.0, locks=False))
    fakes.record(Use(dataset(2), Thing(Kind.TRAINING, "8"), 1.0, locks=True))
    fakes.record(Use(dataset(2), NOTEBOOK, 1.0, locks=False))
    found = await around(fakes, dataset(1), 10)
    things = {one.thing for one in found.nodes}
    assert dataset(2) not in things
    assert data(5) not in things
    for thing in (dataset(1), data(1)):
        with pytest.raises(NotFound):
            await fakes.lineage().around(EVE, thing)
        with pytest.raises(NotFound):
            await fakes.lineage().blockers_of(EVE, thing)
        await fakes.lineage().around(RITA, thing)


async def test_name_of_a_notebook_is_its_owners() -> None:
    fakes = lab()
    mine = await around(fakes, dataset(1))
    ann = await fakes.lineage().around(somebody("ann"), dataset(1))
    names = [
        next(one.name for one in found.nodes if one.thing == NOTEBOOK)
        for found in (mine, ann)
    ]
    assert names == ["mine", ""]
    assert (await around(fakes, NOTEBOOK)).edges
    with pytest.raises(NotFound):
        await fakes.lineage().around(somebody("ann"), NOTEBOOK)


async def test_commit_is_told_to_those_who_see_something_made_with_it() -> None:
    fakes = lab()
    assert (await around(fakes, MODEL)).edges == (Edge(MODEL, TRAINING),)
    for thing in (Thing(Kind.COMMIT, "git.h/a@1"), Thing(Kind.TRAINING, "9")):
        with pytest.raises(NotFound):
            await around(fakes, thing)


async def test_blockers_are_named() -> None:
    fakes = lab()
    graph = fakes.lineage()
    locked = Blocker(dataset(1), Why.IN_LOCKED_DATASET, "signs")
    assert await graph.blockers_of(MIA, data(2)) == (locked,)
    assert await graph.blockers_of(MIA, data(1)) == ()
    assert await graph.blockers_of(MIA, dataset(1)) == (Blocker(TRAINING, Why.USED),)
    assert await graph.blockers_of(MIA, NOTEBOOK) == ()


@pytest.mark.parametrize("depth", [0, -1, 11, 10**9])
async def test_depth_has_bounds(depth: int) -> None:
    with pytest.raises(InvalidInput, match="depth"):
        await around(lab(), dataset(1), depth)


@pytest.mark.parametrize(
    "thing",
    [
        Thing(Kind.DATA, "0"),
        Thing(Kind.DATA, "-1"),
        Thing(Kind.DATA, "1; drop table"),
        Thing(Kind.DATA, ""),
        Thing(Kind.DATA, "9" * 19),
        Thing(Kind.DATA, "9" * 5000),
        Thing(Kind.DATA, "\uff11"),
        Thing(Kind.COMMIT, "no-hash"),
        Thing(Kind.COMMIT, "a@\n"),
        Thing(Kind.COMMIT, "a@" + "0" * 2000),
    ],
)
async def test_id_that_is_none_is_refused(thing: Thing) -> None:
    with pytest.raises(InvalidInput, match="id: "):
        await around(lab(), thing)


async def test_leading_zeros_are_no_other_thing() -> None:
    assert (await around(lab(), Thing(Kind.DATASET, "001"))).about == dataset(1)
