"""The /proc reader, on real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from kqi_hub.session.processes import Roots, Work, below, own_processes, work
from tests.fakes.session_hub import until

# A shell on a terminal of its own, which does what it is told through it.
SHELL = "import pty, sys; pty.spawn(['bash', '--norc', '--noprofile', '-i'])"


@pytest.fixture
def terminal() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", SHELL],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield process
    everything = below({process.pid}, own_processes())
    for pid in (process.pid, *everything):
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue
    process.communicate()


def shell_of(terminal: subprocess.Popen[bytes]) -> int:
    def find() -> int | None:
        now = own_processes()
        found = [
            pid
            for pid in below({terminal.pid}, now)
            if now[pid].name == "bash" and now[pid].is_in_foreground
        ]
        return found[0] if found else None

    return int(until(find))


def typed(terminal: subprocess.Popen[bytes], line: str) -> None:
    assert terminal.stdin is not None
    terminal.stdin.write(f"{line}\n".encode())
    terminal.stdin.flush()


def seen(terminal: subprocess.Popen[bytes], shell: int) -> Work:
    now = own_processes()
    # Other tests of this process leave helpers of theirs running.
    ours = {os.getpid(), terminal.pid, *below({terminal.pid}, now)}
    roots = Roots(os.getpid(), terminal.pid, terminals=(shell,))
    return work(roots, {pid: found for pid, found in now.items() if pid in ours}, {}, 0)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sleep 60", Work(foreground=1)),
        ("sleep 60 &", Work(background=1)),
        ("sleep 60 & sleep 61", Work(foreground=1, background=1)),
        ("bash -c 'sleep 60; true'", Work(foreground=1)),
        ("nohup sleep 60 >/dev/null &", Work(background=1)),
        ("bash --norc", Work()),
    ],
)
def test_what_is_typed_into_a_terminal_is_seen(
    terminal: subprocess.Popen[bytes], line: str, expected: Work
) -> None:
    shell = shell_of(terminal)
    assert seen(terminal, shell) == Work()
    typed(terminal, line)
    assert until(lambda: seen(terminal, shell) == expected)
    time.sleep(0.2)
    assert seen(terminal, shell) == expected


def test_child_that_computes_is_told_from_one_that_waits() -> None:
    waits = [sys.executable, "-c", "import time; time.sleep(60)"]
    computes = [sys.executable, "-c", "while True: pass"]
    kernel = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import subprocess as s; s.Popen({waits}); s.Popen({computes}).wait()",
        ]
    )
    try:
        until(lambda: len(below({kernel.pid}, own_processes())) == 2)
        time.sleep(0.5)
        roots = Roots(os.getpid(), 0, kernels=(kernel.pid,))
        before, begun = own_processes(), time.monotonic()
        time.sleep(1.5)
        found = work(roots, own_processes(), before, time.monotonic() - begun)
        assert found == Work(kernel_children=1)
    finally:
        for pid in (*below({kernel.pid}, own_processes()), kernel.pid):
            os.kill(pid, 9)
        kernel.wait()


def test_processes_that_come_and_go_are_no_error() -> None:
    with subprocess.Popen(
        ["bash", "-c", "for i in $(seq 60); do sleep 0.001 & done; wait"]
    ):
        for _ in range(30):
            assert os.getpid() in own_processes()
