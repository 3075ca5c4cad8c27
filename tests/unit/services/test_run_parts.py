"""What a job's order is made of: parents that are there, a dataset that is held."""

from dataclasses import replace
from typing import Any

import pytest

from kqi_hub.domain.dataset_ports import run_holder, run_of_holder
from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import Parent, Run, RunKind
from kqi_hub.services.run_parts import RunPartsMaker
from kqi_hub.services.staging import Staged
from kqi_hub.services.tree_keeping import TreeKeeper
from tests.fakes.datasets import FakeDatasets
from tests.fakes.run_lab import SPEC
from tests.fakes.runs import FakeRunStore
from tests.fakes.sessions import FakeSessionStore
from tests.fakes.store import FakeStore
from tests.fakes.trees import note_of


class FakeStaging:
    """Remember who holds what."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}

    async def stage(self, dataset_id: int, holder: str | None = None) -> Staged:
        self.held[holder or ""] = dataset_id
        return Staged(f"/store/{dataset_id}", "k", 1, 1)

    async def release(self, holder: str) -> None:
        self.held.pop(holder, None)


def maker_of(store: FakeRunStore, staging: FakeStaging) -> RunPartsMaker:
    return RunPartsMaker(store, staging, lambda run: ("alice", "secret"))


def ask(store: FakeRunStore, *, owner: str = "alice", **chosen: Any) -> Run:
    spec = replace(SPEC, **chosen)
    key = f"key{len(store.runs)}"
    return store.ask(NewRun(RunKind.TRAINING, owner, key, spec), 1.0)


async def test_a_dataset_is_held_by_the_run_until_it_is_released() -> None:
    store, staging = FakeRunStore(), FakeStaging()
    maker = maker_of(store, staging)
    run = ask(store, dataset=5)
    parts = await maker((run,))
    assert parts.dataset is not None
    assert (parts.dataset.dataset_id, parts.dataset.path) == (5, "/store/5")
    assert parts.git == ("alice", "secret")
    assert staging.held == {run_holder(run.id): 5}
    await maker.release(run)
    assert staging.held == {}


async def test_parents_come_in_the_order_in_which_they_were_chosen() -> None:
    store = FakeRunStore()
    first, second = ask(store), ask(store)
    parents = tuple(Parent(RunKind.TRAINING, one.id) for one in (second, first))
    parts = await maker_of(store, FakeStaging())((ask(store, parents=parents),))
    assert [one.id for one in parts.parents] == [second.id, first.id]


@pytest.mark.parametrize(
    "parent", [Parent(RunKind.TRAINING, 99), Parent(RunKind.INFERENCE, 1)]
)
async def test_a_parent_that_is_gone_is_told_of(parent: Parent) -> None:
    store = FakeRunStore()
    ask(store)
    with pytest.raises(NotFound, match=f"{parent.kind} {parent.id}, is no longer"):
        await maker_of(store, FakeStaging())((ask(store, parents=(parent,)),))


async def test_what_became_somebody_elses_is_no_parent() -> None:
    store = FakeRunStore()
    theirs = ask(store, owner="bob")
    run = ask(store, parents=(Parent(RunKind.TRAINING, theirs.id),))
    with pytest.raises(NotFound):
        await maker_of(store, FakeStaging())((run,))


async def test_trees_of_runs_that_ended_or_are_gone_are_let_go() -> None:
    store, fakes = FakeRunStore(), FakeDatasets()
    live, gone = ask(store, dataset=5), 77
    fakes.built(note_of("a" * 40, used_at=1.0))
    for number in (live.id, gone):
        assert fakes.use("vision", "a" * 40, run_holder(number), 2.0)
    sessions = FakeSessionStore()
    await TreeKeeper(fakes, sessions, FakeStore(), 10.0, lambda: 5.0, store).look()
    assert fakes.holders() == (run_holder(live.id),)


@pytest.mark.parametrize("holder", ["session:1", "run:", "run:x", "run:-1", "7"])
def test_other_holders_are_no_runs(holder: str) -> None:
    assert run_of_holder(holder) is None
