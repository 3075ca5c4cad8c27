"""Asking for runs, looking at them, stopping, changing and deleting them."""

import asyncio
from dataclasses import dataclass, field, replace
from itertools import count

import pytest

from kqi_hub.domain.data import Dataset, Kind, Thing
from kqi_hub.domain.errors import (
    Conflict,
    DoorUnreachable,
    InvalidInput,
    NotFound,
    NotPermitted,
)
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.domain.run_list import RunQuestion
from kqi_hub.domain.run_ports import Collected, Told
from kqi_hub.domain.runs import (
    Parent,
    Run,
    RunChange,
    RunKind,
    RunState,
    Source,
)
from kqi_hub.services.runs import Runs
from kqi_hub.services.tenant_rights import Asker
from tests.fakes.git import OLDER, TIP
from tests.fakes.notebooks import open_to_all
from tests.fakes.queues import FakeQueues
from tests.fakes.runs import (
    DONE,
    FAILED,
    INFERENCE,
    PREPARED,
    RUNNING,
    SPEC,
    WAITING,
    FakeRuns,
)

TRAINING = RunKind.TRAINING


def asker(person: str, tenant: str = "vision", role: Role = Role.MEMBER) -> Asker:
    """Return somebody with a role in a tenant."""
    return Asker(Standing(person, (Membership(tenant, role),)))


MIA, MAX, VICTOR = asker("mia"), asker("max"), asker("victor", role=Role.VIEWER)
MALLORY = asker("mallory", "nlp")


@dataclass
class Lab:
    """The service over fakes, furnished for mia."""

    fakes: FakeRuns = field(default_factory=FakeRuns)

    def __post_init__(self) -> None:
        queues = open_to_all(["mia", "max", "victor"], FakeQueues())
        self.runs: Runs = replace(self.fakes.runs(queues), wall=lambda: 100.0)
        self.fakes.furnish("mia")

    def run(self, number: int) -> Run:
        """Return a run as it is stored."""
        return self.fakes.store.runs[number]

    def dataset(self, number: int, tenant: str = "vision") -> None:
        """Let there be a dataset."""
        self.fakes.datasets.datasets[number] = Dataset(
            number, tenant, f"signs {number}", "", False, 0, 0, 0, False, "mia", 1, 1
        )
        self.fakes.datasets.entries[number] = ()


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_a_run_that_is_asked_for_is_stored_with_its_commit_and_begun(
    lab: Lab,
) -> None:
    source = Source("https://git.example.org/vision/model.git", "old")
    run = await lab.runs.ask(MIA, TRAINING, replace(SPEC, source=source))
    assert run.state is RunState.ASKED
    assert run.spec.source == replace(source, commit=OLDER)
    assert lab.fakes.submission.begun == [run.key]
    assert len(run.key) == 26
    assert run.job_name == f"training-{run.id}-{run.key}"
    assert [one.action for one in lab.fakes.audit.events] == ["training-asked"]


async def test_the_default_branch_is_resolved_when_nothing_is_named(lab: Lab) -> None:
    source = Source("https://git.example.org/vision/model.git")
    run = await lab.runs.ask(MIA, TRAINING, replace(SPEC, source=source))
    assert run.spec.source == replace(source, commit=TIP)


async def test_a_prepared_run_is_not_begun_and_gives_its_script(lab: Lab) -> None:
    run = await lab.runs.ask(MIA, TRAINING, SPEC, is_prepared=True)
    assert run.state is RunState.PREPARED
    assert lab.fakes.submission.begun == []
    text = await lab.runs.script(MIA, TRAINING, run.id)
    assert run.job_name in text
    assert await lab.runs.script(MAX, TRAINING, run.id) == text


async def test_what_slurm_would_not_take_is_refused_before_anything_is_stored(
    lab: Lab,
) -> None:
    before = len(lab.fakes.store.runs)
    with pytest.raises(InvalidInput, match="Slurm would not start this"):
        await lab.runs.ask(MIA, TRAINING, replace(SPEC, lifetime_s=20 * 24 * 3600))
    assert len(lab.fakes.store.runs) == before
    assert lab.fakes.submission.begun == []


