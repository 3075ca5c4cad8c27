"""Runs on SQLite and PostgreSQL: asked for, told, collected, listed, deleted, raced."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.lineage import SqlLineageStore
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.uses import SqlUseStore
from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.filters import TagRule
from kqi_hub.domain.notebooks import Shape, Staging
from kqi_hub.domain.own_jobs import JobRun
from kqi_hub.domain.run_list import RunFilter
from kqi_hub.domain.run_ports import Collected, NewRun, Removal, Told
from kqi_hub.domain.run_use import RunUse
from kqi_hub.domain.runs import (
    Parent,
    Run,
    RunChange,
    RunEvent,
    RunKind,
    RunSpec,
    RunState,
    Source,
)

NOW = 1_795_000_000.0
TRAINING, INFERENCE = RunKind.TRAINING, RunKind.INFERENCE
COMMIT = "1" * 40
PLAIN = RunSpec("first", "vision", "cpu", "python train.py", tags=("b", "a"))
FULL = RunSpec(
    name="full-2",
    tenant="vision",
    queue="a100",
    command="set -e\necho \"$HOME\" 'é' `id`\n",
    shape=Shape(8, 65_536, 2, "a100"),
    lifetime_s=7200,
    staging=Staging.COPY,
    environment="torch",
    source=Source("https://git.example.org/a/b.git", "main", COMMIT),
    variables=(("A", "1"), ("B", "two\nlines")),
    ports=(8080, 6006),
    zip=False,
    memo="for the paper",
    tags=("x",),
)
ODD = ["a'b", "a\nb", "\0", "\ud800", "é" * 200, '"; DROP TABLE runs; --', "%_\\"]


@pytest.fixture
def ready(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


@pytest.fixture
def runs(ready: Engine) -> SqlRunStore:
    return SqlRunStore(ready)


@pytest.fixture
def dataset(ready: Engine) -> int:
    new = NewDataset("vision", "signs", "", False, ())
    return SqlDatasetStore(ready).create(new, "mia", NOW).id


def new(
    key: str, spec: RunSpec = PLAIN, kind: RunKind = TRAINING, **about: Any
) -> NewRun:
    """Return a wish of mia's."""
    return NewRun(kind, "mia", key, spec, **about)


def ended(runs: SqlRunStore, run: Run, state: RunState = RunState.COMPLETED) -> Run:
    """Let a run have ended."""
    return runs.collected(run.id, Collected(state), NOW + 100)


def test_what_was_asked_for_comes_back_exactly(runs: SqlRunStore) -> None:
    asked = runs.ask(new("k1", FULL), NOW)
    assert asked == runs.one(asked.id)
    assert asked.spec == FULL
    assert (asked.name, asked.memo, asked.tags) == ("full-2", "for the paper", ("x",))
    assert asked.state is RunState.ASKED
    assert asked.folder == f"training/{asked.id}"
    assert runs.events(asked.id) == (RunEvent(NOW, RunState.ASKED, ""),)
    assert runs.named("k1") == (asked,)


@pytest.mark.parametrize("text", ODD)
def test_any_text_is_kept_as_it_is(runs: SqlRunStore, text: str) -> None:
    spec = replace(
        PLAIN, command=text, memo=text, variables=(("A", text),), tags=(text,)
    )
    asked = runs.ask(new("odd", spec), NOW)
    assert asked.spec == spec
    assert (asked.memo, asked.tags) == (text, (text,))
    wanted = RunFilter(TRAINING, ("vision",), tags=TagRule((text,)))
    assert runs.search(wanted) == ((asked,), 1)


def test_a_prepared_run_lives_and_has_no_job(runs: SqlRunStore) -> None:
    asked = runs.ask(new("k1", is_prepared=True), NOW)
    assert asked.state is RunState.PREPARED
    assert runs.live() == runs.live("mia") == (asked,)
    assert runs.live("max") == ()


