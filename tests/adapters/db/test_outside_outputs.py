"""What is uploaded for runs that were done elsewhere, on SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.data_blockers import DatasetUsers
from kqi_hub.db.outside_outputs import SqlOutsideOutputs
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.outside_runs import MOST_OUTPUTS, OutsideOutput
from kqi_hub.domain.run_ports import Collected, NewRun, Told
from kqi_hub.domain.runs import Run, RunKind, RunSpec, RunState, Source
from kqi_hub.domain.upload_ports import NewData, NewUpload, Quota, Quotas

NOW = 1_795_000_000.0
SPEC = RunSpec("cut", "vision", "", "", source=Source("https://g.example.org/a.git"),
               zip=False, is_outside=True)  # fmt: skip
NAMES = ("cut", "日本 ' \" ; --", "..")


@pytest.fixture
def ready(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


@pytest.fixture
def outputs(ready: Engine) -> SqlOutsideOutputs:
    return SqlOutsideOutputs(ready)


def opened(ready: Engine, data: int = 1, key: str = "k") -> Run:
    new = NewRun(RunKind.PREPROCESSING, "mia", key, SPEC, preprocessing=1, data=data)
    return SqlRunStore(ready).ask(new, NOW)


def test_a_run_done_elsewhere_is_open_and_none_of_slurms(ready: Engine) -> None:
    runs, run = SqlRunStore(ready), opened(ready)
    assert (run.state, run.spec) == (RunState.OPENED, SPEC)
    assert runs.live() == runs.live("mia") == ()
    assert [one.state for one in runs.events(run.id)] == [RunState.OPENED]
    for state in (RunState.PENDING, RunState.RUNNING, RunState.COLLECTING):
        assert runs.told(run.id, Told(state, NOW + 1, job_id=7)) == run
    with pytest.raises(Conflict):
        opened(ready, key="other")
    with pytest.raises(Conflict):
        runs.delete(run.id, NOW)
    done = runs.collected(run.id, Collected(RunState.COMPLETED, files=3), NOW + 2)
    assert (done.state, done.files, done.ended_at) == (
        RunState.COMPLETED,
        3,
        NOW + 2,
    )


def test_what_was_reserved_comes_back_and_goes_with_its_run(
    ready: Engine, outputs: SqlOutsideOutputs
) -> None:
    run, other = opened(ready), opened(ready, 2, "k2")
    for name in NAMES:
        assert outputs.reserve(run.id, name, f"u{name}") == OutsideOutput(
            name, f"u{name}"
        )
        assert outputs.reserve(run.id, name, "later").upload == f"u{name}"
    outputs.reserve(other.id, "cut", "theirs")
    outputs.begun(run.id, "ucut", 9)
    outputs.begun(run.id, "ucut", 9)
    outputs.begun(run.id, "nosuch", 10)
    assert [one.name for one in outputs.of_run(run.id)] == sorted(NAMES)
    kept = {one.name: one for one in outputs.of_run(run.id)}
    assert kept["cut"] == OutsideOutput("cut", "ucut", 9)
    assert outputs.reserve(run.id, "cut", "new", "ucut") == OutsideOutput("cut", "new")
    assert outputs.reserve(run.id, "cut", "third", "ucut").upload == "new"
    runs = SqlRunStore(ready)
    runs.told(run.id, Told(RunState.USER_CANCELED, NOW + 1))
    runs.delete(run.id, NOW)
    assert outputs.of_run(run.id) == []
    assert [one.upload for one in outputs.of_run(other.id)] == ["theirs"]
    outputs.forget(other.id)
    assert outputs.of_run(other.id) == []


def test_a_run_that_has_ended_or_is_gone_takes_nothing(
    ready: Engine, outputs: SqlOutsideOutputs
) -> None:
    run = opened(ready)
    SqlRunStore(ready).told(run.id, Told(RunState.USER_CANCELED, NOW + 1))
    with pytest.raises(Conflict, match="not open"):
        outputs.reserve(run.id, "cut", "u")
    with pytest.raises(NotFound):
        outputs.reserve(99, "cut", "u")
    usual = NewRun(RunKind.PREPROCESSING, "mia", "x", replace(SPEC, is_outside=False))
    with pytest.raises(Conflict, match="not open"):
        outputs.reserve(SqlRunStore(ready).ask(usual, NOW).id, "cut", "u")


def test_many_who_reserve_one_folder_at_once_get_one_upload(
    ready: Engine, outputs: SqlOutsideOutputs
) -> None:
    run = opened(ready)
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda n: outputs.reserve(run.id, "cut", f"u{n}"), range(8))
        )
    assert len({one.upload for one in found}) == 1
    assert len(outputs.of_run(run.id)) == 1


def test_a_run_has_so_many_folders_and_no_more(
    ready: Engine, outputs: SqlOutsideOutputs
) -> None:
    run = opened(ready)
    for one in range(MOST_OUTPUTS):
        outputs.reserve(run.id, str(one), f"u{one}")
    with pytest.raises(Conflict, match="at most"):
        outputs.reserve(run.id, "more", "u")
    assert outputs.reserve(run.id, "7", "again").upload == "u7"


def test_an_upload_of_a_known_key_does_not_begin_twice(ready: Engine) -> None:
    uploads = SqlUploadStore(ready, DatasetUsers())
    free = Quotas(Quota(), Quota())
    upload = NewUpload("k" * 26, "mia", 1, 2, NOW, NOW + 60)
    uploads.begin(NewData("vision", "cut"), upload, free)

    def again(_: int) -> str:
        with pytest.raises(Conflict, match="begun already"):
            uploads.begin(NewData("vision", "cut"), upload, free)
        return "refused"

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(again, range(4))) == {"refused"}
    assert len(uploads.of_person("mia")) == 1
