"""Passwords and people, against a real OpenLDAP."""

import logging
import time

import pytest

from kqi_hub.auth.directory import LdapDirectory
from kqi_hub.auth.ldap_options import PersonAttributes
from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.login import DirectoryVerdict as Verdict
from kqi_hub.domain.people import Person
from tests.adapters.auth.certificates import Authority
from tests.adapters.auth.conftest import ServerMaker, options, tls
from tests.adapters.auth.entries import BASE, GROUPS, PASSWORD, PEOPLE
from tests.adapters.auth.slapd import Slapd


def test_the_right_password_gives_the_entry_with_its_groups(
    directory: LdapDirectory,
) -> None:
    answer = directory.check("alice", PASSWORD)
    # Nested groups do not count, names that merely contain "alice" neither.
    assert answer.person == Person(
        "alice",
        20001,
        "The alice",
        "alice@example.test",
        ("alice", "kqi-users", "unique", "vision"),
    )
    assert (answer.verdict, answer.expires_in_s, answer.grace_left) == (
        Verdict.RIGHT,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("name", "with_right", "with_wrong", "can_be_looked_up"),
    [
        ("alice", Verdict.RIGHT, Verdict.WRONG, True),
        ("s.mith-2_x", Verdict.RIGHT, Verdict.WRONG, True),
        ("deep", Verdict.RIGHT, Verdict.WRONG, True),
        ("future", Verdict.RIGHT, Verdict.WRONG, True),
        ("reset", Verdict.MUST_CHANGE, Verdict.WRONG, True),
        ("expired", Verdict.EXPIRED, Verdict.WRONG, True),
        ("locked", Verdict.LOCKED, Verdict.LOCKED, False),
        ("shadow", Verdict.EXPIRED, Verdict.EXPIRED, False),
        ("nobody-here", Verdict.UNKNOWN, Verdict.UNKNOWN, False),
        # Not a person: no uid number, two entries, not Unix's spelling, an alias.
        ("nouid", Verdict.UNKNOWN, Verdict.UNKNOWN, False),
        ("huge", Verdict.UNKNOWN, Verdict.UNKNOWN, False),
        ("twin", Verdict.UNKNOWN, Verdict.UNKNOWN, False),
        ("upper", Verdict.UNKNOWN, Verdict.UNKNOWN, False),
        ("Upper", Verdict.UNKNOWN, Verdict.UNKNOWN, False),
        ("alias", Verdict.UNKNOWN, Verdict.UNKNOWN, False),
        ("multi", Verdict.RIGHT, Verdict.WRONG, True),
        ("20231234", Verdict.UNKNOWN, Verdict.UNKNOWN, False),
    ],
)
def test_each_state_of_an_account_has_its_verdict(
    directory: LdapDirectory,
    name: str,
    with_right: Verdict,
    with_wrong: Verdict,
    can_be_looked_up: bool,
) -> None:
    assert directory.check(name, PASSWORD).verdict is with_right
    assert directory.check(name, "wrong-password").verdict is with_wrong
    assert (directory.lookup(name) is not None) is can_be_looked_up


def test_a_password_about_to_expire_says_when(directory: LdapDirectory) -> None:
    answer = directory.check("soon", PASSWORD)
    assert answer.verdict is Verdict.RIGHT
    assert answer.expires_in_s is not None
    assert 4.9 * 86_400 < answer.expires_in_s <= 5 * 86_400


def test_grace_logins_are_counted_down_and_then_it_has_expired(
    own_server: Slapd, authority: Authority
) -> None:
    directory = LdapDirectory(options(authority, tls(own_server.ldaps)))
    answers = [directory.check("grace", PASSWORD) for _ in range(3)]
    directory.close()
    assert [(one.verdict, one.grace_left) for one in answers] == [
        (Verdict.RIGHT, 1),
        (Verdict.RIGHT, 0),
        (Verdict.EXPIRED, None),
    ]


def test_an_account_that_guessing_has_locked_is_locked_for_the_right_password_too(
    own_server: Slapd, authority: Authority
) -> None:
    directory = LdapDirectory(options(authority, tls(own_server.ldaps)))
    verdicts = [directory.check("guessed", "wrong-password").verdict for _ in range(4)]
    verdicts.append(directory.check("guessed", PASSWORD).verdict)
    directory.close()
    assert verdicts[:3] == [Verdict.WRONG] * 3
    assert verdicts[3:] == [Verdict.LOCKED] * 2


HOSTILE_NAMES = [
    "*",
    "alice*",
    "*)(uid=*",
    "*)(objectClass=*",
    "alice)(uidNumber=20001",
    "alice)(&",
    "\\61lice",
    "alice\\00",
    "alice\0",
    "\0",
    "",
    " alice",
    "alice ",
    "alice\n",
    "ali ce",
    "alice,ou=people",
    f"uid=alice,{PEOPLE}",
    "alice#",
    "../alice",
    "Alice",
    "ALICE",
    "\uff21lice",  # full-width A
    "\u0430lice",  # Cyrillic a
    "al\u0131ce",  # Turkish dotless i
    "alice\u200b",
    "alice\u00ad",
    "ﬁnn",
    "alice\ud800",
    "-alice",
    ".alice",
    "a" * 65,
    "a" * 10_000,
    "(" * 10_000,
]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: repr(name[:20]))
def test_names_that_are_not_names_are_nobody(
    directory: LdapDirectory, name: str
) -> None:
    assert directory.check(name, PASSWORD).verdict is Verdict.UNKNOWN
    assert directory.lookup(name) is None


