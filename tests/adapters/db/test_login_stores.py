"""Factors, throttle, audit log and terms, on SQLite and PostgreSQL, under races."""

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from multiprocessing.queues import Queue

import pytest
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError

from kqi_hub.auth.secretbox import SecretBox, new_key
from kqi_hub.db import schema
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.engine import make_engine, reading, writing
from kqi_hub.db.factors import SqlFactorStore
from kqi_hub.db.login_tables import FailureRow, KnownAddressRow, TallyRow
from kqi_hub.db.sealed import SEALED, count_sealed, forget_sealed, reseal
from kqi_hub.db.terms import SqlTermsStore
from kqi_hub.db.throttle import KNOWN_FOR_S, SqlThrottleStore
from kqi_hub.domain.errors import DatabaseNotReady, SecretUnreadable
from kqi_hub.domain.login import AuditEvent, Factor
from kqi_hub.domain.terms import Acceptance
from kqi_hub.domain.throttle import FORGOTTEN_AFTER_S, Key, Tally, counted

NOW = 1_795_000_000.0
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


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
def factors(ready: Engine, keys: Keys) -> SqlFactorStore:
    return SqlFactorStore(ready, keys.box, now=lambda: NOW)


@pytest.fixture
def throttle(ready: Engine) -> SqlThrottleStore:
    return SqlThrottleStore(ready)


def at_once(count: int, work: Callable[[int], bool]) -> list[bool]:
    """Do the same from many threads at the same moment."""
    start = threading.Barrier(count)
    results: list[bool] = []

    def run(number: int) -> None:
        start.wait()
        results.append(work(number))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_factor_comes_back_as_it_was_set_up(factors: SqlFactorStore) -> None:
    assert factors.factor("alice") is None
    assert not factors.has_factor("alice")
    codes = factors.set_up("alice", SECRET, 7, replace=False)
    assert codes is not None
    assert len(codes) == 10
    assert factors.factor("alice") == Factor("alice", SECRET, 7)
    assert factors.has_factor("alice")
    assert factors.recovery_codes_left("alice") == 10


def test_nothing_readable_is_stored(ready: Engine, factors: SqlFactorStore) -> None:
    codes = factors.set_up("alice", SECRET, 7, replace=False)
    with reading(ready) as connection:
        rows = [
            str(row) for table, _ in SEALED for row in connection.execute(select(table))
        ]
    stored = "\n".join(rows)
    assert SECRET not in stored
    for code in codes or ():
        assert code not in stored
        assert code.replace("-", "") not in stored


def test_a_row_copied_to_another_name_opens_for_nobody(
    ready: Engine, factors: SqlFactorStore
) -> None:
    factors.set_up("mallory", SECRET, 7, replace=False)
    with writing(ready) as connection:
        connection.execute(text("UPDATE second_factors SET person = 'alice'"))
        connection.execute(text("UPDATE recovery_codes SET person = 'alice'"))
    with pytest.raises(SecretUnreadable):
        factors.factor("alice")
    with pytest.raises(SecretUnreadable):
        factors.use_recovery_code("alice", "ABCD-ABCD-ABCD")


def test_a_factor_is_replaced_only_when_that_is_meant(factors: SqlFactorStore) -> None:
    first = factors.set_up("alice", SECRET, 7, replace=False)
    assert factors.set_up("alice", "OTHER", 9, replace=False) is None
    assert factors.factor("alice") == Factor("alice", SECRET, 7)
    second = factors.set_up("alice", "OTHER", 9, replace=True)
    assert factors.factor("alice") == Factor("alice", "OTHER", 9)
    assert first and second and set(first).isdisjoint(second)
    assert factors.recovery_codes_left("alice") == 10


@pytest.mark.parametrize(
    ("step", "accepted"), [(6, False), (7, False), (8, True), (9, True)]
)
def test_only_a_later_step_is_accepted(
    factors: SqlFactorStore, step: int, accepted: bool
) -> None:
    factors.set_up("alice", SECRET, 7, replace=False)
    assert factors.accept_step("alice", step) is accepted
    assert not factors.accept_step("alice", step)
    assert not factors.accept_step("bob", step)


def test_a_code_sent_by_50_threads_at_once_is_accepted_once(
    factors: SqlFactorStore,
) -> None:
    factors.set_up("alice", SECRET, 7, replace=False)
    accepted = at_once(50, lambda _: factors.accept_step("alice", 8))
    assert accepted.count(True) == 1


