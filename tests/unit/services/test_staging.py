"""Trees of datasets: built once for a content, found again, held, let go."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from kqi_hub.domain.data import Kind, Placed, StoredFile, Thing
from kqi_hub.domain.data_ports import Told, Tree
from kqi_hub.domain.dataset_ports import TreeState, session_holder, session_of_holder
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import (
    Conflict,
    NotFound,
    NotPermitted,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause
from kqi_hub.domain.people import Role
from kqi_hub.services.staging import Staging
from kqi_hub.services.tree_keeping import TreeKeeper
from tests.fakes.data_items import data_item, somebody
from tests.fakes.datasets import FakeDatasets
from tests.fakes.sessions import CHOSEN, KEY, FakeSessionStore
from tests.fakes.store import FakeStore

MIA = somebody("mia")
TRAINING = Thing(Kind.TRAINING, "7")
DAY_S = 86_400.0


class SlowStore(FakeStore):
    """A store whose trees wait until a test lets them; it keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.may_build = asyncio.Event()
        self.may_build.set()
        self.metas: list[Mapping[str, Any]] = []

    async def tree(
        self,
        tenant: str,
        key: str,
        placed: Sequence[Placed],
        meta: Mapping[str, Any],
        told: Told | None = None,
    ) -> Tree:
        if told is not None:
            told(1, 0)
        await self.may_build.wait()
        self.metas.append(meta)
        return await super().tree(tenant, key, placed, meta, told)


@dataclass
class Lab:
    """A dataset of two items in `vision`, and what stages it."""

    fakes: FakeDatasets = field(default_factory=FakeDatasets)
    store: SlowStore = field(default_factory=SlowStore)
    sessions: FakeSessionStore = field(default_factory=FakeSessionStore)
    now: float = 1000.0

    def __post_init__(self) -> None:
        for number in (1, 2):
            self.put(number, {f"f{number}": 4})
        entries = (Placed("training", 1), Placed("testing", 2))
        self.fakes.create(NewDataset("vision", "signs", "m", entries=entries), "mia", 1)
        self.staging = self.process()

    def process(self) -> Staging:
        """Return the staging of one more process."""
        return Staging(
            self.fakes, self.fakes, self.store, wall=lambda: self.now, pause_s=0.001
        )

    def put(self, number: int, files: Mapping[str, int], version: int = 1) -> None:
        """Let an item have these files, in the database and in the store."""
        kept = {p: StoredFile(p, size, "") for p, size in files.items()}
        self.store.data[number] = kept
        self.fakes.files[number] = list(kept.values())
        self.fakes.data[number] = data_item(
            number, files=len(kept), size=sum(files.values()), version=version
        )

    def keeper(self) -> TreeKeeper:
        """Return the worker's part, which removes what was unused for a day."""
        return TreeKeeper(
            self.fakes, self.sessions, self.store, DAY_S, lambda: self.now
        )


@pytest.fixture
async def lab() -> Lab:
    return Lab()


async def test_second_time_is_one_look(lab: Lab) -> None:
    first = await lab.staging.stage(1)
    assert (first.files, first.bytes) == (2, 8)
    assert first.path == f"/store/vision/trees/{first.key}"
    lab.store.calls.clear()
    assert await lab.process().stage(1) == first
    assert lab.store.calls == ["find_tree"]


async def test_description_says_what_is_in_it(lab: Lab) -> None:
    await lab.staging.stage(1)
    [meta] = lab.store.metas
    assert meta == {
        "version": 1,
        "id": 1,
        "name": "signs",
        "memo": "m",
        "tenant": "vision",
        "is_flat": False,
        "types": ["testing", "training"],
        "items": [
            {
                "type": kind,
                "id": number,
                "name": "signs",
                "tags": ["raw"],
                "files": 1,
                "bytes": 4,
            }
            for kind, number in (("testing", 2), ("training", 1))
        ],
    }


