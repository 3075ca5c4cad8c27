"""The wait for a shape, from the stored picture alone: now, about, or not known."""

from collections.abc import Sequence

import pytest

from kqi_hub.domain.cluster import Association, Freshness, Node
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import QueueRules, queue_for, survey
from kqi_hub.services.board import Picture
from kqi_hub.services.freshness import judge
from kqi_hub.services.waiting import MOST_AHEAD, Outlook, Wait, estimate_wait, rounded
from tests.fakes.queues import HOUR, job, node, partition

NOW = 1_800_000_000
MIN = 60
ONE_CPU = Shape(1, 1024)
MEMBER = Association(
    "vision", "mia", "", "root", ("normal",), "normal", (), (), (), None, None, None
)


def wait(
    nodes: Sequence[Node],
    jobs: Sequence[Job] = (),
    shape: Shape = ONE_CPU,
    lifetime_s: int | None = None,
    rules: QueueRules | None = None,
    age_s: int = 0,
    **about: object,
) -> Wait:
    fresh = Freshness(1, NOW - age_s, NOW - age_s)
    partitions = [partition("x", nodes, **about)]
    scene = survey(nodes, partitions, jobs, [MEMBER])
    picture = Picture(fresh, judge(fresh, NOW, 60), scene=scene)
    queue = queue_for(scene, "x", "mia", "vision", {"x": rules} if rules else {})
    assert queue is not None
    return estimate_wait(picture, queue, shape, lifetime_s, NOW)


def running(job_id: int, where: str, ends_in_s: int | None, cpus: int = 8) -> Job:
    ends_at = None if ends_in_s is None else NOW + ends_in_s
    return job(
        job_id, "max", "x", "RUNNING", cpus=cpus, node_list=where, ends_at=ends_at
    )


def waiting(job_id: int, limit_s: int | None, cpus: int = 8, **about: object) -> Job:
    return job(
        job_id,
        "max",
        "x",
        "PENDING",
        cpus=cpus,
        time_limit_s=limit_s,
        **{"reason": "Priority", **about},
    )


BUSY = [node("a", "x", 8, used=(8, 4096, 0))]
EMPTY = [node("a", "x", 8)]


def test_an_empty_node_is_now() -> None:
    assert wait(EMPTY) == Wait(Outlook.NOW, 0)


def test_a_full_node_is_when_its_job_ends() -> None:
    assert wait(BUSY, [running(1, "a", 17 * MIN)]) == Wait(Outlook.ABOUT, 20 * MIN)


def test_what_is_in_use_by_jobs_that_are_not_seen_is_not_promised() -> None:
    found = wait(BUSY)
    assert found.outlook is Outlook.UNKNOWN
    assert wait([node("a", "x", 8, used=(1, 0, 0))], exclusive=True).outlook is (
        Outlook.UNKNOWN
    )


def test_an_exclusive_node_must_be_empty() -> None:
    half = [node("a", "x", 8, used=(1, 1024, 0))]
    jobs = [running(1, "a", 10 * MIN, cpus=1)]
    assert wait(half, jobs).outlook is Outlook.NOW
    assert wait(half, jobs, exclusive=True) == Wait(Outlook.ABOUT, 10 * MIN)


def test_jobs_ahead_start_first_and_last_as_long_as_they_may() -> None:
    jobs = [running(1, "a", 10 * MIN), waiting(2, 50 * MIN)]
    assert wait(BUSY, jobs) == Wait(Outlook.ABOUT, 60 * MIN)


def test_a_job_that_waits_for_something_else_is_in_nobody_s_way() -> None:
    for reason in ("JobHeldUser", "Dependency", "AssocGrpCpuLimit", "BeginTime"):
        jobs = [running(1, "a", 10 * MIN), waiting(2, HOUR, reason=reason)]
        assert wait(BUSY, jobs) == Wait(Outlook.ABOUT, 10 * MIN)


def test_a_short_job_fits_before_a_large_one_that_waits() -> None:
    nodes = [node("a", "x", 8, used=(8, 4096, 0)), node("b", "x", 8)]
    jobs = [running(1, "a", 2 * HOUR), waiting(2, HOUR, cpus=16, nodes=2)]
    assert wait(nodes, jobs, lifetime_s=2 * HOUR).outlook is Outlook.NOW
    assert wait(nodes, jobs, lifetime_s=2 * HOUR + 1).outlook is Outlook.ABOUT


def test_a_job_without_an_end_makes_the_wait_unknown() -> None:
    found = wait(BUSY, [running(1, "a", None)])
    assert found.outlook is Outlook.UNKNOWN
    assert "time limit" in str(found.why)


def test_a_very_long_wait_is_told_as_more_than() -> None:
    assert wait(BUSY, [running(1, "a", 30 * 24 * HOUR)]).outlook is Outlook.LONGER


def test_an_old_picture_promises_nothing() -> None:
    assert wait(EMPTY, age_s=61).outlook is Outlook.UNKNOWN


def test_a_closed_queue_and_too_many_ahead_are_not_known() -> None:
    assert wait(EMPTY, state="DOWN").outlook is Outlook.UNKNOWN
    crowd = [waiting(n, HOUR) for n in range(MOST_AHEAD + 1)]
    assert wait(BUSY, crowd).outlook is Outlook.UNKNOWN


def test_places_bound_the_jobs_of_a_node() -> None:
    jobs = [running(1, "a", 30 * MIN, cpus=1)]
    rules = QueueRules("x", places_per_node=1)
    assert wait(EMPTY, jobs).outlook is Outlook.NOW
    assert wait(EMPTY, jobs, rules=rules) == Wait(Outlook.ABOUT, 30 * MIN)


def test_gpus_in_use_are_waited_for() -> None:
    nodes = [node("a", "x", 8, gpus=("v100", 2), used=(1, 0, 2))]
    user = job(
        1, "max", "x", "RUNNING", node_list="a", gres="gpu:v100:2", ends_at=NOW + 600
    )
    assert wait(nodes, [user], Shape(1, 1)).outlook is Outlook.NOW
    assert wait(nodes, [user], Shape(1, 1, 1)) == Wait(Outlook.ABOUT, 10 * MIN)


def test_a_job_past_its_end_is_about_to_free_its_node() -> None:
    assert wait(BUSY, [running(1, "a", -50)]).outlook is Outlook.NOW


@pytest.mark.parametrize("where", ["", "n[1-", "nowhere", "a,a", "x" * 5000])
def test_odd_lists_of_nodes_break_nothing(where: str) -> None:
    assert wait(EMPTY, [running(1, where, 60)]).outlook in set(Outlook)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1, 300), (300, 300), (301, 600), (31 * MIN, 45 * MIN), (3 * HOUR + 1, 4 * HOUR),
     (25 * HOUR, 36 * HOUR)],
)  # fmt: skip
def test_waits_are_rounded_up_the_coarser_the_longer(seconds: int, told: int) -> None:
    assert rounded(seconds) == told
