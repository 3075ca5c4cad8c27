"""Preprocessings on SQLite and PostgreSQL: kept, listed, locked by their runs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.preprocessings import SqlPreprocessingStore
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.filters import Part, Span
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.preprocessings import (
    NewPreprocessing,
    PreprocessingChange,
    PreprocessingColumn,
    PreprocessingFilter,
)
from kqi_hub.domain.run_ports import Collected, NewRun
from kqi_hub.domain.runs import Run, RunKind, RunSpec, RunState, Source

NOW = 1_795_000_000.0
SOURCE = Source("https://git.example.org/a/b.git", "main", "1" * 40)
BARE = NewPreprocessing("vision", "bare")
FULL = NewPreprocessing(
    "vision",
    "Resize, no: 224 日本",
    "memo\nof two lines",
    "set -e\necho \"$HOME\" 'é'\n",
    "torch",
    source=SOURCE,
    shape=Shape(8, 65_536, 2, "a100"),
)
IN_IMAGE = replace(FULL, environment="", image="images.example.org/team/tool:1.0")
RECIPE = ("command", "environment", "image", "source")
SPEC = RunSpec("resize", "vision", "cpu", "true", zip=False)


@pytest.fixture
def ready(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


@pytest.fixture
def known(ready: Engine) -> SqlPreprocessingStore:
    return SqlPreprocessingStore(ready)


def run_on(ready: Engine, number: int, *data: int) -> tuple[Run, ...]:
    new = [
        NewRun(
            RunKind.PREPROCESSING, "mia", f"k{number}", SPEC,
            preprocessing=number, data=one,
        )
        for one in data
    ]  # fmt: skip
    return SqlRunStore(ready).ask_batch(new, NOW)


@pytest.mark.parametrize("new", [BARE, FULL, IN_IMAGE])
def test_what_was_defined_comes_back_exactly(
    known: SqlPreprocessingStore, new: NewPreprocessing
) -> None:
    made = known.create(new, "mia", NOW)
    assert known.one(made.id) == made
    for name in ("tenant", "name", "memo", "shape", *RECIPE):
        assert getattr(made, name) == getattr(new, name)
    assert (made.created_by, made.created_at, made.changed_at) == ("mia", NOW, NOW)
    assert not made.is_locked


def test_unknown_ones_are_not_there(known: SqlPreprocessingStore) -> None:
    assert known.one(1) is None
    with pytest.raises(NotFound):
        known.change(1, PreprocessingChange(name="x"), NOW)
    with pytest.raises(NotFound):
        known.delete(1)


def test_each_field_is_changed_alone(known: SqlPreprocessingStore) -> None:
    made = known.create(FULL, "mia", NOW)
    changes: dict[str, object] = {
        "name": "n", "memo": "", "command": "", "environment": "",
        "image": "team/tool",
        "shape": Shape(1, 1), "source": Source("https://git.example.org/c.git"),
    }  # fmt: skip
    for field, value in changes.items():
        change = PreprocessingChange(**{field: value})  # type: ignore[arg-type]  # as named
        changed = known.change(made.id, change, NOW + 1)
        assert changed == replace(made, **{field: value}, changed_at=NOW + 1)  # type: ignore[arg-type]  # as named
        made = changed
    gone = known.change(made.id, PreprocessingChange(source=Source("")), NOW + 2)
    assert gone.source is None


def test_runs_lock_what_it_does_and_keep_it(
    ready: Engine, known: SqlPreprocessingStore
) -> None:
    made, other = (known.create(one, "mia", NOW) for one in (FULL, BARE))
    runs = run_on(ready, made.id, 7, 5)
    found = known.one(made.id)
    assert found is not None
    assert found.is_locked
    assert not (known.one(other.id) or found).is_locked
    for change in (
        PreprocessingChange(command="rm"),
        PreprocessingChange(environment=""),
        PreprocessingChange(image="team/tool:2"),
        PreprocessingChange(source=Source("")),
        PreprocessingChange(source=replace(SOURCE, ref="dev")),
    ):
        with pytest.raises(Conflict):
            known.change(made.id, change, NOW)
    same = PreprocessingChange("n", "m", Shape(1, 1), FULL.command, "torch", "", SOURCE)
    assert known.change(made.id, same, NOW).name == "n"
    with pytest.raises(Conflict):
        known.delete(made.id)
    assert known.done_on(made.id, [5, 6, 7]) == {5: runs[1].id, 7: runs[0].id}
    assert known.done_on(other.id, [5, 6, 7]) == {}
    store = SqlRunStore(ready)
    for one in runs:
        store.collected(one.id, Collected(RunState.COMPLETED), NOW)
        store.delete(one.id, 1.0)
    known.delete(made.id)
    assert known.one(made.id) is None


def test_data_are_refused_a_second_time_with_the_whole_array(
    ready: Engine, known: SqlPreprocessingStore
) -> None:
    made = known.create(FULL, "mia", NOW)
    run_on(ready, made.id, 7)
    with pytest.raises(Conflict, match="data 7"):
        run_on(ready, made.id, 8, 7)
    assert known.done_on(made.id, [7, 8]).keys() == {7}


def test_of_many_who_run_it_on_the_same_data_at_once_one_does(
    ready: Engine, known: SqlPreprocessingStore
) -> None:
    made = known.create(FULL, "mia", NOW)
    together = threading.Barrier(4)

    def ask(key: str) -> bool:
        new = NewRun(
            RunKind.PREPROCESSING, "mia", key, SPEC, preprocessing=made.id, data=7
        )
        together.wait()
        try:
            SqlRunStore(ready).ask_batch([new], NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, "abcd")) == [False, False, False, True]


def test_numbers_are_never_given_twice(known: SqlPreprocessingStore) -> None:
    first = known.create(BARE, "mia", NOW)
    known.delete(first.id)
    assert known.create(BARE, "mia", NOW).id > first.id


def test_lists_are_filtered_sorted_and_paged(known: SqlPreprocessingStore) -> None:
    for number, name in enumerate(("beta", "alpha", "gamma")):
        known.create(
            NewPreprocessing("vision", name, memo=f"m{number}"), "mia", NOW + number
        )
    known.create(NewPreprocessing("nlp", "alpha"), "max", NOW)
    vision = PreprocessingFilter(("vision",))

    def names(wanted: PreprocessingFilter) -> list[str]:
        found, total = known.search(wanted)
        assert total >= len(found)
        return [one.name for one in found]

    assert names(vision) == ["gamma", "alpha", "beta"]
    by_name = replace(vision, sort=PreprocessingColumn.NAME, is_descending=False)
    assert names(by_name) == ["alpha", "beta", "gamma"]
    assert names(replace(by_name, limit=1, offset=1)) == ["beta"]
    assert known.search(replace(by_name, limit=1))[1] == 3
    assert names(replace(vision, name=Part("ALP"))) == ["alpha"]
    assert names(replace(vision, name=Part("alp", is_refused=True))) == [
        "gamma",
        "beta",
    ]
    assert names(replace(vision, memo=Part("m2"))) == ["gamma"]
    assert names(replace(vision, created_at=Span(at_least=NOW + 2))) == ["gamma"]
    assert len(names(PreprocessingFilter(None))) == 4
    assert names(PreprocessingFilter(())) == []
    assert names(PreprocessingFilter(None, created_by=Part("max"))) == ["alpha"]


@pytest.mark.parametrize("text", ["a'b", "\0", "\ud800", "é" * 200, "%_\\", '";--'])
def test_odd_texts_are_kept_or_searched_without_harm(
    known: SqlPreprocessingStore, text: str
) -> None:
    made = known.create(replace(BARE, memo=text), "mia", NOW)
    assert known.one(made.id) == made
    known.search(PreprocessingFilter(None, name=Part(text), memo=Part(text)))