async def test_an_estimate_says_price_and_objections_and_stores_nothing(
    lab: Lab,
) -> None:
    before = dict(lab.fakes.store.runs)
    estimate = await lab.runs.check(MIA, TRAINING, SPEC)
    assert estimate.price is not None
    assert estimate.price.per_hour == 2 * 1_500_000
    assert estimate.objections == ()
    too_long = replace(SPEC, lifetime_s=20 * 24 * 3600)
    assert (await lab.runs.check(MIA, TRAINING, too_long)).objections
    assert lab.fakes.store.runs == before


async def test_what_was_asked_for_says_its_price_and_has_cost_nothing(
    lab: Lab,
) -> None:
    run = await lab.runs.ask(MIA, TRAINING, SPEC)
    _, view = await lab.runs.one(MIA, TRAINING, run.id)
    assert view.price is not None
    assert view.price.per_hour == 2 * 1_500_000
    assert (view.cost, view.is_billed) == (0, False)


async def test_a_dataset_is_locked_by_what_uses_it(lab: Lab) -> None:
    lab.dataset(7)
    run = await lab.runs.ask(MIA, TRAINING, replace(SPEC, dataset=7))
    [lock] = lab.fakes.datasets.locks(7)
    assert lock.by == Thing(Kind.TRAINING, str(run.id))
    _, view = await lab.runs.one(MIA, TRAINING, run.id)
    assert view.dataset_name == "signs 7"


async def test_a_dataset_of_another_tenant_is_not_there(lab: Lab) -> None:
    lab.dataset(7, "nlp")
    with pytest.raises(InvalidInput, match="no dataset 7 in tenant vision"):
        await lab.runs.ask(MIA, TRAINING, replace(SPEC, dataset=7))


@pytest.mark.parametrize(
    ("number", "kind", "who"),
    [
        (DONE, RunKind.INFERENCE, MIA),
        (DONE, TRAINING, MAX),
        (99, TRAINING, MIA),
        (RUNNING, TRAINING, MIA),
        (PREPARED, TRAINING, MIA),
    ],
)
async def test_a_parent_is_an_ended_run_of_ones_own(
    lab: Lab, number: int, kind: RunKind, who: Asker
) -> None:
    child = replace(SPEC, parents=(Parent(kind, number),))
    with pytest.raises(InvalidInput, match=r"^parents: "):
        await lab.runs.ask(who, TRAINING, child)


async def test_a_child_names_its_parents(lab: Lab) -> None:
    _, view, family = await lab.runs.with_family(MIA, RunKind.INFERENCE, INFERENCE)
    assert [(one.parent.id, one.name) for one in view.parents] == [(DONE, "first")]
    assert [one.id for one in family.parents] == [DONE]
    _, _, family = await lab.runs.with_family(MIA, TRAINING, DONE)
    assert [one.id for one in family.children] == [INFERENCE]


async def test_members_see_each_others_runs_and_may_only_copy_them(lab: Lab) -> None:
    _, mine = await lab.runs.one(MIA, TRAINING, DONE)
    _, theirs = await lab.runs.one(MAX, TRAINING, DONE)
    assert mine.actions == ("delete", "change", "copy")
    assert theirs.actions == ("copy",)
    with pytest.raises(NotPermitted, match="belongs to mia"):
        await lab.runs.change(MAX, TRAINING, DONE, RunChange(memo="mine now"))
    with pytest.raises(NotPermitted):
        await lab.runs.stop(MAX, TRAINING, RUNNING)
    with pytest.raises(NotPermitted):
        await lab.runs.delete(MAX, TRAINING, FAILED)


async def test_runs_of_other_tenants_and_kinds_are_not_there(lab: Lab) -> None:
    with pytest.raises(NotFound):
        await lab.runs.one(MALLORY, TRAINING, DONE)
    with pytest.raises(NotFound):
        await lab.runs.one(MIA, RunKind.INFERENCE, DONE)
    with pytest.raises(NotFound):
        await lab.runs.search(MALLORY, TRAINING, RunQuestion(tenant="vision"))


