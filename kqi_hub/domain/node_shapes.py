"""What nodes have, and had: whole nodes are billed by it."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.hostlist import expand_hostlist
from kqi_hub.domain.job_records import gpus_of

# Lists of nodes come again and again; beyond so many they are worked out anew.
_MOST_KNOWN: Final = 100_000


class NodeShape(NamedTuple):
    """What a node has from a moment on; `gpus` as in a JobRecord."""

    node: str
    from_at: int
    cpus: int
    memory_mb: int
    gpus: str


class NodeShapes:
    """The shapes of all nodes, by time.

    Before its first known shape a node is taken to have had that one.
    """

    def __init__(self, shapes: Iterable[NodeShape] = ()) -> None:
        self._by_node: dict[str, list[NodeShape]] = {}
        for shape in sorted(shapes):
            self._by_node.setdefault(shape.node, []).append(shape)
        self._changes = sorted(
            {shape.from_at for known in self._by_node.values() for shape in known}
        )
        self._known: dict[tuple[int, str], Amounts | None] = {}

    def era(self, moment: int) -> int:
        """Return a number that is the same as long as no node's shape changes."""
        return bisect_right(self._changes, moment)

    def of(self, node_list: str, moment: int) -> Amounts | None:
        """Return what nodes had together; None where one of them is not known."""
        key = (self.era(moment), node_list)
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._together(node_list, moment)
        return self._known[key]

    def _together(self, node_list: str, moment: int) -> Amounts | None:
        found = [self._of_node(name, moment) for name in _names(node_list)]
        amounts = [one for one in found if one is not None]
        if not found or len(amounts) < len(found):
            return None
        total = amounts[0]
        for one in amounts[1:]:
            total = total.plus(one)
        return total

    def _of_node(self, name: str, moment: int) -> Amounts | None:
        known = self._by_node.get(name)
        if known is None:
            return None
        place = bisect_right(known, moment, key=lambda shape: shape.from_at)
        shape = known[max(0, place - 1)]
        return Amounts(shape.cpus, shape.memory_mb, gpus_of(shape.gpus), 1)


NO_SHAPES: Final = NodeShapes()


def _names(node_list: str) -> tuple[str, ...]:
    try:
        return expand_hostlist(node_list)
    except ValueError:
        return ()  # "None assigned", or cut off by slurmdbd: no node is known
