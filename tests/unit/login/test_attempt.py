"""What comes of a login, over fakes."""

import asyncio

import pytest

from kqi_hub.domain.login import (
    Attempt,
    ChangePasswordFirst,
    DirectoryVerdict,
    EnrolFirst,
    FactorMode,
    Granted,
    Refused,
    Unavailable,
    Wait,
)
from kqi_hub.domain.people import Person
from kqi_hub.services import login
from tests.fakes.login import RIGHT, FakeDesk

HOME = "192.0.2.10"


@pytest.fixture
def desk() -> FakeDesk:
    made = FakeDesk()
    made.directory.add("alice")
    made.enrol("alice")
    return made


def tried(
    name: str = "alice", password: str = RIGHT, code: str = "", address: str = HOME
) -> Attempt:
    return Attempt(name, password, code, address, user_agent="Browser/1")


async def test_name_password_and_code_let_in(desk: FakeDesk) -> None:
    outcome = await login.attempt(desk.desk, tried(code=desk.code("alice")))
    assert isinstance(outcome, Granted)
    assert (outcome.person.name, outcome.factor) == ("alice", "code")
    assert outcome.recovery_codes_left == 10
    event = desk.audit.events[-1]
    assert (event.actor, event.action, event.outcome) == ("alice", "login", "ok")
    assert (event.address, event.detail["agent"]) == (HOME, "Browser/1")
    assert desk.people.names == {"alice": "Alice"}


async def test_only_who_is_let_in_is_known_by_name(desk: FakeDesk) -> None:
    await login.attempt(desk.desk, tried(password="wrong"))
    await login.attempt(desk.desk, tried(code="000000"))
    assert desk.people.names == {}


async def test_capitals_and_spaces_around_the_name_are_forgiven(desk: FakeDesk) -> None:
    outcome = await login.attempt(
        desk.desk, tried(name=" Alice\n", code=desk.code("alice"))
    )
    assert isinstance(outcome, Granted)
    assert outcome.person.name == "alice"


async def test_a_code_may_be_typed_with_spaces(desk: FakeDesk) -> None:
    code = desk.code("alice")
    outcome = await login.attempt(desk.desk, tried(code=f" {code[:3]} {code[3:]} "))
    assert isinstance(outcome, Granted)


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_the_neighbours_of_the_present_code_count(
    desk: FakeDesk, steps: int
) -> None:
    outcome = await login.attempt(desk.desk, tried(code=desk.code("alice", steps)))
    assert isinstance(outcome, Granted)


async def test_a_code_counts_once(desk: FakeDesk) -> None:
    code = desk.code("alice")
    first = await login.attempt(desk.desk, tried(code=code))
    second = await login.attempt(desk.desk, tried(code=code))
    assert isinstance(first, Granted)
    assert second == Refused("code: used-before")


async def test_an_earlier_code_does_not_count_after_a_later_one(desk: FakeDesk) -> None:
    earlier = desk.code("alice")
    await login.attempt(desk.desk, tried(code=desk.code("alice", 1)))
    assert await login.attempt(desk.desk, tried(code=earlier)) == Refused(
        "code: used-before"
    )


async def test_the_same_code_fifty_times_at_once_lets_in_once(desk: FakeDesk) -> None:
    code = desk.code("alice")
    outcomes = await asyncio.gather(
        *(
            login.attempt(desk.desk, tried(code=code, address=f"198.51.100.{n}"))
            for n in range(50)
        )
    )
    assert [type(one) for one in outcomes].count(Granted) == 1


async def test_a_wrong_password_does_not_use_up_the_code(desk: FakeDesk) -> None:
    code = desk.code("alice")
    refused = await login.attempt(desk.desk, tried(password="wrong", code=code))
    let_in = await login.attempt(desk.desk, tried(code=code))
    assert isinstance(refused, Refused)
    assert isinstance(let_in, Granted)


async def test_a_recovery_code_works_in_the_code_field_once(desk: FakeDesk) -> None:
    code = desk.factors.recovery["alice"][0]
    first = await login.attempt(desk.desk, tried(code=f"{code[:4]}-{code[4:]}"))
    second = await login.attempt(desk.desk, tried(code=code))
    assert isinstance(first, Granted)
    assert (first.factor, first.recovery_codes_left) == ("recovery", 9)
    assert second == Refused("code: wrong")


