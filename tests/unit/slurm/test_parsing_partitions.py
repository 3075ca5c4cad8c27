"""Queues out of scontrol's records."""

import pytest

from kqi_hub.slurm.parsing_partitions import read_partition

LINE = (
    " PartitionName=p AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL Default=NO "
    "QoS=N/A DefaultTime=NONE MaxNodes=UNLIMITED MaxTime=UNLIMITED Nodes=n[1-2] "
    "OverSubscribe=NO State=UP MaxMemPerNode=UNLIMITED TRES=cpu=16"
)


def changed(old: str, new: str) -> bytes:
    assert old in LINE
    return LINE.replace(old, new).encode()


def test_a_queue_without_limits_has_none() -> None:
    one = read_partition(LINE.encode())
    assert (one.name, one.state, one.is_up, one.nodes) == (
        "p",
        "UP",
        True,
        ("n1", "n2"),
    )
    assert (one.max_time_s, one.default_time_s, one.max_nodes) == (None, None, None)
    assert (one.allow_accounts, one.deny_accounts, one.allow_qos) == (None, (), None)
    assert (one.qos, one.max_memory_per_node_mb, one.billing_weights) == ("", None, "")
    assert not (one.is_default or one.exclusive or one.shared)


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        ("Default=NO", "Default=YES", "is_default", True),
        ("MaxTime=UNLIMITED", "MaxTime=2-00:00:00", "max_time_s", 172_800),
        ("DefaultTime=NONE", "DefaultTime=01:00:00", "default_time_s", 3_600),
        ("MaxNodes=UNLIMITED", "MaxNodes=4", "max_nodes", 4),
        ("OverSubscribe=NO", "OverSubscribe=EXCLUSIVE", "exclusive", True),
        ("OverSubscribe=NO", "OverSubscribe=YES:10", "shared", True),
        ("OverSubscribe=NO", "OverSubscribe=FORCE:2", "shared", True),
        ("AllowAccounts=ALL", "AllowAccounts=a,b", "allow_accounts", ("a", "b")),
        ("AllowAccounts=ALL", "DenyAccounts=nlp", "deny_accounts", ("nlp",)),
        ("AllowQos=ALL", "AllowQos=high", "allow_qos", ("high",)),
        ("QoS=N/A", "QoS=jupyter", "qos", "jupyter"),
        ("State=UP", "State=DRAIN", "state", "DRAIN"),
        ("MaxMemPerNode=UNLIMITED", "MaxMemPerNode=32", "max_memory_per_node_mb", 32),
        ("TRES=cpu=16", "TRES=x TRESBillingWeights=CPU=1,Mem=1G", "billing_weights",
         "CPU=1,Mem=1G"),
        ("Nodes=n[1-2]", "Nodes=(null)", "nodes", ()),
    ],
)  # fmt: skip
def test_each_limit_is_read(old: str, new: str, field: str, value: object) -> None:
    assert getattr(read_partition(changed(old, new)), field) == value


def test_a_limit_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="soon"):
        read_partition(changed("MaxTime=UNLIMITED", "MaxTime=soon"))
