"""What each release of Slurm really printed, and what is read from it.

The folders of `recorded` are named for the release. Separators are fixed in them.
"""

from pathlib import Path

import pytest

from kqi_hub.domain.cluster import GpuCount, Node, Partition, Qos
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.slurm.keyvalue import records
from kqi_hub.slurm.parsing_accounting import read_ended, read_recorded
from kqi_hub.slurm.parsing_associations import read_associations
from kqi_hub.slurm.parsing_jobs import read_found, read_job
from kqi_hub.slurm.parsing_nodes import read_node
from kqi_hub.slurm.parsing_partitions import read_partition
from kqi_hub.slurm.parsing_qos import read_qos
from kqi_hub.slurm.rows import Tokens, split_rows

RECORDED = Path(__file__).parent.parent / "recorded" / "22.05"
TOKENS = Tokens("xFIELDxxxxxx", "xROWxxxxxxxx")

# Jobs 9990 to 10007, each with its own name in its comment too.
WEIRD_NAMES = [
    "pipe|d", "tab\tbed", "line\nbreak", "car\rriage", "bell\x01", "rs\x1eus\x1f",
    "quo'te\"d", "\ufffd\ufffdnot utf-8", "ünïcödé 名前", "x JobId=1 State=RUNNING",
    "(null)", "N/A", " leading and trailing ", "xFIELD", "%s%n", "-n", "#!/bin/sh",
    "a" * 300,
]  # fmt: skip


def read(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


@pytest.fixture(scope="module")
def jobs() -> dict[int, Job]:
    rows = split_rows("squeue", read("squeue.txt"), TOKENS)
    return {job.job_id: job for job in map(read_job, rows)}


@pytest.fixture(scope="module")
def nodes() -> dict[str, Node]:
    found = map(read_node, records(read("scontrol-nodes.txt"), "NodeName"))
    return {node.name: node for node in found}


@pytest.fixture(scope="module")
def partitions() -> dict[str, Partition]:
    found = records(read("scontrol-partitions.txt"), "PartitionName")
    return {one.name: one for one in map(read_partition, found)}


@pytest.mark.parametrize(("job_id", "name"), list(enumerate(WEIRD_NAMES, 9990)))
def test_a_weird_name_is_read_back(
    jobs: dict[int, Job], job_id: int, name: str
) -> None:
    job = jobs[job_id]
    assert job.name == name
    assert job.comment == ("" if name == "(null)" else name)
    assert (job.user, job.account, job.state) == ("alice", "nlp", "PENDING")
    assert (job.reason, job.time_limit_s, job.memory) == ("JobHeldUser", 300, "10M")


def test_every_row_is_a_job_of_its_own(jobs: dict[int, Job]) -> None:
    assert len(jobs) == read("squeue.txt").count(TOKENS.row.encode())


@pytest.mark.parametrize(
    ("job_id", "gres"),
    [
        (3, "gpu:v100:4"),  # asked for 1 of an exclusive node, and got the node
        (10009, "gpu:v100:2"),
        (10010, "shard:2"),  # not in AccountingStorageTRES there
        (10011, "gpu:3"),  # --gpus=3, of any type
        (10012, ""),
    ],
)
def test_a_jobs_gpus_are_told_however_they_were_asked_for(
    jobs: dict[int, Job], job_id: int, gres: str
) -> None:
    assert jobs[job_id].gres == gres


def test_waiting_tasks_of_an_array_are_one_job_and_a_held_one_is_another(
    jobs: dict[int, Job],
) -> None:
    rest, held = jobs[10014], jobs[10015]
    assert (rest.array_id, rest.task, rest.reason) == (10014, "1-4,6%2", "Priority")
    assert (held.array_id, held.task, held.reason) == (10014, "5", "JobHeldUser")
    assert jobs[9987].task == "1-995:7%1"


def test_parts_of_a_heterogeneous_job_have_ids_of_their_own(
    jobs: dict[int, Job],
) -> None:
    assert (jobs[12].memory, jobs[13].memory) == ("100M", "200M")
    assert jobs[12].array_id is None


def test_times_of_running_waiting_and_endless_jobs(jobs: dict[int, Job]) -> None:
    running, endless = jobs[10009], jobs[10013]
    assert (running.state, running.reason, running.node_list) == (
        "RUNNING",
        "",
        "v100-01",
    )
    assert running.ends_at == (running.starts_at or 0) + 600
    assert (endless.time_limit_s, endless.starts_at) == (None, None)
    assert endless.reason == "PartitionTimeLimit"
    assert jobs[3].is_over
    assert jobs[6].dependency == "afterok:1(failed)"


def test_nodes_with_their_gpus_and_states(nodes: dict[str, Node]) -> None:
    assert list(nodes) == ["v100-01", "v100-02", "cpu01", "shard01", "x0001"]
    assert nodes["v100-01"].gpus == (GpuCount("v100", 4, 2),)
    assert nodes["v100-01"].features == ("volta", "nvlink")
    assert nodes["v100-01"].partitions == ("v100", "shared")
    assert nodes["shard01"].gpus == (GpuCount("a100", 2, 0),)
    assert nodes["cpu01"].gpus == ()
    dead = nodes["x0001"]
    assert (dead.state, dead.flags) == ("down", ("NOT_RESPONDING",))
    assert dead.reason == "bench: no slurmd = true"
    assert dead.is_down


def test_queues_with_their_limits(partitions: dict[str, Partition]) -> None:
    assert list(partitions) == ["cpu", "v100", "shared", "big", "shut"]
    cpu, v100, shared = partitions["cpu"], partitions["v100"], partitions["shared"]
    assert (cpu.is_default, cpu.max_time_s, cpu.default_time_s) == (True, 28_800, 3_600)
    assert (v100.exclusive, v100.nodes) == (True, ("v100-01", "v100-02"))
    assert v100.billing_weights == "CPU=1.0,Mem=0.25G,GRES/gpu=10"
    assert (shared.shared, shared.allow_accounts) == (True, ("vision",))
    assert shared.max_memory_per_node_mb == 32_000
    assert len(partitions["big"].nodes) == 2000
    shut = partitions["shut"]
    assert (shut.is_up, shut.deny_accounts, shut.qos, shut.max_nodes) == (
        False, ("nlp",), "high", 1,
    )  # fmt: skip


def test_associations_with_the_limits_set_there() -> None:
    found = read_associations(read("sacctmgr-associations.txt"), "scratch")
    known = {(one.account, one.user): one for one in found.read}
    assert known["vision", ""].grp_tres == (("cpu", 32), ("gres/gpu", 4))
    alice = known["vision", "alice"]
    assert (alice.qos, alice.max_jobs, alice.max_time_s) == (
        ("high", "normal"),
        5000,
        86_400,
    )
    assert alice.max_tres_per_job == (("cpu", 16), ("mem", 32_768))
    assert alice.grp_tres_mins == (("gres/gpu", 6000),)
    assert found.left_out == ()


def test_accounting_tells_what_has_ended_and_nothing_else() -> None:
    wanted = {71, 74, 75, 77, 78, 79, 80, 99}
    ended = read_ended(read("sacct-ended.txt"), TOKENS, wanted)
    name = "training-7-abcdefghijklmnopqrstuvwxyz"
    assert ended[75] == EndedJob(75, "FAILED", 1795319736, 1795319736, 3, 0, name)
    assert ended[74].signal == 10
    assert (ended[71].state, ended[71].started_at) == ("CANCELLED", None)
    assert ended[77].name == "it's"
    # Not asked for; still waiting; running, and the rest of its array.
    assert not {76, 78, 79, 80} & set(ended)


def test_a_lookup_by_name_finds_the_same_jobs_in_both() -> None:
    rows = split_rows("squeue", read("squeue-found.txt"), TOKENS)
    live = {job_id for _, job_id in read_found(rows, "alice", "wrap")}
    recorded = {
        i for _, i in read_recorded(read("sacct-found.txt"), TOKENS, "alice", "wrap")
    }
    assert 10009 in live & recorded
    # What waits is the controller's alone, and it is the only one to list what is held.
    waiting = {12, 13, 10011, 10012, 10013, 10014}
    assert live - recorded == waiting | {9987, 9988, 10015}
    assert read_found(rows, "bob", "wrap") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # 24.05 and later write gres with a slash.
        (b"gres:gpu:v100:2", b"gres/gpu:v100:2"),
        (b"gres:shard:2", b"gres/shard:2"),
        # 25.05 has states that 22.05 lacks; they count as live.
        (b"|RUNNING|", b"|EXPEDITING|"),
    ],
)
def test_what_later_releases_write_differently_is_read_the_same(
    jobs: dict[int, Job], old: bytes, new: bytes
) -> None:
    answer = read("squeue.txt")
    assert old in answer
    later = {
        j.job_id: j
        for j in map(read_job, split_rows("squeue", answer.replace(old, new), TOKENS))
    }
    assert later.keys() == jobs.keys()
    assert {i: job.gres for i, job in later.items()} == {
        i: job.gres for i, job in jobs.items()
    }
    assert [i for i, job in later.items() if job.is_over] == [3]


