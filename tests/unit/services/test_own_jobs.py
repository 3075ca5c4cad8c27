"""All jobs of a person: arrays, kinds, costs, what can be done, whose they are."""

import time
from dataclasses import replace

import pytest

from kqi_hub.domain.errors import (
    ClusterTimedOut,
    ClusterUnreachable,
    Conflict,
    NotFound,
    NotYourJob,
)
from kqi_hub.domain.own_jobs import (
    JobKind,
    JobRun,
    Show,
    Wanted,
    groups_of,
    kind_of,
    parse_slurm_id,
    slurm_id_of,
)
from kqi_hub.services.own_jobs import MOST_TASKS, OwnJobs
from tests.fakes.own_jobs import KEY, FakeJobRuns, NotingControl, furnish
from tests.fakes.people import FakeAssociations, association
from tests.fakes.queues import HOUR, FakeQueues, glance_often, job
from tests.fakes.snapshot_store import FakeSnapshotStore

NOW = time.time()


@pytest.fixture
def store() -> FakeSnapshotStore:
    queues = FakeQueues()
    furnish(queues.store, NOW)
    return queues.store


@pytest.fixture
def control() -> NotingControl:
    return NotingControl()


@pytest.fixture
def runs() -> FakeJobRuns:
    return FakeJobRuns()


@pytest.fixture
def jobs(
    store: FakeSnapshotStore,
    runs: FakeJobRuns,
    control: NotingControl,
    monkeypatch: pytest.MonkeyPatch,
) -> OwnJobs:
    glance_often(monkeypatch)
    associations = FakeAssociations((association("mia", "vision"),))
    queues = FakeQueues(store).queues(associations)
    return OwnJobs(store, runs, control, queues, wall=lambda: NOW)


async def test_everything_of_the_person_is_listed_and_nothing_of_others(
    jobs: OwnJobs,
) -> None:
    page = await jobs.list("mia", Wanted())
    assert [one.id for one in page.groups] == [200, 108, 106, 105, 101, 62, 61, 60]
    assert (page.found, page.total, page.is_cut) == (8, 8, False)
    users = {view.job.user for one in page.groups for view in one.tasks}
    assert users == {"mia"}


async def test_what_has_ended_has_its_exit_code_once_accounting_has_told_it(
    jobs: OwnJobs, store: FakeSnapshotStore
) -> None:
    store.codes = {61: 3, 201: 0, 202: 9}
    page = await jobs.list("mia", Wanted())
    found = {view.job.job_id: view for one in page.groups for view in one.tasks}
    assert [found[one].exit_code for one in (60, 61, 201)] == [None, 3, 0]
    assert found[202].exit_code is None, "it still runs"
    _, one = await jobs.one("mia", "61")
    assert one.head.exit_code == 3


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(Show.LIVE), [200, 108, 106, 105, 101]),
        (Wanted(Show.WAITING), [200, 108, 106]),
        (Wanted(Show.RUNNING), [200, 105, 101]),
        (Wanted(Show.ENDED), [62, 61, 60]),
        (Wanted(kind=JobKind.TRAINING), [61]),
        (Wanted(kind=JobKind.PREPROCESSING), [200]),
        (Wanted(kind=JobKind.OTHER), [108, 106, 105, 101, 60]),
        (Wanted(text=" BY-H "), [60]),
        (Wanted(text="06"), [106]),
        (Wanted(text="a100"), [106, 61]),
        (Wanted(text="<script>"), []),
        (Wanted(limit=2, offset=1), [108, 106]),
        (Wanted(limit=2, offset=99), []),
    ],
)
async def test_the_list_is_filtered(
    jobs: OwnJobs, wanted: Wanted, ids: list[int]
) -> None:
    page = await jobs.list("mia", wanted)
    assert [one.id for one in page.groups] == ids


async def test_an_array_is_one_row_with_its_tasks_in_order(jobs: OwnJobs) -> None:
    _, found = await jobs.one("mia", "200")
    assert [str(view.id) for view in found.tasks] == ["200_0", "200_1", "200_2", "200"]
    assert found.counts == {"COMPLETED": 1, "RUNNING": 1, "PENDING": 2}
    assert (found.kind, found.thing) == (JobKind.PREPROCESSING, 5)
    assert found.actions == ("cancel", "hold", "release")


async def test_of_a_large_array_the_live_tasks_are_shown_first(
    jobs: OwnJobs, store: FakeSnapshotStore
) -> None:
    for task in range(1000):
        state = "RUNNING" if task == 990 else "COMPLETED"
        store.known[5000 + task] = job(
            5000 + task, "mia", "cpu", state, array_id=5000, task=str(task)
        )
    [group] = (await jobs.list("mia", Wanted(text="5000"))).groups
    assert (len(group.tasks), group.more) == (MOST_TASKS, 800)
    assert group.tasks[0].job.task == "990"
    _, whole = await jobs.one("mia", "5000")
    assert (len(whole.tasks), whole.more) == (1000, 0)