def test_the_dataset_is_locked_with_the_wish_and_free_after_the_delete(
    runs: SqlRunStore, ready: Engine, dataset: int
) -> None:
    datasets, uses = SqlDatasetStore(ready), SqlUseStore(ready)
    asked = runs.ask(new("k1", replace(PLAIN, dataset=dataset)), NOW)
    [lock] = uses.locks(dataset)
    assert lock.by == Thing(Kind.TRAINING, str(asked.id))
    with pytest.raises(Conflict):
        datasets.delete(dataset)
    ended(runs, asked)
    runs.delete(asked.id, NOW)
    datasets.delete(dataset)


def test_a_wish_with_a_dataset_that_is_gone_stores_nothing(runs: SqlRunStore) -> None:
    with pytest.raises(NotFound):
        runs.ask(new("k1", replace(PLAIN, dataset=99)), NOW)
    assert runs.named("k1") == ()
    assert runs.live() == ()


@pytest.mark.parametrize(
    "parent", [Parent(TRAINING, 99), Parent(INFERENCE, 1), Parent(TRAINING, 2)]
)
def test_a_parent_that_is_not_there_stores_nothing(
    runs: SqlRunStore, parent: Parent
) -> None:
    runs.ask(new("k1"), NOW)
    runs.ask(new("k2", replace(PLAIN, tenant="nlp")), NOW)
    with pytest.raises(NotFound, match="to be a parent"):
        runs.ask(new("k3", replace(PLAIN, parents=(parent,))), NOW)
    assert runs.named("k3") == ()


def test_lineage_shows_dataset_parent_commit_and_child(
    runs: SqlRunStore, ready: Engine, dataset: int
) -> None:
    first = runs.ask(new("k1", replace(FULL, dataset=dataset)), NOW)
    child = replace(PLAIN, parents=(Parent(TRAINING, first.id),))
    second = runs.ask(new("k2", child, INFERENCE), NOW + 1)
    lineage = SqlLineageStore(ready)
    trained, inferred = (
        Thing(Kind.TRAINING, str(first.id)),
        Thing(Kind.INFERENCE, str(second.id)),
    )
    beside = lineage.sources([trained], 10)[trained]
    assert set(beside.things) == {
        Thing(Kind.DATASET, str(dataset)),
        Thing(Kind.COMMIT, f"https://git.example.org/a/b.git@{COMMIT}"),
    }
    assert lineage.results([trained], 10)[trained].things == (inferred,)
    node = lineage.nodes([trained])[trained]
    assert (node.name, node.tenant, node.person) == ("full-2", "vision", "mia")
    ended(runs, second)
    runs.delete(second.id, NOW)
    assert trained not in lineage.results([trained], 10)


def test_a_key_is_one_jobs(runs: SqlRunStore) -> None:
    runs.ask(new("k1"), NOW)
    with pytest.raises(Conflict, match="a moment ago"):
        runs.ask(new("k1"), NOW)


def test_an_array_is_stored_at_once_and_named_after_its_first(
    runs: SqlRunStore,
) -> None:
    kind = RunKind.PREPROCESSING
    before = runs.ask(new("k0"), NOW)
    wishes = [
        new("k1", replace(PLAIN, tags=(str(at),)), kind, preprocessing=4, data=at)
        for at in range(20)
    ]
    found = runs.ask_batch(wishes, NOW)
    first = before.id + 1
    assert [one.task for one in found] == list(range(20))
    assert [one.id for one in found] == list(range(first, first + 20))
    assert {one.job_name for one in found} == {f"preprocessings-{first}-k1"}
    assert runs.named("k1") == found
    assert [one.tags for one in found] == [(str(at),) for at in range(20)]
    told = Told(RunState.PENDING, NOW + 1, job_id=70)
    assert runs.told(found[3].id, told).slurm_id == "70_3"
    assert runs.ask_batch([], NOW) == ()


def test_an_item_is_preprocessed_in_one_way_once(runs: SqlRunStore) -> None:
    kind = RunKind.PREPROCESSING
    runs.ask_batch([new("k1", PLAIN, kind, preprocessing=4, data=7)], NOW)
    again = [new("k2", PLAIN, kind, preprocessing=4, data=at) for at in (6, 7)]
    with pytest.raises(Conflict, match="has run on data 7 already"):
        runs.ask_batch(again, NOW)
    assert runs.named("k2") == ()
    assert runs.ask_batch([new("k3", PLAIN, kind, preprocessing=5, data=7)], NOW)


