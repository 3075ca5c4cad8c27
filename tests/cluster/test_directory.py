"""The embedded cluster's directory: TLS, people, groups, the password policy."""

import grp
import pwd
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ldap3
import pytest
from ldap3.core.exceptions import LDAPSocketOpenError

from kqi_hub.devstack.directory import (
    CA_FILE,
    GROUPS_BASE,
    PEOPLE_BASE,
    SERVICE_DN,
    SERVICE_PASSWORD_FILE,
)
from kqi_hub.devstack.people import GROUPS, PEOPLE
from tests.cluster.stack import Stack, set_password

# ldap3 2.9 checks host names with a function that Python 3.12 has dropped, and leaves
# the socket of a refused handshake to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ssl.match_hostname:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def _dn(person: str) -> str:
    return f"uid={person},{PEOPLE_BASE}"


@contextmanager
def _connection(
    stack: Stack,
    dn: str | None = None,
    password: str | None = None,
    ca: Path = CA_FILE,
    start_tls: bool = False,
) -> Iterator[ldap3.Connection]:
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(ca))
    scheme = "ldap" if start_tls else "ldaps"
    port = stack.ports[scheme]
    server = ldap3.Server(f"{scheme}://localhost:{port}", tls=tls, connect_timeout=5)
    connection = ldap3.Connection(server, dn, password, receive_timeout=5)
    try:
        connection.open()
        if start_tls:
            connection.start_tls()
        yield connection
    finally:
        connection.unbind()


@contextmanager
def _as_service(stack: Stack) -> Iterator[ldap3.Connection]:
    password = SERVICE_PASSWORD_FILE.read_text().strip()
    with _connection(stack, SERVICE_DN, password) as connection:
        assert connection.bind(), connection.result
        yield connection


@pytest.mark.parametrize("start_tls", [False, True])
@pytest.mark.parametrize("person", ["alice", "bob", "carol", "dave"])
def test_a_person_binds_over_verified_tls(
    stack: Stack, person: str, start_tls: bool
) -> None:
    password = stack.person(person)["password"]
    with _connection(stack, _dn(person), password, start_tls=start_tls) as connection:
        assert connection.bind(), connection.result


def test_the_certificate_of_another_authority_is_refused(
    stack: Stack, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
         "-keyout", tmp_path / "other.key", "-out", other],
        check=True,
        capture_output=True,
    )  # fmt: skip
    with (
        pytest.raises(LDAPSocketOpenError, match="certificate verify failed"),
        _connection(stack, ca=other),
    ):
        pytest.fail("a connection was made")


def test_a_password_in_clear_text_is_refused(stack: Stack) -> None:
    server = ldap3.Server(f"ldap://localhost:{stack.ports['ldap']}")
    connection = ldap3.Connection(
        server, _dn("alice"), stack.person("alice")["password"]
    )
    assert not connection.bind()
    assert connection.result["description"] == "confidentialityRequired"
    connection.unbind()


def test_a_wrong_password_is_refused(stack: Stack) -> None:
    with _connection(stack, _dn("alice"), "not hers at all") as connection:
        assert not connection.bind()


def test_a_disabled_person_is_refused_with_the_right_password(stack: Stack) -> None:
    with _connection(
        stack, _dn("erin"), stack.person("erin")["password"]
    ) as connection:
        assert not connection.bind()
    with _as_service(stack) as connection:
        connection.search(
            PEOPLE_BASE,
            "(uid=erin)",
            attributes=["shadowExpire", "pwdAccountLockedTime"],
        )
        entry = connection.entries[0]
    assert entry.shadowExpire.value == 1
    assert "pwdAccountLockedTime" in entry


def test_nobody_reads_the_directory_without_a_name(stack: Stack) -> None:
    with _connection(stack) as connection:
        assert connection.bind()
        connection.search(PEOPLE_BASE, "(objectClass=*)")
        assert connection.entries == []


def test_the_unix_accounts_are_the_directorys(stack: Stack) -> None:
    wanted = ["uidNumber", "gidNumber", "homeDirectory", "mail", "displayName"]
    with _as_service(stack) as connection:
        connection.search(
            PEOPLE_BASE, "(objectClass=posixAccount)", attributes=["uid", *wanted]
        )
        people = {entry.uid.value: entry for entry in connection.entries}
    assert people.keys() == {person.name for person in PEOPLE}
    for name, entry in people.items():
        account = pwd.getpwnam(name)
        assert entry.uidNumber.value == account.pw_uid
        assert entry.gidNumber.value == account.pw_gid
        assert entry.homeDirectory.value == account.pw_dir
        assert entry.displayName.value == account.pw_gecos


def test_the_unix_groups_are_the_directorys(stack: Stack) -> None:
    with _as_service(stack) as connection:
        connection.search(
            GROUPS_BASE,
            "(objectClass=posixGroup)",
            attributes=["cn", "gidNumber", "memberUid"],
        )
        found = {
            entry.cn.value: (entry.gidNumber.value, set(entry.memberUid.values))
            for entry in connection.entries
        }
    for name in GROUPS:
        group = grp.getgrnam(name)
        assert found[name] == (group.gr_gid, set(group.gr_mem))


def test_nobody_reads_a_password_not_even_the_portal(stack: Stack) -> None:
    with _as_service(stack) as connection:
        connection.search(PEOPLE_BASE, "(uid=alice)", attributes=["userPassword"])
        assert connection.entries[0].userPassword.value is None


def test_a_person_changes_the_own_password_within_the_policy(stack: Stack) -> None:
    old, new = stack.person("bob")["password"], "a much better one 42"
    with _connection(stack, _dn("bob"), old) as connection:
        assert connection.bind()
        modify = connection.extend.standard.modify_password
        assert not modify(_dn("bob"), old, "short")
        assert connection.result["description"] == "constraintViolation"
        assert modify(_dn("bob"), old, new)
        assert not modify(_dn("bob"), new, old), "the history forgot it"
    try:
        with _connection(stack, _dn("bob"), old) as connection:
            assert not connection.bind()
    finally:
        set_password("bob", old)
    with _connection(stack, _dn("bob"), old) as connection:
        assert connection.bind()


def test_a_person_cannot_change_somebody_elses_entry(stack: Stack) -> None:
    with _connection(
        stack, _dn("alice"), stack.person("alice")["password"]
    ) as connection:
        assert connection.bind()
        for entry, attribute, value in (
            (_dn("bob"), "userPassword", "long enough a password"),
            (_dn("bob"), "uidNumber", "0"),
            (_dn("alice"), "uidNumber", "0"),
            (f"cn=kqi-operators,{GROUPS_BASE}", "memberUid", "alice"),
        ):
            change = {attribute: [(ldap3.MODIFY_REPLACE, [value])]}
            assert not connection.modify(entry, change)
            assert connection.result["description"] == "insufficientAccessRights"
