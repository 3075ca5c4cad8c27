"""What a run's page says at one moment: its job, price, cost, what can be done."""

from dataclasses import replace

import pytest

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.costs import Cost, JobMark
from kqi_hub.domain.job import Job
from kqi_hub.domain.money import Price
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import survey
from kqi_hub.domain.run_ports import RunNames
from kqi_hub.domain.runs import Parent, Run, RunKind, RunSpec, RunState
from kqi_hub.services.board import Picture
from kqi_hub.services.costs import Costs
from kqi_hub.services.run_views import (
    STATE_WORDS,
    Beside,
    RunView,
    job_of,
    ours_of,
    view_of,
)
from tests.fakes.queues import job, pricing, reading

NOW = 1_795_000_000.0
PRICING = pricing()
SPEC = RunSpec("first", "vision", "cpu", "true", Shape(4, 8192))
WAITING = Run(
    12, RunKind.TRAINING, "mia", "k", SPEC, RunState.PENDING, NOW - 600, NOW, job_id=70
)
RUNNING = replace(WAITING, state=RunState.RUNNING, began_at=NOW - 360)


def picture(*jobs: Job) -> Picture:
    """Return the small cluster with these jobs."""
    seen = reading(NOW)
    parts = (seen.nodes, seen.partitions, jobs)
    fresh = Freshness(1, NOW, NOW)
    return Picture(fresh, jobs=jobs, scene=survey(*parts, (), ()), version=1)


def of_run(state: str, **about: object) -> Job:
    """Return the job of training 12."""
    named = {"name": "training-12-k", "cpus": 4, **about}
    return job(70, "mia", "cpu", state, **named)


def shown(run: Run, seen: Picture, now: float = NOW) -> RunView:
    """Return a run as its owner sees it, with its cost by what is known."""
    [cost] = Costs(PRICING).of_ours([ours_of(run, seen, now)], seen.scene, now)
    return view_of(run, "mia", seen, PRICING, now, Beside(cost=cost))


def test_every_state_has_a_word_for_people() -> None:
    assert set(STATE_WORDS) == {*RunState, "stopping", "deleting"}
    assert len(set(STATE_WORDS.values())) == len(STATE_WORDS)


def test_a_waiting_run_says_why_and_costs_nothing_yet() -> None:
    seen = picture(of_run("PENDING", reason="Priority"))
    view = shown(WAITING, seen)
    assert view.status == "pending"
    assert view.why is not None
    assert (view.waited_s, view.ran_s, view.cost) == (600, None, 0)
    assert view.price is not None
    assert view.price.per_hour == 4 * 1_500_000
    assert view.actions == ("stop", "delete", "change", "copy")


def test_a_running_one_says_when_it_ends_and_what_it_has_cost() -> None:
    ends = int(NOW) + 1000
    began = int(NOW) - 360
    live = of_run("RUNNING", node_list="cpu01", starts_at=began, ends_at=ends)
    seen = picture(live)
    view = shown(RUNNING, seen)
    assert (view.waited_s, view.ran_s, view.left_s) == (240, 360, 1000)
    assert view.cost == 4 * 1_500_000 // 10


def test_the_cost_of_what_has_ended_stands_still() -> None:
    ended = replace(RUNNING, state=RunState.COMPLETED, ended_at=NOW - 100, node="cpu01")
    views = [shown(ended, picture(), now) for now in (NOW, NOW + 1e6)]
    assert [one.cost for one in views] == [(4 * 1_500_000 * 260 + 1800) // 3600] * 2
    assert [one.is_billed for one in views] == [False, False]
    assert views[0].actions == ("delete", "change", "copy")


def test_what_the_book_has_is_shown_with_the_price_that_was_paid() -> None:
    ended = replace(RUNNING, state=RunState.COMPLETED, ended_at=NOW - 100)
    cost = Cost(77, (5, 9), is_billed=True)
    view = view_of(ended, "max", picture(), PRICING, NOW, Beside(cost=cost))
    assert (view.cost, view.is_billed, view.price) == (77, True, Price(9, 5))
    on_nodes = replace(ended, spec=replace(SPEC, queue="v100"))
    view = view_of(on_nodes, "max", picture(), PRICING, NOW, Beside(cost=cost))
    assert view.price == Price(9, 5, whole_node=True)


def test_what_ran_elsewhere_has_no_cost() -> None:
    outside = replace(WAITING, job_id=None, spec=replace(SPEC, is_outside=True))
    assert shown(outside, picture()).cost is None


def test_a_task_is_asked_for_by_the_number_that_its_array_shows() -> None:
    run = replace(
        RUNNING, kind=RunKind.PREPROCESSING, batch=12, task=3, id=15, node="cpu01"
    )
    found = ours_of(run, picture(), NOW)
    assert found.mark == JobMark("preprocessings-12-k", "70_3", "mia")
    assert (found.live, found.ended_at) == (None, None)
    assert found.record is not None
    assert (found.record.started_at, found.record.ended_at) == (NOW - 360, NOW)
    assert (found.record.account, found.record.node_list) == ("vision", "cpu01")


@pytest.mark.parametrize("name", ["training-12-other", "wrap", "training-1-k"])
def test_another_job_of_the_same_number_is_not_the_runs(name: str) -> None:
    assert job_of(RUNNING, picture(of_run("RUNNING", name=name))) is None


def test_a_task_is_found_while_it_waits_with_others_and_when_it_runs_alone() -> None:
    run = replace(
        WAITING, kind=RunKind.PREPROCESSING, batch=12, task=3, id=15, job_id=70
    )
    name = "preprocessings-12-k"
    together = of_run("PENDING", name=name, array_id=70, task="3-19%5")
    alone = replace(of_run("RUNNING", name=name, array_id=70, task="3"), job_id=74)
    other = replace(alone, job_id=72, task="2")
    assert job_of(run, picture(together, other)) == together
    begun = replace(run, state=RunState.RUNNING)
    assert job_of(begun, picture(together, other, alone)) == alone
    assert job_of(begun, picture(together, other)) is None


def test_one_that_is_being_stopped_says_so_and_is_not_stopped_again() -> None:
    stopping = replace(RUNNING, stopping=RunState.KILLED)
    view = view_of(stopping, "mia", picture(), PRICING, NOW)
    actions = ("delete", "change", "copy")
    assert (view.status, view.actions) == ("stopping", actions)


def test_of_one_that_is_being_deleted_one_can_only_have_the_same() -> None:
    going = replace(RUNNING, stopping=RunState.USER_CANCELED, going_at=NOW)
    view = view_of(going, "mia", picture(), PRICING, NOW)
    assert (view.status, view.actions) == ("deleting", ("copy",))


def test_parents_and_dataset_are_named_or_gone() -> None:
    parents = (Parent(RunKind.TRAINING, 3), Parent(RunKind.TRAINING, 4))
    run = replace(WAITING, spec=replace(SPEC, dataset=7, parents=parents))
    names = RunNames({7: "signs"}, {3: "old"})
    view = view_of(run, "max", picture(), PRICING, NOW, Beside(names))
    assert view.dataset_name == "signs"
    assert [one.name for one in view.parents] == ["old", ""]
    assert view.actions == ("copy",)