def test_a_recovery_code_sent_by_20_threads_at_once_works_once(
    factors: SqlFactorStore,
) -> None:
    codes = factors.set_up("alice", SECRET, 7, replace=False)
    assert codes is not None
    used = at_once(20, lambda _: factors.use_recovery_code("alice", codes[3]))
    assert used.count(True) == 1
    assert factors.recovery_codes_left("alice") == 9


def test_of_ten_who_set_up_at_once_one_does(factors: SqlFactorStore) -> None:
    done = at_once(
        10, lambda n: factors.set_up("alice", f"S{n}", 7, replace=False) is not None
    )
    assert done.count(True) == 1
    assert factors.recovery_codes_left("alice") == 10


def test_renewed_at_once_there_are_ten_recovery_codes(factors: SqlFactorStore) -> None:
    factors.set_up("alice", SECRET, 7, replace=False)
    at_once(8, lambda _: bool(factors.new_recovery_codes("alice")))
    assert factors.recovery_codes_left("alice") == 10
    assert factors.new_recovery_codes("bob") == ()


def accept_in_process(
    url: str, key: str, ready: "Queue[int]", start: object, found: "Queue[bool]"
) -> None:
    """Wait for the word, then send the same code; runs in a process of its own."""
    engine = make_engine(url)
    store = SqlFactorStore(engine, SecretBox(lambda: [key], lambda: 0))
    store.factor("alice")
    ready.put(1)
    start.wait()  # type: ignore[attr-defined]  # multiprocessing's Event is no type
    for _ in range(10):
        found.put(store.accept_step("alice", 8))
    engine.dispose()


def test_a_code_sent_by_4_processes_ten_times_each_is_accepted_once(
    factors: SqlFactorStore, keys: Keys, database_url: str
) -> None:
    factors.set_up("alice", SECRET, 7, replace=False)
    # Not forked: a copy of our threads and connections would be a fault of the test.
    context = multiprocessing.get_context("spawn")
    ready, found, start = context.Queue(), context.Queue(), context.Event()
    arguments = (database_url, keys.keys[0], ready, start, found)
    senders = [
        context.Process(target=accept_in_process, args=arguments) for _ in range(4)
    ]
    for sender in senders:
        sender.start()
    for _ in senders:
        ready.get(timeout=30)
    start.set()
    accepted = [found.get(timeout=30) for _ in range(40)]
    for sender in senders:
        sender.join(30)
    for queue in (ready, found):
        queue.close()
        queue.join_thread()
    assert accepted.count(True) == 1


def test_a_reset_leaves_nothing(factors: SqlFactorStore) -> None:
    codes = factors.set_up("alice", SECRET, 7, replace=False)
    factors.set_up("bob", SECRET, 7, replace=False)
    assert factors.reset("alice")
    assert not factors.reset("alice")
    assert factors.factor("alice") is None
    assert not factors.use_recovery_code("alice", (codes or ("",))[0])
    assert factors.recovery_codes_left("bob") == 10


def test_every_column_of_secrets_is_known_to_the_rotation() -> None:
    named = {
        (table.name, column.name)
        for table in schema.all_tables().sorted_tables
        for column in table.columns
        if column.name.startswith("sealed")
    }
    assert named == {(table.name, column) for table, column in SEALED}


def test_a_rotation_puts_everything_under_the_new_key(
    ready: Engine, factors: SqlFactorStore, keys: Keys
) -> None:
    codes = factors.set_up("alice", SECRET, 7, replace=False)
    assert codes is not None
    old = keys.keys[0]
    keys.keys = (new_key(), old)
    assert reseal(ready, keys.box) == count_sealed(ready) == 11
    keys.keys = keys.keys[:1]
    assert factors.factor("alice") == Factor("alice", SECRET, 7)
    assert factors.use_recovery_code("alice", codes[0])


def test_a_rotation_that_cannot_open_one_secret_changes_none(
    ready: Engine, factors: SqlFactorStore, keys: Keys
) -> None:
    factors.set_up("alice", SECRET, 7, replace=False)
    good = keys.keys
    keys.keys = (new_key(),)
    factors.set_up("zoe", SECRET, 7, replace=False)
    with pytest.raises(SecretUnreadable):
        reseal(ready, keys.box)
    keys.keys = good
    assert factors.factor("alice") is not None


