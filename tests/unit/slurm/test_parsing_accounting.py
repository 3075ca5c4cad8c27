"""Which rows of sacct say that a job has ended."""

import pytest

from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.job import EndedJob
from kqi_hub.slurm.parsing_accounting import (
    oldest_first,
    read_ended,
    read_ended_tasks,
    read_recorded,
)
from kqi_hub.slurm.rows import Tokens

T = Tokens("xfieldfield", "xrowrowrowr")


def answer(*rows: str) -> bytes:
    return "".join(
        row.replace(" | ", T.field) + f"{T.field}\n" for row in rows
    ).encode()


def ended(*rows: str) -> dict[int, EndedJob]:
    return read_ended(named(*rows), T, {1, 2})


def named(*rows: str) -> bytes:
    """Return an answer to one who has asked for the names as well."""
    return answer(*(f"{row} | kqi" for row in rows))


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ("1 | 90 | COMPLETED | 110 | 120 | 0:0", (1, "COMPLETED", 110, 120, 0, 0)),
        ("1 | 90 | FAILED | 110 | 120 | 3:0", (1, "FAILED", 110, 120, 3, 0)),
        ("1 | 90 | FAILED | 110 | 120 | 0:10", (1, "FAILED", 110, 120, 0, 10)),
        ("1 | 9 | CANCELLED by 5 | None | 99 | 0:0", (1, "CANCELLED", None, 99, 0, 0)),
        ("1 | 90 | NODE_FAIL | 110 | 120 | 1:0", (1, "NODE_FAIL", 110, 120, 1, 0)),
    ],
)  # fmt: skip
def test_a_row_with_an_end_ends_the_job(
    row: str, fields: tuple[int, str, int | None, int, int, int]
) -> None:
    assert ended(row) == {1: EndedJob(*fields, name="kqi")}


@pytest.mark.parametrize(
    "row",
    [
        "1 | 100 | RUNNING | 110 | Unknown | 0:0",
        "1 | 100 | PENDING | Unknown | Unknown | 0:0",
        # slurmdbd says so for some seconds after it came back.
        "1 | 100 | COMPLETED | 110 | Unknown | 0:0",
        # This run is over; the job is in its queue again.
        "1 | 100 | REQUEUED | 110 | 120 | 0:0",
        # Somebody else's, as an array's master brings along.
        "7 | 100 | COMPLETED | 110 | 120 | 0:0",
    ],
)
def test_a_row_without_a_final_end_ends_nothing(row: str) -> None:
    assert ended(row) == {}


def test_tasks_of_an_array_end_by_their_own_rows() -> None:
    said = named(
        "12_0 | 90 | COMPLETED | 110 | 120 | 0:0",
        "12_1 | 90 | NODE_FAIL | 110 | 115 | 1:0",
        "12_1 | 116 | FAILED | 117 | 130 | 3:0",
        "12_2 | 90 | RUNNING | 110 | Unknown | 0:0",
        "12_[3-9%2] | 90 | CANCELLED by 5 | None | 99 | 0:0",
        "13 | 90 | COMPLETED | 110 | 120 | 0:0",
        "none_1 | x | COMPLETED | 110 | 120 | 0:0",
    )
    assert read_ended_tasks(said, T) == {
        "12_0": EndedJob(12, "COMPLETED", 110, 120, 0, 0, "kqi"),
        "12_1": EndedJob(12, "FAILED", 117, 130, 3, 0, "kqi"),
        "12_2": None,
        "12_[3-9%2]": EndedJob(12, "CANCELLED", None, 99, 0, 0, "kqi"),
        # Of an array that was cancelled as a whole; or no array at all.
        "13": EndedJob(13, "COMPLETED", 110, 120, 0, 0, "kqi"),
    }


def test_the_latest_run_decides() -> None:
    old = "1 | 100 | NODE_FAIL | 110 | 120 | 1:0"
    assert ended(old, "1 | 121 | RUNNING | 130 | Unknown | 0:0") == {}
    assert ended("1 | 121 | RUNNING | 130 | Unknown | 0:0", old) == {}
    new = ended(old, "1 | 121 | COMPLETED | 130 | 140 | 0:0")
    assert new == {1: EndedJob(1, "COMPLETED", 130, 140, 0, 0, "kqi")}


def test_an_id_that_was_used_again_is_the_newer_job() -> None:
    rows = (
        "2 | 9000 | COMPLETED | 9001 | 9002 | 0:0",
        "2 | 100 | FAILED | 110 | 120 | 1:0",
    )
    assert ended(*rows)[2].ended_at == 9002


@pytest.mark.parametrize(
    "broken",
    [
        named("1 | 100 | COMPLETED | 110 | 120"),
        named("1 | 100 | COMPLETED | 110 | 120 | 0:0 | more"),
        named("1_[2-3] | 100 | COMPLETED | 110 | 120 | 0:0"),
        named("1 | Unknown | COMPLETED | 110 | 120 | 0:0"),
        named("1 | 100 | COMPLETED | 110 | 120 | 0:0")[:-1],
        named("1 | 100 | COMPLETED | 110 | 120 | 0:0")[:-15],
    ],
)
def test_an_answer_that_is_not_as_asked_is_an_error(broken: bytes) -> None:
    with pytest.raises(ClusterError, match="sacct"):
        read_ended(broken, T, {1})


def test_names_are_compared_by_us_because_the_database_ignores_case() -> None:
    rows = answer(
        "5 | 200 | alice | RUNNING | kqi-1", "3 | 100 | alice | COMPLETED | kqi-1",
        "6 | 300 | alice | RUNNING | KQI-1", "7 | 400 | bob | RUNNING | kqi-1",
    )  # fmt: skip
    assert read_recorded(rows, T, "alice", "kqi-1") == [(200, 5), (100, 3)]


def test_what_waits_by_the_word_of_accounting_alone_is_no_job() -> None:
    rows = answer(
        "5 | 200 | alice | PENDING | kqi-1", "3 | 100 | alice | FAILED | kqi-1"
    )
    assert read_recorded(rows, T, "alice", "kqi-1") == [(100, 3)]


def test_found_ids_are_in_the_order_of_submission_without_doubles() -> None:
    assert oldest_first([(200, 5), (100, 9), (200, 5), (150, 1)]) == (9, 1, 5)


@pytest.mark.parametrize("name", ["\n", "\nlead", "a\n\nb", "\n\n", "1\n2", "end\n"])
def test_a_name_that_begins_with_a_line_break_breaks_no_row(name: str) -> None:
    rows = (f"{n} | 90 | COMPLETED | 110 | 120 | 0:0 | {name}" for n in (1, 2))
    found = read_ended(answer(*rows), T, {1, 2})
    assert [found[n].name for n in (1, 2)] == [name, name]
