"""Runs that are deleted while they live: gone with their end, in one transaction."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.run_ports import Collected, NewRun, Removal, Told
from kqi_hub.domain.runs import Parent, RunKind, RunSpec, RunState

NOW = 1_795_000_000.0
TRAINING = RunKind.TRAINING
PLAIN = RunSpec("first", "vision", "cpu", "python train.py", tags=("a",))


@pytest.fixture
def runs(engine: Engine) -> SqlRunStore:
    schema.upgrade(engine)
    return SqlRunStore(engine)


@pytest.fixture
def datasets(runs: SqlRunStore, engine: Engine) -> SqlDatasetStore:
    return SqlDatasetStore(engine)


def new(key: str, spec: RunSpec = PLAIN, **about: Any) -> NewRun:
    """Return a wish of mia's."""
    return NewRun(TRAINING, "mia", key, spec, **about)


def test_one_that_lives_is_gone_with_its_end(
    runs: SqlRunStore, datasets: SqlDatasetStore
) -> None:
    dataset = datasets.create(NewDataset("vision", "signs", "", False, ()), "mia", NOW)
    run = runs.ask(new("k1", replace(PLAIN, dataset=dataset.id)), NOW)
    going = runs.delete(run.id, NOW + 1)
    assert going is not None
    assert (going.going_at, going.stopping) == (NOW + 1, RunState.USER_CANCELED)
    assert runs.delete(run.id, NOW + 2) == going == runs.one(run.id)
    assert runs.live() == (going,)
    with pytest.raises(NotFound, match="to be a parent"):
        runs.ask(new("k2", replace(PLAIN, parents=(Parent(TRAINING, run.id),))), NOW)
    runs.told(run.id, Told(RunState.PENDING, NOW + 3, job_id=70))
    runs.told(run.id, Told(RunState.COLLECTING, NOW + 4, outcome=RunState.KILLED))
    assert runs.removals() == ()
    runs.collected(run.id, Collected(), NOW + 5)
    assert runs.one(run.id) is None
    assert runs.tags("vision") == ()
    datasets.delete(dataset.id)
    assert runs.removals() == (Removal(run.id, "mia", f"training/{run.id}"),)
    with pytest.raises(NotFound):
        runs.collected(run.id, Collected(), NOW + 6)


@pytest.mark.parametrize("end", ["told", "refused"])
def test_one_that_never_had_a_job_is_gone_with_its_end(
    runs: SqlRunStore, end: str
) -> None:
    run = runs.ask(new("k1"), NOW)
    runs.delete(run.id, NOW)
    if end == "told":
        runs.told(run.id, Told(RunState.USER_CANCELED, NOW, ended_at=NOW))
    else:
        runs.refused(run.id, "Invalid qos", NOW)
    assert runs.one(run.id) is None
    assert [one.run_id for one in runs.removals()] == [run.id]


def test_what_has_no_job_or_becomes_data_is_not_noted_to_go(runs: SqlRunStore) -> None:
    prepared = runs.ask(new("k1", is_prepared=True), NOW)
    made = NewRun(RunKind.PREPROCESSING, "mia", "k3", PLAIN, preprocessing=1, data=1)
    run = runs.ask(made, NOW)
    told = Told(RunState.COLLECTING, NOW, job_id=70, outcome=RunState.COMPLETED)
    runs.told(run.id, told)
    for one in (prepared, run):
        with pytest.raises(Conflict, match="not ended"):
            runs.delete(one.id, NOW)