async def test_what_a_job_has_cost_grows_until_it_ends(jobs: OwnJobs) -> None:
    _, ended = await jobs.one("mia", "60")
    assert (ended.head.ran_s, ended.cost) == (HOUR, 1_500_000)
    _, waiting = await jobs.one("mia", "106")
    assert waiting.cost == 0
    _, running = await jobs.one("mia", "105")
    assert running.head.left_s is not None
    assert running.cost is not None
    assert running.cost > 0


async def test_a_waiting_job_says_why_in_words(jobs: OwnJobs) -> None:
    _, found = await jobs.one("mia", "106")
    assert found.head.why is not None
    assert found.head.why.reason == "Resources"
    assert str(found.head.why.text)


@pytest.mark.parametrize(
    ("job_id", "actions"),
    [
        ("101", ("cancel",)),
        ("106", ("cancel", "hold")),
        ("108", ("cancel", "release")),
        ("60", ()),
        ("200_0", ()),
        ("200_2", ("cancel", "release")),
    ],
)
async def test_what_can_be_done_depends_on_the_state(
    jobs: OwnJobs, job_id: str, actions: tuple[str, ...]
) -> None:
    _, found = await jobs.one("mia", job_id)
    assert found.actions == actions or found.head.actions == actions


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("101", "101"),
        ("200", "200"),
        ("200_1", "200_1"),
        # The number that Slurm gives the task itself means that task alone.
        ("202", "200_1"),
    ],
)
async def test_what_is_named_is_cancelled_and_nothing_more(
    jobs: OwnJobs, control: NotingControl, asked: str, sent: str
) -> None:
    await jobs.cancel("mia", asked)
    assert control.done == [("cancel", "mia", sent)]


async def test_the_task_that_keeps_the_arrays_own_number_is_named_as_a_task(
    jobs: OwnJobs, store: FakeSnapshotStore, control: NotingControl
) -> None:
    # Slurm gives the last task to start the number of the whole array.
    store.known[200] = replace(store.known[200], task="9", state="RUNNING", reason="")
    await jobs.cancel("mia", "200_9")
    assert control.done == [("cancel", "mia", "200_9")]


async def test_hold_and_release_go_to_slurm(
    jobs: OwnJobs, control: NotingControl
) -> None:
    await jobs.hold("mia", "106")
    await jobs.release("mia", "108")
    await jobs.release("mia", "200_2")
    assert control.done == [
        ("hold", "mia", "106"),
        ("release", "mia", "108"),
        ("release", "mia", "200_2"),
    ]


@pytest.mark.parametrize("action", ["cancel", "hold", "release"])
@pytest.mark.parametrize(
    "asked",
    [
        "103",  # somebody else's
        "63",
        "999",
        "0",
        "-1",
        "",
        "1 2",
        "101;id",
        "101_",
        "_1",
        "101_x",
        "\u0661\u0660\u0661",
        "101\n",
        "1" * 40,
        "200_[3-9]",
        "200_99",
        "*",
        "../101",
    ],
)
async def test_what_is_not_the_persons_own_is_not_there(
    jobs: OwnJobs, control: NotingControl, action: str, asked: str
) -> None:
    with pytest.raises(NotFound, match="You have no job"):
        await getattr(jobs, action)("mia", asked)
    assert control.done == []


@pytest.mark.parametrize(
    ("action", "asked", "words"),
    [
        ("cancel", "60", "has ended"),
        ("hold", "60", "has ended"),
        ("hold", "101", "runs already"),
        ("hold", "108", "held already"),
        ("release", "106", "not held"),
        ("cancel", "200_0", "has ended"),
    ],
)
async def test_what_comes_too_late_is_a_conflict(
    jobs: OwnJobs, control: NotingControl, action: str, asked: str, words: str
) -> None:
    with pytest.raises(Conflict, match=words):
        await getattr(jobs, action)("mia", asked)
    assert control.done == []


async def test_a_job_that_an_operator_holds_is_let_go_by_operators_alone(
    jobs: OwnJobs, store: FakeSnapshotStore
) -> None:
    store.known[108] = replace(store.known[108], reason="JobHeldAdmin")
    for action in ("hold", "release"):
        with pytest.raises(Conflict, match="held by an operator"):
            await getattr(jobs, action)("mia", "108")


async def test_slurms_own_word_on_whose_job_it_is_is_passed_on(
    jobs: OwnJobs, control: NotingControl
) -> None:
    control.fault = NotYourJob("Job 101 belongs to somebody else.")
    with pytest.raises(NotYourJob):
        await jobs.cancel("mia", "101")


