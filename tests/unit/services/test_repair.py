"""services/repair: what disagrees is named, and nothing that runs is ended unasked."""

import pytest

from kqi_hub.domain.job import EndedJob
from kqi_hub.domain.notebooks import Cause
from kqi_hub.services.repair import Kind, Sources, find_strays, repair
from tests.fakes.sessions import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab()


def sources(lab: Lab) -> Sources:
    return Sources(lab.store, lab.snapshot, lab.slurm, lab.slurm)


async def test_where_all_agrees_nothing_is_found(lab: Lab) -> None:
    session = lab.ask()
    lab.store.submitted(session.id, 101, lab.now)
    lab.look(lab.job(session))
    assert await find_strays(sources(lab)) == ()


async def test_a_job_that_was_never_noted_is_noted(lab: Lab) -> None:
    session = lab.ask()
    lab.slurm.found[session.job_name] = 77
    [found] = await find_strays(sources(lab))
    assert (found.kind, found.job_id) == (Kind.UNNOTED, 77)
    assert lab.last.job_id is None
    await repair(sources(lab), found, lab.now)
    assert lab.last.job_id == 77


async def test_a_wish_that_the_portal_will_repeat_is_left_to_it(lab: Lab) -> None:
    lab.ask()
    assert await find_strays(sources(lab)) == ()


async def test_a_stop_of_what_slurm_never_had_is_noted(lab: Lab) -> None:
    session = lab.ask()
    lab.store.stopping(session.id, Cause.STOPPED, lab.now)
    [found] = await find_strays(sources(lab))
    await repair(sources(lab), found, lab.now)
    assert (found.kind, lab.last.cause) == (Kind.NEVER_SUBMITTED, Cause.STOPPED)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("COMPLETED", Cause.FINISHED),
        ("TIMEOUT", Cause.LIFETIME),
        ("OUT_OF_MEMORY", Cause.OUT_OF_MEMORY),
        ("NODE_FAIL", Cause.NODE_FAILED),
        ("CANCELLED", Cause.KILLED),
        ("FAILED", Cause.FAILED),
    ],
)
async def test_an_end_that_accounting_knows_is_noted_with_its_cause(
    lab: Lab, state: str, cause: Cause
) -> None:
    session = lab.ask()
    lab.store.submitted(session.id, 101, lab.now)
    ended_at = int(lab.now) + 60
    lab.slurm.records[101] = EndedJob(
        *(101, state, int(lab.now), ended_at, 1, 0), session.job_name
    )
    [found] = await find_strays(sources(lab))
    await repair(sources(lab), found, lab.now)
    assert (found.kind, lab.last.cause) == (Kind.OVER, cause)


async def test_a_job_that_accounting_says_nothing_of_goes_on(lab: Lab) -> None:
    session = lab.ask()
    lab.store.submitted(session.id, 101, lab.now)
    assert await find_strays(sources(lab)) == ()


async def test_a_record_of_an_older_job_of_the_number_is_no_end(lab: Lab) -> None:
    session = lab.ask()
    lab.store.submitted(session.id, 101, lab.now)
    long_ago = int(lab.now) - 86_400
    end = EndedJob(101, "COMPLETED", long_ago, long_ago, 0, 0, session.job_name)
    lab.slurm.records[101] = end
    assert await find_strays(sources(lab)) == ()


async def test_a_record_of_another_job_of_the_number_is_no_end(lab: Lab) -> None:
    session = lab.ask()
    lab.store.submitted(session.id, 101, lab.now)
    at = int(lab.now) + 60
    lab.slurm.records[101] = EndedJob(101, "COMPLETED", at, at, 0, 0, "of-another")
    assert await find_strays(sources(lab)) == ()


async def test_a_job_without_a_session_is_named_and_left_alone(lab: Lab) -> None:
    session = lab.ask()
    lab.look(lab.job(session))
    lab.store.kept.clear()
    [found] = await find_strays(sources(lab))
    assert (found.kind, found.job_id, found.deed) == (Kind.STRAY, 101, "")
    assert lab.slurm.cancelled == []
    await repair(sources(lab), found, lab.now)  # which its caller asked for
    assert lab.slurm.cancelled == [101]


async def test_other_peoples_jobs_of_like_names_are_no_notebooks(lab: Lab) -> None:
    session = lab.ask()
    lab.store.kept.clear()
    for number, name in enumerate(("nb-12-short", "xnb-1-" + "a" * 26, "nb-12")):
        job = lab.job(session, number=200 + number)
        lab.snapshot.known[job.job_id] = type(job)(
            **{**{n: getattr(job, n) for n in type(job).__slots__}, "name": name}
        )
    assert await find_strays(sources(lab)) == ()
