"""Nodes out of scontrol's records, whatever administrators write."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.slurm.keyvalue import records
from kqi_hub.slurm.parsing_nodes import node_key, read_node

LINE = (
    "NodeName=n1 Arch=x86_64 CoresPerSocket=1  CPUAlloc=2 CPUEfctv=14 CPUTot=16 "
    "CPULoad=0.40 AvailableFeatures=volta,nvlink ActiveFeatures=volta "
    "Gres=gpu:v100:4(S:0) GresDrain=N/A GresUsed=gpu:v100:2(IDX:0,2),shard:0 "
    "OS=Linux 6.1 #1 SMP  "
    "RealMemory=64000 AllocMem=1000 FreeMem=22225 State={state} ThreadsPerCore=1 "
    "Partitions=v100,shared  LastBusyTime=1795251591 CfgTRES=cpu=16,mem=62.50G "
    "AllocTRES=cpu=2,gres/gpu=2{rest}"
)


def node(state: str = "IDLE", rest: str = "") -> bytes:
    return f" {LINE.format(state=state, rest=rest)}".encode()


def test_a_node_is_read_whole() -> None:
    one = read_node(node("MIXED"))
    assert (one.name, one.state, one.flags) == ("n1", "mixed", ())
    assert (one.cpus, one.cpus_used, one.memory_mb, one.memory_used_mb) == (
        14,
        2,
        64000,
        1000,
    )
    assert one.partitions == ("v100", "shared")
    assert one.features == ("volta",)
    assert [(gpu.type, gpu.total, gpu.used) for gpu in one.gpus] == [("v100", 4, 2)]
    assert one.reason == ""
    assert not one.is_down


@pytest.mark.parametrize(
    ("text", "state", "flags", "is_down"),
    [
        ("IDLE", "idle", (), False),
        ("IDLE+DRAIN", "idle", ("DRAIN",), True),
        ("DOWN+NOT_RESPONDING", "down", ("NOT_RESPONDING",), True),
        ("DOWN*", "down", ("NOT_RESPONDING",), True),
        ("IDLE+CLOUD+POWERED_DOWN", "idle", ("CLOUD", "POWERED_DOWN"), False),
        ("MIXED+PLANNED", "mixed", ("PLANNED",), False),
        ("FUTURE", "future", (), True),
        (
            "ALLOCATED+MAINTENANCE+RESERVED",
            "allocated",
            ("MAINTENANCE", "RESERVED"),
            True,
        ),
        ("IDLE+SOMETHING_NEW", "idle", ("SOMETHING_NEW",), False),
    ],
)
def test_states_are_split_into_base_and_flags(
    text: str, state: str, flags: tuple[str, ...], is_down: bool
) -> None:
    one = read_node(node(text))
    assert (one.state, one.flags, one.is_down) == (state, flags, is_down)


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (" Reason=broken fan [root@1795252551]", "broken fan"),
        (
            " Reason=a = b State=IDLE NodeName=x [root@1795252551]",
            "a = b State=IDLE NodeName=x",
        ),
        (" Reason=bench: no slurmd = true", "bench: no slurmd = true"),
        (" Reason=two [words] [me@5] Comment=c State=DOWN Extra=e x=1", "two [words]"),
        (" Reason=mail me@here [root@5]", "mail me@here"),
        (" Comment=Reason=none", ""),
        (" Reason=new\n          line [root@5]", "new\n          line"),
        (" Reason= [root@5]", ""),
    ],
)
def test_a_reason_may_say_anything_and_changes_nothing_else(
    rest: str, reason: str
) -> None:
    one = read_node(node("IDLE+DRAIN", rest))
    assert one.reason == reason
    assert (one.name, one.state, one.memory_mb) == ("n1", "idle", 64000)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=60))
def test_no_reason_forges_a_node(reason: str) -> None:
    answer = node("IDLE+DRAIN", f" Reason={reason} [root@5]")[1:] + b"\n"
    one = read_node(records(answer, "NodeName")[0])
    assert (one.name, one.state, one.flags, one.cpus) == ("n1", "idle", ("DRAIN",), 14)


def test_records_are_told_apart_even_when_a_reason_has_a_newline() -> None:
    answer = (
        node("DOWN", " Reason=new\nline [root@5]")[1:]
        + b"\n"
        + node("IDLE")[1:]
        + b"\n"
    )
    assert [read_node(record).state for record in records(answer, "NodeName")] == [
        "down",
        "idle",
    ]


@pytest.mark.parametrize("answer", [b"", b"\n", b"No nodes in the system\n"])
def test_no_nodes_are_no_records(answer: bytes) -> None:
    assert records(answer, "NodeName") == []


def test_a_node_whose_load_changes_stays_the_same() -> None:
    busier = node().replace(b"CPULoad=0.40", b"CPULoad=12.75").replace(b"22225", b"9")
    assert node_key(node()) == node_key(busier)
    assert node_key(node()) != node_key(node().replace(b"CPUAlloc=2", b"CPUAlloc=3"))
    assert node_key(node()) != node_key(node("DOWN"))


@pytest.mark.parametrize(
    "broken",
    [
        node().replace(b"RealMemory=64000", b"RealMemory=much"),
        node().replace(b"State=IDLE", b"State="),
        b" NodeName=n1",
    ],
)
def test_a_record_without_what_a_node_has_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_node(broken)
