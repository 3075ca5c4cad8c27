"""Files given by reference: the store takes what the person could open, and no more."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.store.running import SOMEBODY, Store, Talk

NAME, UID = SOMEBODY
_CLIENT = """
    import json, os, socket, sys
    told = json.load(sys.stdin)
    s = socket.socket(socket.AF_UNIX); s.connect(told["socket"])
    lines = s.makefile("rb")
    def say(fields, fds=()):
        line = json.dumps(fields).encode() + b"\\n"
        if fds:
            sent = socket.send_fds(s, [line[:1]], fds)
            line = line[sent:]
        s.sendall(line)
        return json.loads(lines.readline() or b'{"error": "closed"}')
    answers = [say({"verb": "offer", "ticket": told["ticket"]})]
    for files in told["lots"]:
        fds = [os.open(one["open"], eval(one["flags"])) for one in files]
        answers.append(say({"files": [{"path": one["path"]} for one in files]}, fds))
        for fd in fds:
            os.close(fd)
    print(json.dumps(answers))
"""


def offer(store: Store, key: str, *lots: list[dict[str, str]], uid: int = UID) -> Any:
    """Offer files as a person, in a process of theirs."""
    ticket = store.sender(key, person=NAME).ticket
    told = {"socket": str(store.socket), "ticket": ticket, "lots": lots}
    ended = subprocess.run(
        [sys.executable, "-I", "-c", textwrap.dedent(_CLIENT)],
        input=json.dumps(told), user=uid, group=uid, extra_groups=[], check=True,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return json.loads(ended.stdout)


def one(path: Path | str, name: str, flags: str = "os.O_RDONLY") -> dict[str, str]:
    return {"open": str(path), "path": name, "flags": flags}


@pytest.fixture
def home(store: Store, request: pytest.FixtureRequest) -> Path:
    """Return a folder of the person's with a small and a large file."""
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
    folder = store.base / f"home-{name}"
    folder.mkdir(mode=0o700)
    (folder / "small").write_bytes(b"small")
    (folder / "large").write_bytes(os.urandom(3_000_000))
    (folder / "empty").touch()
    for path in (folder, *folder.iterdir()):
        os.chown(path, UID, UID)
    return folder


def test_a_persons_own_files_are_taken_and_how_is_told(
    store: Store, home: Path
) -> None:
    key = home.name
    lot = [one(home / name, f"d/{name}") for name in ("small", "large", "empty")]
    [began, taken] = offer(store, key, lot)
    assert began == {"ok": {}}
    assert taken["ok"]["taken"] == 3
    assert sum(taken["ok"]["how"].values()) == 3
    size = 3_000_005
    assert store.publish(key, 101, 3, size) == {"files": 3, "bytes": size}
    for name in ("small", "large", "empty"):
        there = store.root / "vision/data/101/d" / name
        assert there.read_bytes() == (home / name).read_bytes()
        assert there.stat().st_ino != (home / name).stat().st_ino


def test_who_changes_a_file_after_it_was_taken_changes_nothing(
    store: Store, home: Path
) -> None:
    key, before = home.name, (home / "large").read_bytes()
    offer(store, key, [one(home / "large", "large")])
    (home / "large").write_bytes(b"something else")
    store.publish(key, 102, 1, len(before))
    assert (store.root / "vision/data/102/large").read_bytes() == before


def test_offering_again_after_a_cut_takes_nothing_twice(
    store: Store, home: Path
) -> None:
    lot = [one(home / "small", "a"), one(home / "large", "b")]
    answers = offer(store, home.name, lot, lot)
    assert [said["ok"].get("taken") for said in answers[1:]] == [2, 2]
    assert store.publish(home.name, 103, 2, 3_000_005)["files"] == 2


def test_a_large_file_that_was_begun_by_http_is_begun_anew(
    store: Store, home: Path
) -> None:
    sender = store.sender(home.name, person=NAME)
    sender.put("b", b"other bytes", size=3_000_000)
    [_, taken] = offer(store, home.name, [one(home / "large", "b")])
    assert taken["ok"]["taken"] == 1
    digest = hashlib.sha256((home / "large").read_bytes()).hexdigest()
    found = store.ask("uploaded", tenant="vision", upload=home.name)
    assert found == [["b", 3_000_000, digest]]


def test_somebody_elses_ticket_is_refused(store: Store, home: Path) -> None:
    lot = [one("/etc/passwd", "a")]
    began, taken = offer(store, home.name, lot, uid=64899)
    assert began["error"] == "not-permitted"
    assert taken["error"] == "not-permitted"


@pytest.mark.parametrize(
    ("what", "flags"),
    [
        ("fifo", "os.O_RDWR | os.O_NONBLOCK"),
        ("folder", "os.O_RDONLY"),
        ("/dev/zero", "os.O_RDONLY"),
        ("small", "os.O_WRONLY"),
        ("small", "os.O_PATH"),
        ("/etc/shadow", "os.O_PATH"),
        ("/proc/self/mem", "os.O_RDONLY"),
    ],
)
def test_what_is_no_readable_file_is_refused(
    store: Store, home: Path, what: str, flags: str
) -> None:
    if what == "fifo":
        os.mkfifo(home / "fifo")
        os.chown(home / "fifo", UID, UID)
    if what == "folder":
        (home / "folder").mkdir()
        os.chown(home / "folder", UID, UID)
    [_, said, after] = offer(
        store, home.name, [one(home / what, "a", flags)], [one(home / "small", "b")]
    )
    if what == "/proc/self/mem":
        # It says that it is a file of no bytes, and that is what is kept.
        assert said["ok"]["bytes"] == 0
    else:
        assert said["error"] == "invalid-input"
    assert after["ok"]["taken"] == 1


