"""Take over from Slurm's accounting who may submit where."""

import asyncio
from collections.abc import Collection
from typing import Protocol

from kqi_hub.domain.cluster import Association
from kqi_hub.domain.ports import ClusterReader


class AssociationKeeper(Protocol):
    """Where the associations are kept for everybody else."""

    def keep(self, found: Collection[Association]) -> bool:
        """Replace them; tell whether anything is different now. Blocks."""


async def take_over(reader: ClusterReader, keeper: AssociationKeeper) -> bool:
    """Ask accounting once and keep its answer; an error leaves what was kept."""
    found = await reader.associations()
    return await asyncio.to_thread(keeper.keep, found)
