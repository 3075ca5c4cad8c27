"""Running programs: limits, what is left behind, what they may know.

Small shell scripts stand in for Slurm's programs, for faults that the real ones do not
produce on demand.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from kqi_hub.domain.errors import ClusterError, ClusterTimedOut, ClusterUnreachable
from kqi_hub.slurm.runner import Programs

PLAIN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path, PLAIN, timeout_s=5, output_limit_bytes=1_000_000)


def install(programs: Programs, body: str, name: str = "squeue") -> None:
    path = programs.folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def limited(programs: Programs, timeout_s: float) -> Programs:
    return Programs(programs.folder, PLAIN, timeout_s=timeout_s)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def all_gone(pids: Sequence[int], within_s: float = 5.0) -> None:
    """Fail unless they are gone soon: the kernel needs a moment after a KILL."""
    until = time.monotonic() + within_s
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < until, f"still running: {pids}"
        await asyncio.sleep(0.01)


async def pids_of(file: Path) -> list[int]:
    """Wait for the two process ids that a script writes into a file."""
    for _ in range(500):
        if len(pids := noted(file)) == 2:
            return pids
        await asyncio.sleep(0.01)
    raise AssertionError(f"{file} has no process ids")


def noted(file: Path) -> list[int]:
    return [int(pid) for pid in file.read_text().split()] if file.exists() else []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_what_a_program_writes_comes_back_as_bytes(programs: Programs) -> None:
    install(programs, r"printf 'a\377\001b'")
    assert await programs.ask(["squeue"]) == b"a\xff\x01b"


async def test_an_answer_as_long_as_the_limit_comes_back(programs: Programs) -> None:
    install(programs, "head -c 1000000 /dev/zero")
    assert len(await programs.ask(["squeue"])) == 1_000_000
    install(programs, "head -c 1000001 /dev/zero")
    with pytest.raises(ClusterError, match="1000000 bytes"):
        await programs.ask(["squeue"])


async def test_a_large_answer_comes_back_whole(programs: Programs) -> None:
    install(programs, "seq 1 100000")
    answer = await programs.ask(["squeue"])
    assert answer.split()[-1] == b"100000"
    assert len(answer.split()) == 100_000


async def test_arguments_reach_the_program_as_they_are(programs: Programs) -> None:
    install(programs, 'for a in "$@"; do printf "[%s]" "$a"; done')
    argv = ["squeue", "a b", "$(id)", "`id`", "x;y", "*", "", "'\"", "-n"]
    assert await programs.ask(argv) == b"[a b][$(id)][`id`][x;y][*][]['\"][-n]"


async def test_a_program_knows_nothing_of_our_environment(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    monkeypatch.setenv("SQUEUE_FORMAT", "%j")
    install(programs, "env")
    known = {line.split(b"=")[0] for line in (await programs.ask(["squeue"])).split()}
    assert known <= {b"PATH", b"LC_ALL", b"PWD", b"SHLVL", b"_"}


async def test_nothing_is_read_from_our_terminal(programs: Programs) -> None:
    install(programs, "cat")
    assert await programs.ask(["squeue"]) == b""


async def test_a_failure_is_told_in_slurms_words(programs: Programs) -> None:
    install(
        programs,
        "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1",
    )
    with pytest.raises(ClusterUnreachable, match=r"squeue.*slurm controller"):
        await programs.ask(["squeue"])


@pytest.mark.parametrize("body", ["exit 1", "kill -SEGV $$"])
async def test_a_failure_without_a_word_is_an_error_too(
    programs: Programs, body: str
) -> None:
    install(programs, f"echo partly; {body}")
    with pytest.raises(ClusterError, match=r"squeue.*status"):
        await programs.ask(["squeue"])


async def test_a_program_that_is_not_there_says_where_it_was_looked_for(
    programs: Programs,
) -> None:
    with pytest.raises(ClusterUnreachable, match=r"squeue cannot be run") as caught:
        await programs.ask(["squeue"])
    assert "slurm_bin" in caught.value.hint


async def test_a_program_that_hangs_is_ended_with_all_it_started(
    programs: Programs, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    install(
        programs, f"sleep 60 & echo $! $$ > {pids}; trap '' TERM INT; wait; sleep 60"
    )
    began = time.monotonic()
    with pytest.raises(ClusterTimedOut, match=r"did not answer within 0\.5 s"):
        await limited(programs, 0.5).ask(["squeue"])
    assert time.monotonic() - began < 3
    await all_gone(await pids_of(pids))


async def test_a_cancelled_question_leaves_nothing_running(
    programs: Programs, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    install(programs, f"sleep 60 & echo $! $$ > {pids}; wait")
    asking = asyncio.create_task(programs.ask(["squeue"]))
    started = await pids_of(pids)
    assert all(is_running(pid) for pid in started)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await all_gone(started)


@pytest.mark.parametrize("body", ["yes", "exec yes", "yes & wait"])
async def test_an_endless_answer_is_cut_off_and_reported(
    programs: Programs, body: str
) -> None:
    install(programs, body)
    with pytest.raises(ClusterError, match="more than 1000000 bytes"):
        await programs.ask(["squeue"])


async def test_endless_complaints_are_cut_off_too(programs: Programs) -> None:
    install(programs, "yes complaint >&2; exit 1")
    with pytest.raises(ClusterError, match="squeue failed: complaint") as caught:
        await programs.ask(["squeue"])
    assert len(str(caught.value)) < 2000


async def test_no_file_stays_open(programs: Programs) -> None:
    install(programs, "echo ok")
    await programs.ask(["squeue"])
    before = open_files()
    for _ in range(20):
        await programs.ask(["squeue"])
    assert open_files() <= before


async def test_the_loop_goes_on_while_a_program_runs(programs: Programs) -> None:
    install(programs, "sleep 0.5")
    asking = asyncio.create_task(programs.ask(["squeue"]))
    longest, last = 0.0, time.monotonic()
    while not asking.done():
        await asyncio.sleep(0.01)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    assert longest < 0.2
