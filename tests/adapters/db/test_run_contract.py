"""The store of runs in memory, which other tests rely on, behaves as the real one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.run_list import RunFilter
from kqi_hub.domain.run_ports import Collected, NewRun, RunStore, Told
from kqi_hub.domain.runs import Run, RunChange, RunKind, RunSpec, RunState
from tests.fakes.runs import FakeRunStore

SPEC = RunSpec("first", "vision", "cpu", "true", tags=("b",))
STATES = st.sampled_from(sorted(RunState))
TAGS = st.lists(st.sampled_from("abc"), max_size=2).map(tuple)
MOMENTS = st.integers(1, 50).map(float)
TOLD = st.builds(
    Told,
    state=STATES,
    at=MOMENTS,
    cause=st.sampled_from(["", "Resources"]),
    job_id=st.sampled_from([None, 70, 71]),
    node=st.sampled_from([None, "cpu01"]),
    began_at=st.one_of(st.none(), MOMENTS),
    ended_at=st.one_of(st.none(), MOMENTS),
    outcome=st.one_of(st.none(), STATES),
)
FOUND = st.builds(
    Collected,
    state=st.one_of(st.none(), STATES),
    value=st.sampled_from(["", "0.5", "x"]),
    exit_code=st.one_of(st.none(), st.integers(0, 3)),
    detail=st.sampled_from(["", "zip failed"]),
)
CHANGES = st.builds(
    RunChange,
    name=st.sampled_from([None, "second"]),
    tags=st.one_of(st.none(), TAGS),
    add_tags=TAGS,
    remove_tags=TAGS,
    is_favourite=st.sampled_from([None, True, False]),
)
STEPS = st.one_of(
    TOLD,
    FOUND,
    CHANGES,
    STATES,
    # The job that was submitted for it.
    st.sampled_from([70, 71]),
    st.sampled_from(["refused", "delete", "adopted", "forgotten"]),
)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlRunStore]:
    folder: Path = tmp_path_factory.mktemp("runs")
    engine = make_engine(f"sqlite:///{folder}/kqi.sqlite", create=True)
    schema.upgrade(engine)
    yield SqlRunStore(engine)
    engine.dispose()


@settings(max_examples=40, deadline=None)
@given(
    keeps=st.booleans(), is_prepared=st.booleans(), steps=st.lists(STEPS, max_size=8)
)
def test_both_stores_say_the_same(
    real: SqlRunStore, keeps: bool, is_prepared: bool, steps: list[object]
) -> None:
    fake = FakeRunStore()
    number = asked(real, keeps, is_prepared).id
    fake.numbers = number - 1
    asked(fake, keeps, is_prepared)
    for step in steps:
        assert done(real, number, step) == done(fake, number, step)
        assert seen(real, number) == seen(fake, number)


def asked(store: RunStore, keeps: bool, is_prepared: bool) -> Run:
    """Ask for the run that things happen to."""
    keys = store.search(RunFilter(RunKind.TRAINING, None, limit=1))[0]
    key = f"k{keys[0].id if keys else 0}"
    new = NewRun(RunKind.TRAINING, "mia", key, SPEC, is_prepared, keeps)
    return store.ask(new, 0.0)


def done(store: RunStore, number: int, step: object) -> str:
    """Let something happen; return the name of what it raised."""
    try:
        if isinstance(step, int):
            store.submitted([number], step, 60.0)
        else:
            happen(store, number, step)
    except (Conflict, NotFound) as error:
        return type(error).__name__
    return ""


def happen(store: RunStore, number: int, step: object) -> None:
    """Tell a store one thing."""
    if isinstance(step, Told):
        store.told(number, step)
    elif isinstance(step, Collected):
        store.collected(number, step, 60.0)
    elif isinstance(step, RunChange):
        store.change(number, step, 60.0)
    elif isinstance(step, RunState):
        store.stopping(number, step, 60.0)
    elif step == "adopted":
        known = store.one(number)
        # A second submission by hand makes a copy, which has tests of its own.
        if known is not None and known.is_live and known.job_id is None:
            store.adopted(number, 72, 60.0)
    else:
        happen_by_word(store, number, str(step))


def happen_by_word(store: RunStore, number: int, word: str) -> None:
    """Tell a store one thing that needs no more than its word."""
    if word == "refused":
        store.refused(number, "Invalid qos", 60.0)
    elif word == "forgotten":
        store.forgotten([number], 70, 60.0)
    else:
        store.delete(number, 60.0)


def seen(store: RunStore, number: int) -> object:
    """Return what a store says of it, but the keys and the times of change."""
    run = store.one(number)
    if run is None:
        return [one for one in store.removals(10**6) if one.run_id == number]
    plain = {
        name: getattr(run, name)
        for name in Run.__dataclass_fields__
        if name not in ("key", "changed_at")
    }
    return plain, store.events(number)
