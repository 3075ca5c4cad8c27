"""Limits of a QOS bound what is offered, in Slurm's own order of who counts first."""

from dataclasses import replace

import pytest

from kqi_hub.domain.cluster import Association, Qos
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.objections import cautions, objections
from kqi_hub.domain.queues import Queue, QueueRules, queue_for, survey
from kqi_hub.domain.reasons import explain
from kqi_hub.domain.tenant_limits import Limit, Scope
from tests.fakes.queues import HOUR, job, node, partition

NODES = [node("n1", "jupyter", 40, 192_000, ("v100", 4))]
MEMBER = Association(
    "vision", "mia", "", "root", ("normal", "high"), "", (), (), (), None, None, None
)
HEAD = replace(MEMBER, user="", parent="root", qos=())
QUEUE_QOS = Qos(
    "jupyter",
    max_tres_per_job=(("cpu", 4), ("gres/gpu", 1)),
    max_tres_per_node=(("mem", 65_536),),
    max_tres_per_user=(("cpu", 6),),
    max_jobs_per_user=2,
    max_submit_per_user=3,
    max_time_s=4 * HOUR,
)


def seen(
    *qos: Qos,
    jobs: tuple[Job, ...] = (),
    known: tuple[Association, ...] = (MEMBER, HEAD),
    rules: QueueRules | None = None,
    max_time_s: int = 8 * HOUR,
) -> Queue:
    queues = [
        partition("jupyter", NODES, qos="jupyter", max_time_s=max_time_s),
        partition("cpu", NODES),
    ]
    scene = survey(NODES, queues, jobs, known, qos)
    given = {} if rules is None else {"jupyter": rules}
    found = queue_for(scene, "jupyter", "mia", "vision", given)
    assert found is not None
    return found


def runs(number: int, user: str = "mia", **about: object) -> Job:
    return job(number, user, "jupyter", "RUNNING", node_list="n1", **about)


def said(queue: Queue, shape: Shape, lifetime_s: int | None = HOUR) -> list[str]:
    return [str(one) for one in objections(queue, shape, lifetime_s)]


@pytest.mark.parametrize(
    ("shape", "lifetime_s", "words"),
    [
        (Shape(4, 65_536, 1), 4 * HOUR, []),
        (Shape(5), HOUR, ["This takes 5 CPUs, more than one job may have at all"]),
        (Shape(1, 70_000), HOUR, ["GB of memory, more than one job"]),
        (Shape(1, 1024, 2), HOUR, ["more than one job may have at all: 1 GPU"]),
        (Shape(), 5 * HOUR, ["may last 4 h at most; this asks for 5 h"]),
    ],
)
def test_the_queues_qos_bounds_one_job(
    shape: Shape, lifetime_s: int, words: list[str]
) -> None:
    told = said(seen(QUEUE_QOS), shape, lifetime_s)
    assert len(told) == len(words)
    assert all(word in one for one, word in zip(told, words, strict=True))


def test_without_the_qos_nothing_of_this_is_said() -> None:
    assert said(seen(), Shape(40, 192_000, 4), 8 * HOUR) == []


def test_the_form_offers_no_more_than_the_qos_allows() -> None:
    largest = seen(QUEUE_QOS).largest
    assert (largest.cpus, largest.memory_mb, largest.gpus) == (4, 65_536, {"v100": 1})
    assert seen(QUEUE_QOS).max_time_s == 4 * HOUR


def test_the_settings_may_narrow_it_further_and_never_widen_it() -> None:
    tight = seen(QUEUE_QOS, rules=QueueRules("jupyter", most_cpus=2, most_gpus=9))
    assert (tight.largest.cpus, tight.largest.gpus) == (2, {"v100": 1})


def test_what_one_person_takes_of_the_qos_counts_in_every_tenant() -> None:
    jobs = (runs(1, cpus=3), runs(2, account="nlp", cpus=2), runs(3, "max", cpus=9))
    queue = seen(QUEUE_QOS, jobs=jobs)
    [limit] = [x for x in queue.allowance.limits if x.scope is Scope.PERSON]
    assert limit == Limit("cpu", Scope.PERSON, 6, 5)
    told = [str(one) for one in cautions(queue, Shape(2))]
    assert any("Of 6 CPUs for you, still free: 1" in one for one in told), told
    assert any("Your running jobs here: 2" in one for one in told)


