"""Take over from Slurm's accounting who may submit where, and what QOS allow."""

import asyncio
from collections.abc import Collection
from typing import Protocol

from kqi_hub.domain.cluster import Association, Qos
from kqi_hub.domain.ports import ClusterReader


class AssociationKeeper(Protocol):
    """Where the associations are kept for everybody else."""

    def keep(self, found: Collection[Association]) -> bool:
        """Replace them; tell whether anything is different now. Blocks."""

    def keep_qos(self, found: Collection[Qos]) -> bool:
        """Replace the QOS; tell whether anything is different now. Blocks."""


async def take_over(reader: ClusterReader, keeper: AssociationKeeper) -> bool:
    """Ask accounting once and keep its answer; an error leaves what was kept."""
    found = await reader.associations()
    return await asyncio.to_thread(keeper.keep, found)


async def take_over_qos(reader: ClusterReader, keeper: AssociationKeeper) -> bool:
    """Ask accounting once for every QOS and keep its answer; likewise."""
    found = await reader.qos()
    return await asyncio.to_thread(keeper.keep_qos, found)
