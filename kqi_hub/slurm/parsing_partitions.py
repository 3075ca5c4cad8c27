"""Read `scontrol --oneliner show partition`."""

from kqi_hub.domain.cluster import Partition
from kqi_hub.domain.hostlist import expand_hostlist
from kqi_hub.slurm.keyvalue import value_of
from kqi_hub.slurm.timelimit import parse_timelimit


def read_partition(record: bytes) -> Partition:
    """Return the queue of one record; raise ValueError when it is not one."""
    line = record.decode(errors="replace")
    sharing = value_of(line, "OverSubscribe", "NO").partition(":")[0]
    qos = value_of(line, "QoS")
    return Partition(
        name=value_of(line, "PartitionName"),
        state=value_of(line, "State"),
        nodes=expand_hostlist(value_of(line, "Nodes")),
        is_default=value_of(line, "Default") == "YES",
        max_time_s=parse_timelimit(value_of(line, "MaxTime")),
        default_time_s=parse_timelimit(value_of(line, "DefaultTime")),
        max_nodes=_number(value_of(line, "MaxNodes")),
        exclusive=sharing == "EXCLUSIVE",
        shared=sharing in {"YES", "FORCE"},
        allow_accounts=_allowed(value_of(line, "AllowAccounts", "ALL")),
        deny_accounts=_allowed(value_of(line, "DenyAccounts")) or (),
        allow_qos=_allowed(value_of(line, "AllowQos", "ALL")),
        qos="" if qos == "N/A" else qos,
        max_memory_per_node_mb=_number(value_of(line, "MaxMemPerNode")),
        billing_weights=value_of(line, "TRESBillingWeights"),
    )


def _allowed(text: str) -> tuple[str, ...] | None:
    """Return names, None for everybody."""
    return None if text == "ALL" else tuple(name for name in text.split(",") if name)


def _number(text: str) -> int | None:
    return None if text in {"", "UNLIMITED", "(null)"} else int(text)
