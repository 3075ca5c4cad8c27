"""Trees in the database: which content, who holds what, what may go."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.trees import SqlTreeStore
from kqi_hub.db.uses import SqlUseStore
from kqi_hub.domain.data import Kind, Placed, Thing
from kqi_hub.domain.dataset_ports import TreeNote, TreeState
from kqi_hub.domain.datasets import NewDataset
from tests.adapters.db.data_rows_for_tests import (
    add_data,
    add_files,
    begin_publishing,
    begin_taking,
    end_publishing,
)

TRAINING = Thing(Kind.TRAINING, "7")
KEY = "0" * 40
NOTE = TreeNote("vision", KEY, 1, TreeState.READY, 2, 43, 10.0, 10.0)


@pytest.fixture
def base(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


def make(base: Engine, *numbers: int) -> int:
    entries = tuple(Placed("training", one) for one in numbers)
    new = NewDataset("vision", "signs", entries=entries)
    return SqlDatasetStore(base).create(new, "mia", 10.0).id


def known_key(base: Engine, number: int) -> str | None:
    content = SqlTreeStore(base).content(number)
    assert content is not None
    return content.key


def remember(base: Engine, number: int, key: str = KEY) -> None:
    trees = SqlTreeStore(base)
    content = trees.content(number)
    assert content is not None
    trees.remember_key(number, content.stamp, key)


def test_key_is_known_until_the_content_changes(base: Engine) -> None:
    item = add_data(base)
    number = make(base, item)
    assert known_key(base, number) is None
    remember(base, number)
    assert known_key(base, number) == KEY
    add_files(base, item, {"more": 1})
    assert known_key(base, number) is None
    remember(base, number)
    SqlDatasetStore(base).rename(number, "other", "", 20.0)
    assert known_key(base, number) == KEY
    found = SqlDatasetStore(base).one(number)
    assert found is not None
    SqlDatasetStore(base).replace(number, (), found.changed_at, 30.0)
    assert known_key(base, number) is None


def test_lock_neither_loses_the_key_nor_revives_an_old_one(base: Engine) -> None:
    item, uses = add_data(base), SqlUseStore(base)
    number = make(base, item)
    remember(base, number)
    uses.lock(number, TRAINING, 11.0)
    assert known_key(base, number) == KEY
    uses.release(number, TRAINING)
    add_files(base, item, {"more": 1})
    uses.lock(number, TRAINING, 12.0)
    assert known_key(base, number) is None


def test_versions_are_those_of_the_items(base: Engine) -> None:
    one, two = add_data(base), add_data(base)
    number = make(base, one, two)
    add_files(base, two, {"more": 1})
    assert SqlTreeStore(base).versions(number) == (
        (Placed("training", one), 1),
        (Placed("training", two), 2),
    )


def test_content_is_busy_while_files_come_or_go(base: Engine) -> None:
    one, two = add_data(base), add_data(base)
    number, trees = make(base, one, two), SqlTreeStore(base)

    def busy() -> int | None:
        content = trees.content(number)
        assert content is not None
        return content.busy

    assert busy() is None
    begin_publishing(base, one)
    assert busy() == one
    end_publishing(base, one)
    assert busy() is None
    begin_taking(base, two, "b.bin")
    assert busy() == two
    assert trees.content(99) is None


def test_tree_that_is_held_or_used_of_late_stays(base: Engine) -> None:
    trees = SqlTreeStore(base)
    assert not trees.use("vision", KEY, "session:1", 11.0)
    assert trees.holders() == ()
    trees.built(NOTE)
    assert trees.tree("vision", KEY) == NOTE
    assert trees.tree("nlp", KEY) is None
    assert not trees.use("nlp", KEY, None, 11.0)
    assert trees.use("vision", KEY, "session:1", 11.0)
    assert trees.use("vision", KEY, "session:1", 9.0)
    assert trees.holders() == ("session:1",)
    assert trees.unused(1000.0) == ()
    assert not trees.begin_removal("vision", KEY, 1000.0)
    trees.release_trees("session:1", 50.0)
    trees.release_trees("session:1", 60.0)
    assert trees.unused(50.0) == ()
    assert trees.unused(51.0) == (replace(NOTE, used_at=50.0),)


def test_tree_on_its_way_out_is_of_no_use(base: Engine) -> None:
    trees = SqlTreeStore(base)
    trees.built(NOTE)
    assert trees.begin_removal("vision", KEY, 11.0)
    assert not trees.begin_removal("vision", KEY, 11.0)
    assert not trees.use("vision", KEY, "session:1", 12.0)
    assert trees.holders() == ()
    assert trees.removing() == (replace(NOTE, state=TreeState.REMOVING),)
    trees.forget("vision", KEY)
    assert trees.keys("vision") == ()
    trees.built(NOTE)
    assert trees.keys("vision") == (KEY,)


def test_present_tree_of_a_locked_dataset_is_kept(base: Engine) -> None:
    number, trees = make(base, add_data(base)), SqlTreeStore(base)
    remember(base, number)
    old = "1" * 40
    for key in (KEY, old):
        trees.built(replace(NOTE, key=key, dataset_id=number))
    SqlUseStore(base).lock(number, TRAINING, 11.0)
    assert [one.key for one in trees.unused(99.0)] == [old]
    assert not trees.begin_removal("vision", KEY, 99.0)
    SqlUseStore(base).release(number, TRAINING)
    assert trees.begin_removal("vision", KEY, 99.0)


def test_tree_is_used_or_removed_but_never_both(base: Engine) -> None:
    trees = SqlTreeStore(base)
    for turn in range(8):
        key = f"{turn:040x}"
        trees.built(replace(NOTE, key=key))
        together = threading.Barrier(2)

        def use(key: str = key, together: threading.Barrier = together) -> bool:
            together.wait()
            return trees.use("vision", key, f"session:{key}", 99.0)

        def remove(key: str = key, together: threading.Barrier = together) -> bool:
            together.wait()
            return trees.begin_removal("vision", key, 50.0)

        with ThreadPoolExecutor(2) as pool:
            using, removing = pool.submit(use), pool.submit(remove)
            assert using.result() is not removing.result()
