"""SSH keys and credentials, on SQLite and PostgreSQL, under races."""

import base64
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select, text

from kqi_hub.auth.secretbox import SecretBox, new_key
from kqi_hub.db import schema
from kqi_hub.db.account_tables import CredentialRow
from kqi_hub.db.credentials import SqlCredentialStore
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.sealed import reseal
from kqi_hub.db.ssh_keys import SqlSshKeyStore
from kqi_hub.domain.credentials import Kind, Secret, Service, Stored, Use
from kqi_hub.domain.errors import Conflict, SecretUnreadable
from kqi_hub.domain.ssh_keys import MOST_KEYS, PublicKey

NOW = 1_795_000_000.0
GITHUB = Service("github", Use.GIT, Kind.GITHUB, "https://github.com")
NGC = Service("ngc", Use.REGISTRY, Kind.NGC, "https://nvcr.io")
WORD = "ghp_0123456789"
ODD = ["a'b", "a\nb", "\0", "\ud800", "é" * 200, '"; DROP TABLE ssh_keys; --', ""]


def key(number: int) -> PublicKey:
    """Return a key that no other number has; the store does not look into it."""
    return PublicKey("ssh-ed25519", base64.b64encode(b"%d" % number).decode())


class Keys:
    """A key file in memory."""

    def __init__(self) -> None:
        self.keys: Sequence[str] = (new_key(),)
        self.box = SecretBox(lambda: self.keys, lambda: self.keys)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def ready(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


@pytest.fixture
def ssh(ready: Engine) -> SqlSshKeyStore:
    return SqlSshKeyStore(ready)


@pytest.fixture
def credentials(ready: Engine, keys: Keys) -> SqlCredentialStore:
    return SqlCredentialStore(ready, keys.box)


def at_once(count: int, work: Callable[[int], None]) -> int:
    """Do the same from many threads at the same moment; return how often it worked."""
    start = threading.Barrier(count)
    done = []

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except Conflict:
            return
        done.append(number)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


def test_a_key_comes_back_as_it_was_added(ssh: SqlSshKeyStore) -> None:
    first = ssh.add("alice", "laptop", key(1), NOW)
    second = ssh.add("alice", "desk", key(2), NOW + 1)
    ssh.add("bob", "laptop", key(1), NOW)
    assert ssh.keys("alice") == (first, second)
    assert first.key == key(1)
    assert len(ssh.keys("bob")) == 1


def test_a_key_is_added_once_and_the_answer_names_it(ssh: SqlSshKeyStore) -> None:
    ssh.add("alice", "laptop", key(1), NOW)
    with pytest.raises(Conflict, match="laptop"):
        ssh.add("alice", "another name", key(1), NOW)


def test_a_removed_keys_number_never_comes_back(ssh: SqlSshKeyStore) -> None:
    added = ssh.add("alice", "laptop", key(1), NOW)
    assert ssh.remove("alice", added.id) == added
    assert ssh.remove("alice", added.id) is None
    assert ssh.add("alice", "laptop", key(1), NOW).id > added.id


def test_nobody_removes_a_key_of_others(ssh: SqlSshKeyStore) -> None:
    added = ssh.add("alice", "laptop", key(1), NOW)
    assert ssh.remove("bob", added.id) is None
    assert ssh.keys("alice") == (added,)


@pytest.mark.parametrize("number", [0, -1, 2**63 - 1])
def test_numbers_of_no_key_remove_none(ssh: SqlSshKeyStore, number: int) -> None:
    assert ssh.remove("alice", number) is None


def test_the_same_key_added_by_20_threads_is_there_once(ssh: SqlSshKeyStore) -> None:
    added = at_once(20, lambda n: void(ssh.add("alice", f"k{n}", key(1), NOW)))
    assert added == len(ssh.keys("alice")) == 1


def test_there_are_never_more_than_50_keys_even_when_added_at_once(
    ssh: SqlSshKeyStore,
) -> None:
    for number in range(MOST_KEYS - 5):
        ssh.add("alice", "k", key(number), NOW)
    added = at_once(15, lambda n: void(ssh.add("alice", "k", key(100 + n), NOW)))
    assert added == 5
    assert len(ssh.keys("alice")) == MOST_KEYS
    with pytest.raises(Conflict, match="50"):
        ssh.add("alice", "one more", key(999), NOW)
    ssh.add("bob", "laptop", key(999), NOW)


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_of_keys_and_people_are_kept_as_they_are(
    ssh: SqlSshKeyStore, odd: str
) -> None:
    added = ssh.add(odd, odd, key(1), NOW)
    assert ssh.keys(odd) == (added,)
    assert added.name == odd


def void(_: object) -> None:
    """Take an answer that nobody needs."""


def test_a_credential_is_told_of_but_never_told(
    credentials: SqlCredentialStore,
) -> None:
    assert not credentials.put("alice", GITHUB, Secret("", WORD), NOW)
    assert credentials.stored("alice") == (Stored("github", GITHUB.url, "", NOW, None),)
    assert credentials.stored("bob") == ()


def test_a_job_gets_it_and_the_time_is_noted(credentials: SqlCredentialStore) -> None:
    credentials.put("alice", NGC, Secret("", WORD), NOW)
    assert credentials.use("alice", NGC, NOW + 5) == Secret("", WORD)
    [stored] = credentials.stored("alice")
    assert stored.last_used_at == NOW + 5
    assert credentials.use("bob", NGC, NOW) is None
    assert credentials.use("alice", GITHUB, NOW) is None


def test_a_new_one_replaces_the_old_one_and_forgets_its_use(
    credentials: SqlCredentialStore,
) -> None:
    credentials.put("alice", GITHUB, Secret("", "old"), NOW)
    credentials.use("alice", GITHUB, NOW + 1)
    assert credentials.put("alice", GITHUB, Secret("Alice", "new"), NOW + 2)
    assert credentials.use("alice", GITHUB, NOW + 3) == Secret("Alice", "new")
    credentials.put("alice", GITHUB, Secret("", "newer"), NOW + 4)
    assert credentials.stored("alice")[0].last_used_at is None


def test_it_is_not_given_to_another_address(credentials: SqlCredentialStore) -> None:
    credentials.put("alice", GITHUB, Secret("", WORD), NOW)
    moved = replace(GITHUB, url="https://github.evil.example")
    assert credentials.use("alice", moved, NOW) is None
    assert credentials.use("alice", GITHUB, NOW) == Secret("", WORD)


def test_removed_is_gone(credentials: SqlCredentialStore) -> None:
    credentials.put("alice", GITHUB, Secret("", WORD), NOW)
    assert not credentials.remove("bob", "github")
    assert credentials.remove("alice", "github")
    assert not credentials.remove("alice", "github")
    assert credentials.use("alice", GITHUB, NOW) is None


def test_nothing_readable_is_stored(
    ready: Engine, credentials: SqlCredentialStore
) -> None:
    credentials.put("alice", GITHUB, Secret("", WORD), NOW)
    with reading(ready) as connection:
        rows = connection.execute(select(CredentialRow.__table__)).all()
    assert WORD not in str(rows)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE credentials SET person = 'bob' WHERE person = 'alice'",
        "UPDATE credentials SET service = 'ngc', url = 'https://nvcr.io'",
        "UPDATE credentials SET url = 'https://github.evil.example'",
    ],
)
def test_a_row_that_somebody_changed_opens_for_nobody(
    ready: Engine, credentials: SqlCredentialStore, change: str
) -> None:
    credentials.put("alice", GITHUB, Secret("", WORD), NOW)
    with writing(ready) as connection:
        connection.execute(text(change))
    moved = replace(GITHUB, url="https://github.evil.example")
    opened = []
    for person in ("alice", "bob"):
        for service in (GITHUB, NGC, moved):
            try:
                opened.append(credentials.use(person, service, NOW))
            except SecretUnreadable:
                opened.append(None)
    assert opened == [None] * 6


