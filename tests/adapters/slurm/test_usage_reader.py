"""Following a long answer: pieces, break-offs, failures, what is left behind.

Small programs stand in for sacct, for faults that the real one does not produce on
demand. They read the separator from their own command line, as sacct does.
"""

import asyncio
import os
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from kqi_hub.domain.accounting_ports import ReadRecord
from kqi_hub.domain.errors import ClusterError, ClusterTimedOut, ClusterUnreachable
from kqi_hub.slurm import usage_reader
from kqi_hub.slurm.commands import USAGE_FIELDS
from kqi_hub.slurm.runner import Programs
from kqi_hub.slurm.usage_reader import CliUsageReader

_START = f"""#!{sys.executable} -I
import os, sys, time
said = dict(word.partition("=")[::2] for word in sys.argv)
mark, here = said["--delimiter"], os.path.dirname(sys.argv[0])
open(here + "/pid", "w").write(str(os.getpid()))
open(here + "/argv", "w").write("\\n".join(sys.argv[1:]))
def rows(first, last, name="train"):
    one = [name, "alice", "vision", "a100", "normal", "COMPLETED", "0:0", "900",
           "1010", "4610", "00:00:00", "60", "1", "8",
           "billing=9,cpu=8,gres/gpu:a100=2,gres/gpu=2,mem=64000M,node=1", "a100-01"]
    for n in range(first, last):
        whole = [str(n), str(1000 + n), str(n), str(n), *one]
        sys.stdout.write("".join(field + mark for field in whole) + "\\n")
"""


@pytest.fixture
def reader(tmp_path: Path) -> CliUsageReader:
    return CliUsageReader(Programs(tmp_path, {"PATH": "/usr/bin:/bin"}))


def install(folder: Path, body: str) -> None:
    path = folder / "sacct"
    path.write_text(f"{_START}{body}\n")
    path.chmod(0o755)


async def read(reader: CliUsageReader) -> list[Sequence[ReadRecord]]:
    return [batch async for batch in reader.usage(0, 86_400)]


def is_gone(folder: Path) -> bool:
    try:
        os.kill(int((folder / "pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


async def test_every_row_comes_once_and_in_batches(
    reader: CliUsageReader, tmp_path: Path
) -> None:
    install(tmp_path, "rows(1, 60_001)")
    batches = await read(reader)
    assert [one.record.job_id for batch in batches for one in batch] == list(
        range(1, 60_001)
    )
    assert len(batches) > 1
    assert max(map(len, batches)) < 40_000
    asked = (tmp_path / "argv").read_text().splitlines()
    assert {"--allocations", "--duplicates", "--allusers", "--noconvert"} <= set(asked)
    assert f"--format={','.join(USAGE_FIELDS)}" in asked
    assert "--starttime=1970-01-01T00:00:00" in asked
    assert "--endtime=1970-01-02T00:00:00" in asked


async def test_nothing_at_all_is_an_answer(
    reader: CliUsageReader, tmp_path: Path
) -> None:
    install(tmp_path, "")
    assert await read(reader) == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("rows(1, 9); sys.stdout.write('9' + mark + 'x')", "breaks off"),
        ("rows(1, 30_000); sys.stdout.flush(); os.kill(os.getpid(), 9)", "status -9"),
        ("rows(1, 9); sys.exit(1)", "status 1"),
        ("print('9' + (mark + '9') * 19 + mark)", "cannot be read"),
    ],
)
async def test_an_answer_that_is_not_whole_is_an_error(
    reader: CliUsageReader, tmp_path: Path, body: str, says: str
) -> None:
    install(tmp_path, body)
    with pytest.raises(ClusterError, match=says):
        await read(reader)


async def test_an_accounting_that_is_down_is_unreachable(
    reader: CliUsageReader, tmp_path: Path
) -> None:
    said = "sacct: error: slurm_persist_conn_open_without_init: failed to open"
    install(tmp_path, f"print({said!r}, file=sys.stderr); sys.exit(1)")
    with pytest.raises(ClusterUnreachable):
        await read(reader)


async def test_without_sacct_it_is_unreachable(reader: CliUsageReader) -> None:
    with pytest.raises(ClusterUnreachable):
        await read(reader)


async def test_one_that_says_nothing_is_ended(
    reader: CliUsageReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_reader, "PATIENCE_S", 1.5)
    hasty = CliUsageReader(Programs(tmp_path, {"PATH": "/usr/bin:/bin"}))
    install(tmp_path, "rows(1, 9); time.sleep(60)")
    began = time.monotonic()
    with pytest.raises(ClusterTimedOut):
        await read(hasty)
    assert time.monotonic() - began < 20
    assert is_gone(tmp_path)


async def test_who_stops_reading_leaves_no_program_behind(
    reader: CliUsageReader, tmp_path: Path
) -> None:
    install(tmp_path, "rows(1, 10**9)")
    async with aclosing(reader.usage(0, 1)) as batches:
        async for batch in batches:
            assert batch
            break
    assert is_gone(tmp_path)


async def test_who_is_cancelled_leaves_no_program_behind(
    reader: CliUsageReader, tmp_path: Path
) -> None:
    install(tmp_path, "time.sleep(60)")
    task = asyncio.create_task(read(reader))
    for _ in range(500):
        if (tmp_path / "argv").is_file():
            break
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert is_gone(tmp_path)


async def test_a_program_waits_for_a_slow_reader(
    reader: CliUsageReader, tmp_path: Path
) -> None:
    install(tmp_path, "rows(1, 10**9)")
    async with aclosing(reader.usage(0, 1)) as batches:
        await anext(batches)
        await asyncio.sleep(1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await asyncio.sleep(2)
        # An answer without end, unread for seconds, costs no memory.
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 20_000
    assert is_gone(tmp_path)


async def test_suspended_times_are_asked_within_a_time(
    reader: CliUsageReader, tmp_path: Path
) -> None:
    body = "print('12' + mark + '1000' + mark + '00:01:00' + mark)"
    install(tmp_path, body)
    assert await reader.suspended([12], 0, 3600) == {(12, 1000): 60}
    asked = (tmp_path / "argv").read_text().splitlines()
    assert {"--truncate", "--jobs=12", "--endtime=1970-01-01T01:00:00"} <= set(asked)
