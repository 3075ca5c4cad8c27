"""spawners.authenticator over fakes: whom JupyterHub is told to let in, and go on."""

import logging
from dataclasses import replace
from types import SimpleNamespace

import pytest

from kqi_hub.domain.errors import SettingsError
from kqi_hub.domain.login import DirectoryVerdict, EnrolFirst, Refused
from kqi_hub.settings.loader import parse_settings
from spawners.authenticator import DirectoryAuthenticator
from tests.fakes.connection import connection
from tests.fakes.hub_request import FakeHandler
from tests.fakes.login import RIGHT, FakeDesk

SETTINGS = """
[cluster]
name = "gpu1"
[database]
url = "sqlite:////var/lib/kqi/kqi.sqlite"
[login]
trusted_proxies = ["10.0.0.0/8"]
"""
ALICE = SimpleNamespace(name="alice")


@pytest.fixture
def desk() -> FakeDesk:
    made = FakeDesk()
    made.directory.add("alice")
    made.enrol("alice")
    return made


@pytest.fixture
def authenticator(desk: FakeDesk) -> DirectoryAuthenticator:
    made = DirectoryAuthenticator(allow_all=True)
    # Both are computed once from the site's files: here they are given.
    made.site = parse_settings(SETTINGS, "kqi.toml")
    made.desk = desk.desk
    return made


def form(desk: FakeDesk, **said: object) -> dict[str, object]:
    right = {"username": "alice", "password": RIGHT, "code": desk.code("alice")}
    return {**right, **said}


async def test_who_is_let_in_has_the_directorys_name_and_groups(
    authenticator: DirectoryAuthenticator, desk: FakeDesk
) -> None:
    model = await authenticator.authenticate(
        FakeHandler(), form(desk, username=" Alice ")
    )
    assert model == {"name": "alice", "groups": ["kqi-users"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong"},
        {"code": "000000"},
        {"username": "bob"},
        {"username": None},
        {"username": ["alice"]},
        {"password": None},
        {"password": {"$ne": ""}},
        {"code": 123456},
        {"code": None},
        # The login of a page before comes from our own code, never from a request.
        {"password": "", "granted": {"person": {"name": "alice"}}},
        {"password": "", "granted": True},
    ],
)
async def test_what_is_wrong_or_no_text_lets_nobody_in(
    authenticator: DirectoryAuthenticator, desk: FakeDesk, wrong: dict[str, object]
) -> None:
    handler = FakeHandler()
    assert await authenticator.authenticate(handler, form(desk, **wrong)) is None
    assert isinstance(handler.kqi_outcome, Refused)


@pytest.mark.parametrize("data", [None, [], "alice", 7, ["username", "alice"]])
async def test_what_is_no_form_lets_nobody_in(
    authenticator: DirectoryAuthenticator, data: object
) -> None:
    assert await authenticator.authenticate(FakeHandler(), data) is None


async def test_a_login_that_was_granted_a_page_before_counts(
    authenticator: DirectoryAuthenticator, desk: FakeDesk
) -> None:
    granted = await authenticator.judge(FakeHandler(), form(desk))
    data = {"username": "mallory", "granted": granted}
    model = await authenticator.authenticate(FakeHandler(), data)
    assert model is not None
    assert model["name"] == "alice"


async def test_who_has_no_device_is_not_in_but_led_on(
    authenticator: DirectoryAuthenticator, desk: FakeDesk
) -> None:
    data, handler = form(desk), FakeHandler()
    desk.factors.reset("alice")
    assert await authenticator.authenticate(handler, data) is None
    assert isinstance(handler.kqi_outcome, EnrolFirst)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 10.1.1.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 127.0.0.1", "127.0.0.1"),
        ("198.51.100.1", "6.6.6.6", "198.51.100.1"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
async def test_attempts_are_counted_by_the_address_that_can_be_believed(
    authenticator: DirectoryAuthenticator,
    desk: FakeDesk,
    peer: str,
    forwarded: str,
    address: str,
) -> None:
    headers = {"X-Forwarded-For": forwarded, "User-Agent": "x" * 999}
    with connection() as (here, _):
        own = here if peer == "127.0.0.1" else None
        handler = FakeHandler(peer, headers, here=own)
        await authenticator.judge(handler, form(desk))
    event = desk.audit.events[-1]
    assert (event.address, event.detail["agent"]) == (address, "x" * 200)


async def test_what_the_hub_logs_is_not_what_is_judged(
    authenticator: DirectoryAuthenticator, desk: FakeDesk
) -> None:
    data = form(desk, username="(no name)", typed_name="alice")
    model = await authenticator.authenticate(FakeHandler(), data)
    assert model is not None
    assert model["name"] == "alice"


async def test_looking_somebody_up_again_brings_the_groups_of_now(
    authenticator: DirectoryAuthenticator, desk: FakeDesk
) -> None:
    account = desk.directory.accounts["alice"]
    account.person = replace(account.person, groups=("kqi-users", "vision"))
    model = await authenticator.refresh_user(ALICE)
    assert model == {"name": "alice", "groups": ["kqi-users", "vision"]}


@pytest.mark.parametrize(
    "verdict",
    [DirectoryVerdict.DISABLED, DirectoryVerdict.EXPIRED, DirectoryVerdict.LOCKED],
)
async def test_a_closed_account_is_logged_out(
    authenticator: DirectoryAuthenticator, desk: FakeDesk, verdict: DirectoryVerdict
) -> None:
    desk.directory.accounts["alice"].verdict = verdict
    assert await authenticator.refresh_user(ALICE) is False


@pytest.mark.parametrize(
    "now",
    [{"groups": ()}, {"groups": ("vision",)}, {"uid": 999}, {"uid": 0}],
)
async def test_who_could_not_log_in_any_more_is_logged_out(
    authenticator: DirectoryAuthenticator, desk: FakeDesk, now: dict[str, object]
) -> None:
    account = desk.directory.accounts["alice"]
    account.person = replace(account.person, **now)  # type: ignore[arg-type]  # a table of tests
    assert await authenticator.refresh_user(ALICE) is False


async def test_who_is_gone_is_logged_out(
    authenticator: DirectoryAuthenticator, desk: FakeDesk
) -> None:
    desk.directory.accounts.clear()
    assert await authenticator.refresh_user(ALICE) is False


async def test_a_directory_that_does_not_answer_changes_nothing(
    authenticator: DirectoryAuthenticator, desk: FakeDesk
) -> None:
    desk.directory.down = True
    assert await authenticator.refresh_user(ALICE) is True


async def test_the_hub_does_not_start_without_what_a_login_needs() -> None:
    made = DirectoryAuthenticator(allow_all=True)
    made.site = parse_settings(SETTINGS, "kqi.toml")
    with pytest.raises(SettingsError, match="nobody could log in"):
        made.get_handlers(SimpleNamespace(log=logging.getLogger("test")))
