"""Records that accounting does not have yet: of jobs that run, and of those thought of.

Use is priced by its record. What is shown before and while a job runs is priced by
the record that accounting would have if it ended then: so it equals the bill.
"""

from collections.abc import Mapping
from typing import Final

from kqi_hub.domain.amounts import Amounts, of_job
from kqi_hub.domain.job import Job
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.node_shapes import NodeShape, NodeShapes

# The one node of a job that is thought of.
_NODE: Final = "node"


def record_of_job(job: Job, until: float) -> JobRecord:
    """Return the record of a job if it ended now, or did; no start while it waits.

    What it was suspended is not known before its end.
    """
    has = of_job(job)
    began = None if job.is_waiting else job.starts_at
    ended = job.ends_at if job.is_over and job.ends_at is not None else int(until)
    return JobRecord(
        job_id=job.job_id,
        submitted_at=job.submitted_at or 0,
        db_index=0,
        shown_id=str(job.job_id),
        name=job.name,
        user=job.user,
        account=job.account,
        partition=job.partition,
        qos=job.qos,
        state=job.state,
        exit_code="",
        eligible_at=None,
        started_at=began,
        ended_at=None if began is None else max(began, ended),
        suspended_s=0,
        time_limit_s=job.time_limit_s,
        nodes=has.nodes,
        cpus=has.cpus,
        memory_mb=has.memory_mb,
        gpus=gpus_text(has.gpus),
        node_list=job.node_list,
    )


def record_of_wish(
    takes: Amounts, queue: str, qos: str, tenant: str, times: tuple[int, int]
) -> JobRecord:
    """Return the record of a job that would take so much from a moment to another."""
    began, ended = times
    return JobRecord(
        job_id=0,
        submitted_at=began,
        db_index=0,
        shown_id="",
        name="",
        user="",
        account=tenant,
        partition=queue,
        qos=qos,
        state="COMPLETED",
        exit_code="",
        eligible_at=None,
        started_at=began,
        ended_at=ended,
        suspended_s=0,
        time_limit_s=ended - began,
        nodes=takes.nodes,
        cpus=takes.cpus,
        memory_mb=takes.memory_mb,
        gpus=gpus_text(takes.gpus),
        node_list=_NODE,
    )


def shapes_of(has: Amounts) -> NodeShapes:
    """Return the shape of the node that a job would get which is thought of."""
    gpus = gpus_text(has.gpus)
    return NodeShapes([NodeShape(_NODE, 0, has.cpus, has.memory_mb, gpus)])


def gpus_text(gpus: Mapping[str, int]) -> str:
    """Write GPUs by type as records have them."""
    return ",".join(f"{kind}={count}" for kind, count in sorted(gpus.items()) if count)
