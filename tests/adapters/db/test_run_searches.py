"""Searches that people keep, on both databases."""

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.run_searches import SqlRunSearchStore
from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.run_searches import MOST_SEARCHES, RunSearch, RunSearchStore
from kqi_hub.domain.runs import RunKind
from tests.fakes.run_searches import FakeRunSearches

TRAINING, INFERENCE = RunKind.TRAINING, RunKind.INFERENCE
FAILED = RunSearch("failed lately", "asked_at=%3E%3D2026-11&state=failed")


@pytest.fixture(params=["database", "fake"])
def store(request: pytest.FixtureRequest, engine: Engine) -> RunSearchStore:
    if request.param == "fake":
        return FakeRunSearches()
    schema.upgrade(engine)
    return SqlRunSearchStore(engine)


def test_what_was_kept_comes_back_by_name(store: RunSearchStore) -> None:
    assert store.searches("mia", TRAINING) == ()
    other = RunSearch("baselines", "tag=baseline")
    for one in (FAILED, other):
        store.keep("mia", TRAINING, one, 1.0)
    assert store.searches("mia", TRAINING) == (other, FAILED)


def test_another_of_its_name_is_replaced(store: RunSearchStore) -> None:
    store.keep("mia", TRAINING, FAILED, 1.0)
    changed = RunSearch(FAILED.name, "state=killed")
    store.keep("mia", TRAINING, changed, 2.0)
    assert store.searches("mia", TRAINING) == (changed,)


@pytest.mark.parametrize(
    "person", ["o'brien", 'mia"; DROP TABLE run_searches;--', "日"]
)
def test_each_person_and_list_has_its_own(store: RunSearchStore, person: str) -> None:
    store.keep("mia", TRAINING, FAILED, 1.0)
    store.keep(person, TRAINING, RunSearch(FAILED.name, "id=1"), 1.0)
    store.keep("mia", INFERENCE, RunSearch(FAILED.name, "id=2"), 1.0)
    store.drop(person, TRAINING, FAILED.name)
    assert store.searches(person, TRAINING) == ()
    assert store.searches("mia", TRAINING) == (FAILED,)
    assert [one.query for one in store.searches("mia", INFERENCE)] == ["id=2"]


def test_one_that_is_not_there_is_dropped_without_an_error(
    store: RunSearchStore,
) -> None:
    store.keep("mia", TRAINING, FAILED, 1.0)
    store.drop("mia", TRAINING, "' OR 1=1 --")
    assert store.searches("mia", TRAINING) == (FAILED,)


@pytest.mark.parametrize("odd", ["a'b;--", "\u202e abc", "\0\0\0\0", "é" * 60])
def test_odd_names_are_kept_without_harm(store: RunSearchStore, odd: str) -> None:
    search = RunSearch(odd, "name=" + odd)
    store.keep("mia", TRAINING, search, 1.0)
    assert store.searches("mia", TRAINING) == (search,)
    store.drop("mia", TRAINING, odd)
    assert store.searches("mia", TRAINING) == ()


def test_a_person_keeps_so_many_of_a_list_and_no_more(store: RunSearchStore) -> None:
    for number in range(MOST_SEARCHES):
        store.keep("mia", TRAINING, RunSearch(f"search {number:02}", "id=1"), 1.0)
    with pytest.raises(Conflict, match=str(MOST_SEARCHES)):
        store.keep("mia", TRAINING, FAILED, 1.0)
    store.keep("mia", TRAINING, RunSearch("search 07", "id=7"), 2.0)
    store.keep("mia", INFERENCE, FAILED, 1.0)
    store.keep("max", TRAINING, FAILED, 1.0)
    found = store.searches("mia", TRAINING)
    assert len(found) == MOST_SEARCHES
    assert found[7].query == "id=7"