async def test_many_at_once_build_once(lab: Lab) -> None:
    lab.store.may_build.clear()
    asked = [asyncio.create_task(lab.staging.stage(1)) for _ in range(20)]
    await asyncio.sleep(0.05)
    lab.store.may_build.set()
    found = await asyncio.gather(*asked)
    assert len(set(found)) == 1
    assert lab.store.calls.count("tree") == 1


async def test_one_who_goes_away_takes_it_from_nobody(lab: Lab) -> None:
    lab.store.may_build.clear()
    hasty, patient = (asyncio.create_task(lab.staging.stage(1)) for _ in range(2))
    await asyncio.sleep(0.05)
    hasty.cancel()
    lab.store.may_build.set()
    assert (await patient).files == 2


async def test_changed_content_has_a_tree_of_its_own(lab: Lab) -> None:
    first = await lab.staging.stage(1)
    lab.put(2, {"f2": 4, "more": 1}, version=2)
    second = await lab.staging.stage(1)
    assert first.key != second.key
    assert (second.files, second.bytes) == (3, 9)
    assert set(lab.store.trees) == {first.key, second.key}


async def test_change_while_it_is_built_is_in_the_tree_that_is_told(lab: Lab) -> None:
    lab.store.may_build.clear()
    asked = asyncio.create_task(lab.staging.stage(1))
    await asyncio.sleep(0.05)
    lab.put(2, {"f2": 4, "more": 1}, version=2)
    lab.store.may_build.set()
    found = await asked
    assert (found.files, found.bytes) == (3, 9)
    assert lab.fakes.keys("vision") == (found.key,)


async def test_tree_that_is_not_what_the_list_says_is_not_used(lab: Lab) -> None:
    lab.fakes.data[2] = replace(lab.fakes.data[2], files=5)
    with pytest.raises(
        StoreError, match="dataset 1 the data store has files: 2, bytes: 8"
    ):
        await lab.staging.stage(1)
    assert lab.store.calls.count("tree") == 1
    assert lab.store.trees == {}
    assert lab.fakes.keys("vision") == ()


async def test_files_on_their_way_are_waited_for_by_the_person(lab: Lab) -> None:
    lab.fakes.busy.add(2)
    with pytest.raises(Conflict, match="added to data 2"):
        await lab.staging.stage(1)
    assert lab.store.calls == []


@pytest.mark.parametrize("error", [StoreUnavailable("a"), StoreFull("b")])
async def test_what_the_store_says_is_passed_on_and_may_be_tried_again(
    lab: Lab, error: Exception
) -> None:
    lab.store.fails["tree"] = [error]
    with pytest.raises(type(error)):
        await lab.staging.stage(1)
    assert (await lab.staging.stage(1)).files == 2


async def test_unknown_dataset_is_not_found(lab: Lab) -> None:
    with pytest.raises(NotFound):
        await lab.staging.stage(9)
    with pytest.raises(NotFound):
        await lab.staging.begin(MIA, 9)
    with pytest.raises(NotFound):
        await lab.staging.begin(somebody("eve", Role.MEMBER, "nlp"), 1)
    with pytest.raises(NotPermitted):
        await lab.staging.begin(somebody("victor", Role.VIEWER), 1)


async def test_tree_that_the_store_has_lost_is_made_anew(lab: Lab) -> None:
    first = await lab.staging.stage(1)
    lab.store.trees.clear()
    assert await lab.staging.stage(1) == first
    assert set(lab.store.trees) == {first.key}


async def test_progress_can_be_asked_for_until_it_is_over(lab: Lab) -> None:
    lab.store.may_build.clear()
    state = await lab.staging.begin(MIA, 1, 0.05)
    assert (state.is_over, state.done, state.of) == (False, 1, 2)
    assert await lab.staging.begin(MIA, 1, 0.01) is state
    lab.store.may_build.set()
    state = await lab.staging.begin(MIA, 1)
    assert state.staged is not None
    assert (state.done, state.of, state.failure) == (2, 2, None)
    lab.store.is_down = True
    state = await lab.staging.begin(MIA, 1)
    assert isinstance(state.failure, StoreUnavailable)
    lab.store.is_down = False
    assert (await lab.staging.begin(MIA, 1)).staged is not None


