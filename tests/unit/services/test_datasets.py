"""Datasets as people use them: who may what, locks, copies."""

from collections.abc import Awaitable, Callable

import pytest

from kqi_hub.domain.data import Kind, Placed, Thing
from kqi_hub.domain.dataset_list import DatasetQuestion
from kqi_hub.domain.dataset_ports import Blocker, Why
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.people import Role
from kqi_hub.services.datasets import Datasets
from kqi_hub.services.tenant_rights import Asker
from tests.fakes.data_items import data_item, somebody
from tests.fakes.datasets import FakeDatasets

MIA = somebody("mia")
MAX = somebody("max", Role.MANAGER)
ANN = somebody("ann")
VICTOR = somebody("victor", Role.VIEWER)
RITA = somebody("rita", None, operator=True)
EVE = somebody("eve", Role.MANAGER, "nlp")
TRAINING = Thing(Kind.TRAINING, "7")
ENTRIES = (Placed("training", 1), Placed("testing", 2))
NEW = NewDataset("vision", " signs ", "memo", entries=ENTRIES)


def lab() -> FakeDatasets:
    """Return datasets of a tenant with the items 1 to 3; 4 is of another one."""
    items = {one: data_item(one) for one in (1, 2, 3)}
    return FakeDatasets(data=items | {4: data_item(4, "nlp")})


async def make(fakes: FakeDatasets) -> int:
    return (await fakes.service().create(MIA, NEW)).id


async def test_new_dataset_is_trimmed_sorted_and_noted() -> None:
    fakes = lab()
    made = await fakes.service().create(MIA, NEW)
    assert (made.name, made.items, made.files, made.bytes) == ("signs", 2, 4, 86)
    view = await fakes.service().one(VICTOR, made.id)
    assert view.types == (("training", 1), ("testing", 1), ("validation", 0))
    assert not view.may_change
    [(_, event)] = fakes.audit.read()
    assert (event.actor, event.action, event.target, event.address) == (
        "mia",
        "dataset-created",
        "dataset-1",
        "192.0.2.1",
    )


@pytest.mark.parametrize(
    "new",
    [
        NewDataset("vision", " "),
        NewDataset("vision", "a", "\0"),
        NewDataset("vision", "a", entries=(Placed("training", 4),)),
        NewDataset("vision", "a", entries=(Placed("training", 99),)),
        NewDataset("vision", "a", entries=(Placed("x", 1),)),
        NewDataset("vision", "a", is_flat=True, entries=ENTRIES),
    ],
)
async def test_what_cannot_be_a_dataset_is_refused(new: NewDataset) -> None:
    fakes = lab()
    with pytest.raises(InvalidInput):
        await fakes.service().create(MIA, new)
    assert fakes.datasets == {}


CHANGES: dict[str, Callable[[Datasets, Asker], Awaitable[object]]] = {
    "rename": lambda datasets, who: datasets.rename(who, 1, "other"),
    "replace": lambda datasets, who: datasets.replace(who, 1, (), 1e12),
    "delete": lambda datasets, who: datasets.delete(who, 1),
}
LOOKS: dict[str, Callable[[Datasets, Asker], Awaitable[object]]] = {
    "one": lambda datasets, who: datasets.one(who, 1),
    "items": lambda datasets, who: datasets.items(who, 1),
    "entries": lambda datasets, who: datasets.entries(who, 1),
    "paths": lambda datasets, who: datasets.paths(who, 1),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        (MIA, None),
        (MAX, None),
        (RITA, None),
        (ANN, NotPermitted),
        (VICTOR, NotPermitted),
        (EVE, NotFound),
    ],
    ids=lambda one: one.person if isinstance(one, Asker) else "",
)
async def test_ones_own_is_changed_by_oneself_managers_and_operators(
    what: str, who: Asker, refusal: type[Exception] | None
) -> None:
    fakes = lab()
    await make(fakes)
    if refusal is None:
        await CHANGES[what](fakes.service(), who)
        return
    before = fakes.one(1)
    with pytest.raises(refusal):
        await CHANGES[what](fakes.service(), who)
    assert fakes.one(1) == before


@pytest.mark.parametrize("what", LOOKS)
async def test_everybody_of_the_tenant_looks_and_nobody_else(what: str) -> None:
    fakes = lab()
    await make(fakes)
    for who in (MIA, VICTOR, RITA):
        await LOOKS[what](fakes.service(), who)
    with pytest.raises(NotFound):
        await LOOKS[what](fakes.service(), EVE)


