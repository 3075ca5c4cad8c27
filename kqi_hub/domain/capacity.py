"""What a cluster could have given: its nodes over time, as a line of steps."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from kqi_hub.domain.job_records import gpus_of
from kqi_hub.domain.node_shapes import NodeShape
from kqi_hub.domain.usage import Capacity

_CPU = "cpu"
_NODE = "node"
_GPU = "gpu:"


class CapacityLine:
    """What all nodes have together, by time.

    Before its first known shape a node is taken to have had that one.
    """

    def __init__(self, shapes: Iterable[NodeShape]) -> None:
        changes: dict[int, Counter[str]] = {}
        last: dict[str, NodeShape] = {}
        for shape in sorted(shapes, key=lambda one: (one.from_at, one.node)):
            before = last.get(shape.node)
            change = changes.setdefault(
                0 if before is None else shape.from_at, Counter()
            )
            change.update(_had(shape))
            if before is not None:
                change.subtract(_had(before))
            last[shape.node] = shape
        self._moments = sorted(changes)
        self._levels: list[Counter[str]] = []
        level: Counter[str] = Counter()
        for moment in self._moments:
            level = level.copy()
            level.update(changes[moment])
            self._levels.append(level)

    def between(self, begins: int, ends: int) -> Capacity:
        """Return what there was in a time, in seconds of each thing."""
        total: Counter[str] = Counter()
        first = bisect_right(self._moments, begins)
        inner = [one for one in self._moments[first:] if one < ends]
        for begun, over in pairwise([begins, *inner, ends]):
            place = bisect_right(self._moments, begun) - 1
            if place >= 0:
                level = self._levels[place]
                total.update({name: n * (over - begun) for name, n in level.items()})
        by_type = sorted(
            (name.removeprefix(_GPU), seconds)
            for name, seconds in total.items()
            if name.startswith(_GPU) and seconds
        )
        gpu_s = sum(seconds for _, seconds in by_type)
        return Capacity(total[_CPU], gpu_s, total[_NODE], tuple(by_type))


def _had(shape: NodeShape) -> Counter[str]:
    had = Counter({f"{_GPU}{kind}": n for kind, n in gpus_of(shape.gpus).items()})
    # A node that is gone has a shape of nothing.
    had.update({_CPU: shape.cpus, _NODE: 1 if shape.cpus else 0})
    return had