def test_each_new_state_is_an_event_and_the_same_one_is_none(
    runs: SqlRunStore,
) -> None:
    run = runs.ask(new("k1"), NOW)
    runs.told(run.id, Told(RunState.PENDING, NOW + 1, "Resources", job_id=70))
    again = runs.told(run.id, Told(RunState.PENDING, NOW + 2, "Priority", job_id=70))
    placed = runs.told(run.id, Told(RunState.PENDING, NOW + 2, node="cpu01"))
    assert (again.changed_at, placed.changed_at) == (NOW + 1, NOW + 2)
    runs.told(run.id, Told(RunState.RUNNING, NOW + 3, began_at=NOW + 2.5))
    assert runs.events(run.id) == (
        RunEvent(NOW, RunState.ASKED, ""),
        RunEvent(NOW + 1, RunState.PENDING, "Resources"),
        RunEvent(NOW + 3, RunState.RUNNING, ""),
    )


def test_the_first_job_is_the_runs_job(runs: SqlRunStore) -> None:
    run = runs.ask(new("k1"), NOW)
    runs.told(run.id, Told(RunState.PENDING, NOW, job_id=70))
    other = runs.told(run.id, Told(RunState.RUNNING, NOW, job_id=71))
    assert (other.job_id, other.state) == (70, RunState.PENDING)


def test_the_job_of_an_array_is_noted_of_all_its_runs_at_once(
    runs: SqlRunStore,
) -> None:
    kind = RunKind.PREPROCESSING
    wishes = [new("k1", PLAIN, kind, preprocessing=4, data=at) for at in range(4)]
    asked = runs.ask_batch(wishes, NOW)
    numbers = [one.id for one in asked]
    runs.told(numbers[1], Told(RunState.RUNNING, NOW + 1, job_id=70))
    ended(runs, asked[2])
    noted = runs.submitted([*reversed(numbers), 999], 70, NOW + 2)
    assert [one.id for one in noted] == numbers
    assert noted == runs.named("k1")
    first, running, over, last = noted
    assert (first.state, first.slurm_id) == (RunState.PENDING, "70_0")
    assert (last.state, last.slurm_id) == (RunState.PENDING, "70_3")
    assert (running.state, running.job_id) == (RunState.RUNNING, 70)
    assert (over.state, over.job_id) == (RunState.COMPLETED, None)
    assert runs.events(first.id) == (
        RunEvent(NOW, RunState.ASKED, ""),
        RunEvent(NOW + 2, RunState.PENDING, ""),
    )
    second = runs.submitted(numbers, 71, NOW + 3)
    assert second == noted, "the first job is the runs' job"


def test_what_is_collected_ends_it_once(runs: SqlRunStore) -> None:
    run = runs.ask(new("k1"), NOW)
    end = Told(
        RunState.COLLECTING,
        NOW + 5,
        job_id=70,
        ended_at=NOW + 4,
        outcome=RunState.TIMED_OUT,
    )
    assert runs.told(run.id, end).outcome is RunState.TIMED_OUT
    use = RunUse("cgroup v2", 10.5, 15, 2, 10, 20, 2, 40)
    found = Collected(None, "0.93 %", 3, 2048, 1, "time was over", use=use)
    done = runs.collected(run.id, found, NOW + 6)
    assert (done.state, done.ended_at) == (RunState.TIMED_OUT, NOW + 4)
    assert (done.value, done.files, done.bytes, done.use) == ("0.93 %", 3, 2048, use)
    assert (done.exit_code, done.detail) == (1, "time was over")
    assert runs.collected(run.id, Collected(RunState.FAILED, "1"), NOW + 7) == done
    assert runs.told(run.id, Told(RunState.RUNNING, NOW + 8)) == done
    assert runs.live() == ()


