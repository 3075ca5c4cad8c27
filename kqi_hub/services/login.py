"""Log people in: throttle, then directory, then one-time code.

How to build on it, with the one `Desk` that bootstrap makes for a process:

    outcome = await login.attempt(desk, Attempt(name, password, code, address))

    Granted                log in `outcome.person.name` (the directory's spelling)
    EnrolFirst             ticket = login.ticket(desk, outcome); show the page made of
                           `enrolment.begin(desk, ticket)`; then `enrolment.confirm`
                           with the first code logs in and gives recovery codes
    ChangePasswordFirst    ticket likewise; then `passwords.forced_change`, whose
                           answer is Granted or EnrolFirst
    Refused                show one sentence, always the same ("Name, password or
                           code is wrong."); never show `reason`
    Wait                   "Try again in N seconds.", status 429 with Retry-After
    Unavailable            "The directory does not answer.", status 503

`attempt` takes its time on purpose: do not answer before it returns, and do not add
time of your own that depends on the outcome. Everything is audited here; a caller
that refuses for a reason of its own (such as terms of use) audits that itself.
The code field takes a recovery code as well. The address comes from
`domain.address.client_address`.
"""

import math
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.enrolment import Ticket
from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.login import (
    Attempt,
    ChangePasswordFirst,
    DirectoryAnswer,
    DirectoryVerdict,
    EnrolFirst,
    FactorMode,
    Outcome,
    Refused,
    Unavailable,
    Wait,
)
from kqi_hub.domain.names import typed_name
from kqi_hub.domain.throttle import global_delay_s, refusal_s
from kqi_hub.services.desk import Desk
from kqi_hub.services.factor import bare_code
from kqi_hub.services.gates import Place, QueueFull
from kqi_hub.services.settling import Caller, settle, write_down

ENROL: Final = "enrol"
CHANGE_PASSWORD: Final = "change-password"  # noqa: S105 - a stage, not a password
LONGEST_PASSWORD: Final = 1024
# One at a time for a person from one place; for strangers' places as many as the
# throttle forgives, so that a burst is held to the same limits as a trickle.
_PAIR_ROOM: Final = 1
_PERSON_ROOM: Final = 10
_ADDRESS_ROOM: Final = 20


@dataclass(frozen=True, slots=True)
class _Weather:
    """What the throttle says before an attempt is looked at."""

    wait: int
    delay: float
    known: bool


async def attempt(desk: Desk, tried: Attempt) -> Outcome:
    """Judge one login, audited; all refusals take the same time."""
    began = desk.clock.elapsed()
    outcome, delay = await _through_gates(desk, tried, Caller.of(tried))
    if isinstance(outcome, Refused):
        await _until_even(desk, began)
    if delay:
        await desk.clock.sleep(delay)
    return outcome


def ticket(desk: Desk, outcome: EnrolFirst | ChangePasswordFirst) -> str:
    """Return the proof with which the browser comes back for the next step."""
    name = outcome.person.name
    if isinstance(outcome, EnrolFirst):
        return desk.tickets.issue(Ticket(ENROL, name, secret=desk.codes.new_secret()))
    return desk.tickets.issue(Ticket(CHANGE_PASSWORD, name, outcome.factor))


async def _until_even(desk: Desk, began: float) -> None:
    """Wait for the next multiple of the failure time, so that nothing shows in it."""
    floor = desk.rules.failure_time_s
    passed = desk.clock.elapsed() - began
    await desk.clock.sleep(max(1, math.ceil(passed / floor)) * floor - passed)


async def _through_gates(
    desk: Desk, tried: Attempt, caller: Caller
) -> tuple[Outcome, float]:
    pair = Place(f"pair {caller.counted} {caller.place}", _PAIR_ROOM)
    person = Place(f"person {caller.counted}", _PERSON_ROOM)
    address = Place(f"address {caller.place}", _ADDRESS_ROOM)
    try:
        async with desk.gates.through([pair]):
            weather = await desk.off_loop(lambda: _weather(desk, caller))
            if weather.known or weather.wait:
                return await _judged(desk, tried, caller, weather)
            async with desk.gates.through([person, address]):
                weather = await desk.off_loop(lambda: _weather(desk, caller))
                return await _judged(desk, tried, caller, weather)
    except QueueFull:
        return Wait(1), 0.0


def _weather(desk: Desk, caller: Caller) -> _Weather:
    now = desk.clock.now()
    known = desk.throttle.is_known_address(caller.counted, caller.place, now)
    tallies = desk.throttle.tallies(caller.counted, caller.place)
    delay = global_delay_s(desk.throttle.failures_since(now - 60))
    return _Weather(refusal_s(tallies, known, now), delay, known)


async def _judged(
    desk: Desk, tried: Attempt, caller: Caller, weather: _Weather
) -> tuple[Outcome, float]:
    if weather.wait:
        await desk.off_loop(lambda: _note_wait(desk, caller, weather.wait))
        return Wait(weather.wait), 0.0
    try:
        answer = await _ask_directory(desk, tried)
    except DirectoryUnavailable as error:
        reason = str(error)
        await desk.off_loop(
            lambda: write_down(desk, caller, "unavailable", reason=reason)
        )
        return Unavailable(reason), 0.0
    outcome = await desk.off_loop(lambda: settle(desk, tried, caller, answer))
    return outcome, weather.delay


def _note_wait(desk: Desk, caller: Caller, wait: int) -> None:
    """Audit a throttled attempt, once a minute for each place: it may be a flood."""
    if desk.seldom.is_due(f"wait {caller.place}", desk.clock.now()):
        write_down(desk, caller, "throttled", wait_s=str(wait))


async def _ask_directory(desk: Desk, tried: Attempt) -> DirectoryAnswer:
    name = typed_name(tried.name)
    if name is None:
        return DirectoryAnswer(DirectoryVerdict.UNKNOWN)
    password = tried.password
    # An empty password is an anonymous bind, which succeeds: it never gets there.
    if not password or len(password) > LONGEST_PASSWORD or "\0" in password:
        return DirectoryAnswer(DirectoryVerdict.WRONG)
    if desk.rules.mode is FactorMode.DIRECTORY:
        password += bare_code(tried.code)
    return await desk.directory.check(name, password)