REFUSED = [
    ("the password", tried(password="wrong", code="000000")),
    ("the code", tried(code="000000")),
    ("no code", tried()),
    ("the name", tried(name="nobody-here", code="000000")),
    ("what is no name", tried(name="*)(uid=*", code="000000")),
    ("an empty name", tried(name="", code="000000")),
    ("a very long name", tried(name="a" * 10_000, code="000000")),
    ("an empty password", tried(password="", code="000000")),
    ("NUL in the password", tried(password="right\0", code="000000")),
    ("a very long password", tried(password="x" * 100_000)),
    ("a very long code", tried(code="1" * 100_000)),
    ("letters as the code", tried(code="abcdef")),
    ("other digits as the code", tried(code="\u0661\u0662\u0663\u0664\u0665\u0666")),
    ("surrogates everywhere", tried("\ud800", "\ud800", "\ud800")),
]


@pytest.mark.parametrize(("what", "sent"), REFUSED, ids=[what for what, _ in REFUSED])
@pytest.mark.parametrize("takes_s", [0.0, 0.3, 2.5])
async def test_whatever_is_wrong_the_refusal_looks_and_lasts_the_same(
    desk: FakeDesk, what: str, sent: Attempt, takes_s: float
) -> None:
    desk.directory.takes_s = takes_s
    began = desk.clock.now()
    outcome = await login.attempt(desk.desk, sent)
    assert isinstance(outcome, Refused)
    if sent.password in ("right", "wrong") and len(sent.name) < 80:
        expected = {0.0: 1.0, 0.3: 1.0, 2.5: 3.0}[takes_s]
        asked = bool(desk.directory.asked)
        assert desk.clock.now() - began == pytest.approx(expected if asked else 1.0)
    else:
        assert desk.directory.asked == []
        assert desk.clock.now() - began == pytest.approx(1.0)


async def test_an_empty_password_never_reaches_the_directory(desk: FakeDesk) -> None:
    await login.attempt(desk.desk, tried(password="", code=desk.code("alice")))
    assert desk.directory.asked == []


@pytest.mark.parametrize(
    "verdict",
    [
        DirectoryVerdict.DISABLED,
        DirectoryVerdict.EXPIRED,
        DirectoryVerdict.LOCKED,
    ],
)
async def test_a_closed_account_is_refused_and_the_log_says_why(
    desk: FakeDesk, verdict: DirectoryVerdict
) -> None:
    desk.directory.accounts["alice"].verdict = verdict
    outcome = await login.attempt(desk.desk, tried(code=desk.code("alice")))
    assert outcome == Refused(f"password: {verdict}")
    assert desk.audit.events[-1].detail["reason"] == f"password: {verdict}"


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (Person("alice", 999, "A", groups=("kqi-users",)), "system account"),
        (Person("alice", 0, "A", groups=("kqi-users",)), "system account"),
        (Person("alice", 20001, "A", groups=("others",)), "not in group kqi-users"),
    ],
)
async def test_people_outside_the_portal_are_refused_like_everybody_else(
    desk: FakeDesk, person: Person, reason: str
) -> None:
    desk.directory.accounts["alice"].person = person
    outcome = await login.attempt(desk.desk, tried(code=desk.code("alice")))
    assert isinstance(outcome, Refused)
    assert reason in outcome.reason


async def test_the_first_login_sets_a_factor_up(desk: FakeDesk) -> None:
    desk.directory.add("dave")
    outcome = await login.attempt(desk.desk, tried(name="dave"))
    assert isinstance(outcome, EnrolFirst)
    assert desk.audit.events[-1].outcome == "enrol-first"
    # Nothing is proven yet that would make the address the person's.
    assert desk.throttle.known == {}


async def test_a_forced_change_comes_after_the_code(desk: FakeDesk) -> None:
    desk.directory.accounts["alice"].verdict = DirectoryVerdict.MUST_CHANGE
    wrong = await login.attempt(desk.desk, tried(code="000000"))
    right = await login.attempt(desk.desk, tried(code=desk.code("alice")))
    assert isinstance(wrong, Refused)
    assert isinstance(right, ChangePasswordFirst)
    assert right.factor == "code"


