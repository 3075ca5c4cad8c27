"""Rows of use: whatever people call their jobs, however the answer is cut."""

import pytest

from kqi_hub.domain.accounting_ports import ReadRecord
from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.job_records import gpus_text
from kqi_hub.slurm.commands import USAGE_FIELDS
from kqi_hub.slurm.parsing_usage import UsageRows, read_suspended, seconds_of

SEPARATOR = "x8Zq_random1"
PLAIN = {
    "JobIDRaw": "12", "Submit": "1000", "DBIndex": "77", "JobID": "12",
    "JobName": "train", "User": "alice", "Account": "vision", "Partition": "a100",
    "QOS": "normal", "State": "COMPLETED", "ExitCode": "0:0", "Eligible": "1000",
    "Start": "1010", "End": "4610", "Suspended": "00:00:00", "TimelimitRaw": "60",
    "NNodes": "1", "NCPUS": "8",
    "AllocTRES": "billing=9,cpu=8,gres/gpu:a100=2,gres/gpu=2,mem=64000M,node=1",
    "NodeList": "a100-01",
}  # fmt: skip
HOSTILE = [
    *("", " ", "a|b", "tab\tbed", "line\nbreak", "\n", "\nleading", "trailing\n"),
    *("\n\n\n", "car\rriage", "bell\x01", "\x1b[31m", "quo'te\"d`", "back\\slash\\n"),
    *("$(id)", "名前 \U0001f600", "\u202eevil", "x" * 5000, "%s%n", "x8Zq_rando"),
    *("12\n13\n14", "x8Zq_random", "\n12|1000|77", "x\n" * 300),
]


def row(**changes: str) -> bytes:
    fields = PLAIN | changes
    return "".join(f"{fields[name]}{SEPARATOR}" for name in USAGE_FIELDS).encode()


def read(*rows: bytes, piece: int = 1 << 20) -> list[ReadRecord]:
    answer = b"".join(one + b"\n" for one in rows)
    reader = UsageRows(SEPARATOR)
    found = [
        record
        for at in range(0, len(answer), piece)
        for record in reader.feed(answer[at : at + piece])
    ]
    reader.close()
    return found


def test_a_row_is_read_whole() -> None:
    record = read(row())[0].record
    assert record.key == (12, 1000)
    assert (record.started_at, record.ended_at, record.eligible_at) == (
        1010,
        4610,
        1000,
    )
    assert (record.cpus, record.memory_mb, record.nodes) == (8, 64000, 1)
    assert (record.gpus, record.time_limit_s) == ("a100=2", 3600)
    assert (record.state, record.suspended_s, record.is_final) == ("COMPLETED", 0, True)


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_a_name_breaks_no_row_however_the_answer_is_cut(name: str, piece: int) -> None:
    if piece == 1 and len(name) > 500:
        name = name[:500]
    rows = [row(), row(JobName=name, JobIDRaw="13"), row(JobIDRaw="14")]
    found = [one.record for one in read(*rows, piece=piece)]
    assert [one.job_id for one in found] == [12, 13, 14]
    assert [one.name for one in found] == ["train", name, "train"]
    assert {one.node_list for one in found} == {"a100-01"}


def test_bytes_that_are_no_text_are_replaced() -> None:
    raw = row().replace(b"train", b"\xff\xfe\xe5")
    assert read(raw)[0].record.name == "\ufffd\ufffd\ufffd"


@pytest.mark.parametrize("cut", [1, 2, 30, 100])
def test_an_answer_that_breaks_off_is_an_error(cut: int) -> None:
    whole = row() + b"\n" + row(JobIDRaw="13") + b"\n"
    reader = UsageRows(SEPARATOR)
    reader.feed(whole[:-cut])
    with pytest.raises(ClusterError, match="breaks off"):
        reader.close()


def test_no_row_at_all_is_no_error() -> None:
    assert read() == []


@pytest.mark.parametrize(
    "bad",
    [
        row(JobIDRaw="12.batch"),
        row(Submit="Unknown"),
        row(Suspended="forever"),
        row(AllocTRES="cpu"),
        row(DBIndex=""),
        row() + SEPARATOR.encode(),
    ],
)
def test_a_row_that_says_nothing_sensible_is_an_error(bad: bytes) -> None:
    with pytest.raises(ClusterError, match=r"cannot be read|breaks off"):
        read(row(), bad, row())


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"State": "CANCELLED by 1001"}, "state", "CANCELLED"),
        ({"Start": "Unknown"}, "started_at", None),
        ({"Start": "None"}, "started_at", None),
        ({"End": "Unknown"}, "ended_at", None),
        ({"Eligible": "0"}, "eligible_at", None),
        ({"TimelimitRaw": "UNLIMITED"}, "time_limit_s", None),
        ({"TimelimitRaw": "Partition_Limit"}, "time_limit_s", None),
        ({"Suspended": "1-00:00:05"}, "suspended_s", 86405),
        ({"NodeList": "None assigned"}, "node_list", ""),
        ({"NodeList": "None assigned", "AllocTRES": ""}, "started_at", None),
        ({"NodeList": "None assigned", "AllocTRES": ""}, "ended_at", 4610),
        ({"NodeList": "None assigned"}, "started_at", 1010),
        ({"AllocTRES": "", "NCPUS": "4", "NNodes": "2"}, "cpus", 4),
        ({"AllocTRES": "", "NCPUS": "4", "NNodes": "2"}, "nodes", 2),
        ({"AllocTRES": "cpu=1,mem=62.50G,node=1"}, "memory_mb", 64000),
        ({"AllocTRES": "cpu=1,gres/gpu=3,gres/gpu:a100=2,node=1"}, "gpus", "=1,a100=2"),
        ({"AllocTRES": "gres/gpu:v100=1,gres/gpu:a100=2,gres/gpu=3"}, "gpus",
         "a100=2,v100=1"),
        ({"AllocTRES": "cpu=1,gres/shard=1,node=1"}, "gpus", ""),
        ({"JobID": "12_3"}, "shown_id", "12_3"),
        ({"JobID": "12+1"}, "shown_id", "12+1"),
    ],
)  # fmt: skip
def test_fields_mean_what_slurm_means(
    changes: dict[str, str], field: str, value: object
) -> None:
    assert getattr(read(row(**changes))[0].record, field) == value


def test_the_hash_is_another_one_when_anything_is() -> None:
    same = {one.hash for one in read(row(), row())}
    others = {
        read(row(**{name: value}))[0].hash
        for name, value in {
            "State": "CANCELLED by 1001",
            "JobName": "trains",
            "End": "4611",
            "Suspended": "00:00:01",
            "ExitCode": "1:0",
            "NodeList": "a100-02",
        }.items()
    }
    assert len(same) == 1
    assert len(others) == 6
    assert not same & others
    # What is one text must not be equal to the same text cut elsewhere.
    assert read(row(User="ab", Account="c"))[0] != read(row(User="a", Account="bc"))[0]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00:00", 0), ("00:01:05", 65), ("2-03:04:05", 183_845), ("03:04", 184)],
)
def test_spans_of_time(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


def test_gpus_are_told_in_one_order() -> None:
    assert gpus_text({"v100": 1, "a100": 2, "t4": 0}) == "a100=2,v100=1"


def test_suspended_times_are_told_by_run() -> None:
    rows = [("12", "1000", "00:00:10"), ("12", "2000", "00:00:00")]
    assert read_suspended(iter(rows)) == {(12, 1000): 10, (12, 2000): 0}
    with pytest.raises(ClusterError, match="cannot be read"):
        read_suspended(iter([("12", "Unknown", "00:00:10")]))
