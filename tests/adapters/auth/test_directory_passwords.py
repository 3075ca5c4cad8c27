"""Changing passwords, and directories that bind directly, against a real OpenLDAP."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kqi_hub.auth.directory import LdapDirectory
from kqi_hub.auth.ldap_options import BindMode, DirectoryOptions
from kqi_hub.domain.errors import InvalidInput, WrongPassword
from kqi_hub.domain.login import DirectoryVerdict as Verdict
from tests.adapters.auth.certificates import Authority
from tests.adapters.auth.conftest import options, tls
from tests.adapters.auth.entries import OTP_SECRET, PASSWORD, PEOPLE
from tests.adapters.auth.one_time import code_of
from tests.adapters.auth.slapd import Slapd

TEMPLATE = f"uid={{name}},{PEOPLE}"
NEW = "a-new-password"


@pytest.fixture
def own(own_server: Slapd, authority: Authority) -> LdapDirectory:
    return LdapDirectory(options(authority, tls(own_server.ldaps)))


def direct_options(authority: Authority, server: Slapd) -> DirectoryOptions:
    return options(
        authority,
        tls(server.ldaps),
        bind_mode=BindMode.DIRECT,
        user_dn_template=TEMPLATE,
    )


@pytest.fixture
def direct(directory_server: Slapd, authority: Authority) -> Iterator[LdapDirectory]:
    client = LdapDirectory(direct_options(authority, directory_server))
    yield client
    client.close()


def test_a_changed_password_is_the_one_that_counts(own: LdapDirectory) -> None:
    own.change_password("alice", PASSWORD, NEW)
    assert own.check("alice", NEW).verdict is Verdict.RIGHT
    assert own.check("alice", PASSWORD).verdict is Verdict.WRONG
    own.close()


def test_a_forced_change_ends_the_force(own: LdapDirectory) -> None:
    assert own.check("reset", PASSWORD).verdict is Verdict.MUST_CHANGE
    own.change_password("reset", PASSWORD, NEW)
    assert own.check("reset", NEW).verdict is Verdict.RIGHT
    own.close()


@pytest.mark.parametrize(
    ("name", "new", "said"),
    [
        ("alice", "short", "too short|too simple"),
        ("alice", PASSWORD, "used before|not being changed"),
        ("fixed", NEW, "may not be changed"),
        ("young", NEW, "too recently"),
    ],
)
def test_the_policys_own_words_say_why_not(
    directory: LdapDirectory, name: str, new: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        directory.change_password(name, PASSWORD, new)
    assert not isinstance(caught.value, WrongPassword)
    assert directory.check(name, PASSWORD).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("alice", "wrong"),
        ("alice", "*"),
        ("nobody-here", PASSWORD),
        ("twin", PASSWORD),
        ("locked", PASSWORD),
        ("shadow", PASSWORD),
        ("expired", PASSWORD),
    ],
)
def test_only_who_knows_the_old_password_changes_it(
    directory: LdapDirectory, name: str, old: str
) -> None:
    with pytest.raises(WrongPassword):
        directory.change_password(name, old, NEW)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("alice", "", NEW),
        ("alice", PASSWORD, ""),
        ("alice", PASSWORD, "new\0password"),
        ("alice", PASSWORD, "\ud800" * 12),
        ("alice", PASSWORD, "x" * 5000),
        ("*", PASSWORD, NEW),
        ("", PASSWORD, NEW),
    ],
)
def test_what_cannot_be_a_password_is_not_even_sent(
    directory: LdapDirectory, name: str, old: str, new: str
) -> None:
    with pytest.raises(InvalidInput, match="empty or very long"):
        directory.change_password(name, old, new)
    assert directory.check("alice", PASSWORD).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("alice", Verdict.RIGHT),
        ("reset", Verdict.MUST_CHANGE),
        ("locked", Verdict.LOCKED),
        ("shadow", Verdict.EXPIRED),
        ("expired", Verdict.EXPIRED),
        ("deep", Verdict.WRONG),  # not where the template says
        ("upper", Verdict.UNKNOWN),
        ("nobody-here", Verdict.WRONG),
        ("alice,ou=people", Verdict.UNKNOWN),
        ("multi", Verdict.RIGHT),
        ("alias", Verdict.WRONG),
    ],
)
def test_direct_binds_come_to_the_same_verdicts(
    direct: LdapDirectory, name: str, verdict: Verdict
) -> None:
    assert direct.check(name, PASSWORD).verdict is verdict
    assert direct.check(name, "wrong-password").verdict in (
        Verdict.WRONG,
        Verdict.LOCKED,
        Verdict.UNKNOWN,
    )


def test_direct_binds_find_groups(direct: LdapDirectory) -> None:
    person = direct.check("alice", PASSWORD).person
    assert person is not None
    assert person.groups == ("alice", "kqi-users", "unique", "vision")
    assert direct.lookup("alice") == person


def test_direct_binds_change_passwords(own_server: Slapd, authority: Authority) -> None:
    client = LdapDirectory(direct_options(authority, own_server))
    client.change_password("alice", PASSWORD, NEW)
    verdict = client.check("alice", NEW).verdict
    client.close()
    assert verdict is Verdict.RIGHT


def test_direct_binds_need_no_account_of_the_portals_own(
    directory_server: Slapd, authority: Authority
) -> None:
    wanted = direct_options(authority, directory_server)
    client = LdapDirectory(replace(wanted, bind_dn="", bind_password=""))
    person = client.check("alice", PASSWORD).person
    client.close()
    assert person is not None
    assert "vision" in person.groups


def test_openldaps_own_one_time_codes_are_checked_with_the_password(
    own_server: Slapd, authority: Authority
) -> None:
    client = LdapDirectory(options(authority, tls(own_server.ldaps)))
    code = code_of(OTP_SECRET)
    verdicts = [
        client.check("otp", typed).verdict
        for typed in (PASSWORD, PASSWORD + code, PASSWORD + code)
    ]
    client.close()
    # A code counts once there too.
    assert verdicts == [Verdict.WRONG, Verdict.RIGHT, Verdict.WRONG]


def test_a_password_is_changed_with_a_code_where_the_directory_wants_one(
    own_server: Slapd, authority: Authority
) -> None:
    client = LdapDirectory(options(authority, tls(own_server.ldaps)))
    with pytest.raises(WrongPassword):
        client.change_password("otp", PASSWORD, NEW)
    client.change_password("otp", PASSWORD, NEW, code=code_of(OTP_SECRET))
    later = code_of(OTP_SECRET, steps_ahead=1)
    assert client.check("otp", NEW + later).verdict is Verdict.RIGHT
    client.close()