async def test_a_forced_change_comes_before_setting_a_factor_up(desk: FakeDesk) -> None:
    desk.directory.add("dave").verdict = DirectoryVerdict.MUST_CHANGE
    outcome = await login.attempt(desk.desk, tried(name="dave"))
    assert isinstance(outcome, ChangePasswordFirst)
    assert outcome.factor == ""


async def test_warnings_of_the_directory_reach_the_person(desk: FakeDesk) -> None:
    account = desk.directory.accounts["alice"]
    account.expires_in_s, account.grace_left = 86_400, 2
    outcome = await login.attempt(desk.desk, tried(code=desk.code("alice")))
    assert isinstance(outcome, Granted)
    assert (outcome.expires_in_s, outcome.grace_left) == (86_400, 2)


async def test_a_directory_that_is_down_is_nobodys_fault(desk: FakeDesk) -> None:
    desk.directory.down = True
    code = desk.code("alice")
    for _ in range(30):
        outcome = await login.attempt(desk.desk, tried(code=code))
        assert isinstance(outcome, Unavailable)
    assert desk.throttle.failures == []
    assert desk.audit.events[-1].outcome == "unavailable"
    desk.directory.down = False
    assert isinstance(await login.attempt(desk.desk, tried(code=code)), Granted)


@pytest.mark.parametrize(
    ("mode", "has_factor", "code", "expected"),
    [
        (FactorMode.OPTIONAL, False, "", "none"),
        (FactorMode.OPTIONAL, True, "right", "code"),
        (FactorMode.OPTIONAL, True, "", "refused"),
        (FactorMode.OFF, False, "", "none"),
        (FactorMode.OFF, True, "", "none"),
        (FactorMode.DIRECTORY, False, "123456", "refused"),
        (FactorMode.DIRECTORY, False, "654321", "directory"),
    ],
)
async def test_the_mode_says_who_is_asked_for_a_code(
    mode: FactorMode, has_factor: bool, code: str, expected: str
) -> None:
    desk = FakeDesk(mode)
    account = desk.directory.add("alice")
    if mode is FactorMode.DIRECTORY:
        account.password = "right654321"
    if has_factor:
        desk.enrol("alice")
    sent = desk.code("alice") if code == "right" else code
    outcome = await login.attempt(desk.desk, tried(code=sent))
    found = outcome.factor if isinstance(outcome, Granted) else "refused"
    assert found == expected


async def test_what_cannot_be_a_name_is_not_written_down(desk: FakeDesk) -> None:
    # People type passwords into the wrong field.
    await login.attempt(desk.desk, tried(name="Correct Horse 42!"))
    text = repr(desk.audit.events) + repr(desk.throttle.tally)
    assert "Horse" not in text
    assert desk.audit.events[-1].actor == "(no name, 17 characters)"


async def test_no_secret_is_written_down(desk: FakeDesk) -> None:
    code = desk.code("alice")
    for sent in (tried(code=code), tried(code=code), tried(password="my-secret")):
        await login.attempt(desk.desk, sent)
        assert code not in repr(sent)
        assert sent.password not in repr(sent)
    text = repr(desk.audit.events)
    assert "my-secret" not in text
    assert code not in text


async def test_a_browser_cannot_write_into_the_log(desk: FakeDesk) -> None:
    sent = Attempt("alice", "x", "", HOME, user_agent="a\nb\x1b[31m" + "x" * 1000)
    await login.attempt(desk.desk, sent)
    agent = desk.audit.events[-1].detail["agent"]
    assert agent.startswith("a?b?[31m")
    assert len(agent) == 200


async def test_throttled_attempts_are_not_looked_at_and_audited_once_a_minute(
    desk: FakeDesk,
) -> None:
    for _ in range(7):
        await login.attempt(desk.desk, tried(password="wrong"))
    before = len(desk.directory.asked)
    outcomes = [await login.attempt(desk.desk, tried()) for _ in range(20)]
    assert all(isinstance(one, Wait) for one in outcomes)
    assert len(desk.directory.asked) == before
    assert desk.audit.outcomes()["throttled"] == 1