@pytest.mark.parametrize("path", ["../a", "/a", "", "a\0b", "a\nb"])
def test_hostile_paths_are_refused(store: Store, home: Path, path: str) -> None:
    [_, said] = offer(store, home.name, [one(home / "small", path)])
    assert said["error"] == "invalid-input"


def test_paths_without_files_and_files_without_paths_are_refused(
    store: Store, home: Path
) -> None:
    sender = store.sender(home.name, person="root")
    before = _open_files(store)
    with open(home / "small", "rb") as file, Talk(store.socket) as talk:  # noqa: PTH123
        assert talk.say({"verb": "offer", "ticket": sender.ticket}) == {"ok": {}}
        number = file.fileno()
        for files, sent in (
            ([{"path": "a"}], []),
            ([], [number]),
            ([{"path": "a"}, {"path": "b"}], [number]),
            ([{"path": "a"}], [number, number]),
            ([1], [number]),
            ([{"path": 1}], [number]),
        ):
            assert talk.say({"files": files}, sent)["error"] == "invalid-input"
        assert talk.say_raw(b"no json\n", [number])["error"] == "invalid-input"
        assert talk.say({"files": [{"path": "a"}]}, [number])["ok"]["taken"] == 1
    assert _open_files(store) <= before + 4


def test_many_connections_of_one_person_are_too_many(store: Store) -> None:
    code = (
        "import select, socket, time\n"
        "all = []\n"
        "for n in range(12):\n"
        f"    s = socket.socket(socket.AF_UNIX); s.connect({str(store.socket)!r})\n"
        "    all.append(s)\n"
        "time.sleep(2)\n"
        "said = [s.recv(500) for s in select.select(all, [], [], 0)[0]]\n"
        "print(sum(b'busy' in one for one in said))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code], user=64898, group=64898, extra_groups=[],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert ended.stdout.strip() == "4"


@pytest.mark.parametrize(
    "line",
    [b"\n", b"null\n", b"[]\n", b"{}\n", b'{"verb":"none"}\n', b"\xff\n",
     b"[" * 9999 + b"\n",
     b'{"verb":"drop"}\n', b'{"verb":"drop","tenant":1,"upload":2}\n',
     b'{"verb":"publish","tenant":"vision","upload":"../../x","data":1}\n',
     b'{"verb":"remove","tenant":"vision","data":-1}\n',
     b'{"verb":"remove","tenant":"vision","data":true}\n',
     b'{"verb":"remove","tenant":"vision","data":"1"}\n',
     b'{"verb":"remove_files","tenant":"vision","data":1,"paths":["../x"]}\n',
     b'{"verb":"tree","tenant":"vision","key":"../x","entries":[],"meta":{}}\n',
     b'{"verb":"tree","tenant":"vision","key":"'
     + b"a" * 40 + b'","entries":[["x"]],"meta":{}}\n',
     b'{"verb":"offer","ticket":"x"}\n', b'{"verb":"sweep","tenant":"vision"}\n'],
)  # fmt: skip
def test_lines_that_ask_nonsense_are_refused_and_the_next_is_heard(
    store: Store, line: bytes
) -> None:
    with Talk(store.socket) as talk:
        assert talk.say_raw(line)["error"] in {
            "invalid-input", "not-found", "bad-ticket",
        }  # fmt: skip
        assert "ok" in talk.say({"verb": "health"})


def test_a_line_without_end_ends_the_connection_and_nothing_else(
    store: Store,
) -> None:
    code = (
        "import socket\n"
        f"s = socket.socket(socket.AF_UNIX); s.connect({str(store.socket)!r})\n"
        "try:\n"
        "    for n in range(64): s.sendall(b'x' * 65536)\n"
        "    s.recv(1)\n"
        "except OSError: print('ended')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code], user=64897, group=64897, extra_groups=[],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert ended.stdout.strip() == "ended"
    assert "version" in store.ask("health")


def test_who_asks_and_hangs_up_is_served_all_the_same(store: Store) -> None:
    sender = store.sender("hangs-up-upload")
    files = [(f"{number}", b"x") for number in range(3000)]
    sender.pack(files)
    asked = {
        "verb": "publish", "tenant": "vision", "upload": sender.key, "data": 201,
        "files": 3000, "bytes": 3000,
    }  # fmt: skip
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(store.socket))
        one.sendall(json.dumps(asked).encode() + b"\n")
    item = store.root / "vision/data/201"
    deadline = time.monotonic() + 60
    while not item.is_dir():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(list(item.iterdir())) == 3000


def _open_files(store: Store) -> int:
    assert store.process is not None
    return len(os.listdir(f"/proc/{store.process.pid}/fd"))  # noqa: PTH208


def test_a_socket_cannot_be_taken_from_a_running_store(store: Store) -> None:
    with socket.socket(socket.AF_UNIX) as other, pytest.raises(OSError, match="use"):
        other.bind(str(store.socket))
