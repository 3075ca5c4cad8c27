"""One's own live jobs, as the portal's picture of Slurm has them."""

from pydantic import Field

from handlers.api import queue_models as shown
from handlers.ask import Ask, Listing
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.job import Job
from kqi_hub.domain.reasons import explain
from kqi_hub.i18n import N_, Texts
from kqi_hub.services.board import Picture

routes = Routes("/api/v1", tag=N_("Queues"))


class Wanted(Model):
    """Which of your jobs to list."""

    job_id: int | None = Field(
        None, ge=1, le=2**32, description="Only the one with Slurm's number."
    )


class LiveJob(Model):
    """A job of yours that waits or runs. Times are seconds since 1970."""

    job_id: int = Field(description="Slurm's number of the job.")
    name: str = Field(description="Its name.")
    queue: str = Field(description="Its queue.")
    state: str = Field(description="Slurm's own word for its state.")
    is_waiting: bool = Field(description="Whether it has still to start.")
    node: str = Field(description="Where it runs; empty before.")
    reason: str = Field(description="Slurm's own word for why it waits.")
    text: str = Field(description="Why it waits, in words; empty when it does not.")
    hint: str = Field(description="What to do about it.")
    starts_at: int | None = Field(
        description="When it began, or when Slurm expects it to."
    )


class LiveJobs(Model):
    """Jobs of yours that wait or run, the newest first."""

    picture: shown.PictureAge = Field(description="How old what you see is.")
    jobs: tuple[LiveJob, ...] = Field(description="The jobs.")


@routes.get("/jobs", Spec(query=Wanted, answer=LiveJobs))
async def list_jobs(ask: Ask) -> Listing:
    """List your jobs that wait or run, with the reason to wait in words."""
    wanted, me = ask.query(Wanted).job_id, ask.me.person
    picture = await ask.deps.queues.board.current()

    def make() -> LiveJobs:
        mine = [
            job
            for job in picture.jobs
            if job.user == me and wanted in {None, job.job_id}
        ]
        mine.sort(key=lambda job: job.job_id, reverse=True)
        return LiveJobs(
            picture=shown.picture(picture, ask.texts),
            jobs=tuple(_shown(job, picture, ask.texts) for job in mine),
        )

    return Listing(make)


def _shown(job: Job, picture: Picture, texts: Texts) -> LiveJob:
    why = explain(job, picture.scene) if job.is_waiting else None
    return LiveJob(
        job_id=job.job_id,
        name=job.name,
        queue=job.partition,
        state=job.state,
        is_waiting=job.is_waiting,
        node=job.node_list,
        reason=job.reason if job.is_waiting else "",
        text="" if why is None else texts.phrase(why.text),
        hint="" if why is None or why.hint is None else texts.phrase(why.hint),
        starts_at=job.starts_at,
    )