def test_fields_that_later_releases_add_change_nothing(nodes: dict[str, Node]) -> None:
    answer = read("scontrol-nodes.txt")
    later = (
        answer.replace(
            b" ExtSensorsJoules=n/s ExtSensorsWatts=0 ExtSensorsTemp=n/s", b""
        )
        .replace(b" MCS_label=N/A", b" MCS_label=N/A Topology=tree:s1 GpuSpec=N/A")
        .replace(b" LastBusyTime=", b" ResumeAfterTime=None LastBusyTime=")
    )
    assert later != answer
    read_back = [read_node(record) for record in records(later, "NodeName")]
    assert read_back == list(nodes.values())


def test_qos_with_the_limits_set_there() -> None:
    known = {one.name: one for one in read_qos(read("sacctmgr-qos.txt"))}
    assert known["normal"] == Qos("normal")
    jupyter = known["jupyter"]
    assert jupyter.grp_tres == (("cpu", 40), ("mem", 102_400))
    assert jupyter.max_tres_per_job == (
        *(("cpu", 4), ("gres/gpu", 0), ("gres/shard", 1)),
    )
    assert jupyter.max_tres_per_user == (("cpu", 6), ("gres/gpu:v100", 1))
    assert jupyter.max_tres_per_account == (("mem", 65_536),)
    assert jupyter.max_tres_per_node == (("cpu", 8),)
    assert (jupyter.max_jobs_per_user, jupyter.max_submit_per_user) == (2, 5)
    assert (jupyter.max_time_s, jupyter.flags) == (14_400, ("DenyOnLimit",))
    assert known["high"].flags == ("OverPartQOS", "PartitionTimeLimit")
