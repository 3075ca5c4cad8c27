"""What people change about themselves: done once, written down, and never a secret."""

from dataclasses import replace

import pytest

from kqi_hub.domain.credentials import Secret
from kqi_hub.domain.errors import (
    Conflict,
    DirectoryUnavailable,
    InvalidInput,
    NotFound,
    NotPermitted,
    TooManyAttempts,
)
from kqi_hub.domain.login import AuditEvent, FactorMode
from kqi_hub.domain.terms import Terms
from kqi_hub.domain.tokens import ApiToken, NewToken, Wish
from kqi_hub.services import account, credentials, own_factor, ssh_keys, tokens
from kqi_hub.services.account import Account
from kqi_hub.services.credentials import Entry
from kqi_hub.services.proving import Who
from kqi_hub.services.terms_gate import TermsGate
from kqi_hub.services.tokens import Bearer
from tests.fakes.account import SERVICES, TERMS, FakeAccount, ed25519
from tests.fakes.login import FakeDesk

ALICE = Who("alice", "192.0.2.7")
MALLORY = Who("mallory", "203.0.113.9")
READ, WRITE = "custom:kqi:read", "custom:kqi:write"
GITHUB = SERVICES[0]
KEY = ed25519(1)


@pytest.fixture
def fake() -> FakeAccount:
    return FakeAccount({"alice": ("kqi-users",), "mallory": ("kqi-users",)})


@pytest.fixture
def ready(fake: FakeAccount) -> Account:
    return fake.account()


def events(fake: FakeAccount) -> list[AuditEvent]:
    return fake.desk.audit.events


def last(fake: FakeAccount) -> AuditEvent:
    return events(fake)[-1]


async def test_the_profile_is_the_directorys_entry(
    fake: FakeAccount, ready: Account
) -> None:
    entry = await account.profile(ready, "alice")
    assert (entry.display_name, entry.groups) == ("Alice", ("kqi-users",))
    with pytest.raises(NotPermitted):
        await account.profile(ready, "nobody")
    fake.desk.directory.down = True
    with pytest.raises(DirectoryUnavailable):
        await account.profile(ready, "alice")


async def test_a_key_is_added_listed_and_removed_with_its_fingerprint_written_down(
    fake: FakeAccount, ready: Account
) -> None:
    added = await ssh_keys.add_key(ready, ALICE, " laptop ", f"{KEY.line} a comment")
    assert await ssh_keys.list_keys(ready, "alice") == (added,)
    event = last(fake)
    assert (event.actor, event.action) == ("alice", "ssh-key-added")
    assert (event.target, event.address) == (KEY.fingerprint, "192.0.2.7")
    assert event.detail == {"kind": "ssh-ed25519", "name": "laptop"}
    assert await ssh_keys.remove_key(ready, ALICE, added.id) == added
    assert last(fake).action == "ssh-key-removed"
    assert last(fake).target == KEY.fingerprint
    assert await ssh_keys.list_keys(ready, "alice") == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [("", KEY.line), ("laptop", "-----BEGIN PRIVATE KEY-----"), ("laptop", "hello")],
)
async def test_a_refused_key_leaves_no_trace(
    fake: FakeAccount, ready: Account, name: str, text: str
) -> None:
    with pytest.raises(InvalidInput):
        await ssh_keys.add_key(ready, ALICE, name, text)
    assert fake.keys.held == {}
    assert events(fake) == []


async def test_nobody_removes_the_keys_of_others(
    fake: FakeAccount, ready: Account
) -> None:
    added = await ssh_keys.add_key(ready, ALICE, "laptop", KEY.line)
    with pytest.raises(NotFound):
        await ssh_keys.remove_key(ready, MALLORY, added.id)
    assert len(events(fake)) == 1


async def test_a_credential_is_stored_replaced_and_removed_never_written_down(
    fake: FakeAccount, ready: Account
) -> None:
    word = "ghp_very_secret"
    entry = await credentials.store(ready, ALICE, "github", "alice", word)
    assert entry.stored is not None
    assert last(fake).action == "credential-stored"
    assert last(fake).detail == {"url": GITHUB.url, "user": "alice"}
    await credentials.store(ready, ALICE, "github", "", f"{word}2")
    assert last(fake).action == "credential-replaced"
    await credentials.remove(ready, ALICE, "github")
    assert last(fake).action == "credential-removed"
    assert word not in repr(events(fake))
    with pytest.raises(NotFound):
        await credentials.remove(ready, ALICE, "github")
    assert len(events(fake)) == 3


