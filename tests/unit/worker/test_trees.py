"""The worker's rounds for trees: what is removed is told, what fails is tried again."""

import logging

import pytest

from kqi_hub.domain.errors import StoreUnavailable
from kqi_hub.services.tree_keeping import TreeKeeper
from kqi_hub.worker.journal import Journal
from kqi_hub.worker.trees import TreeRounds
from tests.fakes.datasets import FakeDatasets
from tests.fakes.sessions import FakeSessionStore
from tests.fakes.store import FakeStore
from tests.fakes.trees import note_of


async def test_removed_trees_are_told_and_a_silent_store_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    fakes, store = FakeDatasets(), FakeStore()
    keeper = TreeKeeper(fakes, FakeSessionStore(), store, 10.0, lambda: 1000.0)
    rounds = TreeRounds(keeper, Journal())
    fakes.built(note_of("a" * 40, used_at=1.0))
    store.fails["drop_tree"] = [StoreUnavailable("It is away."), StoreUnavailable("a")]
    await rounds.look()
    await rounds.look()
    assert fakes.keys("vision") == ("a" * 40,)
    [told] = caplog.records
    assert told.getMessage() == "trouble"
    assert "It is away." in str(vars(told)["pairs"])
    await rounds.look()
    assert fakes.keys("vision") == ()
    assert [one.getMessage() for one in caplog.records[1:]] == ["back", "tree-removed"]
