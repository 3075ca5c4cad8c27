"""What people and programs are told: bars, lines, events, quota."""

import io
import json

import pytest

from conda_bootstrap.bars import Bars
from conda_bootstrap.errors import Refused
from conda_bootstrap.reporting import Report, json_lines, size
from conda_bootstrap.room import Limit, parse_quota


def run(report: Report) -> None:
    report.phase("packages", "Packages", 3)
    report.progress(1, 500_000)
    report.progress(2, 1_500_000)
    report.progress(3, 34_000_000)
    report.note("Something to know")
    report.done("All is done.", {"name": "notebook"})


def test_terminal_gets_one_line_a_phase_that_is_written_over() -> None:
    stream = io.StringIO()
    run(Report(Bars(stream, is_terminal=True)))
    text = stream.getvalue()
    assert text.count("\n") == 3
    assert "[########----------------] 1 of 3, 500 kB" in text
    last = text.split("\n")[0].rpartition("\r")[2]
    assert last.startswith("\x1b[K  Packages: 3 of 3, 34.0 MB")
    assert last.endswith(" s")


def test_log_gets_no_control_characters_and_one_line_a_phase() -> None:
    stream = io.StringIO()
    run(Report(Bars(stream, is_terminal=False)))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("  Packages: 3 of 3, 34.0 MB")
    assert not any(ord(letter) < 32 for line in lines for letter in line)


def test_program_gets_one_object_a_line_and_the_last_progress() -> None:
    stream = io.StringIO()
    report = Report(json_lines(stream))
    run(report)
    report.failed(Refused("taken", "It is taken.", "Choose another."))
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert events[0] == {
        "event": "phase",
        "phase": "packages",
        "text": "Packages",
        "total": 3,
    }
    done = [one["done"] for one in events if one["event"] == "progress"]
    assert done[-1] == 3
    assert events[-1] == {
        "event": "failed",
        "state": "refused",
        "code": "taken",
        "message": "It is taken.",
        "hint": "Choose another.",
    }


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (34_000_000, "34.0 MB"),
        (767_000_000, "767 MB"),
        (74_200_000_000, "74.2 GB"),
        (5_000_000_000_000, "5.0 TB"),
    ],
)
def test_sizes_are_told_as_people_say_them(count: int, text: str) -> None:
    assert size(count) == text


HEAD = "Disk quotas for user alice (uid 70001):\n Filesystem blocks quota limit grace\n"


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        (
            "/dev/sdb1 1024 2048 4096 0 10 100 200 0",
            Limit(1 << 20, 4 << 20, 10, 200),
        ),
        (
            "/dev/sdb1 5000* 2048 0 1700000000 10 0 0 0",
            Limit(5_120_000, 2 << 20, 10, None),
        ),
        ("/dev/sdb1 0 0 0 0 0 0 0 0", Limit(0, None, 0, None)),
        ("none", None),
        ("", None),
    ],
)
def test_quota_is_read(line: str, limit: Limit | None) -> None:
    assert parse_quota(f"{HEAD}{line}\n") == limit
