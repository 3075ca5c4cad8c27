"""How one's jobs look as JSON, and the way there from the service's own types."""

from pydantic import Field

from handlers.api import queue_models as shown
from handlers.route import Model
from kqi_hub.domain.own_jobs import Action, JobKind, Show, Wanted
from kqi_hub.i18n import Texts
from kqi_hub.services.own_jobs import GroupView, JobPage, JobView

_LONGEST_TEXT = 100
MOST_PER_PAGE = 500


class JobQuery(Model):
    """Which of your jobs to list."""

    show: Show = Field(Show.ALL, description="Which of them by how they stand.")
    kind: JobKind | None = Field(None, description="Only jobs of this kind.")
    q: str = Field(
        "",
        max_length=_LONGEST_TEXT,
        description="A part of number, name, queue or tenant.",
    )
    page: int = Field(1, ge=1, le=100_000, description="The page, from 1.")
    per_page: int = Field(50, ge=1, le=MOST_PER_PAGE, description="Jobs on a page.")

    @property
    def wanted(self) -> Wanted:
        """Return it as the service knows it."""
        offset = (self.page - 1) * self.per_page
        return Wanted(self.show, self.kind, self.q, self.per_page, offset)


class JobTask(Model):
    """A job, or a task of an array. Times are seconds since 1970."""

    id: str = Field(description="Its number as Slurm's programs take it, such as 12_3.")
    job_id: int = Field(description="The number that Slurm gave to it alone.")
    task: str = Field(
        description="Its number in its array, or those not told apart yet; or empty."
    )
    state: str = Field(description="Slurm's own word for its state.")
    is_live: bool = Field(description="Whether it has not ended.")
    is_waiting: bool = Field(description="Whether it has still to start.")
    is_held: bool = Field(description="Whether it is kept from starting.")
    node: str = Field(description="Where it runs or ran.")
    reason: str = Field(description="Slurm's own word for why it waits.")
    why: str = Field(description="Why it waits, in words.")
    hint: str = Field(description="What to do about it.")
    submitted_at: int | None = Field(description="When it was submitted.")
    starts_at: int | None = Field(
        description="When it began, or when Slurm expects it to."
    )
    ends_at: int | None = Field(description="When it ended, or must end.")
    ran_s: int | None = Field(description="For how long it has run, in seconds.")
    left_s: int | None = Field(description="How long it may still run, in seconds.")
    cost_micro: int | None = Field(
        description="What it has cost so far, in millionths; none without a price."
    )
    is_billed: bool = Field(
        description="Whether it has ended and the cost is what the bill has of it; "
        "before that it is reckoned from what is known."
    )
    exit_code: int | None = Field(
        description="How it ended, some minutes later; 128 and more: by a signal."
    )
    actions: tuple[Action, ...] = Field(description="What you can do with it now.")


class OwnJob(Model):
    """A job of yours; an array is one, with its tasks."""

    id: int = Field(description="Slurm's number of the job or array.")
    name: str = Field(description="Its name.")
    kind: JobKind = Field(description="What it is for, as its name says.")
    thing: int | None = Field(
        description="The number of the notebook, training and so on that it is of."
    )
    tenant: str = Field(description="Slurm's account, which is the tenant.")
    queue: str = Field(description="Its queue.")
    cpus: int = Field(description="CPUs of each.")
    memory: str = Field(description="Memory of each, as Slurm words it.")
    gres: str = Field(description="GPUs of each, as Slurm words them.")
    is_array: bool = Field(description="Whether it is an array.")
    is_live: bool = Field(description="Whether any of it has not ended.")
    counts: dict[str, int] = Field(description="How many of it stand how.")
    cost_micro: int | None = Field(
        description="What all of it has cost so far, in millionths."
    )
    is_billed: bool = Field(
        description="Whether all of it has ended and the cost is what the bill has; "
        "before that it is reckoned from what is known."
    )
    currency: str = Field(description="Currency of the cost.")
    actions: tuple[Action, ...] = Field(description="What you can do with all of it.")
    tasks: tuple[JobTask, ...] = Field(description="It, or the tasks of the array.")
    more: int = Field(description="How many more tasks there are.")


class OwnJobs(Model):
    """A page of your jobs, the newest first."""

    picture: shown.PictureAge = Field(description="How old what you see is.")
    jobs: tuple[OwnJob, ...] = Field(description="The jobs.")
    found: int = Field(description="How many are like that.")
    total: int = Field(description="How many jobs of yours are known.")
    is_cut: bool = Field(
        description="Whether there are older ones that the portal does not read."
    )


class OneJob(Model):
    """One job of yours in full."""

    picture: shown.PictureAge = Field(description="How old what you see is.")
    job: OwnJob = Field(description="The job.")


def page_of(found: JobPage, texts: Texts, currency: str) -> OwnJobs:
    """Return a page as JSON has it."""
    return OwnJobs(
        picture=shown.picture(found.picture, texts),
        jobs=tuple(job_of(one, texts, currency) for one in found.groups),
        found=found.found,
        total=found.total,
        is_cut=found.is_cut,
    )


def job_of(view: GroupView, texts: Texts, currency: str) -> OwnJob:
    """Return a job or array as JSON has it."""
    job = view.head.job
    return OwnJob(
        id=view.id,
        name=job.name,
        kind=view.kind,
        thing=view.thing,
        tenant=job.account,
        queue=job.partition,
        cpus=job.cpus,
        memory=job.memory,
        gres=job.gres,
        is_array=view.is_array,
        is_live=view.is_live,
        counts=dict(view.counts),
        cost_micro=view.cost,
        is_billed=view.is_billed,
        currency=currency,
        actions=view.actions,
        tasks=tuple(_task(one, texts) for one in view.tasks),
        more=view.more,
    )


def _task(view: JobView, texts: Texts) -> JobTask:
    job, why = view.job, view.why
    return JobTask(
        id=str(view.id),
        job_id=job.job_id,
        task=job.task or "",
        state=job.state,
        is_live=not job.is_over,
        is_waiting=job.is_waiting,
        is_held=view.is_held,
        node=job.node_list,
        reason="" if why is None else why.reason,
        why="" if why is None else texts.phrase(why.text),
        hint="" if why is None or why.hint is None else texts.phrase(why.hint),
        submitted_at=job.submitted_at,
        starts_at=job.starts_at,
        ends_at=job.ends_at,
        ran_s=view.ran_s,
        left_s=view.left_s,
        cost_micro=view.cost,
        is_billed=view.is_billed,
        exit_code=view.exit_code,
        actions=view.actions,
    )
