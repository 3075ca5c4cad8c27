"""Who else computes on a notebook's node, by the picture; nobody is asked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.job import Job
from kqi_hub.domain.notebooks import Session
from kqi_hub.domain.people import Role, Standing
from kqi_hub.domain.queues import QueueRules, names_of
from kqi_hub.services.board import Picture
from kqi_hub.services.notebook_views import job_of

# Whole GPUs, and Slurm's two ways to share one.
_GPUS: Final = frozenset({"gpu", "shard", "mps"})


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Other jobs on a node: how many, whose, and whether they may use the same GPU.

    `people` has those alone whom the reader may see by name: managers see who runs
    jobs of their tenants, operators everybody.
    """

    node: str
    jobs: int
    mine: int
    with_gpus: int
    shares_gpus: bool
    people: tuple[tuple[str, int], ...] = ()


def neighbours_of(
    session: Session | None,
    picture: Picture,
    rules: Mapping[str, QueueRules],
    me: Standing,
) -> Neighbours | None:
    """Return the other jobs on a session's node; None where there are none."""
    own = job_of(session, picture) if session is not None and session.is_live else None
    node = next(iter(names_of(own.node_list)), "") if own is not None else ""
    here = picture.scene.running_on.get(node, ())
    others = [job for job in here if own is not None and job.job_id != own.job_id]
    if own is None or not others:
        return None
    seen = Counter(job.user for job in others if _may_see(me, job))
    return Neighbours(
        node=node,
        jobs=len(others),
        mine=sum(job.user == me.person for job in others),
        with_gpus=sum(_has_gpus(job) for job in others),
        shares_gpus=_shares(own.partition, picture, rules),
        people=tuple(sorted(seen.items())),
    )


def _may_see(me: Standing, job: Job) -> bool:
    if job.user == me.person:
        return False  # counted as one's own
    return me.is_operator or me.role_in(job.account) is Role.MANAGER


def _has_gpus(job: Job) -> bool:
    return any(one.partition(":")[0] in _GPUS for one in job.gres.split(","))


def _shares(queue: str, picture: Picture, rules: Mapping[str, QueueRules]) -> bool:
    supply, rule = picture.scene.supplies.get(queue), rules.get(queue)
    is_shared = supply is not None and supply.partition.shared
    return is_shared or (rule is not None and rule.shares_gpus)