async def test_end_that_nobody_asked_for_is_not_told_later(lab: Lab) -> None:
    lab.store.may_build.clear()
    await lab.staging.begin(MIA, 1, 0.01)
    lab.store.may_build.set()
    await lab.staging.stage(1)
    await asyncio.sleep(0.01)
    lab.put(2, {"f2": 4, "more": 1}, version=2)
    lab.now += 61
    state = await lab.staging.begin(MIA, 1)
    assert state.staged is not None
    assert state.staged.files == 3


async def test_closing_leaves_nothing_running(lab: Lab) -> None:
    lab.store.may_build.clear()
    await lab.staging.begin(MIA, 1, 0.05)
    before = len(asyncio.all_tasks())
    await lab.staging.close()
    assert len(asyncio.all_tasks()) < before


async def test_tree_that_nobody_reads_goes_after_its_time(lab: Lab) -> None:
    staged = await lab.staging.stage(1)
    lab.now += DAY_S
    assert await lab.keeper().look() == ()
    lab.now += 1
    [gone] = await lab.keeper().look()
    assert gone.key == staged.key
    assert lab.store.trees == {}
    assert lab.fakes.keys("vision") == ()
    assert await lab.staging.stage(1) == staged


async def test_session_holds_its_tree_until_it_has_ended(lab: Lab) -> None:
    live = lab.sessions.ask(12, CHOSEN, KEY, lab.now)
    staged = await lab.staging.stage(1, session_holder(live.id))
    lab.now += 2 * DAY_S
    assert await lab.keeper().look() == ()
    lab.sessions.ended(live.id, SessionEnd(lab.now, Cause.STOPPED))
    assert await lab.keeper().look() == ()
    assert lab.fakes.holders() == ()
    lab.now += DAY_S + 1
    assert [one.key for one in await lab.keeper().look()] == [staged.key]


async def test_locked_dataset_keeps_its_tree(lab: Lab) -> None:
    await lab.staging.stage(1)
    lab.fakes.lock(1, TRAINING, 1.0)
    lab.now += 10 * DAY_S
    assert await lab.keeper().look() == ()
    lab.fakes.release(1, TRAINING)
    assert len(await lab.keeper().look()) == 1


async def test_removal_that_was_cut_off_goes_on_and_who_comes_waits(lab: Lab) -> None:
    staged = await lab.staging.stage(1)
    lab.now += 2 * DAY_S
    lab.store.fails["drop_tree"] = [StoreUnavailable("a")]
    with pytest.raises(StoreUnavailable):
        await lab.keeper().look()
    [note] = lab.fakes.removing()
    assert note.state is TreeState.REMOVING
    waiting = asyncio.create_task(lab.staging.stage(1))
    await asyncio.sleep(0.005)
    assert not waiting.done()
    assert len(await lab.keeper().look()) == 1
    assert await waiting == staged
    assert set(lab.store.trees) == {staged.key}


async def test_removal_that_nobody_ends_is_said(lab: Lab) -> None:
    staged = await lab.staging.stage(1)
    lab.now += 2 * DAY_S
    assert lab.fakes.begin_removal("vision", staged.key, lab.now)
    with pytest.raises(Conflict, match="Try again"):
        await lab.staging.stage(1)
    assert set(lab.store.trees) == {staged.key}


@pytest.mark.parametrize("holder", ["session:", "session:x", "training:7", "7", ""])
async def test_holder_of_another_kind_is_no_session(holder: str) -> None:
    assert session_of_holder(holder) is None
    assert session_of_holder(session_holder(12)) == 12
