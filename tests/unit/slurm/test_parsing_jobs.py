"""Jobs out of squeue's rows, whatever people call them."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.job import Job
from kqi_hub.slurm.parsing_jobs import read_found, read_job, read_node_of

PLAIN = "12|12|N/A|RUNNING|1795253320|1795253330|1795253930|10:00|4294901738|1|4"
FREE = ("name", "alice", "vision", "v100", "normal", "None",
        "cpu=4,mem=62.50G,node=1,billing=4,gres/gpu=2,gres/gpu:v100=2",
        "N/A", "gres:gpu:2", "v100-01", "(null)", "(null)")  # fmt: skip
c_string = st.binary(max_size=60).map(lambda raw: raw.replace(b"\0", b""))


def row(plain: str = PLAIN, **free: str | bytes) -> bytes:
    names = ("name", "user", "account", "partition", "qos", "reason", "tres", "per_job",
             "per_node", "node_list", "dependency", "comment")  # fmt: skip
    texts = [free.get(name, default) for name, default in zip(names, FREE, strict=True)]
    raw = [text if isinstance(text, bytes) else text.encode() for text in texts]
    return b"\0".join([plain.encode(), *raw])


def test_a_running_job_is_read_whole() -> None:
    assert read_job(row()) == Job(
        job_id=12, name="name", user="alice", account="vision", partition="v100",
        qos="normal", state="RUNNING", reason="", array_id=None, task=None,
        submitted_at=1795253320, starts_at=1795253330, ends_at=1795253930,
        time_limit_s=600, priority=4294901738, nodes=1, cpus=4, memory="62.50G",
        gres="gpu:v100:2", node_list="v100-01", dependency="", comment="",
    )  # fmt: skip


def test_a_waiting_job_has_no_times_it_does_not_know() -> None:
    plain = "7|7|N/A|PENDING|1795253320|N/A|N/A|UNLIMITED|0|2|8"
    job = read_job(row(plain, reason="JobHeldUser", node_list=""))
    assert (job.starts_at, job.ends_at, job.time_limit_s) == (None, None, None)
    assert (job.reason, job.is_waiting, job.nodes) == ("JobHeldUser", True, 2)


@pytest.mark.parametrize("task", ["5", "1-4,6%2", "1-995:7%1"])
def test_tasks_of_an_array_name_their_array(task: str) -> None:
    job = read_job(row(f"9988|9986|{task}|PENDING|1795253320|N/A|N/A|5:00|0|1|1"))
    assert (job.job_id, job.array_id, job.task) == (9988, 9986, task)


def test_counts_above_a_thousand_are_read_with_their_unit() -> None:
    job = read_job(row("1|1|N/A|RUNNING|1|1|1|5:00|0|2K|128K"))
    assert (job.nodes, job.cpus) == (2048, 131_072)


@given(name=c_string, comment=c_string, dependency=c_string)
def test_any_name_and_comment_is_read_back(
    name: bytes, comment: bytes, dependency: bytes
) -> None:
    job = read_job(row(name=name, comment=comment, dependency=dependency))
    assert job.name == name.decode(errors="replace")
    if comment != b"(null)":
        assert job.comment == comment.decode(errors="replace")
    assert (job.job_id, job.state, job.user) == (12, "RUNNING", "alice")


def test_a_comment_may_say_that_it_does_not_apply() -> None:
    assert read_job(row(comment="N/A")).comment == "N/A"


@pytest.mark.parametrize(
    "plain",
    [
        "x" + PLAIN,
        PLAIN.replace("10:00", "soon"),
        PLAIN.replace("4294901738", ""),
        PLAIN + "|1",
        PLAIN.removesuffix("|4"),
    ],
)
def test_a_row_that_is_not_as_asked_is_refused(plain: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_job(row(plain))


def test_a_state_of_a_later_release_is_kept_and_counts_as_live() -> None:
    job = read_job(row(PLAIN.replace("RUNNING", "POWER_UP_NODE")))
    assert (job.state, job.is_over) == ("POWER_UP_NODE", False)


def test_repeated_words_are_one_string_in_memory() -> None:
    one, two = read_job(row(name="a")), read_job(row(name="b"))
    assert one.user is two.user
    assert one.partition is two.partition
    assert one.memory is two.memory
    assert one.gres is two.gres


def test_only_the_very_name_of_the_very_person_is_found() -> None:
    rows = [
        b"1|5\0alice\0kqi-1",
        b"2|6\0alice\0KQI-1",
        b"3|7\0bob\0kqi-1",
        b"4|N/A\0alice\0kqi-1",
    ]
    assert read_found(rows, "alice", "kqi-1") == [(5, 1), (0, 4)]


SHOWN = (
    "JobId=12 JobName=nb-1-x UserId=alice(20001) JobState={state} Reason=None "
    "NodeList={nodes} BatchHost=other Command=(null) NodeList=evil01"
)


@pytest.mark.parametrize(
    ("state", "nodes", "node"),
    [
        ("RUNNING", "cpu01", "cpu01"),
        ("RUNNING", "v100-[02-03]", "v100-02"),
        ("CONFIGURING", "cpu01", "cpu01"),
        ("RUNNING", "(null)", ""),
        ("PENDING", "(null)", ""),
        ("COMPLETED", "cpu01", ""),
    ],
)
def test_the_node_of_a_job_is_slurms_word(state: str, nodes: str, node: str) -> None:
    answer = SHOWN.format(state=state, nodes=nodes).encode()
    assert read_node_of(answer, 12) == node
    assert read_node_of(answer, 13) == ""
