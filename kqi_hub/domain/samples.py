"""What ran on which node at each full hour: the history of use as a table (KX-108)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.hostlist import expand_hostlist
from kqi_hub.domain.job_records import JobRecord, gpus_of
from kqi_hub.domain.node_shapes import NodeShape, NodeShapes
from kqi_hub.domain.usage import UsedRun

_HOUR_S: Final = 3600


class Sample(NamedTuple):
    """A run on a node at a moment, beside what the node has; no run: it was idle.

    What a run on several nodes had is spread evenly over them: that is all we know.
    """

    at: int
    node: str
    has: Amounts | None
    run: UsedRun | None = None
    cpus: int = 0
    memory_mb: int = 0
    gpus: str = ""


def full_hours(begins: int, ends: int) -> range:
    """Return the full hours from one moment to before another."""
    return range(-(-begins // _HOUR_S) * _HOUR_S, ends, _HOUR_S)


def samples(
    runs: Sequence[UsedRun],
    shapes: Sequence[NodeShape],
    hours: range,
    limits: tuple[int, int],
) -> list[Sample] | None:
    """Return the samples in their order; None where there are too many.

    `limits` are the moment up to which a run without an end goes on, and the most.
    """
    now, most = limits
    known = NodeShapes(shapes)
    found: list[Sample] = []
    for sample in _busy(runs, known, hours, now):
        found.append(sample)
        if len(found) > most:
            return None
    busy = {(one.at, one.node) for one in found}
    names = sorted({shape.node for shape in shapes})
    if len(found) + len(names) * len(hours) > most:
        return None
    for at in hours:
        for name in names:
            has = known.of(name, at)
            if (at, name) not in busy and has is not None and has.cpus:
                found.append(Sample(at, name, has))
    found.sort(key=lambda one: (one.at, one.node, one.run.id if one.run else 0))
    return found


def _busy(
    runs: Iterable[UsedRun], shapes: NodeShapes, hours: range, now: int
) -> Iterator[Sample]:
    for run in runs:
        record = run.record
        began = record.started_at
        if began is None:
            continue
        ended = now if record.ended_at is None else record.ended_at
        first = max(hours.start, full_hours(began, began + _HOUR_S).start)
        for at in range(first, min(hours.stop, ended), _HOUR_S):
            for place, node in enumerate(_nodes(record)):
                yield _sample(at, node, place, run, shapes)


def _sample(at: int, node: str, place: int, run: UsedRun, shapes: NodeShapes) -> Sample:
    record = run.record
    gpus = (
        (kind, _share(count, record.nodes, place))
        for kind, count in gpus_of(record.gpus).items()
    )
    return Sample(
        at,
        node,
        shapes.of(node, at),
        run,
        _share(record.cpus, record.nodes, place),
        _share(record.memory_mb, record.nodes, place),
        ",".join(f"{kind}={count}" for kind, count in gpus if count),
    )


def _share(total: int, nodes: int, place: int) -> int:
    """Return a node's part; the first ones have what is left over."""
    each, rest = divmod(total, max(1, nodes))
    return each + (place < rest)


def _nodes(record: JobRecord) -> tuple[str, ...]:
    try:
        return expand_hostlist(record.node_list)
    except ValueError:
        return ()