def test_jobs_that_wait_count_for_the_number_of_jobs() -> None:
    waits = [job(n, "mia", "jupyter", "PENDING") for n in (4, 5)]
    queue = seen(QUEUE_QOS, jobs=(runs(1), *waits))
    assert said(queue, Shape()) == [
        "Your jobs here, running and waiting: 3. Slurm takes at most 3. "
        "Wait for one to end, or cancel one."
    ]


def test_jobs_of_other_queues_do_not_count() -> None:
    elsewhere = job(9, "mia", "cpu", "RUNNING", cpus=6, node_list="n1")
    queue = seen(QUEUE_QOS, jobs=(elsewhere,))
    assert [x.used for x in queue.allowance.limits if x.scope is Scope.PERSON] == [0]
    assert cautions(queue, Shape(2)) == ()


def test_what_everybody_takes_together_is_told_so() -> None:
    together = Qos(
        "jupyter", grp_tres=(("cpu", 10),), max_tres_per_account=(("cpu", 8),)
    )
    queue = seen(together, jobs=(runs(1, "max", cpus=7), runs(2, "eva", cpus=2)))
    limits = {x.scope: x for x in queue.allowance.limits}
    assert limits[Scope.QOS] == Limit("cpu", Scope.QOS, 10, 9, "jupyter")
    assert limits[Scope.TENANT] == Limit("cpu", Scope.TENANT, 8, 9, "vision")
    [never] = said(queue, Shape(11))[:1]
    assert "tenant vision" in never
    assert any(
        "everybody in QOS jupyter together" in one for one in said(queue, Shape(11))
    )


def test_a_limit_of_a_qos_counts_before_that_of_an_association() -> None:
    """As the order of resource limits in Slurm's documents says: the first one set."""
    own = replace(
        MEMBER,
        max_tres_per_job=(("cpu", 2), ("mem", 1000)),
        grp_tres=(("cpu", 1),),
        max_jobs=1,
        max_time_s=HOUR,
    )
    both = replace(QUEUE_QOS, grp_tres=(("cpu", 30),))
    queue = seen(both, known=(own, HEAD))
    per_job = {
        x.resource: x.most for x in queue.allowance.limits if x.scope is Scope.JOB
    }
    assert per_job == {"cpu": 4, "mem": 1000, "gres/gpu": 1}
    assert queue.allowance.max_jobs == 2
    assert queue.max_time_s == 4 * HOUR
    assert said(queue, Shape(4, 1000), 4 * HOUR) == []


@pytest.mark.parametrize(("flags", "cpus"), [((), 4), (("OverPartQOS",), 8)])
def test_the_jobs_own_qos_counts_first_only_where_it_says_so(
    flags: tuple[str, ...], cpus: int
) -> None:
    own = Qos("normal", flags, max_tres_per_job=(("cpu", 8),))
    limits = seen(QUEUE_QOS, own).allowance.limits
    assert Limit("cpu", Scope.JOB, cpus) in limits


@pytest.mark.parametrize(
    ("flags", "hours"), [((), 4), (("OverPartQOS", "PartitionTimeLimit"), 10)]
)
def test_a_qos_may_allow_more_time_than_its_queue(
    flags: tuple[str, ...], hours: int
) -> None:
    own = Qos("normal", flags, max_time_s=10 * HOUR)
    assert seen(QUEUE_QOS, own).max_time_s == hours * HOUR


def test_the_queues_own_time_counts_where_the_qos_allows_more() -> None:
    longer = replace(QUEUE_QOS, max_time_s=48 * HOUR)
    assert seen(longer).max_time_s == 8 * HOUR


def test_a_waiting_job_beyond_its_own_qos_will_never_start() -> None:
    high = Qos("high", max_tres_per_user=(("cpu", 2),))
    waits = job(7, "mia", "cpu", "PENDING", cpus=4, qos="high")
    waits = replace(waits, reason="QOSMaxCpuPerUserLimit")
    queues = [partition("cpu", NODES)]
    scene = survey(NODES, queues, [waits], [MEMBER, HEAD], [high])
    found = explain(waits, scene)
    assert found is not None
    assert "never start" in str(found.hint)


def test_a_qos_that_limits_nothing_costs_nothing() -> None:
    queues = [partition("jupyter", NODES, qos="jupyter")]
    qos = [Qos("jupyter", ("DenyOnLimit",)), Qos("normal")]
    scene = survey(NODES, queues, [runs(1)], [MEMBER], qos)
    assert scene.accounts.qos.known == {}
