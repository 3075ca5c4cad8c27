"""Which QOS bound a job of a queue, and which of their limits come first.

Slurm asks the queue's QOS, then the job's own (the other way round where that has the
flag OverPartQOS), then associations: where a limit is set at several of these, the
first one counts alone, whether it is the smallest or not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.cluster import Partition, Qos

Tres = tuple[tuple[str, int], ...]
_JOB_FIRST: Final = "OverPartQOS"
_BEYOND_PARTITION: Final = "PartitionTimeLimit"


@dataclass(frozen=True)
class QosBook:
    """Every QOS by name, and the one that each queue has, if any."""

    known: Mapping[str, Qos] = field(default_factory=dict)
    of_queue: Mapping[str, str] = field(default_factory=dict)

    def bounding(self, queue: str, job_qos: str) -> tuple[Qos, ...]:
        """Return those that bound a job, the one that counts first before."""
        queue_qos = self.known.get(self.of_queue.get(queue, ""))
        own = self.known.get(job_qos)
        both = (queue_qos, own)
        if own is not None and _JOB_FIRST in own.flags:
            both = (own, queue_qos)
        found = [one for one in both if one is not None]
        return tuple(dict.fromkeys(found))

    def counting(self, queue: str, job_qos: str) -> tuple[str, ...]:
        """Return the names of those that count what a job takes, and limit it."""
        names = dict.fromkeys((self.of_queue.get(queue, ""), job_qos))
        return tuple(one for one in names if one in self.known)


def book_of(found: Iterable[Qos], queues: Iterable[Partition]) -> QosBook:
    """Return the QOS that limit anything, by name, and the queues that have one."""
    known = {one.name: one for one in found if one != Qos(one.name, one.flags)}
    of_queue = {one.name: one.qos for one in queues if one.qos in known}
    return QosBook(known, of_queue)


def first_set(
    order: Sequence[Qos], limits: Callable[[Qos], Tres]
) -> dict[str, tuple[int, str]]:
    """Return each limited resource with its limit and the QOS that says so."""
    found: dict[str, tuple[int, str]] = {}
    for one in order:
        for resource, most in limits(one):
            found.setdefault(resource, (most, one.name))
    return found


def first_number(
    order: Sequence[Qos], limit: Callable[[Qos], int | None]
) -> tuple[int, str] | None:
    """Return the first limit that is set, and the QOS that says so."""
    for one in order:
        most = limit(one)
        if most is not None:
            return most, one.name
    return None


def goes_beyond_queue(order: Sequence[Qos]) -> bool:
    """Tell whether the time that a QOS allows counts before that of the queue."""
    return any(_BEYOND_PARTITION in one.flags for one in order)
