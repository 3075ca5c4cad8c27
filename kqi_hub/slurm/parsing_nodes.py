"""Read `scontrol --oneliner --details show node`."""

import re
from typing import Final

from kqi_hub.domain.cluster import Node
from kqi_hub.slurm.gres import node_gpus
from kqi_hub.slurm.keyvalue import value_of, without

# These change from minute to minute and are no part of a Node.
_RESTLESS: Final = (b" CPULoad=", b" FreeMem=", b" LastBusyTime=", b" CurrentWatts=")
# `Reason=text [who@when]`, then perhaps the comment and more text of administrators.
_REASON: Final = re.compile(
    r" Reason=(?P<said>.*?)(?: \[[^\[\]@]*@[^\[\]]*\])?"
    r"(?: (?:ReservationName|Comment|Extra|InstanceId|InstanceType)=.*)?",
    re.DOTALL,
)
# What older releases append to a state in place of a word.
_MARKS: Final = {
    "*": "NOT_RESPONDING",
    "~": "POWERED_DOWN",
    "#": "POWERING_UP",
    "!": "POWER_DOWN",
    "%": "POWERING_DOWN",
    "$": "MAINTENANCE",
    "@": "REBOOT_REQUESTED",
    "^": "REBOOT_ISSUED",
    "-": "PLANNED",
}


def node_key(record: bytes) -> bytes:
    """Return what differs when the node does, not when its load does."""
    return without(record, _RESTLESS)


def read_node(record: bytes) -> Node:
    """Return the node of one record; raise ValueError when it is not one."""
    line = record.decode(errors="replace")
    state, flags = _read_state(value_of(line, "State"))
    cpus = value_of(line, "CPUEfctv") or value_of(line, "CPUTot")
    return Node(
        name=value_of(line, "NodeName"),
        state=state,
        flags=flags,
        partitions=_words(value_of(line, "Partitions")),
        cpus=int(cpus),
        cpus_used=int(value_of(line, "CPUAlloc")),
        memory_mb=int(value_of(line, "RealMemory")),
        memory_used_mb=int(value_of(line, "AllocMem", "0")),
        gpus=node_gpus(value_of(line, "Gres"), value_of(line, "GresUsed")),
        reason=_read_reason(line),
        features=_words(value_of(line, "ActiveFeatures")),
    )


def _read_state(text: str) -> tuple[str, tuple[str, ...]]:
    """Read `IDLE+DRAIN`, and `down*` with the mark that says why."""
    base, *flags = text.split("+")
    while base and base[-1] in _MARKS:
        flags.append(_MARKS[base[-1]])
        base = base[:-1]
    if not base:
        raise ValueError("a node has no state")
    return base.lower(), tuple(flags)


def _read_reason(line: str) -> str:
    start = line.find(" Reason=")
    if start < 0:
        return ""
    found = _REASON.fullmatch(line, start)
    return found["said"].strip() if found else line[start:].strip()


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text not in {"", "(null)"} else ()
