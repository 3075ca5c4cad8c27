"""Sending over HTTP to a real store: what is taken, what is refused, what stays."""

import hashlib
import json
import os
import socket
import time
from typing import Any

import pytest

from tests.adapters.store.running import Sender, Store, packed

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture
def sender(store: Store, request: pytest.FixtureRequest) -> Sender:
    """Return a sender with an upload of the test's own."""
    key = hashlib.sha256(request.node.name.encode()).hexdigest()[:32]
    return store.sender(key)


def test_a_file_comes_in_parts_and_its_hash_is_told(sender: Sender) -> None:
    assert sender.put("a/b", b"he", size=5) == (
        200,
        {"path": "a/b", "offset": 2, "done": False},
    )
    assert sender.known([("a/b", 5), ("unknown", 1)]) == [
        {"path": "a/b", "offset": 2, "done": False}
    ]
    status, said = sender.put("a/b", b"llo", size=5, offset=2)
    assert (status, said["done"], said["sha256"]) == (200, True, HELLO)
    again, said = sender.put("a/b", b"hello")
    assert (again, said["sha256"]) == (200, HELLO)
    assert sender.call("GET")[1]["received_bytes"] == 5


@pytest.mark.parametrize("offset", [0, 1, 4, 999])
def test_another_offset_is_refused_with_the_right_one(
    sender: Sender, offset: int
) -> None:
    sender.put("a", b"he", size=5)
    status, said = sender.put("a", b"xyz", size=5, offset=offset)
    assert (status, said["error"], said["offset"]) == (409, "offset", 2)
    assert sender.put("a", b"llo", size=5, offset=2)[1]["sha256"] == HELLO


def test_another_size_is_refused(sender: Sender) -> None:
    sender.put("a", b"he", size=5)
    assert sender.put("a", b"llo", size=6, offset=2)[1]["error"] == "other-size"
    assert sender.pack([("a", b"four")])[1]["error"] == "other-size"
    assert sender.call("POST", "/known", '{"files":[{"path":"a","size":6}]}')[0] == 409


def test_more_bytes_than_announced_are_not_taken(sender: Sender) -> None:
    status, _ = sender.put("a", b"too long", size=5)
    assert status == 400
    assert sender.put("a", b"hello"[5:], size=5, offset=5)[0] in {200, 409}


def test_an_empty_file_is_whole_at_once(sender: Sender) -> None:
    assert sender.put("empty", b"")[1]["done"] is True
    assert sender.pack([("other", b"")])[1] == {"taken": 1, "bytes": 0}


def test_a_pack_sent_twice_is_kept_once(sender: Sender) -> None:
    files = [(f"d/{n}", b"%d" % n) for n in range(3000)]
    assert sender.pack(files)[1]["taken"] == 3000
    assert sender.pack(files)[1]["taken"] == 3000
    assert sender.call("GET")[1]["received_files"] == 3000


def test_of_a_pack_that_is_cut_off_the_whole_files_stay(
    store: Store, sender: Sender
) -> None:
    body = packed([("a", b"hello"), ("b", b"world")])[:-1]
    status, said = sender.call("PUT", "/pack", body)
    assert (status, said["error"]) == (400, "invalid-input")
    assert sender.known([("a", 5), ("b", 5)]) == [
        {"path": "a", "offset": 5, "done": True}
    ]


def test_of_a_connection_that_is_cut_off_what_came_stays(
    store: Store, sender: Sender
) -> None:
    head = (
        f"PUT /services/store/uploads/{sender.key}/file?path=a&size=1000000&offset=0 "
        f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sender.ticket}\r\n"
        "Content-Length: 1000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", store.port)) as connection:
        connection.sendall(head.encode() + b"x" * 300_000)
        time.sleep(0.3)
    offset, said = _go_on(sender, "a", b"x" * 1_000_000)
    assert 0 < offset <= 300_000
    assert said["sha256"] == hashlib.sha256(b"x" * 10**6).hexdigest()


