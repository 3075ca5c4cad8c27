"""Several servers: some stopped, some hanging, some coming back."""

import logging
import statistics
import threading
import time
from collections.abc import Callable

import pytest

from kqi_hub.auth.directory import LdapDirectory
from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.domain.login import DirectoryVerdict as Verdict
from tests.adapters.auth.certificates import Authority
from tests.adapters.auth.conftest import FakeHangingServer, ServerMaker, options, tls
from tests.adapters.auth.entries import PASSWORD
from tests.adapters.auth.slapd import Slapd, free_port


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


def test_the_next_server_is_asked_when_the_first_one_is_down(
    directory_server: Slapd, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    client = LdapDirectory(
        options(authority, tls(free_port()), tls(directory_server.ldaps))
    )
    with caplog.at_level(logging.WARNING):
        verdicts = {client.check("alice", PASSWORD).verdict for _ in range(20)}
    client.close()
    assert verdicts == {Verdict.RIGHT}
    # Told once, not with each login.
    assert len([one for one in caplog.records if "fails" in one.message]) == 1


def test_a_server_that_is_killed_amid_logins_costs_no_login(
    new_server: ServerMaker, authority: Authority
) -> None:
    first, second = new_server(), new_server()
    client = LdapDirectory(options(authority, tls(first.ldaps), tls(second.ldaps)))
    verdicts: list[Verdict] = []
    faults: list[Exception] = []
    over = threading.Event()

    def log_in() -> None:
        while not over.is_set():
            try:
                verdicts.append(client.check("alice", PASSWORD).verdict)
            except DirectoryUnavailable as error:
                faults.append(error)

    people = [threading.Thread(target=log_in) for _ in range(4)]
    for one in people:
        one.start()
    time.sleep(0.3)
    first.stop()
    before = len(verdicts)
    time.sleep(0.3)
    over.set()
    for one in people:
        one.join()
    client.close()
    assert before > 0
    assert len(verdicts) > before
    assert set(verdicts) == {Verdict.RIGHT}
    assert faults == []


def test_a_restarted_server_is_used_again_at_once_if_there_is_no_other(
    own_server: Slapd, authority: Authority
) -> None:
    client = LdapDirectory(options(authority, tls(own_server.ldaps)))
    assert client.check("alice", PASSWORD).verdict is Verdict.RIGHT
    own_server.stop()
    with pytest.raises(DirectoryUnavailable):
        client.check("alice", PASSWORD)
    own_server.start()
    assert client.check("alice", PASSWORD).verdict is Verdict.RIGHT
    client.close()


def test_a_connection_that_the_server_closed_meanwhile_is_no_failure(
    own_server: Slapd, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    client = LdapDirectory(options(authority, tls(own_server.ldaps)))
    client.check("alice", PASSWORD)
    own_server.stop()
    own_server.start()
    with caplog.at_level(logging.WARNING):
        assert client.check("alice", PASSWORD).verdict is Verdict.RIGHT
    client.close()
    assert caplog.text == ""


def test_the_first_server_is_asked_again_when_it_is_back(
    new_server: ServerMaker, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = new_server(debug="stats"), new_server()
    client = LdapDirectory(
        options(authority, tls(first.ldaps), tls(second.ldaps), retry_after_s=0.1)
    )
    first.stop()
    client.check("alice", PASSWORD)
    first.start()

    def is_asked() -> bool:
        client.check("alice", PASSWORD)
        return "uid=alice" in first.log()

    assert within(5, is_asked)
    client.close()


def test_a_hanging_server_is_met_once_and_then_left_alone(
    directory_server: Slapd, hanging: FakeHangingServer, authority: Authority
) -> None:
    client = LdapDirectory(
        options(
            authority,
            tls(hanging.port),
            tls(directory_server.ldaps),
            connect_timeout_s=0.5,
        )
    )
    times = []
    for _ in range(20):
        began = time.monotonic()
        assert client.check("alice", PASSWORD).verdict is Verdict.RIGHT
        times.append(time.monotonic() - began)
    client.close()
    assert times[0] > 0.4
    assert statistics.median(times[1:]) < 0.4
    assert hanging.connections == 1


def test_when_every_server_hangs_the_answer_is_quick_after_the_first(
    hanging: FakeHangingServer, authority: Authority
) -> None:
    client = LdapDirectory(options(authority, tls(hanging.port), connect_timeout_s=0.5))
    times = []
    for _ in range(10):
        began = time.monotonic()
        with pytest.raises(DirectoryUnavailable):
            client.check("alice", PASSWORD)
        times.append(time.monotonic() - began)
    client.close()
    assert statistics.median(times[1:]) < 0.2
    assert hanging.connections == 1


def test_a_server_that_hung_is_probed_beside_the_people_and_comes_back(
    new_server: ServerMaker, authority: Authority
) -> None:
    server = new_server()
    assert server.process is not None
    client = LdapDirectory(
        options(
            authority,
            tls(server.ldaps),
            connect_timeout_s=1.0,
            read_timeout_s=1.0,
            retry_after_s=0.2,
        )
    )
    client.check("alice", PASSWORD)
    # A stopped process keeps its sockets: the real thing hangs as the fake does.
    server.process.send_signal(19)
    with pytest.raises(DirectoryUnavailable):
        client.check("alice", PASSWORD)
    server.process.send_signal(18)

    def is_back() -> bool:
        try:
            return client.check("alice", PASSWORD).verdict is Verdict.RIGHT
        except DirectoryUnavailable:
            return False

    assert within(30, is_back)
    client.close()


def test_the_time_for_all_servers_together_is_bounded(
    hanging: FakeHangingServer, authority: Authority
) -> None:
    client = LdapDirectory(
        options(
            authority,
            *[tls(hanging.port)] * 5,
            connect_timeout_s=0.5,
            total_timeout_s=0.8,
        )
    )
    began = time.monotonic()
    with pytest.raises(DirectoryUnavailable):
        client.check("alice", PASSWORD)
    assert time.monotonic() - began < 2.4
    client.close()


def test_a_server_that_keeps_others_waiting_is_not_the_first_to_be_asked(
    directory_server: Slapd, hanging: FakeHangingServer, authority: Authority
) -> None:
    client = LdapDirectory(
        options(
            authority,
            tls(hanging.port),
            tls(directory_server.ldaps),
            connect_timeout_s=2.2,
        )
    )
    unlucky = threading.Thread(target=client.check, args=("bob", PASSWORD))
    unlucky.start()
    time.sleep(1.2)
    began = time.monotonic()
    verdict = client.check("bob", PASSWORD).verdict
    took = time.monotonic() - began
    unlucky.join()
    client.close()
    assert verdict is Verdict.RIGHT
    assert took < 1.5


def test_a_name_without_an_address_is_a_server_that_fails(
    directory_server: Slapd, authority: Authority
) -> None:
    client = LdapDirectory(
        options(
            authority, tls(636, "no-such-host.invalid"), tls(directory_server.ldaps)
        )
    )
    assert client.check("alice", PASSWORD).verdict is Verdict.RIGHT
    client.close()
