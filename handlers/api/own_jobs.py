"""Everything that one has in Slurm, whoever submitted it; cancel, hold, release."""

from dataclasses import replace
from typing import Final

from handlers.api import queue_models as shown
from handlers.api.own_job_models import JobQuery, OneJob, OwnJobs, job_of, page_of
from handlers.ask import Ask, Listing
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import (
    ClusterRefused,
    ClusterTimedOut,
    ClusterUnreachable,
    Conflict,
    DoorRefused,
    DoorUnreachable,
    NoSuchJob,
    NotFound,
    NotYourJob,
)
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Jobs"))
_EXAMPLE: Final = {"job": "12_3"}
_ACTING: Final = Spec(
    errors=(
        *(NotFound, Conflict, NotYourJob, NoSuchJob, ClusterRefused),
        *(ClusterUnreachable, ClusterTimedOut, DoorRefused, DoorUnreachable),
    ),
    example_path=_EXAMPLE,
)


# It comes before /jobs/{job}.
@routes.get("/jobs/all", Spec(query=JobQuery, answer=OwnJobs))
async def list_own_jobs(ask: Ask) -> Listing:
    """List everything that you have in Slurm, and what ended lately; arrays as one."""
    wanted = ask.query(JobQuery).wanted
    found = await ask.deps.own_jobs.list(ask.me.person, wanted)
    currency = ask.deps.queues.pricing.billing.currency
    return Listing(lambda: page_of(found, ask.texts, currency), found.found)


@routes.get(
    "/jobs/{job}",
    Spec(
        answer=OneJob,
        errors=(NotFound, ClusterUnreachable, ClusterTimedOut),
        example_path=_EXAMPLE,
    ),
)
async def show_own_job(ask: Ask) -> Listing:
    """Show one of your jobs, an array with all its tasks, or one task."""
    picture, found = await ask.deps.own_jobs.one(ask.me.person, ask.path["job"])
    currency = ask.deps.queues.pricing.billing.currency
    return Listing(
        lambda: OneJob(
            picture=shown.picture(picture, ask.texts),
            job=job_of(found, ask.texts, currency),
        )
    )


@routes.post("/jobs/{job}/cancel", _ACTING)
async def cancel_own_job(ask: Ask) -> None:
    """Cancel a job, one task, or a whole array."""
    await ask.deps.own_jobs.cancel(ask.me.person, ask.path["job"])


@routes.post("/jobs/{job}/hold", _ACTING)
async def hold_own_job(ask: Ask) -> None:
    """Keep a waiting job from starting until you release it."""
    await ask.deps.own_jobs.hold(ask.me.person, ask.path["job"])


@routes.post("/jobs/{job}/release", replace(_ACTING, example_path={"job": "12_4"}))
async def release_own_job(ask: Ask) -> None:
    """Let a held job start."""
    await ask.deps.own_jobs.release(ask.me.person, ask.path["job"])
