"""What runs of the portal measured of themselves, added up."""

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.usage_runs import SqlUsedRuns
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.run_ports import Collected, NewRun, Told
from kqi_hub.domain.run_use import RunUse
from kqi_hub.domain.runs import RunKind, RunSpec, RunState
from kqi_hub.domain.usage import Measured, Narrowing

NOW = 1_795_000_000.0
HOUR = RunUse("cgroup v2", 3600, 7200, 4, 10, 20, 2, 25)


def over(
    runs: SqlRunStore, key: str, owner: str, use: RunUse | None, gpus: int = 2
) -> None:
    """Keep a run that had 4 CPUs and has ended."""
    shape = Shape(4, 8192, gpus)
    spec = RunSpec("first", "vision", "a100", "true", shape=shape)
    run = runs.ask(NewRun(RunKind.TRAINING, owner, key, spec), NOW - 9000)
    told = Told(RunState.COLLECTING, NOW - 10, ended_at=NOW - 20)
    runs.told(run.id, told)
    runs.collected(run.id, Collected(RunState.COMPLETED, "", use=use), NOW)


@pytest.fixture
def runs(engine: Engine) -> SqlRunStore:
    schema.upgrade(engine)
    store = SqlRunStore(engine)
    over(store, "a", "mia", HOUR)
    over(store, "b", "mia", RunUse("processes", 3600, 3600, 4, 10, 20, 2), gpus=0)
    over(store, "c", "mia", None)
    over(store, "d", "max", HOUR)
    return store


@pytest.mark.parametrize(
    ("whose", "count"),
    [
        (Narrowing(person="mia"), 2),
        (Narrowing(("vision",)), 3),
        (Narrowing(("nlp",)), 0),
        (Narrowing(queue="cpu"), 0),
        (Narrowing(kind="inference"), 0),
        (Narrowing(kind="training", queue="a100", person="max"), 1),
    ],
)
def test_runs_are_narrowed_as_sums_are(
    engine: Engine, runs: SqlRunStore, whose: Narrowing, count: int
) -> None:
    store = SqlUsedRuns(engine, "gpu1")
    assert store.measured(whose, int(NOW) - 3600, int(NOW)).runs == count


def test_what_they_had_and_what_was_busy_is_added_up(
    engine: Engine, runs: SqlRunStore
) -> None:
    store = SqlUsedRuns(engine, "gpu1")
    found = store.measured(Narrowing(person="mia"), int(NOW) - 3600, int(NOW))
    had = 4 * 3600.0 * 2
    assert found == Measured(2, 7200 + 3600, had, 2 * 3600 * 0.25, 2 * 3600)
    assert store.measured(Narrowing(), int(NOW), int(NOW) + 9) == Measured()