def test_lost_keys_mean_lost_secrets_and_nothing_else(
    ready: Engine, factors: SqlFactorStore
) -> None:
    factors.set_up("alice", SECRET, 7, replace=False)
    assert forget_sealed(ready) == 11
    assert count_sealed(ready) == 0
    assert factors.set_up("alice", SECRET, 7, replace=False) is not None


def test_failures_are_counted_as_the_rules_say(throttle: SqlThrottleStore) -> None:
    expected: Tally | None = None
    times = [NOW, NOW + 1, NOW + 2, NOW + 2 + FORGOTTEN_AFTER_S, NOW + 905]
    for now in times:
        throttle.count_failure("alice", "192.0.2.1", now)
        expected = counted(expected, now)
        assert throttle.tallies("alice", "192.0.2.1") == dict.fromkeys(Key, expected)


def test_each_counter_counts_its_own(throttle: SqlThrottleStore) -> None:
    throttle.count_failure("alice", "192.0.2.1", NOW)
    throttle.count_failure("alice", "192.0.2.2", NOW)
    throttle.count_failure("bob", "192.0.2.1", NOW)
    found = throttle.tallies("alice", "192.0.2.1")
    assert {key: tally.failures for key, tally in found.items() if tally} == {
        Key.PAIR: 1,
        Key.PERSON: 2,
        Key.ADDRESS: 2,
    }
    assert throttle.tallies("carol", "192.0.2.9") == dict.fromkeys(Key)


@pytest.mark.parametrize("odd", ["*", "a'b", "\0", "a\nb", "\ud800", "%", "é" * 200])
def test_odd_names_count_like_others(throttle: SqlThrottleStore, odd: str) -> None:
    throttle.count_failure(odd, odd, NOW)
    assert throttle.tallies(odd, odd)[Key.PAIR] == Tally(1, NOW)


def test_no_failure_is_lost_among_threads(throttle: SqlThrottleStore) -> None:
    def fail(number: int) -> bool:
        for turn in range(5):
            throttle.count_failure(f"person{(number + turn) % 3}", "192.0.2.1", NOW)
        return True

    at_once(10, fail)
    address = throttle.tallies("person0", "192.0.2.1")[Key.ADDRESS]
    assert address == Tally(50, NOW)
    assert throttle.failures_since(NOW - 60) == 50


def test_a_login_forgets_the_pairs_failures_and_knows_the_address(
    throttle: SqlThrottleStore,
) -> None:
    throttle.count_failure("alice", "192.0.2.1", NOW)
    assert not throttle.is_known_address("alice", "192.0.2.1", NOW)
    throttle.clear("alice", "192.0.2.1", NOW)
    found = throttle.tallies("alice", "192.0.2.1")
    assert found[Key.PAIR] is None
    assert found[Key.PERSON] == found[Key.ADDRESS] == Tally(1, NOW)
    assert throttle.is_known_address("alice", "192.0.2.1", NOW + KNOWN_FOR_S - 1)
    assert not throttle.is_known_address("alice", "192.0.2.1", NOW + KNOWN_FOR_S)
    assert not throttle.is_known_address("bob", "192.0.2.1", NOW)
    assert not throttle.is_known_address("alice", "192.0.2.2", NOW)


def test_failures_of_everybody_are_counted_by_time(throttle: SqlThrottleStore) -> None:
    for second in range(0, 100, 10):
        throttle.count_failure(f"p{second}", "192.0.2.1", NOW + second)
    assert throttle.failures_since(NOW) == 10
    assert throttle.failures_since(NOW + 50) == 5
    assert throttle.failures_since(NOW + 1000) == 0


def test_what_no_longer_counts_is_deleted(
    ready: Engine, throttle: SqlThrottleStore
) -> None:
    for number in range(50):
        throttle.count_failure(f"p{number}", f"192.0.2.{number}", NOW)
    throttle.clear("p1", "192.0.2.1", NOW)
    throttle.count_failure("late", "192.0.2.99", NOW + KNOWN_FOR_S + 5)
    with reading(ready) as connection:
        left = {
            table: connection.scalar(select(func.count()).select_from(table))
            for table in (TallyRow, FailureRow, KnownAddressRow)
        }
    assert left == {TallyRow: 3, FailureRow: 1, KnownAddressRow: 0}