@pytest.mark.parametrize(("who", "refusal"), [(VICTOR, NotPermitted), (EVE, NotFound)])
async def test_who_is_no_member_makes_none(
    who: Asker, refusal: type[Exception]
) -> None:
    fakes = lab()
    with pytest.raises(refusal):
        await fakes.service().create(who, NEW)
    await make(fakes)
    with pytest.raises(refusal):
        await fakes.service().copy(who, 1)


async def test_lists_show_what_is_ones_own() -> None:
    fakes = lab()
    await make(fakes)
    await fakes.service().create(EVE, NewDataset("nlp", "voices"))
    service = fakes.service()

    async def names(who: Asker, tenant: str | None = None) -> list[str]:
        page = await service.search(who, DatasetQuestion(tenant, with_total=True))
        assert page.total == len(page.items)
        return [one.name for one in page.items]

    assert await names(VICTOR) == ["signs"]
    assert await names(RITA) == ["voices", "signs"]
    assert await names(RITA, "nlp") == ["voices"]
    assert await names(somebody("nobody", None)) == []
    with pytest.raises(NotFound):
        await names(VICTOR, "nlp")


async def test_condition_that_cannot_be_read_finds_nothing_and_says_so() -> None:
    fakes = lab()
    await make(fakes)
    asked = DatasetQuestion(id="many", created_at="soon", with_total=True)
    page = await fakes.service().search(MIA, asked)
    assert (page.items, page.total) == ((), 0)
    assert page.unread == {"id": "many", "created_at": "soon"}


@pytest.mark.parametrize(
    "asked",
    [
        DatasetQuestion(sort="memo"),
        DatasetQuestion(page=0),
        DatasetQuestion(per_page=1001),
        DatasetQuestion(name="x" * 1001),
    ],
)
async def test_question_that_is_none_is_refused(asked: DatasetQuestion) -> None:
    with pytest.raises(InvalidInput):
        await lab().service().search(MIA, asked)


async def test_locked_one_takes_a_name_and_no_entries_until_it_is_free() -> None:
    fakes = lab()
    service, number = fakes.service(), await make(fakes)
    await service.lock(number, TRAINING)
    await service.lock(number, TRAINING)
    view = await service.one(MIA, number)
    assert view.dataset.is_locked
    assert view.blockers == (Blocker(TRAINING, Why.USED),)
    with pytest.raises(Conflict):
        await service.replace(MIA, number, (), 1e12)
    with pytest.raises(Conflict):
        await service.delete(MIA, number)
    renamed = await service.rename(MIA, number, "new name", "new memo")
    assert (renamed.name, renamed.memo) == ("new name", "new memo")
    await service.release(number, TRAINING)
    await service.release(number, TRAINING)
    await service.replace(MIA, number, (), 1e12)


async def test_copy_of_a_locked_one_is_free_and_ones_own() -> None:
    fakes = lab()
    service, number = fakes.service(), await make(fakes)
    await service.lock(number, TRAINING)
    made = await service.copy(ANN, number)
    assert (made.name, made.created_by, made.is_locked) == (
        "signs (copy)",
        "ann",
        False,
    )
    assert await service.entries(ANN, made.id) == await service.entries(ANN, number)
    await service.replace(ANN, made.id, (Placed("training", 3),), made.changed_at)
    assert len(await service.entries(ANN, number)) == 2
    long = await service.create(MIA, NewDataset("vision", "x" * 200))
    assert len((await service.copy(MIA, long.id)).name) == 200


async def test_types_given_up_go_on_where_they_are() -> None:
    fakes = lab()
    service, number = fakes.service(), await make(fakes)
    fakes.own_types["vision"] = ("fresh",)
    view = await service.one(MIA, number)
    assert view.types == (("fresh", 0), ("testing", 1), ("training", 1))
    entries = (Placed("training", 3), Placed("fresh", 1))
    await service.replace(MIA, number, entries, view.dataset.changed_at)
    with pytest.raises(InvalidInput):
        await service.create(MIA, NEW)


async def test_types_are_a_managers_business() -> None:
    fakes = lab()
    service = fakes.service()
    assert await service.types(VICTOR, "vision") == (
        "training",
        "testing",
        "validation",
    )
    for who, refusal in ((MIA, NotPermitted), (EVE, NotFound)):
        with pytest.raises(refusal):
            await service.set_types(who, "vision", ["a"])
    assert await service.set_types(MAX, "vision", ["a", "b"]) == ("a", "b")
    assert await service.types(MIA, "vision") == ("a", "b")
    [(_, event)] = fakes.audit.read()
    assert (event.action, event.target) == ("dataset-types-changed", "vision")
