"""Gates, seldom said things, terms of use and reports."""

import asyncio

import pytest

from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.terms import Acceptance, Terms
from kqi_hub.services import terms as terms_service
from kqi_hub.services.gates import LONGEST_QUEUE, Gates, Place, QueueFull
from kqi_hub.services.seldom import Seldom
from tests.fakes.login import FakeAuditLog

HOME = "192.0.2.10"


class FakeTermsStore:
    def __init__(self) -> None:
        self.kept: list[Acceptance] = []

    def accept(self, acceptance: Acceptance) -> None:
        self.kept.append(acceptance)

    def accepted(self, person: str) -> tuple[Acceptance, ...]:
        return tuple(one for one in self.kept if one.person == person)


async def test_no_more_go_through_a_gate_than_there_is_room() -> None:
    gates, inside, most = Gates(), 0, 0

    async def go(places: list[Place]) -> None:
        nonlocal inside, most
        async with gates.through(places):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(go([Place("a", 3), Place(f"b{n}", 1)]) for n in range(50)))
    assert most == 3


async def test_a_gate_that_nobody_uses_is_forgotten() -> None:
    gates = Gates()
    async with gates.through([Place("a", 1)]):
        pass
    with pytest.raises(ZeroDivisionError):
        async with gates.through([Place("b", 1)]):
            raise ZeroDivisionError
    assert gates == Gates()


async def test_who_gives_up_waiting_leaves_no_trace() -> None:
    gates = Gates()

    async def go() -> None:
        async with gates.through([Place("a", 1)]):
            await asyncio.sleep(10)

    tasks = [asyncio.create_task(go()) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert gates == Gates()


async def test_a_queue_that_is_too_long_turns_people_away() -> None:
    gates, turned_away = Gates(), 0

    async def go() -> None:
        nonlocal turned_away
        try:
            async with gates.through([Place("a", 1)]):
                await asyncio.sleep(0)
        except QueueFull:
            turned_away += 1

    await asyncio.gather(*(go() for _ in range(LONGEST_QUEUE + 11)))
    assert turned_away == 10
    assert gates == Gates()


def test_the_same_thing_is_said_once_in_a_while() -> None:
    seldom = Seldom(every_s=60)
    said = [seldom.is_due("a", now) for now in (0.0, 1.0, 59.9, 60.0, 61.0, 120.0)]
    assert said == [True, False, False, True, False, True]
    assert seldom.is_due("b", 1.0)
    # A clock that was set back does not silence it for ever.
    assert seldom.is_due("a", 5.0)


def test_what_is_remembered_stays_small() -> None:
    seldom = Seldom()
    for number in range(10_000):
        seldom.is_due(str(number), 0.0)
    assert seldom.is_due("0", 1.0)
    assert not seldom.is_due("9999", 1.0)


def test_terms_are_accepted_once_for_each_version() -> None:
    store, audit = FakeTermsStore(), FakeAuditLog()
    first, second = Terms("1", "Be kind."), Terms("2", "Be kinder.")
    assert not terms_service.must_accept(store, None, "alice")
    assert terms_service.must_accept(store, first, "alice")
    terms_service.accept(store, audit, first, Acceptance("alice", "1", 5.0, HOME))
    assert not terms_service.must_accept(store, first, "alice")
    assert terms_service.must_accept(store, second, "alice")
    assert terms_service.must_accept(store, first, "bob")
    event = audit.events[0]
    assert (event.actor, event.action, event.target) == ("alice", "terms-accepted", "1")
    assert (event.at, event.address) == (5.0, HOME)


def test_who_read_old_terms_reads_the_new_ones() -> None:
    store, audit = FakeTermsStore(), FakeAuditLog()
    with pytest.raises(Conflict):
        terms_service.accept(
            store, audit, Terms("2", "x"), Acceptance("alice", "1", 5.0, HOME)
        )
    assert store.kept == []
    assert audit.events == []
