"""Note what nodes have, from the picture, so that whole nodes can be billed."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.accounting_ports import NodeHas, ShapeStore
from kqi_hub.domain.cluster import Node
from kqi_hub.domain.job_records import gpus_text

# Of these, Slurm does not know yet what they have.
_UNSEEN: Final = frozenset({"unknown", "future"})


@dataclass(frozen=True, slots=True)
class ShapeWatch:
    """Compare the picture's nodes with what is noted of them."""

    nodes: Callable[[], Sequence[Node]]
    store: ShapeStore
    wall: Callable[[], float]

    async def note(self) -> bool:
        """Keep what changed since the last time; tell whether any node is known.

        Before that no run may be charged: whole nodes would be charged as parts.
        """
        return await asyncio.to_thread(self._note)

    def _note(self) -> bool:
        has = {node.name: _has(node) for node in self.nodes() if _is_seen(node)}
        if has:
            self.store.add(has, int(self.wall()))
        return bool(has)


def _is_seen(node: Node) -> bool:
    return node.state not in _UNSEEN and node.cpus > 0


def _has(node: Node) -> NodeHas:
    gpus = gpus_text({gpu.type: gpu.total for gpu in node.gpus})
    return node.cpus, node.memory_mb, gpus