def test_the_first_word_on_a_stop_wins(runs: SqlRunStore) -> None:
    run = runs.ask(new("k1"), NOW)
    assert runs.stopping(run.id, RunState.KILLED, NOW + 1).changed_at == NOW + 1
    again = runs.stopping(run.id, RunState.USER_CANCELED, NOW + 2)
    assert (again.stopping, again.changed_at) == (RunState.KILLED, NOW + 1)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_refusal_frees_the_dataset_and_keeps_a_record_or_none(
    runs: SqlRunStore, ready: Engine, dataset: int, keeps: bool
) -> None:
    spec = replace(PLAIN, dataset=dataset)
    run = runs.ask(new("k1", spec, keeps_refused=keeps), NOW)
    found = runs.refused(run.id, "Invalid qos", NOW + 1)
    assert SqlUseStore(ready).locks(dataset) == ()
    if keeps:
        assert found is not None
        assert (found.state, found.detail) == (RunState.REFUSED, "Invalid qos")
        assert runs.events(run.id)[-1].cause == "Invalid qos"
        assert not found.is_live
    else:
        assert found is None
        assert runs.one(run.id) is None


def test_what_slurm_has_taken_is_not_refused(runs: SqlRunStore) -> None:
    run = runs.ask(new("k1"), NOW)
    pending = runs.told(run.id, Told(RunState.PENDING, NOW, job_id=70))
    assert runs.refused(run.id, "late", NOW) == pending


def test_a_script_by_hand_is_adopted_and_once_more_as_a_copy(
    runs: SqlRunStore, ready: Engine, dataset: int
) -> None:
    spec = replace(PLAIN, dataset=dataset)
    run = runs.ask(new("k1", spec, is_prepared=True), NOW)
    runs.keep_script("k1", "#!/bin/bash")
    mine = runs.adopted(run.id, 70, NOW + 1)
    assert (mine.id, mine.job_id, mine.state) == (run.id, 70, RunState.PENDING)
    assert runs.adopted(run.id, 70, NOW + 2) == mine
    runs.change(run.id, RunChange(memo="again"), NOW + 2)
    ended(runs, mine)
    copy = runs.adopted(run.id, 71, NOW + 200)
    assert copy.id != run.id
    assert (copy.job_id, copy.state, copy.memo) == (71, RunState.PENDING, "again")
    assert copy.job_name == run.job_name
    assert copy.folder == f"training/{run.id}.71"
    assert runs.adopted(run.id, 71, NOW + 201) == copy
    assert runs.adopted(copy.id, 72, NOW).folder == f"training/{run.id}.72"
    assert runs.named("k1")[:2] == (runs.one(run.id), copy)
    assert runs.script(copy.id) == "#!/bin/bash"
    assert runs.of_jobs({70, 71, 99}, {"k1"}) == {
        70: JobRun(run.id, run.folder),
        71: JobRun(copy.id, copy.folder),
    }
    assert runs.of_jobs({70, 71}, {"k2"}) == runs.of_jobs((), ()) == {}
    assert len(SqlUseStore(ready).locks(dataset)) == 3


def test_name_memo_tags_and_favourite_change_and_the_spec_does_not(
    runs: SqlRunStore,
) -> None:
    run = runs.ask(new("k1"), NOW)
    change = RunChange("second", "m", ("t",), True)
    found = runs.change(run.id, change, NOW + 1)
    assert (found.name, found.memo, found.tags) == ("second", "m", ("t",))
    assert found.is_favourite
    assert found.spec == run.spec
    more = runs.change(
        run.id, RunChange(add_tags=("u", "t"), remove_tags=("t",)), NOW + 2
    )
    assert more.tags == ("u",)
    assert runs.tags("vision") == ("u",)
    assert runs.tags("nlp") == ()


def test_tags_of_two_people_at_once_are_both_there(runs: SqlRunStore) -> None:
    run = runs.ask(new("k1", replace(PLAIN, tags=())), NOW)
    tags = [f"t{at}" for at in range(8)]
    at_once([
        partial(runs.change, run.id, RunChange(add_tags=(tag,)), NOW)
        for tag in tags
    ])  # fmt: skip
    found = runs.one(run.id)
    assert found is not None
    assert found.tags == tuple(tags)


