"""The agent as a process: what it reads, says, weighs, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
COMMAND = [
    sys.executable, "-I", "-c",
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
    "from kqi_hub.agent.main import main; sys.exit(main())",
]  # fmt: skip
TOKEN = "of-the-hub-and-secret"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def instructions(folder: Path, port: int, **changes: object) -> dict[str, Any]:
    return {
        "version": 1, "port": port, "folder": str(folder), "idle_s": 30,
        "is_https": False, "hub_version": "6.1.1",
        "hub": {
            "JUPYTERHUB_USER": "alice",
            "JUPYTERHUB_SERVICE_PREFIX": "/user/alice/agent/",
            "JUPYTERHUB_API_URL": "http://127.0.0.1:9/hub/api",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-alice-agent",
            "JUPYTERHUB_API_TOKEN": TOKEN,
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!server=alice/agent"]',
        },
    } | changes  # fmt: skip


class Running:
    """An agent's process and what it said."""

    def __init__(self, told: object) -> None:
        began = time.perf_counter()
        self.process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd="/", env={"LANG": "C.UTF-8"},
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        raw = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.process.stdin.write(raw)
        self.process.stdin.close()
        self.said = self.process.stdout.read()  # until it lets go of it
        self.took_s = time.perf_counter() - began

    def complaint(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


Start = Callable[[object], Running]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "alice"
    (made / "kqi").mkdir(parents=True)
    return made


@pytest.fixture
def start() -> Iterator[Callable[[object], Running]]:
    """Return what starts agents; whatever becomes of them, they end with the test."""
    with ExitStack() as stack:

        def begin(told: object) -> Running:
            found = Running(told)
            stack.callback(found.end)
            return found

        yield begin


@pytest.fixture
def running(folder: Path, start: Start) -> Running:
    return start(instructions(folder, free_port(), idle_s=2))


def test_it_says_that_it_listens_and_is_small_and_quick(running: Running) -> None:
    assert running.said == b"listening\n"
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    assert int(line.split()[1]) < 60 * 1024
    assert running.took_s < 2  # under 1 s on a machine that does nothing else


def test_nothing_that_others_can_see_holds_the_token(running: Running) -> None:
    place = Path(f"/proc/{running.process.pid}")
    for name in ("cmdline", "environ"):
        assert TOKEN.encode() not in (place / name).read_bytes()
    assert str((place / "fd/0").readlink()) == "/dev/null"


def test_it_ends_by_itself_when_nobody_uses_it(running: Running) -> None:
    assert running.process.wait(10) == 0


def test_it_ends_at_once_when_told_to(folder: Path, start: Start) -> None:
    found = start(instructions(folder, free_port()))
    began = time.monotonic()
    found.process.send_signal(signal.SIGTERM)
    assert found.process.wait(5) == 0
    assert time.monotonic() - began < 2


def test_it_listens_on_this_machine_only_and_asks_for_a_token(
    folder: Path, start: Start
) -> None:
    port = free_port()
    found = start(instructions(folder, port))
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/user/alice/agent/api/health")
    caught.value.close()
    assert caught.value.code == 401
    listening = Path(f"/proc/{found.process.pid}/net/tcp").read_text()
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening


def test_a_port_that_is_taken_is_its_last_word(folder: Path, start: Start) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        found = start(instructions(folder, other.getsockname()[1]))
        assert found.said == b""
        assert "Address already in use" in found.complaint()
        assert found.process.wait(5) == 1


@pytest.mark.parametrize(
    "raw",
    [b"", b"x", b"[]", b"{}", b"\xff", b'{"version": 2}', b'"' + TOKEN.encode() + b'"',
     b'{"version": 1, "hub": null}', b"[" * 20_000, b" " * 70_000,
     json.dumps(instructions(Path("relative"), 1)).encode()],
)  # fmt: skip
def test_instructions_that_make_no_sense_end_it_without_being_quoted(
    raw: bytes, start: Start
) -> None:
    found = start(raw)
    assert found.process.wait(5) == 1
    complaint = found.complaint()
    assert complaint.startswith("agent: ")
    assert len(complaint.splitlines()) == 1
    assert TOKEN not in complaint


@pytest.mark.parametrize("kind", ["link", "fifo", "no folder"])
def test_a_log_that_cannot_be_opened_keeps_no_agent_away(
    folder: Path, kind: str, start: Start
) -> None:
    victim, log = folder / "victim", folder / "kqi/agent.log"
    victim.write_text("mine")
    if kind == "link":
        log.symlink_to(victim)
    if kind == "fifo":
        os.mkfifo(log)
    if kind == "no folder":
        log.parent.rmdir()
    found = start(instructions(folder, free_port()))
    assert found.said == b"listening\n"
    found.process.terminate()
    found.process.wait(5)
    assert victim.read_text() == "mine"