async def test_what_was_done_is_done_when_no_fresh_look_can_be_had(
    jobs: OwnJobs, store: FakeSnapshotStore, control: NotingControl
) -> None:
    store.mark_failed("no answer", time.time() + 60)
    with pytest.raises(ClusterUnreachable):
        await jobs.queues.refresh()
    await jobs.cancel("mia", "101")
    assert control.done == [("cancel", "mia", "101")]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (f"nb-3-{KEY}", (JobKind.NOTEBOOK, 3)),
        (f"training-12-{KEY}", (JobKind.TRAINING, 12)),
        (f"inference-1-{KEY}", (JobKind.INFERENCE, 1)),
        (f"preprocessings-9-{KEY}", (JobKind.PREPROCESSING, 9)),
        (f"tensorboard-12-{KEY}", (JobKind.TENSORBOARD, 12)),
        ("env-my_env-k3j2h1aa", (JobKind.ENVIRONMENT, None)),
        ("training-12", (JobKind.OTHER, None)),
        (f"training-0-{KEY}", (JobKind.OTHER, None)),
        (f"training-12-{KEY}x", (JobKind.OTHER, None)),
        (f"trainings-12-{KEY}", (JobKind.OTHER, None)),
        (f"other-12-{KEY}", (JobKind.OTHER, None)),
        (f"training-\u0967-{KEY}", (JobKind.OTHER, None)),
        ("", (JobKind.OTHER, None)),
        ("wrap", (JobKind.OTHER, None)),
        ("a\nb", (JobKind.OTHER, None)),
    ],
)
def test_what_a_job_is_for_is_in_its_name(
    name: str, found: tuple[JobKind, int | None]
) -> None:
    assert kind_of(name) == found


def test_a_number_is_read_as_slurm_writes_it() -> None:
    assert str(parse_slurm_id("12")) == "12"
    assert str(parse_slurm_id("12_0")) == "12_0"
    assert parse_slurm_id("12_0_1") is None


def test_groups_are_made_of_whatever_order() -> None:
    jobs = [
        job(7, "mia", "cpu", "RUNNING"),
        job(9, "mia", "cpu", "RUNNING", array_id=5, task="10"),
        job(8, "mia", "cpu", "RUNNING", array_id=5, task="2"),
        job(5, "mia", "cpu", "PENDING", array_id=5, task="3-4%2"),
    ]
    one, many = groups_of(jobs)
    assert (one.id, one.is_array) == (7, False)
    assert [str(slurm_id_of(each)) for each in many.jobs] == ["5_2", "5_10", "5"]


@pytest.mark.parametrize("action", ["one", "cancel"])
async def test_a_job_that_came_after_the_last_look_is_looked_for_once(
    jobs: OwnJobs, store: FakeSnapshotStore, control: NotingControl, action: str
) -> None:
    store.coming = [job(301, "mia", "cpu", "PENDING", reason="Priority")]
    await getattr(jobs, action)("mia", "301")
    assert control.done == ([("cancel", "mia", "301")] if action == "cancel" else [])


async def test_the_task_of_an_array_that_is_new_is_looked_for(
    jobs: OwnJobs, store: FakeSnapshotStore
) -> None:
    store.coming = [
        job(302, "mia", "cpu", "PENDING", array_id=302, task="0-9", reason="Priority")
    ]
    _, found = await jobs.one("mia", "302")
    assert found.is_array


@pytest.mark.parametrize("asked", ["104", "199", "59"])
async def test_a_number_that_is_older_than_the_picture_costs_no_look(
    jobs: OwnJobs, store: FakeSnapshotStore, asked: str
) -> None:
    with pytest.raises(NotFound):
        await jobs.one("mia", asked)
    assert store.asked is None


async def test_a_new_job_of_somebody_else_is_looked_for_and_not_there(
    jobs: OwnJobs, store: FakeSnapshotStore
) -> None:
    store.coming = [job(301, "max", "cpu", "RUNNING")]
    with pytest.raises(NotFound):
        await jobs.one("mia", "301")
    assert store.asked is not None


async def test_nothing_is_said_of_a_new_job_while_slurm_does_not_answer(
    jobs: OwnJobs, store: FakeSnapshotStore
) -> None:
    store.mark_failed("Unable to contact slurm controller", store.reading.taken_at + 5)
    with pytest.raises(ClusterUnreachable):
        await jobs.one("mia", "999")


async def test_nothing_is_said_of_a_new_job_while_no_look_comes(
    jobs: OwnJobs, store: FakeSnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.coming = None
    monkeypatch.setattr("kqi_hub.services.queues._LOOK_S", 0.0)
    with pytest.raises(ClusterTimedOut):
        await jobs.one("mia", "999")


async def test_each_job_of_a_script_is_of_its_own_run(
    jobs: OwnJobs, store: FakeSnapshotStore, runs: FakeJobRuns
) -> None:
    ended = replace(store.known[61], state="COMPLETED")
    for number in (71, 72, 73):
        store.known[number] = replace(ended, job_id=number)
    runs.known[71, KEY] = JobRun(15, "training/12.71")
    runs.known[72, "b" * 26] = JobRun(3, "training/3")
    page = await jobs.list("mia", Wanted(kind=JobKind.TRAINING))
    assert [(one.id, one.thing, one.folder) for one in page.groups] == [
        # One that no run is known of yet, and one whose number another run had.
        (73, None, ""),
        (72, None, ""),
        (71, 15, "training/12.71"),
        (61, 12, "training/12"),
    ]