def test_failures_and_forgetting_at_once_do_not_wait_for_each_other_for_ever(
    throttle: SqlThrottleStore,
) -> None:
    for number in range(30):
        throttle.count_failure(f"p{number}", f"192.0.2.{number}", NOW)
    later = NOW + FORGOTTEN_AFTER_S

    def fail(number: int) -> bool:
        for turn in range(20):
            other = (number * 7 + turn * 11) % 30
            # Each has moments of its own: somebody forgets in every one of them.
            moment = later + (number * 20 + turn) * 5
            throttle.count_failure(f"p{other}", f"192.0.2.{29 - other}", moment)
        return True

    assert at_once(8, fail) == [True] * 8


@pytest.fixture
def audit(ready: Engine) -> SqlAuditLog:
    return SqlAuditLog(ready)


def test_events_come_back_newest_first(audit: SqlAuditLog) -> None:
    events = [
        AuditEvent(NOW + n, f"p{n % 2}", "login" if n % 3 else "terms-accepted", "t")
        for n in range(9)
    ]
    for event in events:
        audit.append(event)
    found = audit.read()
    assert [event for _, event in found] == events[::-1]
    assert [event.at for _, event in audit.read(limit=2)] == [NOW + 8, NOW + 7]
    assert len(audit.read(before=found[3][0])) == 5
    assert {event.actor for _, event in audit.read(actor="p1")} == {"p1"}
    assert len(audit.read(action="terms-accepted")) == 3
    assert len(audit.read(actor="p0", action="login", since=NOW + 3)) == 2
    assert audit.read(actor="nobody") == ()


def test_an_event_keeps_every_field_and_any_text(audit: SqlAuditLog) -> None:
    event = AuditEvent(
        NOW, "a'b", "login", "\0\ud800", "refused", "192.0.2.1", {"reason": "é\n\0"}
    )
    audit.append(event)
    assert audit.read()[0][1] == event


def test_what_is_too_long_is_cut(audit: SqlAuditLog) -> None:
    long = "x" * 100_000
    detail = {f"{number}{long}": long for number in range(100)}
    audit.append(AuditEvent(NOW, long, long, long, long, long, detail))
    event = audit.read()[0][1]
    assert (len(event.actor), len(event.action), len(event.target)) == (100, 50, 200)
    assert len(event.detail) == 20
    assert max(map(len, event.detail.values())) == 500


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_log SET actor = 'somebody else'",
        "UPDATE audit_log SET number = number + 1",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE number = 1",
    ],
)
def test_the_database_refuses_to_change_the_log(
    ready: Engine, audit: SqlAuditLog, change: str
) -> None:
    event = AuditEvent(NOW, "alice", "login")
    audit.append(event)
    with (
        pytest.raises((DatabaseError, DatabaseNotReady), match="append-only"),
        writing(ready) as connection,
    ):
        connection.execute(text(change))
    assert audit.read() == ((1, event),)


def test_postgresql_refuses_to_empty_the_log_too(postgresql_url: str) -> None:
    engine = make_engine(postgresql_url)
    schema.upgrade(engine)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        writing(engine) as connection,
    ):
        connection.execute(text("TRUNCATE audit_log"))
    engine.dispose()


def test_an_upgrade_keeps_the_guard(ready: Engine) -> None:
    schema.upgrade(ready)
    with reading(ready) as connection:
        assert "audit_log" in inspect(connection).get_table_names()
    SqlAuditLog(ready).append(AuditEvent(NOW, "alice", "login"))
    with (
        pytest.raises((DatabaseError, DatabaseNotReady)),
        writing(ready) as connection,
    ):
        connection.execute(text("DELETE FROM audit_log"))


def test_an_acceptance_is_kept_as_it_was_first(ready: Engine) -> None:
    store = SqlTermsStore(ready)
    first = Acceptance("alice", "2026-11", NOW, "192.0.2.1")
    later = Acceptance("alice", "2026-12", NOW + 9, "192.0.2.2")
    for one in (first, Acceptance("alice", "2026-11", NOW + 5, "192.0.2.9"), later):
        store.accept(one)
    assert store.accepted("alice") == (later, first)
    assert store.accepted("bob") == ()