def test_a_deleted_run_is_gone_and_its_folder_is_still_to_be_removed(
    runs: SqlRunStore,
) -> None:
    run = runs.ask(new("k1"), NOW)
    runs.keep_script("k1", "x")
    ended(runs, run)
    runs.delete(run.id, NOW)
    assert runs.one(run.id) is None
    assert runs.events(run.id) == ()
    assert runs.removals() == (Removal(run.id, "mia", f"training/{run.id}"),)
    runs.removed([run.id])
    assert runs.removals() == ()
    with pytest.raises(NotFound):
        runs.delete(run.id, NOW)
    assert runs.ask(new("k2"), NOW).id > run.id


def test_a_parent_stays_while_a_child_is_there(runs: SqlRunStore) -> None:
    parent = ended(runs, runs.ask(new("k1"), NOW))
    spec = replace(PLAIN, parents=(Parent(TRAINING, parent.id),))
    child = runs.ask(new("k2", spec), NOW)
    assert runs.built_on(parent.id) == (child,)
    with pytest.raises(Conflict, match=f"Run {child.id} was built"):
        runs.delete(parent.id, NOW)
    ended(runs, child)
    runs.delete(child.id, NOW)
    runs.delete(parent.id, NOW)


def test_names_of_datasets_and_parents_come_in_one_go(
    runs: SqlRunStore, dataset: int
) -> None:
    parent = runs.ask(new("k1", FULL), NOW)
    spec = replace(PLAIN, dataset=dataset, parents=(Parent(TRAINING, parent.id),))
    child = runs.ask(new("k2", spec), NOW)
    names = runs.names([parent, child])
    assert names.datasets == {dataset: "signs"}
    assert names.runs == {parent.id: "full-2"}


def test_changes_are_seen_by_tenant_and_stamps_differ(runs: SqlRunStore) -> None:
    one = runs.ask(new("k1"), NOW)
    two = runs.ask(new("k2", replace(PLAIN, tenant="nlp")), NOW + 5)
    assert runs.changed_since(NOW) == (two, one)
    assert runs.changed_since(NOW, ["vision"]) == (one,)
    assert runs.changed_since(NOW + 1, ["vision"]) == ()
    before = runs.stamps()
    runs.told(one.id, Told(RunState.RUNNING, NOW))
    after = runs.stamps()
    assert set(before) == {"vision", "nlp"}
    assert after["vision"] != before["vision"]
    assert after["nlp"] == before["nlp"]
    ended(runs, one)
    assert set(runs.stamps()) == {"nlp"}


def test_many_tell_at_once_and_the_history_has_each_state_once(
    runs: SqlRunStore,
) -> None:
    run = runs.ask(new("k1"), NOW)
    told = [
        Told(RunState.PENDING, NOW + 1, job_id=70),
        Told(RunState.RUNNING, NOW + 2, job_id=70),
        Told(RunState.COLLECTING, NOW + 3, outcome=RunState.COMPLETED),
    ]
    at_once([partial(runs.told, run.id, one) for one in told * 4])
    at_once([lambda: ended(runs, run)] * 4)
    states = [one.state for one in runs.events(run.id)]
    assert states[0] is RunState.ASKED
    assert states.count(RunState.COLLECTING) == 1
    assert states[-1] is RunState.COMPLETED
    assert states.count(RunState.COMPLETED) == 1


def test_of_a_delete_and_a_new_child_one_wins(runs: SqlRunStore) -> None:
    parent = ended(runs, runs.ask(new("k1"), NOW))
    spec = replace(PLAIN, parents=(Parent(TRAINING, parent.id),))
    failed: list[Exception] = []

    def attempt(call: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            try:
                call()
            except (Conflict, NotFound) as error:
                failed.append(error)

        return run

    at_once([
        attempt(lambda: runs.delete(parent.id, NOW)),
        attempt(lambda: runs.ask(new("k2", spec), NOW)),
    ])  # fmt: skip
    assert len(failed) == 1
    assert (runs.one(parent.id) is None) is (runs.named("k2") == ())


def at_once(calls: list[Callable[[], object]]) -> None:
    """Run each on a thread of its own; what one raises is raised here."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        barrier.wait()
        call()

    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(run, call) for call in calls]:
            done.result()
