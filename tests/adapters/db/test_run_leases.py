"""Who submits a job, and the script that is kept before it is: on both databases."""

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import RunKind, RunSpec, RunState

NOW = 1_795_000_000.0
PLAIN = RunSpec("first", "vision", "cpu", "python train.py")


@pytest.fixture
def runs(engine: Engine) -> SqlRunStore:
    schema.upgrade(engine)
    return SqlRunStore(engine)


def new(key: str) -> NewRun:
    """Return a wish of mia's."""
    return NewRun(RunKind.TRAINING, "mia", key, PLAIN)


def test_a_lease_is_one_holders_until_its_time_is_over(runs: SqlRunStore) -> None:
    runs.ask(new("k1"), NOW)
    assert runs.lease("k1", "portal", NOW + 60, NOW)
    assert not runs.lease("k1", "worker", NOW + 60, NOW + 1)
    assert runs.lease("k1", "portal", NOW + 90, NOW + 1)
    assert runs.lease("k1", "worker", NOW + 200, NOW + 90)
    assert runs.lease("k1", "worker", NOW + 91, NOW + 91)
    assert runs.lease("k1", "portal", NOW + 200, NOW + 91)
    assert not runs.lease("nobody", "portal", NOW + 200, NOW)


def test_what_is_handed_over_keeps_lease_and_script_in_one(runs: SqlRunStore) -> None:
    run = runs.ask(new("k1"), NOW)
    assert runs.lease("k1", "portal", NOW + 60, NOW)
    assert runs.hand_over("k1", "theirs", "worker", NOW + 99, NOW + 1) is None
    assert runs.script(run.id) is None
    [mine] = runs.hand_over("k1", "#!/bin/bash\n", "portal", NOW + 99, NOW + 1) or ()
    assert mine == runs.one(run.id)
    assert runs.script(run.id) == "#!/bin/bash\n"
    assert not runs.lease("k1", "worker", NOW + 200, NOW + 98)


def test_no_script_is_kept_of_what_nobody_wants_or_what_has_a_job(
    runs: SqlRunStore,
) -> None:
    stopped = runs.ask(new("k1"), NOW)
    runs.stopping(stopped.id, RunState.USER_CANCELED, NOW)
    [found] = runs.hand_over("k1", "text", "portal", NOW + 99, NOW) or ()
    assert found.stopping is RunState.USER_CANCELED
    at_slurm = runs.ask(new("k2"), NOW)
    runs.submitted([at_slurm.id], 70, NOW)
    assert runs.hand_over("k2", "text", "portal", NOW + 99, NOW) == ()
    assert (runs.script(stopped.id), runs.script(at_slurm.id)) == (None, None)


def test_a_script_is_kept_and_an_empty_one_is_none(runs: SqlRunStore) -> None:
    run = runs.ask(new("k1"), NOW)
    assert runs.script(run.id) is None
    runs.keep_script("k1", "#!/bin/bash\n")
    assert runs.script(run.id) == "#!/bin/bash\n"
    runs.keep_script("k1", "")
    assert runs.script(run.id) is None
