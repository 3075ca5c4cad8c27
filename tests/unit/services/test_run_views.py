"""What a run's page says at one moment: its job, price, cost, what can be done."""

from dataclasses import replace

import pytest

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.job import Job
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import survey
from kqi_hub.domain.run_ports import RunNames
from kqi_hub.domain.runs import Parent, Run, RunKind, RunSpec, RunState
from kqi_hub.services.board import Picture
from kqi_hub.services.pricing import Pricing
from kqi_hub.services.run_views import (
    STATE_WORDS,
    job_of,
    price_to_note,
    view_of,
)
from tests.fakes.queues import RATES, job, reading

NOW = 1_795_000_000.0
PRICING = Pricing(RATES)
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


def test_every_state_has_a_word_for_people() -> None:
    assert set(STATE_WORDS) == {*RunState, "stopping"}
    assert len(set(STATE_WORDS.values())) == len(STATE_WORDS)


def test_a_waiting_run_says_why_and_costs_nothing_yet() -> None:
    seen = picture(of_run("PENDING", reason="Priority"))
    view = view_of(WAITING, "mia", seen, PRICING, NOW)
    assert view.status == "pending"
    assert view.why is not None
    assert (view.waited_s, view.ran_s, view.cost) == (600, None, 0)
    assert view.price is not None
    assert view.price.per_hour == 4 * 1_500_000
    assert view.actions == ("stop", "change", "copy")


def test_a_running_one_says_when_it_ends_and_what_it_has_cost() -> None:
    ends = int(NOW) + 1000
    seen = picture(of_run("RUNNING", node_list="cpu01", ends_at=ends))
    view = view_of(RUNNING, "mia", seen, PRICING, NOW)
    assert (view.waited_s, view.ran_s, view.left_s) == (240, 360, 1000)
    assert view.cost == 4 * 1_500_000 // 10


def test_a_price_that_was_noted_counts_whatever_rates_say_now() -> None:
    noted = replace(RUNNING, per_hour=10 * MICRO)
    view = view_of(noted, "mia", picture(), PRICING, NOW)
    assert view.cost == MICRO
    assert price_to_note(noted, picture(), PRICING) is None


def test_a_price_is_noted_once_the_node_is_known() -> None:
    seen = picture(of_run("RUNNING", node_list="cpu01"))
    assert price_to_note(RUNNING, seen, PRICING) == 4 * 1_500_000
    early = picture(of_run("RUNNING"))
    assert price_to_note(RUNNING, early, PRICING) is None


def test_the_cost_of_what_has_ended_stands_still() -> None:
    ended = replace(
        RUNNING,
        state=RunState.COMPLETED,
        ended_at=NOW - 100,
        per_hour=36 * MICRO,
    )
    views = [view_of(ended, "mia", picture(), PRICING, now) for now in (NOW, NOW + 1e6)]
    assert [one.cost for one in views] == [260 * MICRO // 100] * 2
    assert views[0].actions == ("delete", "change", "copy")


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
    assert (view.status, view.actions) == ("stopping", ("change", "copy"))


def test_parents_and_dataset_are_named_or_gone() -> None:
    parents = (Parent(RunKind.TRAINING, 3), Parent(RunKind.TRAINING, 4))
    run = replace(WAITING, spec=replace(SPEC, dataset=7, parents=parents))
    names = RunNames({7: "signs"}, {3: "old"})
    view = view_of(run, "max", picture(), PRICING, NOW, names)
    assert view.dataset_name == "signs"
    assert [one.name for one in view.parents] == ["old", ""]
    assert view.actions == ("copy",)
