"""Who sees whose use, and what of it."""

from dataclasses import replace

import pytest

from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound, NotPermitted
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.domain.usage import Group, IntakeState
from kqi_hub.services.tenant_rights import Asker
from kqi_hub.services.usage import Asked, Of, RunsWanted, Usage
from tests.fakes.usage import HOUR, FakeUse, record
from tests.fakes.usage_life import furnish

NOW = 1_795_000_000.0
VISION = Asked(Of.TENANT, "vision")
NLP = Asked(Of.TENANT, "nlp")
CLUSTER = Asked(Of.CLUSTER)


def asker(person: str, *roles: tuple[str, Role], operates: bool = False) -> Asker:
    memberships = tuple(Membership(tenant, role) for tenant, role in roles)
    return Asker(Standing(person, memberships, operates))


VICTOR = asker("victor", ("vision", Role.VIEWER))
MIA = asker("mia", ("vision", Role.MEMBER), ("nlp", Role.MEMBER))
MAX = asker("max", ("vision", Role.MANAGER))
RITA = asker("rita", operates=True)
MALLORY = asker("mallory", ("nlp", Role.MEMBER))


@pytest.fixture
def use() -> FakeUse:
    made = FakeUse()
    furnish(made, NOW)
    return made


@pytest.fixture
def usage(use: FakeUse) -> Usage:
    return use.usage()


async def spent(usage: Usage, who: Asker, asked: Asked) -> int:
    days = usage.read_days("12-months")
    [table] = await usage.tables(who, asked, days, [Group.PERSON])
    return table.total.amount


@pytest.mark.parametrize(
    ("who", "asked", "error"),
    [
        (VICTOR, VISION, NotPermitted),
        (MIA, VISION, NotPermitted),
        (MALLORY, VISION, NotFound),
        (MAX, NLP, NotFound),
        (MAX, CLUSTER, NotPermitted),
        (MIA, CLUSTER, NotPermitted),
        (MIA, Asked(Of.TENANT), InvalidInput),
        (MIA, Asked(person="max"), InvalidInput),
        (MALLORY, Asked(tenant="vision"), NotFound),
        (MIA, Asked(tenant="no-such"), NotFound),
    ],
)
async def test_others_money_is_refused_by_every_question(
    usage: Usage, who: Asker, asked: Asked, error: type[KqiError]
) -> None:
    days = usage.read_days("this-month")
    with pytest.raises(error):
        await usage.tables(who, asked, days, [Group.DAY])
    with pytest.raises(error):
        await usage.runs(who, asked, days, RunsWanted())
    with pytest.raises(error):
        await usage.all_runs(who, asked, days, RunsWanted())


async def test_people_see_their_own_managers_their_tenant_operators_all(
    usage: Usage,
) -> None:
    mine, max_own = [await spent(usage, one, Asked()) for one in (MIA, MAX)]
    vision = await spent(usage, MAX, VISION)
    assert vision == mine + max_own
    everything = await spent(usage, RITA, CLUSTER)
    assert everything == vision + await spent(usage, RITA, NLP)
    assert await spent(usage, RITA, Asked(Of.CLUSTER, "vision")) == vision
    assert await spent(usage, VICTOR, Asked()) == 0


async def test_a_run_of_others_is_not_there_but_for_their_manager(
    usage: Usage,
) -> None:
    for who in (MIA, MAX, RITA):
        run, lines = await usage.run(who, 2)
        assert run.record.user == "mia"
        assert run.amount == sum(line.amount for line in lines)
    for who in (VICTOR, MALLORY):
        with pytest.raises(NotFound):
            await usage.run(who, 2)
    with pytest.raises(NotFound):
        await usage.run(RITA, 10**9)


async def test_days_are_told_one_by_one_for_a_year_at_most(usage: Usage) -> None:
    days = usage.read_days("2-months", "2020-01-01")
    with pytest.raises(InvalidInput, match="too many"):
        await usage.tables(MIA, Asked(), days, [Group.DAY])
    assert await usage.tables(MIA, Asked(), days, [Group.MONTH])


async def test_a_file_has_all_runs_or_none(use: FakeUse, usage: Usage) -> None:
    days = usage.read_days("12-months")
    runs = await usage.all_runs(MIA, Asked(), days, RunsWanted())
    assert len(runs) == sum(run.record.user == "mia" for run in use.known.values())
    just = replace(usage, most_runs=len(runs))
    assert await just.all_runs(MIA, Asked(), days, RunsWanted()) == runs
    less = replace(usage, most_runs=len(runs) - 1)
    with pytest.raises(InvalidInput, match="too many"):
        await less.all_runs(MIA, Asked(), days, RunsWanted())


async def test_a_job_that_slurm_does_not_know_any_more_is_told_to_operators(
    usage: Usage,
) -> None:
    assert [run.record.job_id for run in await usage.runaways(RITA, ())] == [72]
    assert await usage.runaways(RITA, {72}) == ()
    with pytest.raises(NotPermitted):
        await usage.runaways(MAX, ())


async def test_a_job_that_has_just_begun_is_no_runaway(use: FakeUse) -> None:
    use.add(record(99, "mia", "vision", "cpu", int(NOW) - HOUR + 5, 0, ended_at=None))
    found = await use.usage().runaways(RITA, {72})
    assert found == ()


async def test_capacity_ends_now(usage: Usage) -> None:
    today = usage.read_days("1-day")
    tomorrow = usage.read_days("", "2026-11-19", "2026-11-19")
    now, later = await usage.capacity([today, tomorrow])
    assert now.node_s == 4 * (int(NOW) - usage.begins(today))
    assert later.node_s == 0


@pytest.mark.parametrize(
    ("state", "is_filling", "share"),
    [
        (IntakeState(), False, None),
        (IntakeState(1000, 0, None), True, None),
        (IntakeState(1000, 0, 750), True, 0.25),
        (IntakeState(1000, 0, 0), False, 1.0),
        (IntakeState(1000, 1000, 1000), False, 1.0),
    ],
)
def test_progress_of_the_history_is_told(
    state: IntakeState, is_filling: bool, share: float | None
) -> None:
    assert (state.is_filling, state.share) == (is_filling, share)
