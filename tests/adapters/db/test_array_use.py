"""The tasks of an array, added up by both databases."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event, text

from kqi_hub.db.array_use import SqlArrayUses
from kqi_hub.db.engine import writing
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.array_use import ArrayUse, Spread
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.run_ports import Collected, NewRun, Told
from kqi_hub.domain.run_use import RunUse
from kqi_hub.domain.runs import Run, RunKind, RunSpec, RunState
from tests.adapters.db.ledger_lab import AFTER, a_store, as_read, make_ready
from tests.fakes.book import NOON, a_record

KEY = "a" * 26
SPEC = RunSpec("resize", "vision", "a100", "true", shape=Shape(4, 8192, 1))


@pytest.fixture
def ready(engine: Engine) -> Engine:
    return make_ready(engine)


@pytest.fixture
def runs(ready: Engine) -> SqlRunStore:
    return SqlRunStore(ready)


@pytest.fixture
def uses(ready: Engine) -> SqlArrayUses:
    return SqlArrayUses(ready, "kqi")


def array(
    runs: SqlRunStore, tasks: int, key: str = KEY, preprocessing: int = 1
) -> tuple[Run, ...]:
    kind = RunKind.PREPROCESSING
    wishes = [
        NewRun(kind, "alice", key, SPEC, preprocessing=preprocessing, data=number)
        for number in range(1, tasks + 1)
    ]
    asked = runs.ask_batch(wishes, NOON - 100.0)
    return runs.submitted([one.id for one in asked], 80, NOON - 90.0)


def over(
    runs: SqlRunStore,
    run: Run,
    seconds: float,
    use: RunUse | None,
    state: RunState = RunState.COMPLETED,
) -> None:
    """Let a task have run for a time."""
    began = float(NOON)
    runs.told(run.id, Told(RunState.RUNNING, began, job_id=80, began_at=began))
    told = Told(
        RunState.COLLECTING, began + seconds, ended_at=began + seconds, outcome=state
    )
    runs.told(run.id, told)
    runs.collected(run.id, Collected(state, use=use), began + seconds + 1)


def used(cores: float, memory_mb: float, gpu: float | None = None) -> RunUse:
    return RunUse("processes", 10, 10 * cores, 4, 1, memory_mb, 2, gpu)


def test_no_task_has_ended_yet(runs: SqlRunStore, uses: SqlArrayUses) -> None:
    first, *_ = array(runs, 20)
    found = uses.of(first)
    assert found == ArrayUse(states={RunState.PENDING: 20})
    assert (found.ended, found.tasks) == (0, 20)


@pytest.mark.parametrize(
    ("seconds", "median"), [([40, 10, 30], 30), ([40, 10, 30, 21], 25.5), ([7], 7)]
)
def test_times_are_those_of_tasks_that_have_ended(
    runs: SqlRunStore, uses: SqlArrayUses, seconds: Sequence[int], median: float
) -> None:
    tasks = array(runs, len(seconds) + 2)
    for task, time in zip(tasks, seconds, strict=False):
        over(runs, task, time, None)
    began = Told(RunState.RUNNING, NOON + 1.0, job_id=80, began_at=NOON + 1.0)
    runs.told(tasks[-1].id, began)
    found = uses.of(tasks[-1])
    assert (found.median_s, found.longest_s) == (median, max(seconds))
    assert (found.total_s, found.ran) == (sum(seconds), len(seconds))
    assert (found.measured, found.cores) == (0, None)
    assert found.states[RunState.RUNNING] == 1
    assert found.ended == len(seconds)


def test_what_was_measured_has_its_lowest_middle_and_highest(
    runs: SqlRunStore, uses: SqlArrayUses
) -> None:
    tasks = array(runs, 5)
    over(runs, tasks[0], 10, used(1, 900, 50))
    over(runs, tasks[1], 10, used(3, 100, 10))
    over(runs, tasks[2], 10, used(0, 400), RunState.OUT_OF_MEMORY)
    # Nothing of it is there where its runner was killed, or an older one wrote it.
    over(runs, tasks[3], 10, None, RunState.KILLED)
    over(runs, tasks[4], 10, used(2, 500))
    found = uses.of(tasks[0])
    assert found.cores == Spread(0, 1.5, 3)
    assert found.memory_mb == Spread(100, 450, 900)
    assert found.gpu_percent == Spread(10, 30, 50)
    assert found.measured == 4
    assert found.states == {
        RunState.COMPLETED: 3,
        RunState.OUT_OF_MEMORY: 1,
        RunState.KILLED: 1,
    }


def test_what_cannot_be_read_of_a_use_is_not_counted(
    ready: Engine, runs: SqlRunStore, uses: SqlArrayUses
) -> None:
    tasks = array(runs, 3)
    for task in tasks:
        over(runs, task, 10, used(2, 500))
    for said, task in zip(
        ('{"a": [1]}', '{"seconds": 0, "cpu_s": 1}'), tasks, strict=False
    ):
        with writing(ready) as connection:
            change = text("UPDATE runs SET use = :said WHERE number = :number")
            connection.execute(change, {"said": said, "number": task.id})
    assert uses.of(tasks[0]).measured == 1
    assert uses.of(tasks[0]).cores == Spread(2, 2, 2)


def test_another_array_is_not_counted(runs: SqlRunStore, uses: SqlArrayUses) -> None:
    first, *_ = array(runs, 2)
    other, *_ = array(runs, 3, "b" * 26, 2)
    over(runs, other, 10, used(1, 1))
    assert (uses.of(first).tasks, uses.of(other).tasks) == (2, 3)
    assert uses.of(first).measured == 0


def test_the_book_says_what_its_tasks_have_cost(
    ready: Engine, runs: SqlRunStore, uses: SqlArrayUses
) -> None:
    tasks = array(runs, 3)
    name = tasks[0].job_name
    mine = [
        a_record(job_id=80 + n, name=name, shown_id=f"80_{n}", ended_at=NOON + 3600)
        for n in (1, 2)
    ]
    others = [
        # Of the first, when it was requeued; still running; cancelled before it began.
        a_record(job_id=81, name=name, shown_id="80_1", submitted_at=NOON - 9000,
                 started_at=NOON - 8000, ended_at=NOON - 4400, state="REQUEUED"),
        a_record(job_id=83, name=name, shown_id="80_3", ended_at=None),
        a_record(job_id=84, name=name, shown_id="80_4", started_at=None),
        # Somebody else gave a job of theirs the name of ours.
        a_record(job_id=90, name=name, shown_id="90_1", user="eve"),
        a_record(job_id=91, name=f"preprocessings-9-{KEY}", shown_id="91_1"),
    ]  # fmt: skip
    a_store(ready).take_in(as_read([*mine, *others]), AFTER)
    found = uses.of(tasks[0])
    # Two GPUs at 3 an hour; of three hours.
    assert (found.booked, found.amount) == (2, 18_000_000)
    elsewhere = SqlArrayUses(ready, "other").of(tasks[0])
    assert (elsewhere.booked, elsewhere.amount) == (0, None)


def test_a_thousand_tasks_are_one_question(
    ready: Engine, runs: SqlRunStore, uses: SqlArrayUses
) -> None:
    first, *_ = array(runs, 1000)
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(ready, "before_cursor_execute", note)
    try:
        assert uses.of(replace(first, spec=SPEC)).tasks == 1000
    finally:
        event.remove(ready, "before_cursor_execute", note)
    assert sum("runs" in one for one in asked) == 1
