"""What accounting's rows of ended jobs say."""

import pytest

from kqi_hub.domain.errors import ClusterError
from kqi_hub.slurm.commands import HISTORY_FIELDS, recorded_between
from kqi_hub.slurm.parsing_history import read_history
from kqi_hub.slurm.rows import Tokens

TOKENS = Tokens("xFIELDxxxxxx", "xROWxxxxxxxx")
PLAIN = {
    "JobIDRaw": "12",
    "JobID": "12",
    "JobName": "train",
    "User": "mia",
    "Account": "vision",
    "Partition": "a100",
    "QOS": "normal",
    "State": "FAILED",
    "Submit": "1800000000",
    "Start": "1800000010",
    "End": "1800000070",
    "TimelimitRaw": "60",
    "NNodes": "1",
    "NCPUS": "4",
    "AllocTRES": "billing=4,cpu=4,gres/gpu:a100=2,gres/gpu=2,mem=62.50G,node=1",
    "NodeList": "a100-01",
    "ExitCode": "3:0",
}


def answer(*rows: dict[str, str]) -> bytes:
    lines = [
        "".join(f"{(PLAIN | row)[name]}{TOKENS.field}" for name in HISTORY_FIELDS)
        for row in rows
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def test_a_job_is_read_with_its_end() -> None:
    [(job, end)] = read_history(answer({}), TOKENS)
    assert (job.job_id, job.user, job.account, job.partition) == (
        12, "mia", "vision", "a100",
    )  # fmt: skip
    assert (job.state, job.starts_at, job.ends_at) == (
        "FAILED", 1_800_000_010, 1_800_000_070,
    )  # fmt: skip
    assert (job.cpus, job.memory, job.time_limit_s) == (4, "62.50G", 3600)
    assert "2" in job.gres
    assert (end.exit_code, end.signal) == (3, 0)
    assert job.array_id is None


@pytest.mark.parametrize(
    ("shown", "array", "task"),
    [("9_3", 9, "3"), ("9_[1-4]", 9, "1-4"), ("13", None, None)],
)
def test_tasks_are_told_from_jobs(
    shown: str, array: int | None, task: str | None
) -> None:
    [(job, _)] = read_history(answer({"JobID": shown}), TOKENS)
    assert (job.array_id, job.task) == (array, task)


@pytest.mark.parametrize(
    "row",
    [
        {"State": "RUNNING", "End": "Unknown"},
        {"State": "PENDING", "Start": "Unknown", "End": "Unknown"},
        {"State": "REQUEUED"},
        # slurmdbd has just come back: the end is not known yet.
        {"State": "COMPLETED", "End": "Unknown"},
        {"User": ""},
    ],
)
def test_what_has_not_ended_is_left_out(row: dict[str, str]) -> None:
    assert read_history(answer(row), TOKENS) == ()


def test_a_job_that_never_started_has_no_start() -> None:
    row = {
        "State": "CANCELLED by 1001", "Start": "Unknown", "NodeList": "None assigned",
        "AllocTRES": "", "TimelimitRaw": "UNLIMITED",
    }  # fmt: skip
    [(job, _)] = read_history(answer(row), TOKENS)
    assert (job.state, job.starts_at, job.node_list) == ("CANCELLED", None, "")
    assert (job.memory, job.gres, job.time_limit_s) == ("", "", None)


def test_of_a_job_that_was_requeued_the_last_run_counts() -> None:
    rows = ({"State": "NODE_FAIL"}, {"State": "COMPLETED", "End": "1800000500"})
    [(job, _)] = read_history(answer(*rows), TOKENS)
    assert (job.state, job.ends_at) == ("COMPLETED", 1_800_000_500)


@pytest.mark.parametrize("name", ["a|b", "a\nb", "x JobId=1", "', DROP TABLE", "名前"])
def test_names_are_read_whatever_is_in_them(name: str) -> None:
    [(job, _)] = read_history(answer({"JobName": name}), TOKENS)
    assert job.name == name


@pytest.mark.parametrize(
    "said", [b"half a row", answer({})[:-9], answer({"JobIDRaw": "x"})]
)
def test_an_answer_that_breaks_off_is_no_answer(said: bytes) -> None:
    with pytest.raises(ClusterError):
        read_history(said, TOKENS)


def test_the_question_is_about_everybody_in_a_window() -> None:
    argv = recorded_between(1_800_000_000, 1_800_021_600, TOKENS)
    assert "--allusers" in argv
    assert "--starttime=2027-01-15T08:00:00" in argv
    assert "--endtime=2027-01-15T14:00:00" in argv
