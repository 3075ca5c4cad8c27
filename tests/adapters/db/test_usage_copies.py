"""Use of a script that was submitted by hand again: each job is a run of its own."""

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.usage_runs import SqlUsedRuns
from kqi_hub.domain.run_ports import NewRun, Told
from kqi_hub.domain.runs import RunKind, RunSpec, RunState
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.domain.usage import Days, Narrowing, RunsAsked
from tests.adapters.db.test_usage_stores import written
from tests.fakes.usage import DAY, FakeUse, record

NOW = 1_795_000_000
KEY, OTHER = "a" * 26, "b" * 26
SPEC = RunSpec("trial", "vision", "cpu", "true")
FIRST, AGAIN, THIRD, FORGOTTEN, LONE = 70, 71, 72, 73, 74


@pytest.fixture
def numbers(engine: Engine) -> dict[str, int]:
    """Store a run with two copies, and one that was never submitted again."""
    use = FakeUse(now=NOW)
    schema.upgrade(engine)
    runs = SqlRunStore(engine)
    spec = NewRun(RunKind.TRAINING, "mia", KEY, SPEC)
    first = runs.ask(spec, NOW)
    runs.told(first.id, Told(RunState.PENDING, NOW, job_id=FIRST))
    copies = [runs.adopted(first.id, job, NOW) for job in (AGAIN, THIRD)]
    lone = runs.ask(NewRun(RunKind.TRAINING, "mia", OTHER, SPEC), NOW)
    runs.told(lone.id, Told(RunState.PENDING, NOW, job_id=LONE))
    for job, run in ((FIRST, first), (AGAIN, first), (THIRD, first),
                     (FORGOTTEN, first), (LONE, lone)):  # fmt: skip
        began = NOW - DAY + job * 60
        use.add(record(job, "mia", "vision", "cpu", began, 1, name=run.job_name))
    written(engine, use)
    return {"first": first.id, "again": copies[0].id, "third": copies[1].id,
            "lone": lone.id}  # fmt: skip


def asked(thing: int | None, kind: str = "training") -> RunsAsked:
    of = SiteDays()
    days = Days(of.day_of(NOW - 5 * DAY), of.day_of(NOW))
    times = of.begins(days.first), of.begins(days.last + 1)
    whose = Narrowing(None, person="mia", kind=kind)
    return RunsAsked(whose, days, *times, thing=thing)


def test_each_job_of_a_script_is_listed_as_the_run_that_it_is(
    engine: Engine, numbers: dict[str, int]
) -> None:
    store = SqlUsedRuns(engine, "gpu1")
    found = {one.record.job_id: one.thing for one in store.runs(asked(None)).runs}
    first = numbers["first"]
    assert found == {FIRST: first, AGAIN: numbers["again"], THIRD: numbers["third"],
                     FORGOTTEN: first, LONE: numbers["lone"]}  # fmt: skip
    for one in store.runs(asked(None)).runs:
        told = store.run(one.id)
        assert told is not None
        assert told[0].thing == one.thing


@pytest.mark.parametrize(
    ("run", "jobs"),
    [
        # With what became of a job that Slurm forgot: no other run has it.
        ("first", {FIRST, FORGOTTEN}),
        ("again", {AGAIN}),
        ("third", {THIRD}),
        ("lone", {LONE}),
    ],
)
def test_of_one_run_only_its_own_jobs_are_listed(
    engine: Engine, numbers: dict[str, int], run: str, jobs: set[int]
) -> None:
    found = SqlUsedRuns(engine, "gpu1").runs(asked(numbers[run])).runs
    assert {one.record.job_id for one in found} == jobs
    assert {one.thing for one in found} == {numbers[run]}


def test_what_is_no_run_of_that_kind_has_no_jobs(
    engine: Engine, numbers: dict[str, int]
) -> None:
    store = SqlUsedRuns(engine, "gpu1")
    assert store.runs(asked(numbers["lone"] + 999)).runs == ()
    assert store.runs(asked(numbers["first"], "inference")).runs == ()
    assert store.runs(asked(numbers["again"], "inference")).runs == ()
    assert store.runs(asked(numbers["first"], "notebook")).runs == ()


def test_a_run_that_was_deleted_is_found_by_its_jobs_names(
    engine: Engine, numbers: dict[str, int]
) -> None:
    runs, store = SqlRunStore(engine), SqlUsedRuns(engine, "gpu1")
    told = Told(RunState.KILLED, NOW + 9, ended_at=NOW + 9)
    runs.told(numbers["lone"], told)
    runs.delete(numbers["lone"], NOW)
    [found] = store.runs(asked(numbers["lone"])).runs
    assert (found.record.job_id, found.thing) == (LONE, numbers["lone"])
