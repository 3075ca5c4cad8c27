"""Who may call, in what form, and how many at once."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.adapters.runas.house import (
    ALICE,
    KQI,
    PING,
    STRANGER,
    House,
    answer_in,
    open_descriptors,
    read_all,
    submission,
    told,
    wait_until,
)


def test_ping_says_which_helper_answers_and_becomes_nobody(house: House) -> None:
    answer = house.send(PING)
    assert answer["ok"], answer
    said = json.loads(answer["stdout"])
    assert said["version"] == "1"
    assert {
        "submit",
        "cancel",
        "signal",
        "control",
        "time-limit",
        "make-scratch",
        "put-secret",
        "drop-secret",
        "collect",
        "remove-runs",
        "offer-output",
        "start-agent",
        "stop-agent",
    } == set(said["verbs"])


def test_the_service_user_is_answered(house: House) -> None:
    ran = house.ask_as(KQI, KQI, PING)
    assert answer_in(ran.stdout)["ok"]


def test_a_user_who_is_in_the_sockets_group_but_no_caller_is_refused(
    house: House,
) -> None:
    ran = house.ask_as(STRANGER, KQI, PING)
    # The helper reads nothing of a stranger's. Who is still writing when it hangs up
    # loses the answer; the log has it.
    refusal = f"uid {STRANGER} may not call this helper"
    assert not ran.stdout or answer_in(ran.stdout)["message"] == refusal
    entries = [entry for entry in house.audit() if entry["caller"] == STRANGER]
    assert [set(entry) for entry in entries] == [{"time", "caller", "outcome", "ms"}]
    assert entries[0]["outcome"] == f"refused: {refusal}"


@pytest.mark.parametrize("uid", [ALICE, 1, 65534])
def test_any_other_user_cannot_even_connect(house: House, uid: int) -> None:
    ran = house.ask_as(uid, uid, PING)
    assert ran.stdout == b""
    assert b"PermissionError" in ran.stderr


def test_only_root_and_the_callers_group_can_open_the_socket(house: House) -> None:
    info = house.door.lstat()
    assert (info.st_uid, info.st_gid, info.st_mode & 0o777) == (0, KQI, 0o660)


@pytest.mark.parametrize(
    "raw",
    [
        b"\n",
        b"null\n",
        b"[]\n",
        b'"submit"\n',
        b"{}\n",
        b'{"verb": "ping"}\n',
        b'{"verb": "ping", "person": "", "arguments": {}, "uid": 0}\n',
        b'{"verb": "ping", "person": "", "arguments": {}',
        b'{"verb": "ping", "person": "", "arguments": {}}{}\n',
        b"\xff\xfe\n",
        b'{"verb": "ping", "person": "\xff", "arguments": {}}\n',
        b"[" * 100_000 + b"\n",
        b'{"a":' * 100_000 + b"\n",
        b"1" * 100_000 + b"\n",
        b"\0" * 100_000 + b"\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_what_is_no_request_is_refused(house: House, raw: bytes) -> None:
    with house.connect() as door:
        door.sendall(raw)
        door.shutdown(socket.SHUT_WR)
        answer = answer_in(read_all(door))
    assert answer["error"] == "refused"
    assert "request" in answer["message"]


def test_two_requests_on_one_connection_are_refused_together(house: House) -> None:
    before = len(house.audit())
    assert house.send(PING + PING)["error"] == "refused"
    assert len(house.audit()) == before + 1


def test_a_request_without_end_is_cut_off_at_its_limit(house: House) -> None:
    answer = house.send(b"x" * 50_000_000)
    assert answer["message"] == "the request is longer than 2097152 bytes"


def test_a_caller_that_half_closes_after_its_request_is_answered(house: House) -> None:
    with house.connect() as door:
        door.sendall(submission())
        door.shutdown(socket.SHUT_WR)
        assert answer_in(read_all(door))["exit_code"] == 0


def test_silent_and_dripping_callers_are_shut_out_after_ten_seconds(
    own_house: House,
) -> None:
    own_house_doors = [own_house.connect() for _ in range(12)]
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.5):
            try:
                own_house_doors[0].sendall(b" ")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    try:
        assert own_house.send(PING)["ok"]  # there is room beside twelve slow ones
        assert time.monotonic() - began < 2
        answers = [answer_in(read_all(door)) for door in own_house_doors]
    finally:
        stop.set()
        dripping.join()
        for door in own_house_doors:
            door.close()
    assert 9 < time.monotonic() - began < 15
    assert {one["message"] for one in answers} == {
        "the request was not complete after 10 s"
    }
    wait_until(lambda: not own_house.children())


def test_a_hundred_calls_at_once_are_all_answered_and_never_too_many_run(
    empty_house: House,
) -> None:
    empty_house.configure(max_children=4)
    empty_house.start()
    done = threading.Event()
    most = 0

    def watch() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, len(empty_house.children()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda n: empty_house.submit(name=f"n{n}"), range(100)))
    done.set()
    watcher.join()
    names = {json.loads(one["stdout"])["argv"][4] for one in answers}
    assert names == {f"--job-name=n{number}" for number in range(100)}
    assert most == 4
    assert len(empty_house.audit()) >= 100


def test_a_call_whose_caller_left_the_queue_never_begins(empty_house: House) -> None:
    empty_house.configure(max_children=1)
    empty_house.start()
    wait_until(lambda: not empty_house.children())
    with empty_house.connect() as first:
        first.sendall(submission(**told("pause")))
        wait_until(lambda: bool(empty_house.children()))
        with empty_house.connect() as second:
            second.sendall(submission(name="left"))
        assert answer_in(read_all(first))["ok"]
    wait_until(lambda: "left" in empty_house.log.read_text())
    last = empty_house.audit()[-1]
    assert last["outcome"] == "refused: the caller hung up before its call began"


def test_a_call_that_began_is_finished_though_its_caller_left(own_house: House) -> None:
    with own_house.connect() as door:
        door.sendall(submission(**told("pause")))
        wait_until(lambda: bool(own_house.children()))
        time.sleep(0.3)
    wait_until(lambda: not own_house.children())
    assert own_house.audit()[-1]["outcome"] == "exit 0"
    assert own_house.helper is not None
    assert own_house.helper.poll() is None
    assert not (own_house.base / "stderr").read_text()


def test_a_caller_that_never_reads_its_answer_does_not_hold_a_place(
    own_house: House,
) -> None:
    own_house.configure(output_limit_bytes=8_000_000)
    own_house.stop()
    own_house.start()
    with own_house.connect() as door:
        door.sendall(submission(**told("flood")))
        began = time.monotonic()
        wait_until(lambda: bool(own_house.children()))
        wait_until(lambda: not own_house.children(), timeout_s=20)
        assert time.monotonic() - began < 18
    wait_until(lambda: own_house.audit()[-1]["outcome"] == "broken off: -14")


def test_the_helper_holds_nothing_open_after_many_calls(own_house: House) -> None:
    assert own_house.helper is not None
    own_house.send(PING)
    before = open_descriptors(own_house.helper.pid)
    for _ in range(50):
        own_house.send(PING)
    wait_until(lambda: not own_house.children())
    assert open_descriptors(own_house.helper.pid) == before