@pytest.mark.parametrize(
    ("service", "user_name", "value", "error"),
    [
        ("nowhere", "", "x", NotFound),
        ("github", "", "", InvalidInput),
        ("dockerhub", "", "x", InvalidInput),
        ("ngc", "alice", "x", InvalidInput),
    ],
)
async def test_a_credential_that_cannot_be_right_is_not_stored(
    fake: FakeAccount,
    ready: Account,
    service: str,
    user_name: str,
    value: str,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        await credentials.store(ready, ALICE, service, user_name, value)
    assert fake.credentials.held == {}
    assert events(fake) == []


async def test_the_list_has_every_service_then_what_is_left_of_former_ones(
    fake: FakeAccount, ready: Account
) -> None:
    gone = replace(GITHUB, name="gone")
    moved = replace(SERVICES[2], url="https://old.example.org")
    for service in (gone, moved, SERVICES[3]):
        fake.credentials.put("alice", service, Secret("", "x"), 1.0)
    found = await credentials.entries(ready, "alice")
    assert [entry.name for entry in found] == [
        "github",
        "lab",
        "dockerhub",
        "ngc",
        "gone",
    ]
    told = {e.name: (e.stored is not None, e.is_for_another_address) for e in found}
    assert told == {
        "github": (False, False),
        "lab": (False, False),
        "dockerhub": (True, True),
        "ngc": (True, False),
        "gone": (True, False),
    }
    assert found[-1] == Entry("gone", None, found[-1].stored)
    await credentials.remove(ready, ALICE, "gone")
    assert len(await credentials.entries(ready, "alice")) == 4


class FakeHubTokens:
    """A hub that keeps what it was asked, and by which word."""

    def __init__(self) -> None:
        self.held: dict[str, ApiToken] = {}
        self.words: list[str] = []

    async def tokens(self, word: str, person: str) -> tuple[ApiToken, ...]:
        self.words.append(word)
        return tuple(self.held.values())

    async def one(self, word: str, person: str, token_id: str) -> ApiToken:
        if token_id not in self.held:
            raise NotFound("no such token")
        return self.held[token_id]

    async def create(self, word: str, person: str, wish: Wish) -> NewToken:
        self.words.append(word)
        made = ApiToken(f"a{len(self.held)}", wish.note, wish.scopes)
        self.held[made.id] = made
        return NewToken(made, "the new word")

    async def revoke(self, word: str, person: str, token_id: str) -> None:
        self.words.append(word)
        del self.held[token_id]


@pytest.fixture
def bearer() -> Bearer:
    return Bearer(ALICE, "her own word", frozenset({READ, WRITE}))


async def test_a_token_is_made_and_revoked_with_the_persons_own_word(
    fake: FakeAccount, ready: Account, bearer: Bearer
) -> None:
    hub = FakeHubTokens()
    made = await tokens.create(ready, hub, bearer, "ci", [READ], 60)
    assert made.word == "the new word"
    event = last(fake)
    assert (event.action, event.target) == ("token-made", "a0")
    assert event.detail == {"scopes": READ, "note": "ci"}
    assert await tokens.list_tokens(hub, bearer) == (made.token,)
    await tokens.revoke(ready, hub, bearer, "a0")
    assert last(fake).action == "token-revoked"
    assert set(hub.words) == {"her own word"}
    assert "word" not in repr(events(fake))
    assert "word" not in repr(bearer) + repr(made)


async def test_a_token_with_more_scopes_than_its_maker_is_not_even_asked_for(
    fake: FakeAccount, ready: Account, bearer: Bearer
) -> None:
    hub = FakeHubTokens()
    with pytest.raises(InvalidInput):
        await tokens.create(ready, hub, bearer, "ci", ["custom:kqi:operate"], 60)
    with pytest.raises(NotFound):
        await tokens.revoke(ready, hub, bearer, "a9")
    assert hub.words == []
    assert events(fake) == []


async def test_a_device_is_replaced_by_a_code_of_each_and_the_old_one_stops(
    fake: FakeAccount, ready: Account
) -> None:
    desk = fake.desk
    desk.enrol("alice")
    old = desk.factors.factors["alice"].secret
    begun = await own_factor.begin(ready.desk, ALICE, desk.code("alice"))
    assert desk.factors.factors["alice"].secret == old
    shown = await own_factor.again(ready.desk, ALICE, begun.ticket)
    assert shown == begun.invitation
    new = desk.tickets.issued[begun.ticket].secret
    code = desk.codes.at(new, int(desk.clock.now() // desk.codes.STEP_S))
    codes = await own_factor.confirm(ready.desk, ALICE, begun.ticket, code)
    assert len(codes) == 10
    assert desk.factors.factors["alice"].secret == new
    # Nobody logged in here: one thing was done, one line is written.
    assert [event.action for event in events(fake)] == ["factor-set-up"]


async def test_nobody_sets_up_a_device_with_somebody_elses_ticket(
    fake: FakeAccount, ready: Account
) -> None:
    for name in ("alice", "mallory"):
        fake.desk.enrol(name)
    old = fake.desk.factors.factors["alice"].secret
    begun = await own_factor.begin(ready.desk, MALLORY, fake.desk.code("mallory"))
    secret = fake.desk.tickets.issued[begun.ticket].secret
    step = int(fake.desk.clock.now() // fake.desk.codes.STEP_S)
    code = fake.desk.codes.at(secret, step)
    for text in (begun.ticket, "", "forged", "ticket-99"):
        with pytest.raises(NotPermitted, match="Begin again"):
            await own_factor.confirm(ready.desk, ALICE, text, code)
        with pytest.raises(NotPermitted):
            await own_factor.again(ready.desk, ALICE, text)
    assert fake.desk.factors.factors["alice"].secret == old


async def test_codes_of_a_device_cannot_be_guessed_from_a_stolen_session(
    fake: FakeAccount, ready: Account
) -> None:
    fake.desk.enrol("alice")
    wrong = 0
    for _ in range(20):
        try:
            await own_factor.renew_codes(ready.desk, ALICE, "nonsense")
        except InvalidInput:
            wrong += 1
        except TooManyAttempts as error:
            assert error.wait_s >= 1
            break
    assert wrong == 6
    assert fake.desk.factors.recovery_codes_left("alice") == 10


async def test_recovery_codes_are_renewed_against_a_code_once(
    fake: FakeAccount, ready: Account
) -> None:
    fake.desk.enrol("alice")
    before = list(fake.desk.factors.recovery["alice"])
    code = fake.desk.code("alice")
    codes = await own_factor.renew_codes(ready.desk, ALICE, code)
    assert set(codes).isdisjoint(before)
    with pytest.raises(InvalidInput):
        await own_factor.renew_codes(ready.desk, ALICE, code)


@pytest.mark.parametrize(
    ("mode", "is_ours"),
    [
        (FactorMode.REQUIRED, True),
        (FactorMode.OPTIONAL, True),
        (FactorMode.DIRECTORY, False),
        (FactorMode.OFF, False),
    ],
)
async def test_only_devices_of_the_portal_are_replaced_here(
    mode: FactorMode, is_ours: bool
) -> None:
    desk = FakeDesk(mode).desk
    shown = await own_factor.show(desk, "alice")
    assert (shown.mode, shown.is_ours, shown.is_set_up) == (mode, is_ours, False)
    if not is_ours:
        with pytest.raises(Conflict):
            await own_factor.begin(desk, ALICE, "123456")


def gate(fake: FakeAccount, terms: Terms | None = TERMS) -> TermsGate:
    fake.terms.held.clear()
    return TermsGate(fake.desk.desk, fake.terms, terms)


async def test_terms_are_asked_for_until_they_are_accepted(fake: FakeAccount) -> None:
    shut = gate(fake)
    assert await shut.must_accept("alice")
    assert await shut.must_accept("alice")
    said = await shut.accept(ALICE, TERMS.version)
    assert said.accepted_at == fake.desk.clock.now()
    assert not await shut.must_accept("alice")
    assert await shut.must_accept("mallory")
    [acceptance] = fake.terms.held
    assert (acceptance.version, acceptance.address) == ("2026-11", "192.0.2.7")
    event = last(fake)
    assert (event.action, event.target) == ("terms-accepted", "2026-11")


async def test_who_has_accepted_costs_one_question_in_a_process(
    fake: FakeAccount,
) -> None:
    await gate(fake).accept(ALICE, TERMS.version)
    fresh = TermsGate(fake.desk.desk, fake.terms, TERMS)
    fake.terms.questions = 0
    for _ in range(5):
        assert not await fresh.must_accept("alice")
    assert fake.terms.questions == 1


async def test_new_terms_ask_everybody_again(fake: FakeAccount) -> None:
    await gate(fake).accept(ALICE, TERMS.version)
    newer = TermsGate(fake.desk.desk, fake.terms, Terms("2027-01", "More."))
    assert await newer.must_accept("alice")
    assert (await newer.question("alice")).accepted_at is None
    with pytest.raises(Conflict, match="changed"):
        await newer.accept(ALICE, TERMS.version)
    assert await newer.must_accept("alice")
    await newer.accept(ALICE, "2027-01")
    assert not await newer.must_accept("alice")
    assert len(fake.terms.held) == 2


async def test_accepting_twice_is_recorded_once(fake: FakeAccount) -> None:
    open_gate = gate(fake)
    first = await open_gate.accept(ALICE, TERMS.version)
    fake.desk.clock.time += 100
    assert await open_gate.accept(ALICE, TERMS.version) == first
    assert len(fake.terms.held) == len(events(fake)) == 1


async def test_a_site_without_terms_asks_nobody(fake: FakeAccount) -> None:
    none = gate(fake, None)
    assert not await none.must_accept("alice")
    for call in (none.question("alice"), none.accept(ALICE, "1")):
        with pytest.raises(NotFound):
            await call
    assert fake.terms.questions == 0