def test_credentials_survive_a_rotation_of_the_keys(
    ready: Engine, credentials: SqlCredentialStore, keys: Keys
) -> None:
    credentials.put("alice", GITHUB, Secret("", WORD), NOW)
    credentials.put("bob", NGC, Secret("", "other"), NOW)
    keys.keys = (new_key(), *keys.keys)
    assert reseal(ready, keys.box) == 2
    keys.keys = keys.keys[:1]
    assert credentials.use("alice", GITHUB, NOW) == Secret("", WORD)
    assert credentials.use("bob", NGC, NOW) == Secret("", "other")


@pytest.mark.parametrize(
    "odd", [odd for odd in ODD if "\0" not in odd and odd.isascii()]
)
def test_odd_people_services_and_values_are_kept_as_they_are(
    credentials: SqlCredentialStore, odd: str
) -> None:
    service = Service(odd, Use.GIT, Kind.OTHER, "https://git.example.org")
    credentials.put(odd, service, Secret(odd, odd), NOW)
    assert credentials.use(odd, service, NOW) == Secret(odd, odd)


def test_stored_by_10_threads_at_once_one_of_them_is_there(
    credentials: SqlCredentialStore,
) -> None:
    done = at_once(
        10, lambda n: void(credentials.put("alice", GITHUB, Secret("", f"v{n}"), NOW))
    )
    assert done == 10
    found = credentials.use("alice", GITHUB, NOW)
    assert found is not None
    assert found.value.startswith("v")