def _go_on(sender: Sender, path: str, whole: bytes) -> tuple[int, dict[str, Any]]:
    """Go on as `kqi` does, from where the store says; return from where, and its word.

    A busy store may still be taking what came before the cut: then it tells of a
    little, refuses the rest as it has more by now, and says how much.
    """
    deadline = time.monotonic() + 30
    while not (known := sender.known([(path, len(whole))])) or not known[0]["offset"]:
        assert time.monotonic() < deadline, "nothing of what came has stayed"
        time.sleep(0.05)
    offset = int(known[0]["offset"])
    while True:
        rest = whole[offset:]
        status, said = sender.put(path, rest, size=len(whole), offset=offset)
        if status == 200:
            return offset, said
        assert (status, said["error"]) == (409, "offset"), said
        assert time.monotonic() < deadline, said
        assert said["offset"] > offset, "it has lost what it had"
        offset = int(said["offset"])


def test_a_sender_who_comes_back_takes_over_from_a_connection_that_hangs(
    store: Store, sender: Sender
) -> None:
    head = (
        f"PUT /services/store/uploads/{sender.key}/file?path=a&size=5&offset=0 "
        f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sender.ticket}\r\n"
        "Content-Length: 5\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", store.port)) as connection:
        connection.sendall(head.encode())
        time.sleep(0.3)
        assert sender.put("a", b"hello")[1]["sha256"] == HELLO
        connection.sendall(b"HELLO")
        assert b"409" in connection.recv(1000)


@pytest.mark.parametrize(
    "path",
    [
        "../a", "/a", "a/../b", "a//b", "", ".", "a/", "a\nb", "a\0b", "\x7f", "a/./b",
        "x" * 256, "/".join("x" * 65), "é" * 600, "a\udcff",
    ],
)  # fmt: skip
def test_hostile_paths_are_refused_by_every_way_in(sender: Sender, path: str) -> None:
    assert sender.put(path, b"x")[0] == 400
    assert sender.pack([(path, b"x")])[0] == 400
    asked = json.dumps({"files": [{"path": path, "size": 1}]})
    assert sender.call("POST", "/known", asked)[0] == 400
    assert sender.call("GET")[1]["received_files"] == 0


@pytest.mark.parametrize(
    "path",
    ["<script>alert(1)</script>", "a'b\"c", "-rf", "~", "$HOME", "名前/파일", "x" * 255,
     "a b", "%2e%2e", "*", "CON", "..a", "e\u0301"],
)  # fmt: skip
def test_odd_names_are_kept_as_they_are(
    store: Store, sender: Sender, path: str
) -> None:
    assert sender.put(path, b"hello")[0] == 200
    found = store.ask("uploaded", tenant="vision", upload=sender.key)
    assert found == [[path, 5, HELLO]]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"until": 0.0}, "bad-ticket"),
        ({"upload": "another-upload"}, "bad-ticket"),
        ({"tenant": "nowhere"}, "not-prepared"),
        ({"tenant": "../vision"}, "invalid-input"),
        ({"tenant": ""}, "invalid-input"),
    ],
)
def test_tickets_for_something_else_open_nothing(
    store: Store, changes: dict[str, object], error: str
) -> None:
    sender = store.sender("tickets-upload", **changes)
    for status, said in (
        sender.put("a", b"x"),
        sender.pack([("a", b"x")]),
        sender.call("GET"),
        sender.call("POST", "/known", '{"files":[]}'),
    ):
        assert status >= 400
        assert said["error"] == error


@pytest.mark.parametrize(
    "word",
    ["", "kqi1.e30.0", "x" * 5000, "kqi1..", "é", "kqi1.W10.00"],
)
def test_words_that_are_no_tickets_open_nothing(sender: Sender, word: str) -> None:
    sender.ticket = word.encode().decode("latin-1")
    assert sender.put("a", b"x")[1]["error"] == "bad-ticket"
    assert sender.call("GET")[1]["error"] == "bad-ticket"


def test_somebody_elses_ticket_for_the_same_upload_is_refused(
    store: Store, sender: Sender
) -> None:
    sender.put("a", b"x")
    other = store.sender(sender.key, person="mallory")
    assert other.put("b", b"x")[1]["error"] == "not-permitted"