async def test_a_viewer_asks_for_nothing(lab: Lab) -> None:
    with pytest.raises(NotPermitted):
        await lab.runs.ask(VICTOR, TRAINING, SPEC)
    page = await lab.runs.search(VICTOR, TRAINING, RunQuestion())
    assert page.total == 5


async def test_a_list_is_filtered_and_what_cannot_be_read_finds_nothing(
    lab: Lab,
) -> None:
    live = await lab.runs.search(MIA, TRAINING, RunQuestion(states=("live",)))
    assert [one.run.id for one in live.items] == [PREPARED, WAITING, RUNNING]
    odd = await lab.runs.search(MIA, TRAINING, RunQuestion(id="abc"))
    assert (odd.items, odd.total, odd.unread) == ((), 0, {"id": "abc"})
    with pytest.raises(InvalidInput, match="no state 'running!'"):
        await lab.runs.search(MIA, TRAINING, RunQuestion(states=("running!",)))


@pytest.mark.parametrize(
    ("as_failed", "called"),
    [(False, RunState.USER_CANCELED), (True, RunState.KILLED)],
)
async def test_a_stop_notes_how_it_will_be_called_and_cancels(
    lab: Lab, as_failed: bool, called: RunState
) -> None:
    view = await lab.runs.stop(MIA, TRAINING, RUNNING, as_failed=as_failed)
    assert view.status == "stopping"
    assert "stop" not in view.actions
    assert lab.run(RUNNING).stopping is called
    assert lab.fakes.submission.stopped == [RUNNING]


async def test_a_prepared_run_that_is_stopped_ends_at_once(lab: Lab) -> None:
    view = await lab.runs.stop(MIA, TRAINING, PREPARED)
    assert view.run.state is RunState.USER_CANCELED
    assert lab.fakes.submission.stopped == [PREPARED], "its order is removed"


async def test_what_has_ended_is_not_stopped(lab: Lab) -> None:
    with pytest.raises(Conflict, match="has ended"):
        await lab.runs.stop(MIA, TRAINING, DONE)
    lab.fakes.store.told(RUNNING, Told(RunState.COLLECTING, 90.0))
    with pytest.raises(Conflict, match="has ended"):
        await lab.runs.stop(MIA, TRAINING, RUNNING)


async def test_name_memo_tags_and_favourite_are_changed_afterwards(lab: Lab) -> None:
    change = RunChange("best-yet", "0.93!", ("b", "a", "b"), is_favourite=True)
    view = await lab.runs.change(MIA, TRAINING, DONE, change)
    run = view.run
    assert (run.name, run.memo, run.tags) == ("best-yet", "0.93!", ("a", "b"))
    assert run.is_favourite
    assert run.spec.name == "first"
    with pytest.raises(InvalidInput, match=r"^name: "):
        await lab.runs.change(MIA, TRAINING, DONE, RunChange(name="Best Yet"))


async def test_deleting_says_its_consequences_and_what_stands_against_it(
    lab: Lab,
) -> None:
    told = await lab.runs.consequences(MIA, TRAINING, DONE)
    assert [one.id for one in told.blockers] == [INFERENCE]
    assert (told.folder, told.files, told.bytes) == ("training/1", 3, 2048)
    with pytest.raises(Conflict):
        await lab.runs.delete(MIA, TRAINING, DONE)
    await lab.runs.delete(MIA, RunKind.INFERENCE, INFERENCE)
    await lab.runs.delete(MIA, TRAINING, DONE)
    assert lab.fakes.submission.removed == ["mia/inference/6", "mia/training/1"]
    assert lab.fakes.store.removals() == ()


async def test_a_folder_that_cannot_be_removed_now_is_remembered(lab: Lab) -> None:
    lab.fakes.submission.down = DoorUnreachable("no helper")
    await lab.runs.delete(MIA, TRAINING, FAILED)
    assert [one.folder for one in lab.fakes.store.removals()] == ["training/3"]
    with pytest.raises(NotFound):
        await lab.runs.one(MIA, TRAINING, FAILED)


