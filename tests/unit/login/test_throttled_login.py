"""Guessing is slowed down as documented, and its victims still get in."""

import asyncio
import itertools

import pytest

from kqi_hub.domain.login import Attempt, Granted, Refused, Wait
from kqi_hub.domain.throttle import GLOBAL_DELAY_S
from kqi_hub.services import login
from kqi_hub.services.gates import LONGEST_QUEUE
from tests.fakes.login import FakeDesk

HOME, ELSEWHERE = "192.0.2.10", "203.0.113.5"


@pytest.fixture
def desk() -> FakeDesk:
    made = FakeDesk()
    for number in range(40):
        made.directory.add(f"person{number}", uid=20001 + number)
        made.enrol(f"person{number}")
    return made


async def guess(desk: FakeDesk, name: str, address: str) -> type:
    return type(await login.attempt(desk.desk, Attempt(name, "wrong", "", address)))


async def log_in(desk: FakeDesk, name: str, address: str) -> type:
    sent = Attempt(name, "right", desk.code(name), address)
    return type(await login.attempt(desk.desk, sent))


async def test_five_failures_are_free_and_then_the_wait_doubles(desk: FakeDesk) -> None:
    waits = []
    for _ in range(12):
        # One second later: what is looked at takes that long.
        outcome = await login.attempt(
            desk.desk, Attempt("person0", "wrong", "", ELSEWHERE)
        )
        if isinstance(outcome, Wait):
            waits.append(outcome.seconds)
            desk.clock.time += outcome.seconds
    assert len(desk.directory.asked) == 12 - len(waits)
    assert waits == sorted(waits)
    assert waits[:3] == [1, 3, 7]


async def test_wrong_codes_count_like_wrong_passwords(desk: FakeDesk) -> None:
    kinds = []
    for _ in range(8):
        outcome = await login.attempt(
            desk.desk, Attempt("person0", "right", "000000", ELSEWHERE)
        )
        kinds.append(type(outcome))
    assert kinds == [Refused] * 7 + [Wait]


async def test_a_thousand_guesses_over_people_and_addresses(desk: FakeDesk) -> None:
    """Spray 1,000 wrong attempts; then everybody gets in from where they always do."""
    for number in range(40):
        assert await log_in(desk, f"person{number}", f"192.0.2.{number}") is Granted
    asked = len(desk.directory.asked)
    began = desk.clock.now()
    kinds = []
    sources = itertools.cycle(f"203.0.113.{n}" for n in range(10))
    for number, address in zip(range(1000), sources, strict=False):
        kinds.append(await guess(desk, f"person{number % 40}", address))
    looked_at = len(desk.directory.asked) - asked
    assert looked_at == kinds.count(Refused)
    assert set(kinds) == {Refused, Wait}
    # Ten addresses have 20 free failures each, forty people 10: what is looked at
    # beyond that has waited for its turn.
    minutes = (desk.clock.now() - began) / 60
    assert looked_at < 10 * 20 + 40 * (minutes + 1)
    assert kinds.count(Wait) > 400
    # The right person with the right code, from the known address: at once.
    desk.clock.time += 30
    for number in range(40):
        assert await log_in(desk, f"person{number}", f"192.0.2.{number}") is Granted


async def test_guessing_at_a_name_from_elsewhere_does_not_lock_its_owner_out(
    desk: FakeDesk,
) -> None:
    await log_in(desk, "person0", HOME)
    for number in range(200):
        await guess(desk, "person0", f"203.0.113.{number}")
    desk.clock.time += 30
    assert await log_in(desk, "person0", HOME) is Granted


async def test_an_owner_at_a_new_place_waits_a_minute_at_most(desk: FakeDesk) -> None:
    for number in range(200):
        await guess(desk, "person0", f"203.0.113.{number}")
    sent = Attempt("person0", "right", desk.code("person0"), HOME)
    outcome = await login.attempt(desk.desk, sent)
    assert isinstance(outcome, Wait)
    assert outcome.seconds <= 60
    desk.clock.time += outcome.seconds
    assert await log_in(desk, "person0", HOME) is Granted


