"""Setting up, replacing and taking away the second factor; forced password changes."""

import asyncio

import pytest

from kqi_hub.domain.enrolment import Ticket
from kqi_hub.domain.errors import (
    Conflict,
    DirectoryUnavailable,
    InvalidInput,
    KqiError,
    NotPermitted,
    TooManyAttempts,
    WrongPassword,
)
from kqi_hub.domain.login import (
    Attempt,
    ChangePasswordFirst,
    DirectoryVerdict,
    EnrolFirst,
    FactorMode,
    Granted,
)
from kqi_hub.services import enrolment, login, passwords
from kqi_hub.services.proving import Who
from tests.fakes.login import FakeCodes, FakeDesk

HOME = "192.0.2.10"
ALICE = Who("alice", HOME)


@pytest.fixture
def desk() -> FakeDesk:
    made = FakeDesk()
    made.directory.add("alice")
    made.enrol("alice")
    made.directory.add("dave", uid=20004)
    return made


async def ticket_of(desk: FakeDesk, name: str, code: str = "") -> str:
    outcome = await login.attempt(desk.desk, Attempt(name, "right", code, HOME))
    assert isinstance(outcome, EnrolFirst | ChangePasswordFirst)
    return login.ticket(desk.desk, outcome)


def first_code(desk: FakeDesk, key: str) -> str:
    return desk.codes.at(key, int(desk.clock.now() // FakeCodes.STEP_S))


async def test_the_first_code_of_the_shown_key_enrols_and_logs_in(
    desk: FakeDesk,
) -> None:
    ticket = await ticket_of(desk, "dave")
    shown = await enrolment.begin(desk.desk, ticket)
    done = await enrolment.confirm(desk.desk, ticket, first_code(desk, shown.key), HOME)
    assert done.granted.person.name == "dave"
    assert (done.granted.factor, len(done.recovery_codes)) == ("code", 10)
    assert [event.action for event in desk.audit.events[-2:]] == [
        "factor-set-up",
        "login",
    ]
    assert ("dave", HOME) in desk.throttle.known
    assert done.recovery_codes[0] not in repr(done)


async def test_a_reloaded_page_shows_the_same_key(desk: FakeDesk) -> None:
    ticket = await ticket_of(desk, "dave")
    assert await enrolment.begin(desk.desk, ticket) == await enrolment.begin(
        desk.desk, ticket
    )


async def test_another_login_shows_another_key(desk: FakeDesk) -> None:
    # Who knows the password and looks at the page has seen no key but his own.
    first = await enrolment.begin(desk.desk, await ticket_of(desk, "dave"))
    second = await enrolment.begin(desk.desk, await ticket_of(desk, "dave"))
    assert first.key != second.key


async def test_the_code_that_enrolled_does_not_log_in_again(desk: FakeDesk) -> None:
    ticket = await ticket_of(desk, "dave")
    shown = await enrolment.begin(desk.desk, ticket)
    code = first_code(desk, shown.key)
    await enrolment.confirm(desk.desk, ticket, code, HOME)
    again = await login.attempt(desk.desk, Attempt("dave", "right", code, HOME))
    assert not isinstance(again, Granted)


@pytest.mark.parametrize("code", ["", "000000", "abc", "1" * 10_000, "\0"])
async def test_a_wrong_first_code_changes_nothing(desk: FakeDesk, code: str) -> None:
    ticket = await ticket_of(desk, "dave")
    with pytest.raises(InvalidInput):
        await enrolment.confirm(desk.desk, ticket, code, HOME)
    assert not desk.factors.has_factor("dave")


@pytest.mark.parametrize("text", ["", "ticket-99", "\0", "x" * 100_000])
async def test_a_ticket_that_is_none_leads_nowhere(desk: FakeDesk, text: str) -> None:
    for asked in (
        enrolment.begin(desk.desk, text),
        enrolment.confirm(desk.desk, text, "000000", HOME),
        passwords.forced_change(desk.desk, text, "right", "new-right", HOME),
    ):
        with pytest.raises(NotPermitted):
            await asked


async def test_a_ticket_of_one_step_does_not_open_the_other(desk: FakeDesk) -> None:
    enrol = await ticket_of(desk, "dave")
    desk.directory.accounts["alice"].verdict = DirectoryVerdict.MUST_CHANGE
    change = await ticket_of(desk, "alice", desk.code("alice"))
    with pytest.raises(NotPermitted):
        await enrolment.begin(desk.desk, change)
    with pytest.raises(NotPermitted):
        await passwords.forced_change(desk.desk, enrol, "right", "new-right", HOME)


async def test_of_two_who_enrol_at_once_one_does(desk: FakeDesk) -> None:
    tickets = [await ticket_of(desk, "dave") for _ in range(5)]
    keys = [(await enrolment.begin(desk.desk, one)).key for one in tickets]
    done = await asyncio.gather(
        *(
            enrolment.confirm(desk.desk, ticket, first_code(desk, key), HOME)
            for ticket, key in zip(tickets, keys, strict=True)
        ),
        return_exceptions=True,
    )
    assert [isinstance(one, Conflict) for one in done].count(False) == 1
    with pytest.raises(Conflict):
        await enrolment.begin(desk.desk, tickets[0])


async def test_who_was_disabled_meanwhile_does_not_enrol(desk: FakeDesk) -> None:
    ticket = await ticket_of(desk, "dave")
    shown = await enrolment.begin(desk.desk, ticket)
    desk.directory.accounts["dave"].verdict = DirectoryVerdict.DISABLED
    with pytest.raises(NotPermitted):
        await enrolment.confirm(desk.desk, ticket, first_code(desk, shown.key), HOME)


async def test_a_directory_that_is_down_uses_up_nothing(desk: FakeDesk) -> None:
    ticket = await ticket_of(desk, "dave")
    shown = await enrolment.begin(desk.desk, ticket)
    desk.directory.down = True
    code = first_code(desk, shown.key)
    with pytest.raises(DirectoryUnavailable):
        await enrolment.confirm(desk.desk, ticket, code, HOME)
    desk.directory.down = False
    done = await enrolment.confirm(desk.desk, ticket, code, HOME)
    assert isinstance(done.granted, Granted)


async def test_a_replaced_device_ends_the_old_one(desk: FakeDesk) -> None:
    old = desk.factors.factors["alice"].secret
    ticket = await enrolment.replacement_ticket(desk.desk, ALICE, desk.code("alice"))
    shown = await enrolment.begin(desk.desk, ticket)
    assert desk.factors.factors["alice"].secret == old
    await enrolment.replace(desk.desk, ticket, first_code(desk, shown.key), ALICE)
    assert desk.factors.factors["alice"].secret == shown.key != old


@pytest.mark.parametrize("mode", [FactorMode.DIRECTORY, FactorMode.OFF])
async def test_where_the_portal_asks_for_no_codes_there_is_nothing_to_set_up(
    mode: FactorMode,
) -> None:
    desk = FakeDesk(mode)
    with pytest.raises(Conflict):
        await enrolment.replacement_ticket(desk.desk, ALICE, "")


async def test_new_recovery_codes_cost_a_code_and_end_the_old_ones(
    desk: FakeDesk,
) -> None:
    old = list(desk.factors.recovery["alice"])
    fresh = await enrolment.new_recovery_codes(desk.desk, ALICE, desk.code("alice"))
    assert set(fresh).isdisjoint(old)
    assert desk.audit.events[-1].action == "recovery-codes-renewed"
    assert await enrolment.state(desk.desk, "alice") == enrolment.FactorState(True, 10)
    assert await enrolment.state(desk.desk, "dave") == enrolment.FactorState(False, 0)


async def test_without_a_factor_there_are_no_recovery_codes(desk: FakeDesk) -> None:
    with pytest.raises(Conflict):
        await enrolment.new_recovery_codes(desk.desk, Who("dave", HOME), "")


async def test_a_stolen_session_cannot_guess_codes_faster_than_a_stranger(
    desk: FakeDesk,
) -> None:
    faults: list[KqiError] = []
    for _ in range(20):
        try:
            await enrolment.new_recovery_codes(desk.desk, ALICE, "000000")
        except KqiError as error:
            faults.append(error)
    assert [type(one) for one in faults[:6]] == [InvalidInput] * 6
    assert {type(one) for one in faults[6:]} == {TooManyAttempts}
    assert "Try again in" in faults[-1].hint


async def test_an_operator_resets_a_factor_and_the_log_says_who(desk: FakeDesk) -> None:
    done = [
        enrolment.reset(desk.factors, desk.audit, "carol@shell", "alice", desk.clock)
        for _ in range(2)
    ]
    assert done == [True, False]
    assert [(e.actor, e.target, e.outcome) for e in desk.audit.events] == [
        ("carol@shell", "alice", "ok"),
        ("carol@shell", "alice", "nothing-to-reset"),
    ]
    outcome = await login.attempt(desk.desk, Attempt("alice", "right", "", HOME))
    assert isinstance(outcome, EnrolFirst)


async def test_a_forced_change_goes_on_to_log_in(desk: FakeDesk) -> None:
    desk.directory.accounts["alice"].verdict = DirectoryVerdict.MUST_CHANGE
    ticket = await ticket_of(desk, "alice", desk.code("alice"))
    outcome = await passwords.forced_change(
        desk.desk, ticket, "right", "new-right", HOME
    )
    assert isinstance(outcome, Granted)
    assert outcome.factor == "code"
    assert desk.directory.accounts["alice"].password == "new-right"


async def test_a_forced_change_goes_on_to_set_a_factor_up(desk: FakeDesk) -> None:
    desk.directory.accounts["dave"].verdict = DirectoryVerdict.MUST_CHANGE
    ticket = await ticket_of(desk, "dave")
    outcome = await passwords.forced_change(
        desk.desk, ticket, "right", "new-right", HOME
    )
    assert isinstance(outcome, EnrolFirst)
    assert desk.tickets.issued[ticket] == Ticket("change-password", "dave")
    await enrolment.begin(desk.desk, login.ticket(desk.desk, outcome))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("wrong", "new-right", WrongPassword),
        ("right", "abc", InvalidInput),
        ("right", "right", InvalidInput),
        ("right", "", InvalidInput),
        ("", "new-right", WrongPassword),
        ("right", "new\0right", InvalidInput),
        ("right", "x" * 2000, InvalidInput),
    ],
)
async def test_a_refused_change_says_why_and_changes_nothing(
    desk: FakeDesk, old: str, new: str, fault: type[KqiError]
) -> None:
    with pytest.raises(fault):
        await passwords.change(desk.desk, ALICE, old, new)
    assert desk.directory.accounts["alice"].password == "right"
    assert all(
        word not in repr(desk.audit.events) for word in ("new-right", "x" * 2000)
    )


async def test_changing_a_password_is_no_way_to_guess_it(desk: FakeDesk) -> None:
    kinds = []
    for _ in range(20):
        with pytest.raises(KqiError) as caught:
            await passwords.change(desk.desk, ALICE, "wrong", "new-right")
        kinds.append(caught.type)
    assert kinds[:6] == [WrongPassword] * 6
    assert set(kinds[6:]) == {TooManyAttempts}
    assert desk.audit.outcomes()["wrong-password"] == 6


async def test_the_code_goes_along_where_the_directory_wants_it() -> None:
    desk = FakeDesk(FactorMode.DIRECTORY)
    desk.directory.add("alice", "right654321")
    await passwords.change(desk.desk, ALICE, "right", "new-right", code="654 321")
    assert desk.directory.accounts["alice"].password == "new-right"
