"""Log lines are one line each, whatever the text in them."""

import io
import logging
from collections.abc import Iterator

import pytest

from kqi_hub.domain.errors import ClusterTimedOut, ClusterUnreachable
from kqi_hub.worker import journal


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    journal.write_to(stream)
    yield stream
    root.handlers[:], root.level = before, level


def test_values_are_quoted_so_that_a_line_stays_a_line(lines: io.StringIO) -> None:
    journal.say("started", plain="abc", odd='a "b"\nevent=forged', empty="", n=3)
    text = lines.getvalue()
    assert text.count("\n") == 1
    assert 'plain=abc odd="a \\"b\\"\\nevent=forged" empty="" n=3' in text


def test_line_begins_with_utc_time_and_level(lines: io.StringIO) -> None:
    journal.say("started")
    stamp, level, event = lines.getvalue().split()
    assert (len(stamp), stamp[-1], level, event) == (20, "Z", "info", "started")


def test_unexpected_error_comes_with_its_traceback_in_one_line(
    lines: io.StringIO,
) -> None:
    try:
        int("odd")
    except ValueError as error:
        journal.Journal().trouble("database", error)
    assert lines.getvalue().count("\n") == 1
    assert "traceback=" in lines.getvalue()


def test_expected_error_comes_without_traceback(lines: io.StringIO) -> None:
    journal.Journal().trouble("slurm", ClusterUnreachable("No controller."))
    assert "kind=cluster-unreachable" in lines.getvalue()
    assert "traceback" not in lines.getvalue()


def test_another_kind_of_error_is_a_line_of_its_own(lines: io.StringIO) -> None:
    notes = journal.Journal(lambda: 50.0)
    notes.trouble("slurm", ClusterUnreachable("a"))
    notes.trouble("slurm", ClusterUnreachable("b"))
    notes.trouble("slurm", ClusterTimedOut("c"))
    assert lines.getvalue().count("trouble") == 2


def test_step_that_never_failed_is_not_back(lines: io.StringIO) -> None:
    journal.Journal().fine("slurm")
    assert lines.getvalue() == ""