async def test_nobody_is_kept_out_for_ever(desk: FakeDesk) -> None:
    for _ in range(100):
        await guess(desk, "person0", HOME)
    desk.clock.time += 900
    assert await guess(desk, "person0", HOME) is Refused
    assert await log_in(desk, "person0", HOME) is Granted


async def test_names_that_do_not_exist_are_throttled_the_same(desk: FakeDesk) -> None:
    fresh = FakeDesk()
    fresh.directory.add("exists")
    fresh.enrol("exists")
    seen = {}
    for name, address in (("exists", "198.51.100.1"), ("does-not", "198.51.100.2")):
        seen[name] = [await guess(fresh, name, address) for _ in range(12)]
    assert seen["exists"] == seen["does-not"]


async def test_spellings_of_a_name_are_one_name(desk: FakeDesk) -> None:
    spellings = ("person0", "Person0", "PERSON0", " person0", "pErSoN0", "person0 ")
    for name in (*spellings, "persoN0"):
        await guess(desk, name, ELSEWHERE)
    assert await guess(desk, "perSON0", ELSEWHERE) is Wait


async def test_addresses_of_one_ipv6_network_are_one_place(desk: FakeDesk) -> None:
    for number in range(25):
        await guess(desk, f"nobody{number}", f"2001:db8::{number:x}")
    assert await guess(desk, "person1", "2001:db8::ffff") is Wait
    assert await guess(desk, "person1", "2001:db8:0:1::1") is Refused


async def test_a_burst_is_held_to_the_same_limits_as_a_trickle(desk: FakeDesk) -> None:
    """A thousand guesses at the same moment: only as many are looked at as are free."""
    desk.directory.takes_s = 0.01
    kinds = await asyncio.gather(*(guess(desk, "person0", HOME) for _ in range(1000)))
    assert kinds.count(Refused) <= 8
    assert len(desk.directory.asked) == kinds.count(Refused)
    assert kinds.count(Wait) == 1000 - kinds.count(Refused)
    assert desk.directory.most_at_once == 1


async def test_a_burst_at_one_name_from_many_places_is_held_too(desk: FakeDesk) -> None:
    desk.directory.takes_s = 0.01
    places = [f"198.51.{n // 250}.{n % 250}" for n in range(LONGEST_QUEUE)]
    kinds = await asyncio.gather(*(guess(desk, "person0", at) for at in places))
    assert desk.directory.most_at_once <= 10
    assert kinds.count(Refused) <= 21


async def test_a_burst_at_many_names_from_one_place_is_held_too(desk: FakeDesk) -> None:
    desk.directory.takes_s = 0.01
    kinds = await asyncio.gather(*(guess(desk, f"n{n}", HOME) for n in range(150)))
    assert desk.directory.most_at_once <= 20
    assert kinds.count(Refused) <= 41


async def test_a_class_that_logs_in_together_from_one_address_gets_in(
    desk: FakeDesk,
) -> None:
    desk.directory.takes_s = 0.01
    kinds = await asyncio.gather(
        *(log_in(desk, f"person{n}", ELSEWHERE) for n in range(40))
    )
    assert kinds == [Granted] * 40


async def test_under_attack_everybody_is_slowed_down_and_nobody_refused(
    desk: FakeDesk,
) -> None:
    began = desk.clock.now()
    assert await log_in(desk, "person0", HOME) is Granted
    quick = desk.clock.now() - began
    now = desk.clock.now()
    desk.throttle.failures += [now] * 61
    assert await log_in(desk, "person1", HOME) is Granted
    assert quick == 0
    assert desk.clock.now() - now == pytest.approx(GLOBAL_DELAY_S)


async def test_a_login_forgets_the_failures_before_it(desk: FakeDesk) -> None:
    for _ in range(4):
        await guess(desk, "person0", HOME)
    await log_in(desk, "person0", HOME)
    kinds = [await guess(desk, "person0", HOME) for _ in range(5)]
    assert kinds == [Refused] * 5
