"""Who somebody is: tenants and roles from groups and associations, read seldom."""

import asyncio
import time

import pytest

from kqi_hub.domain.cluster import Association
from kqi_hub.domain.errors import NotPermitted
from kqi_hub.domain.people import GroupRules, Membership, Role
from kqi_hub.services.people import People
from tests.fakes.people import FakeAssociations, association

RULES = GroupRules("kqi-users", "kqi-operators")
HELD = (
    association("mia", "vision"),
    association("", "vision"),
    association("", "idle"),
    association("root", "root"),
)


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("groups", "memberships"),
    [
        ((), (Membership("vision", Role.MEMBER),)),
        (("vision-managers",), (Membership("vision", Role.MANAGER),)),
        (
            ("idle",),
            (Membership("idle", Role.VIEWER), Membership("vision", Role.MEMBER)),
        ),
        (("no-account", "root"), (Membership("vision", Role.MEMBER),)),
    ],
)
async def test_roles_come_from_groups_and_associations(
    groups: tuple[str, ...], memberships: tuple[Membership, ...]
) -> None:
    people = People(FakeAssociations(HELD), RULES)
    who = await people.standing_of("mia", ("kqi-users", *groups))
    assert who.memberships == memberships


async def test_who_is_not_of_the_portals_group_is_refused() -> None:
    people = People(FakeAssociations(HELD), RULES)
    with pytest.raises(NotPermitted, match="kqi-users"):
        await people.standing_of("mia", ("vision",))


async def test_operators_are_known_by_their_group() -> None:
    people = People(FakeAssociations(()), RULES)
    who = await people.standing_of("rita", ("kqi-users", "kqi-operators"))
    assert (who.is_operator, who.memberships) == (True, ())


async def test_the_tenants_are_the_accounts_below_slurms_root() -> None:
    assert await People(FakeAssociations(HELD), RULES).tenants() == {"vision", "idle"}


async def test_associations_are_read_again_when_they_are_old() -> None:
    store, clock = FakeAssociations(HELD), Clock()
    people = People(store, RULES, max_age_s=15, clock=clock)
    await people.tenants()
    clock.now = 15
    await people.tenants()
    assert store.readings == 1
    store.held = ()
    clock.now = 15.1
    assert await people.tenants() == frozenset()


class SlowAssociations(FakeAssociations):
    """Takes its time, as a database does."""

    def associations(self) -> tuple[Association, ...]:
        time.sleep(0.05)
        return super().associations()


async def test_many_who_ask_at_once_share_one_reading() -> None:
    store = SlowAssociations(HELD)
    people = People(store, RULES)
    await asyncio.gather(*(people.tenants() for _ in range(50)))
    assert store.readings == 1


async def test_a_reading_that_failed_is_tried_again() -> None:
    class Flaky(FakeAssociations):
        def associations(self) -> tuple[Association, ...]:
            self.readings += 1
            if self.readings == 1:
                raise OSError("gone")
            return HELD

    people = People(Flaky(), RULES)
    with pytest.raises(OSError, match="gone"):
        await people.tenants()
    assert await people.tenants() == {"vision", "idle"}
