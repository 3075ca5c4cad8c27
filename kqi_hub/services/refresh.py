"""Ask the worker for a fresh look, and wait for it with patience that ends."""

from collections.abc import Callable

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.errors import ClusterTimedOut, ClusterUnreachable
from kqi_hub.domain.ports import SnapshotStore

GLANCE_S = 0.2


def ask_for_look(
    store: SnapshotStore,
    wall: Callable[[], float],
    sleep: Callable[[float], None],
    limit_s: float,
) -> Freshness:
    """Return the freshness of a picture taken after this call, or say why not.

    A controller that does not answer is not pressed: the caller is told at once.
    """
    before = store.freshness()
    if _is_failing(before):
        raise ClusterUnreachable(
            "The last look at Slurm failed: {said}",
            "The worker tries again by itself; a refresh would only press Slurm.",
            said=before.error,
        )
    asked_at = wall()
    store.request_refresh(asked_at)
    while wall() - asked_at < limit_s:
        sleep(GLANCE_S)
        now = store.freshness()
        if (now.taken_at or 0) >= asked_at:
            return now
        if now.tried_at != before.tried_at and _is_failing(now):
            raise ClusterUnreachable(
                "The look failed: {said}",
                "The worker tries again by itself.",
                said=now.error,
            )
    raise ClusterTimedOut(
        "No fresh picture within {limit} s; the worker will still take one.",
        "Look at `kqi-hub doctor`, or give it longer with --wait.",
        limit=f"{limit_s:g}",
    )


def _is_failing(freshness: Freshness) -> bool:
    tried_at = freshness.tried_at or 0
    return bool(freshness.error) and tried_at > (freshness.taken_at or 0)
