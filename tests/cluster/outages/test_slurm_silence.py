"""What the adapter says of a Slurm that hangs or is dead, and what it then did."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest

from kqi_hub.domain.errors import ClusterError, ClusterTimedOut, ClusterUnreachable
from kqi_hub.domain.ports import BatchScript
from tests.cluster.slurm_lab import only_inside, open_cluster, open_lab, service
from tests.contract.cluster_contract import Lab

pytestmark = only_inside

# Slurm's own programs give up after 9 s (dead) or 10 s (hanging, MessageTimeout); those
# that try twice (squeue --user) are ended by us.
PATIENCE_S = 15


@dataclass(frozen=True)
class Silence:
    """What came in place of answers, while the controller said nothing."""

    errors: Mapping[str, ClusterError]
    took_s: float
    script: BatchScript
    held_job: int


@pytest.fixture(scope="module")
def hanging() -> Silence:
    """Ask everything of a controller that hangs."""
    return asyncio.run(ask_in_silence("pause", "resume"))


@pytest.fixture(scope="module")
def dead() -> Silence:
    """Ask everything while there is no controller."""
    return asyncio.run(ask_in_silence("stop", "start"))


async def ask_in_silence(before: str, after: str) -> Silence:
    lab = open_lab()
    cluster, alice = lab.cluster, lab.person
    job_id = await cluster.submit(alice, lab.script("sleep 60", "--hold"))
    script = lab.script("sleep 60", "--hold")
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "jobs": cluster.jobs,
        "nodes": cluster.nodes,
        "partitions": cluster.partitions,
        "find": lambda: cluster.find(alice, "no-such-name", 0),
        "submit": lambda: cluster.submit(alice, script),
        "hold": lambda: cluster.hold(alice, job_id),
        "cancel": lambda: cluster.cancel(alice, [job_id]),
        "set_time_limit": lambda: cluster.set_time_limit(alice, job_id, 60),
    }
    with service("slurmctld", before, after):
        began = time.monotonic()
        errors = await asyncio.gather(*(error_of(ask()) for ask in asked.values()))
        took_s = time.monotonic() - began
    await answers_again(cluster.jobs)
    return Silence(dict(zip(asked, errors, strict=True)), took_s, script, job_id)


async def error_of(answer: Awaitable[object]) -> ClusterError:
    """Return the error that comes in place of an answer."""
    with pytest.raises(ClusterError) as caught:
        await answer
    return caught.value


async def answers_again(ask: Callable[[], Awaitable[object]]) -> None:
    for _ in range(60):
        try:
            await ask()
        except ClusterError:
            await asyncio.sleep(0.5)
        else:
            return
    raise AssertionError("Slurm did not come back")


async def found(lab: Lab, script: BatchScript) -> tuple[int, ...]:
    return await lab.cluster.find(lab.person, script.name, time.time() - 3600)


def test_a_hanging_controller_times_out_whatever_is_asked(hanging: Silence) -> None:
    kinds = {asked: type(error) for asked, error in hanging.errors.items()}
    assert kinds == dict.fromkeys(hanging.errors, ClusterTimedOut)
    assert hanging.took_s < PATIENCE_S + 2


def test_what_timed_out_may_have_been_done(hanging: Silence) -> None:
    for deed in ("submit", "hold", "cancel", "set_time_limit"):
        assert "may have been done" in hanging.errors[deed].hint


async def test_a_submission_that_timed_out_exists_and_is_found_by_its_name(
    hanging: Silence,
) -> None:
    """It did exist in every trial: so it is looked up, never simply repeated."""
    lab = open_lab()

    async def look() -> tuple[int, ...] | None:
        return await found(lab, hanging.script) or None

    (job_id,) = await lab.eventually(look, "the job was not found")
    await lab.cluster.cancel(lab.person, [job_id, hanging.held_job])


def test_a_dead_controller_is_unreachable_for_every_question(dead: Silence) -> None:
    for asked in ("jobs", "nodes", "partitions", "submit", "cancel"):
        assert type(dead.errors[asked]) is ClusterUnreachable
        assert dead.errors[asked].hint
    assert isinstance(dead.errors["find"], ClusterTimedOut | ClusterUnreachable)
    assert dead.took_s < PATIENCE_S + 2


def test_what_scontrol_says_of_a_dead_controller_is_taken_as_uncertain(
    dead: Silence,
) -> None:
    """It says the same of one that hangs, and that one may have obeyed."""
    for deed in ("hold", "set_time_limit"):
        assert type(dead.errors[deed]) is ClusterTimedOut


async def test_nothing_was_submitted_to_a_dead_controller(dead: Silence) -> None:
    lab = open_lab()
    assert await found(lab, dead.script) == ()
    await lab.cluster.cancel(lab.person, [dead.held_job])


async def test_a_short_patience_is_kept_to_while_the_controller_hangs() -> None:
    cluster = open_cluster(timeout_s=1.0)
    with service("slurmctld", "pause", "resume"):
        began = time.monotonic()
        assert isinstance(await error_of(cluster.jobs()), ClusterTimedOut)
        assert time.monotonic() - began < 2.5
    await answers_again(cluster.jobs)


async def test_a_dead_database_stops_accounting_and_nothing_else() -> None:
    lab = open_lab()
    script = lab.script("sleep 60", "--hold")
    with service("slurmdbd", "stop", "start"):
        job_id = await lab.cluster.submit(lab.person, script)
        assert (await lab.job(job_id)).name == script.name
        assert await found(lab, script) == (job_id,)
        for answer in (
            lab.cluster.ended([job_id]),
            lab.cluster.associations(),
            lab.cluster.find(lab.person, "no-such-name", 0),
        ):
            assert isinstance(await error_of(answer), ClusterUnreachable)
        await lab.cluster.cancel(lab.person, [job_id])
    await answers_again(lambda: lab.cluster.ended([job_id]))


async def test_a_hanging_database_times_out() -> None:
    cluster = open_cluster(timeout_s=3.0)
    with service("slurmdbd", "pause", "resume"):
        began = time.monotonic()
        assert isinstance(await error_of(cluster.ended([1])), ClusterTimedOut)
        assert time.monotonic() - began < 5
    await answers_again(lambda: cluster.ended([1]))