def test_more_files_or_bytes_than_announced_are_refused_and_what_came_stays(
    store: Store, sender: Sender
) -> None:
    small = store.sender(sender.key, files=2, bytes=10)
    assert small.put("a", b"hello")[0] == 200
    assert small.put("b", b"x" * 6)[1]["error"] == "too-much"
    assert small.pack([("b", b"x"), ("c", b"x")])[1]["error"] == "too-much"
    assert small.put("b", b"hello")[0] == 200
    assert small.put("c", b"")[0] == 413
    assert small.call("GET")[1]["received_files"] == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"files":1}', b'{"files":[1]}', b'{"files":[{"path":1}]}',
     b'{"files":[{"path":"a","size":"1"}]}', b"\xff", b"[" * 100_000],
)  # fmt: skip
def test_questions_that_are_none_are_refused(sender: Sender, body: bytes) -> None:
    assert sender.call("POST", "/known", body)[0] == 400


def test_too_long_a_question_is_refused(sender: Sender) -> None:
    asked = json.dumps({"files": [{"path": "a", "size": 1}] * 5001})
    assert sender.call("POST", "/known", asked)[0] == 400


@pytest.mark.parametrize(
    "asked",
    ["path=a&size=1", "path=a&size=-1&offset=0", "size=1&offset=0", "path=a&path=b&"
     "size=1&offset=0", "path=a&size=1e3&offset=0", "path=%ff&size=1&offset=0",
     "path=a&size=1&offset=0&offset=0", "path=a&size=" + "9" * 30 + "&offset=0"],
)  # fmt: skip
def test_addresses_that_say_nonsense_are_refused(sender: Sender, asked: str) -> None:
    status, said = sender.call("PUT", f"/file?{asked}", b"x")
    assert (status, said["error"]) == (400, "invalid-input")


def test_a_refused_body_does_not_take_the_answer_with_it(sender: Sender) -> None:
    status, said = sender.put("../a", b"x" * 30_000_000)
    assert (status, said["error"]) == (400, "invalid-input")


def test_a_body_without_its_length_is_refused(store: Store, sender: Sender) -> None:
    head = (
        f"PUT /services/store/uploads/{sender.key}/file?path=a&size=5&offset=0 "
        f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sender.ticket}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", store.port), 20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(5000).startswith(b"HTTP/1.1 411 ")


def test_who_asks_whether_to_go_on_is_told_so(store: Store, sender: Sender) -> None:
    head = (
        f"PUT /services/store/uploads/{sender.key}/file?path=a&size=5&offset=0 "
        f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sender.ticket}\r\n"
        "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", store.port), 20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"hello")
        assert connection.recv(5000).startswith(b"HTTP/1.1 200 OK")


def test_every_answer_is_strict_with_browsers(store: Store) -> None:
    with socket.create_connection(("127.0.0.1", store.port), 20) as connection:
        connection.sendall(b"GET /nowhere HTTP/1.0\r\n\r\n")
        said = connection.recv(5000).decode()
    assert said.startswith("HTTP/1.1 404 ")
    assert "X-Content-Type-Options: nosniff" in said
    assert "default-src 'none'" in said
    assert "Server:" not in said


def test_memory_does_not_grow_with_what_is_sent(own_store: Store) -> None:
    sender = own_store.sender()
    sender.put("first", os.urandom(1_000_000))
    before = _memory_kb(own_store)
    block = os.urandom(100_000_000)
    assert sender.put("large", block)[0] == 200
    for part in range(20):
        files = [(f"{part}/{n}", b"%d %d" % (part, n)) for n in range(1000)]
        assert sender.pack(files)[0] == 200
    assert _memory_kb(own_store) < before + 24_000


def _memory_kb(store: Store) -> int:
    assert store.process is not None
    with open(f"/proc/{store.process.pid}/status") as file:  # noqa: PTH123
        said = dict(line.split(":", 1) for line in file if ":" in line)
    return int(said["VmHWM"].split()[0])
