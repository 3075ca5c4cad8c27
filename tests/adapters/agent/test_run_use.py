"""What a run uses over time, as the agent reads it: hostile files too."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from handlers.agent_run_models import RunUse
from kqi_hub.agent.inside.run_use import lines_of
from tests.adapters.agent.conftest import Lab

WAY = "api/runs/training/7/use"
HEADER = "epoch,cpu_cores_used,memory_mb,gpu_percent,gpu_memory_mb\n"


@pytest.fixture
def file(lab: Lab) -> Path:
    folder = lab.folder / "kqi/training/7"
    folder.mkdir(parents=True)
    return folder / "use.csv"


def put(file: Path, what: str, other: Path) -> None:
    """Put something in the place of the file."""
    match what:
        case "link":
            file.symlink_to(other)
        case "fifo":
            os.mkfifo(file)
        case "folder":
            file.mkdir()
        case lines:
            file.write_text(HEADER + lines)


async def seen(lab: Lab, way: str = WAY) -> dict[str, Any]:
    answer = await lab.get(way)
    assert answer.code == 200, answer.body
    RunUse.model_validate_json(answer.body)
    said: dict[str, Any] = json.loads(answer.body)
    return said


async def test_lines_come_as_numbers_and_only_new_ones_if_asked(
    lab: Lab, file: Path
) -> None:
    assert (await seen(lab))["lines"] == []
    put(file, "100.5,1.25,2048,40,1024\n110.5,0.5,1024,,\n", file)
    said = await seen(lab)
    assert said["fields"] == HEADER.strip().split(",")
    assert said["lines"] == [
        [100.5, 1.25, 2048, 40, 1024],
        [110.5, 0.5, 1024, None, None],
    ]
    assert [one[0] for one in (await seen(lab, f"{WAY}?since=101"))["lines"]] == [110.5]
    assert (await seen(lab, f"{WAY}?since=111"))["lines"] == []


async def test_a_run_without_a_folder_has_no_lines(lab: Lab) -> None:
    assert (await seen(lab, "api/runs/inference/9.12/use"))["lines"] == []


@pytest.mark.parametrize("what", ["link", "fifo", "folder"])
async def test_what_is_no_file_of_the_runs_is_not_read(
    lab: Lab, file: Path, tmp_path: Path, what: str
) -> None:
    other = tmp_path / "other"
    other.write_text(f"{HEADER}1,2,3,,\n")
    put(file, what, other)
    assert (await lab.get(WAY)).code in {403, 404}


async def test_a_gigabyte_is_not_read(lab: Lab, file: Path) -> None:
    with file.open("wb") as hole:
        hole.write(b"1,2,3,,\n" * 20_000)
        hole.truncate(2**30)
    began = time.perf_counter()
    said = await seen(lab)
    assert time.perf_counter() - began < 2
    assert len(said["lines"]) == 4_000


@pytest.mark.parametrize(
    "way",
    ["api/runs/training/7..8/use", "api/runs/notebook/7/use",
     "api/runs/training/1%2F..%2F2/use", f"{WAY}?since=x", f"{WAY}?since=1&since=2"],
)  # fmt: skip
async def test_what_is_no_run_or_no_moment_is_refused(lab: Lab, way: str) -> None:
    assert (await lab.get(way)).code in {400, 404}


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe\x00", b"nan,1,1,,", b"1e999,1,1,,", b"-1,1,1,,", b"1,1,1",
     b"1,1,1,,,", b"0x10,1,1,,", b"9" * 400 + b",1,1,,", b"__,1,1,,"],
)  # fmt: skip
def test_what_is_no_line_is_left_out(raw: bytes) -> None:
    assert lines_of(raw) == []
