"""The log has one honest line for each call and nothing that is a secret."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.adapters.runas.house import SUBMIT, House, line


def test_a_call_leaves_one_line_with_what_happened(own_house: House) -> None:
    own_house.submit(name="kqi-7", comment="my comment", chdir="/home")
    (entry,) = own_house.audit()[1:]  # the first is the fixture's ping
    assert entry.pop("ms") >= 0
    written = time.strptime(entry.pop("time"), "%Y-%m-%dT%H:%M:%SZ")
    assert abs(time.time() - (time.mktime(written) - time.timezone)) < 60
    assert entry == {
        "caller": 0,
        "person": "alice",
        "verb": "submit",
        "name": "kqi-7",
        "chdir": "/home",
        "outcome": "exit 0",
    }


def test_each_verbs_line_names_the_jobs(own_house: House) -> None:
    own_house.ask("cancel", "alice", {"job_ids": [1, "2_3"]})
    own_house.ask("signal", "alice", {"job_id": 4, "name": "USR1"})
    own_house.ask("control", "alice", {"job_id": 5, "action": "hold"})
    own_house.ask("time-limit", "alice", {"job_id": 6, "seconds": 60})
    told = [set(map(str, entry.values())) for entry in own_house.audit()[1:]]
    assert {"['1', '2_3']", "cancel"} <= told[0]
    assert {"4", "USR1"} <= told[1]
    assert {"5", "hold"} <= told[2]
    assert {"6", "60"} <= told[3]


def test_no_line_can_be_forged(own_house: House) -> None:
    forged = '\n{"caller": 0, "outcome": "exit 0"}\r\x1b[2J\u2028\x00'
    for request in (
        {"verb": forged, "person": forged, "arguments": {}},
        {"verb": "submit", "person": forged, "arguments": SUBMIT},
        {"verb": "submit", "person": "alice", "arguments": {**SUBMIT, forged: 1}},
        {"verb": "submit", "person": "alice", "arguments": SUBMIT | {"name": forged}},
        {"verb": "submit", "person": "alice", "arguments": SUBMIT | {"chdir": forged}},
        {
            "verb": "control",
            "person": "alice",
            "arguments": {"job_id": forged, "action": "x"},
        },
    ):
        own_house.send(line(request))
    raw = own_house.log.read_bytes()
    assert raw.count(b"\n") == 7
    assert all(32 <= byte < 127 or byte == 10 for byte in raw)
    told = [entry["outcome"] for entry in own_house.audit()[1:]]
    assert all(outcome.startswith("refused: ") for outcome in told)


def test_a_path_of_other_letters_is_logged_in_ascii(own_house: House) -> None:
    own_house.submit(chdir="/home/作業 \\n")
    assert own_house.audit()[-1]["chdir"] == "/home/作業 \\n"
    assert own_house.log.read_bytes().isascii()


def test_neither_script_nor_comment_nor_output_is_logged(own_house: House) -> None:
    secret = "hunter2"
    own_house.submit(script=f"#!/bin/sh\nexport TOKEN={secret}\n", comment=secret)
    own_house.submit(script=f"#!/bin/sh\r{secret}", comment=secret)
    own_house.submit(script=["#!", secret])
    own_house.submit(comment=f"{secret}\n")
    assert secret not in own_house.log.read_text()


def test_a_line_stays_short_whatever_is_sent(own_house: House) -> None:
    huge = "x" * 500_000
    own_house.ask(huge, huge, {huge: huge})
    own_house.ask("submit", "alice", SUBMIT | {"name": huge})
    own_house.ask("submit", {huge: huge}, SUBMIT)
    assert max(len(text) for text in own_house.log.read_text().splitlines()) < 1000


def test_only_root_can_read_the_log(own_house: House) -> None:
    own_house.submit()
    info = own_house.log.stat()
    assert (info.st_uid, info.st_mode & 0o777) == (0, 0o600)


def test_the_log_can_be_rotated_under_a_running_daemon(own_house: House) -> None:
    own_house.submit(name="before")
    own_house.log.rename(own_house.log.with_suffix(".1"))
    own_house.submit(name="after")
    assert [entry["name"] for entry in own_house.audit()] == ["after"]


def test_calls_at_once_do_not_mix_their_lines(own_house: House) -> None:
    request = line({"verb": "control", "person": "alice",
                    "arguments": {"job_id": 1, "action": "hold"}})  # fmt: skip
    doors = [own_house.connect() for _ in range(40)]
    for door in doors:
        door.sendall(request)
    for door in doors:
        assert json.loads(door.makefile().readline())["ok"]
        door.close()
    assert sum(entry.get("job_id") == "1" for entry in own_house.audit()) == 40


@pytest.fixture
def system_log(empty_house: House) -> Iterator[socket.socket]:
    """Return a socket that is /dev/log for the house's helper."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(empty_house.base / "accounts/log"))
        log.settimeout(10)
        yield log


def next_line(log: socket.socket) -> tuple[str, dict[str, object]]:
    """Return how a line is addressed, and what it says."""
    head, _, body = log.recv(65536).decode("ascii").partition("{")
    return head, json.loads("{" + body.rstrip("\0"))


def test_without_a_log_file_calls_are_in_syslog(
    empty_house: House, system_log: socket.socket
) -> None:
    empty_house.configure(log_file=None)
    empty_house.start()
    assert next_line(system_log)[1]["verb"] == "ping"  # the fixture's
    empty_house.submit(name="kqi-%s%n-9")
    empty_house.submit(name="kqi-9")
    assert "refused" in str(next_line(system_log)[1]["outcome"])
    head, entry = next_line(system_log)
    assert head.startswith("<37>")  # facility auth, level notice
    assert "kqi-runas[" in head
    assert (entry["name"], entry["outcome"]) == ("kqi-9", "exit 0")
    assert not empty_house.log.exists()


def test_a_line_that_does_not_fit_into_the_log_goes_to_syslog(
    empty_house: House, system_log: socket.socket
) -> None:
    empty_house.start()
    empty_house.submit()
    empty_house.log.unlink()
    empty_house.log.parent.rmdir()
    assert empty_house.submit(name="kqi-10")["ok"]
    text = system_log.recv(65536).decode("ascii")
    assert "kqi-10" in text
    assert "No such file or directory" in text