@pytest.mark.parametrize(
    "password",
    [
        "",
        "\0",
        f"{PASSWORD}\0",
        f"\0{PASSWORD}",
        "\u00ad",  # SASLprep makes it empty, and an empty password succeeds
        "\u200b",
        " ",
        f"{PASSWORD} ",
        "\ud800",
        "\uff52ight-password",
        PASSWORD.upper(),
        "x" * 4097,
        "ß" * 3000,
        "*",
    ],
    ids=lambda password: repr(password[:20]),
)
def test_no_odd_password_is_the_right_one(
    directory: LdapDirectory, password: str
) -> None:
    assert directory.check("alice", password).verdict is Verdict.WRONG


def test_a_password_of_any_language_is_sent_as_it_was_typed(
    own_server: Slapd, authority: Authority
) -> None:
    directory = LdapDirectory(options(authority, tls(own_server.ldaps)))
    typed = "パスワード 패스워드 ½ \uff21\u00ad"
    directory.change_password("bob", PASSWORD, typed)
    verdicts = [
        directory.check("bob", one).verdict
        for one in (typed, "パスワード 패스워드 1\u20442 A", typed.strip("\u00ad"))
    ]
    directory.close()
    assert verdicts == [Verdict.RIGHT, Verdict.WRONG, Verdict.WRONG]


def test_referrals_are_never_followed(own_server: Slapd, authority: Authority) -> None:
    # Every search below `people` meets a referral to the very same server.
    loop = f"ou=loop,{PEOPLE}"
    for bases in (
        {},
        {"groups_base": loop},
        {"people_base": loop},
        {"people_base": loop, "groups_base": loop},
    ):
        client = LdapDirectory(options(authority, tls(own_server.ldaps), **bases))
        began = time.monotonic()
        answer = client.check("alice", PASSWORD)
        client.close()
        assert time.monotonic() - began < 3
        elsewhere = "people_base" in bases
        assert answer.verdict is (Verdict.UNKNOWN if elsewhere else Verdict.RIGHT)
        if answer.person:
            assert bool(answer.person.groups) is (not bases)


def test_two_entries_of_one_name_are_refused_and_logged(
    directory: LdapDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        directory.check("twin", PASSWORD)
    assert "more than one entry" in caplog.text
    assert "ou=deep" in caplog.text


def test_an_account_is_closed_by_what_the_site_says_closes_it(
    directory_server: Slapd, authority: Authority
) -> None:
    attributes = PersonAttributes(closed=(), closed_when=("employeetype=left",))
    client = LdapDirectory(
        options(authority, tls(directory_server.ldaps), person=attributes)
    )
    verdicts = [client.check(name, PASSWORD).verdict for name in ("left", "shadow")]
    client.close()
    assert verdicts == [Verdict.DISABLED, Verdict.RIGHT]


@pytest.mark.parametrize("known", [None, 0, 20002])
def test_whom_unix_takes_for_somebody_else_is_kept_out(
    directory_server: Slapd, authority: Authority, known: int | None
) -> None:
    client = LdapDirectory(
        options(authority, tls(directory_server.ldaps)),
        unix_uid={"alice": known, "bob": 20002}.get,
    )
    verdicts = [client.check(name, PASSWORD).verdict for name in ("alice", "bob")]
    looked_up = client.lookup("alice")
    client.close()
    assert verdicts == [Verdict.UNKNOWN, Verdict.RIGHT]
    assert looked_up is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"bind_password": "not-the-portal's"},
        {"bind_dn": f"cn=missing,{BASE}"},
        {"people_base": f"ou=missing,{BASE}"},
        {"groups_base": f"ou=missing,{BASE}"},
        {"groups_base": "no dn at all"},
        # This server shows entries to those only who have bound.
        {"bind_dn": "", "bind_password": ""},
    ],
)
def test_wrong_settings_let_nobody_in_and_blame_nobody(
    directory_server: Slapd,
    authority: Authority,
    wrong: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = LdapDirectory(options(authority, tls(directory_server.ldaps), **wrong))
    with pytest.raises(DirectoryUnavailable), caplog.at_level(logging.ERROR):
        client.check("alice", PASSWORD)
    client.close()
    assert "directory server" in caplog.text


def operations(log: str) -> list[str]:
    """Return what a server was asked, in that order.

    A line is there before the operation is begun, so before its answer. The line of the
    result comes after the answer was sent, and so whenever the server gets to it.
    """
    kinds = ("method=128", "SRCH base=")
    return [kind for line in log.splitlines() for kind in kinds if kind in line]


def test_a_name_that_does_not_exist_costs_the_directory_the_same_work(
    new_server: ServerMaker, authority: Authority
) -> None:
    server = new_server(debug="stats")
    client = LdapDirectory(options(authority, tls(server.ldaps)))
    work = []
    for name in ("alice", "nobody-here", "twin", "upper", "locked"):
        before = len(operations(server.log()))
        client.check(name, "wrong-password")
        work.append(operations(server.log())[before:])
    client.close()
    usual = ["method=128", "SRCH base=", "SRCH base=", "method=128"]
    assert work == [usual] * 5


def test_groups_are_asked_for_as_the_site_names_them(
    directory_server: Slapd, authority: Authority
) -> None:
    base = f"cn=vision,{GROUPS}"
    client = LdapDirectory(
        options(authority, tls(directory_server.ldaps), groups_base=base)
    )
    found = client.lookup("alice")
    client.close()
    assert found is not None
    assert found.groups == ("vision",)
