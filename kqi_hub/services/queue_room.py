"""Which queues have room, for sessions that ask the hub: the worker's picture."""

from dataclasses import dataclass

from kqi_hub.domain.cluster import Association, Freshness, Node, Partition, Qos
from kqi_hub.domain.job import Job
from kqi_hub.services.board import Board, Picture, PictureStore


@dataclass(frozen=True, slots=True)
class _NodesAlone:
    """A picture without jobs and people, which free nodes are told without."""

    store: PictureStore

    def freshness(self) -> Freshness:
        return self.store.freshness()

    def nodes(self) -> tuple[Node, ...]:
        return self.store.nodes()

    def partitions(self) -> tuple[Partition, ...]:
        return self.store.partitions()

    def live_jobs(self, user: str | None = None) -> tuple[Job, ...]:
        return ()

    def associations(self) -> tuple[Association, ...]:
        return ()

    def qos(self) -> tuple[Qos, ...]:
        return ()


def board_of_nodes(store: PictureStore, stale_after_s: float) -> Board:
    """Return a board that reads nodes and queues: little, for a busy process."""
    alone = _NodesAlone(store)
    return Board(alone, alone, stale_after_s)


def room_told(picture: Picture) -> dict[str, object]:
    """Return what a session is told: how far to trust it, and each queue's nodes."""
    return {
        "trust": picture.trust.value,
        "age_s": picture.standing.age_s,
        "queues": [
            {
                "name": one.partition.name,
                "is_up": one.partition.is_up,
                "free": one.counts.idle,
                "total": one.counts.total,
            }
            for one in picture.scene.supplies.values()
        ],
    }