async def test_a_run_without_a_job_is_deleted_at_once(lab: Lab) -> None:
    await lab.runs.delete(MIA, TRAINING, PREPARED)
    assert PREPARED not in lab.fakes.store.runs


async def test_a_run_that_lives_is_deleted_when_its_job_has_ended(lab: Lab) -> None:
    told = await lab.runs.consequences(MIA, TRAINING, RUNNING)
    assert (told.is_live, told.is_going) == (True, False)
    await lab.runs.delete(MIA, TRAINING, RUNNING)
    _, view = await lab.runs.one(MIA, TRAINING, RUNNING)
    assert (view.status, view.actions) == ("deleting", ("copy",))
    assert (await lab.runs.consequences(MIA, TRAINING, RUNNING)).is_going
    assert lab.fakes.submission.stopped == [RUNNING]
    assert lab.fakes.store.removals() == ()
    lab.fakes.store.collected(RUNNING, Collected(RunState.USER_CANCELED), 101.0)
    with pytest.raises(NotFound):
        await lab.runs.one(MIA, TRAINING, RUNNING)
    assert [one.run_id for one in lab.fakes.store.removals()] == [RUNNING]


async def test_a_deletion_that_is_asked_for_twice_is_one(lab: Lab) -> None:
    runs = replace(lab.runs, wall=count(100.0).__next__)
    await runs.stop(MIA, TRAINING, RUNNING, as_failed=True)
    await asyncio.gather(*(runs.delete(MIA, TRAINING, RUNNING) for _ in range(5)))
    deleted = [
        one for one in lab.fakes.audit.events if one.action == "training-deleted"
    ]
    assert len(deleted) == 1
    # What it was stopped as stays: it is in the log of what was done.
    assert lab.fakes.store.runs[RUNNING].stopping is RunState.KILLED
    with pytest.raises(NotPermitted):
        await lab.runs.delete(MAX, TRAINING, RUNNING)


async def test_what_is_being_deleted_is_nobodys_parent(lab: Lab) -> None:
    await lab.runs.delete(MIA, TRAINING, RUNNING)
    spec = replace(SPEC, parents=(Parent(TRAINING, RUNNING),))
    with pytest.raises(InvalidInput, match="has not ended"):
        await lab.runs.ask(MIA, TRAINING, spec)


async def test_deleting_the_last_user_unlocks_a_dataset(lab: Lab) -> None:
    lab.dataset(7)
    run = await lab.runs.ask(MIA, TRAINING, replace(SPEC, dataset=7))
    number = run.id
    lab.fakes.store.collected(number, Collected(RunState.COMPLETED), 101.0)
    assert (await lab.runs.consequences(MIA, TRAINING, number)).is_unlocked
    await lab.runs.delete(MIA, TRAINING, number)
    assert lab.fakes.datasets.locks(7) == ()


async def test_a_copy_has_the_values_as_they_were_last_written(lab: Lab) -> None:
    await lab.runs.change(MIA, TRAINING, DONE, RunChange(name="renamed"))
    spec = await lab.runs.copy_of(MAX, TRAINING, DONE)
    assert (spec.name, spec.command) == ("renamed", SPEC.command)


async def test_a_child_begins_with_its_parents_values(lab: Lab) -> None:
    parent = Parent(TRAINING, DONE)
    spec = await lab.runs.child_of(MIA, parent)
    assert (spec.parents, spec.memo, spec.queue) == ((parent,), "", SPEC.queue)
    run = await lab.runs.ask(MIA, RunKind.INFERENCE, spec)
    assert run.kind is RunKind.INFERENCE


async def test_tags_are_those_of_a_tenants_runs(lab: Lab) -> None:
    assert await lab.runs.tags(MIA, "vision") == ("baseline",)
    with pytest.raises(NotFound):
        await lab.runs.tags(MIA, "nlp")


async def test_events_tell_each_state_in_order(lab: Lab) -> None:
    states = [one.state for one in await lab.runs.events(MAX, TRAINING, DONE)]
    assert states == [
        RunState.ASKED,
        RunState.RUNNING,
        RunState.COLLECTING,
        RunState.COMPLETED,
    ]
