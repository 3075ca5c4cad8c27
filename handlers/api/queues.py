"""Queues: what is free, what is allowed, what it costs, how long it would take."""

from typing import Final, Literal

from pydantic import Field

from handlers.access import no_such_tenant
from handlers.api import queue_models as shown
from handlers.ask import Ask, Listing
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import ClusterUnreachable, NotFound
from kqi_hub.domain.notebooks import Shape
from kqi_hub.i18n import N_
from kqi_hub.services.queues import Estimate

routes = Routes("/api/v1", tag=N_("Queues"))
_GPU_TYPE: Final = r"[A-Za-z0-9_.-]{0,40}"
_MB: Final = 1024


class InTenant(Model):
    """From which tenant to look."""

    tenant: str | None = Field(
        None,
        max_length=64,
        description="The tenant to look from; your usual one when left out.",
    )


class WantedShape(InTenant):
    """A job that is thought of."""

    cpus: int = Field(1, ge=1, le=65_536, description="How many CPUs.")
    memory_mb: int = Field(
        _MB, ge=1, le=2**40, description="How much memory, in MB of 1024 KB."
    )
    gpus: int = Field(0, ge=0, le=1024, description="How many GPUs.")
    gpu_type: str = Field(
        "", pattern=f"^{_GPU_TYPE}$", description="Type of GPU; any when empty."
    )
    lifetime_s: int | None = Field(
        None,
        ge=60,
        le=366 * 86_400,
        description="How long it may run, in seconds; up to the queue when left out.",
    )

    @property
    def shape(self) -> Shape:
        """Return it as the services know it."""
        return Shape(self.cpus, self.memory_mb, self.gpus, self.gpu_type)


class EstimateAnswer(Model):
    """What such a job would meet in a queue, if it were submitted now."""

    queue: str = Field(description="Slurm's name of the queue.")
    is_possible: bool = Field(description="Whether it could start at all.")
    wait: Literal["now", "about", "longer", "unknown", "never"] = Field(
        description="What can be said of the wait; about: wait_s, rounded."
    )
    wait_s: int | None = Field(description="The wait in seconds, where one is known.")
    why: str | None = Field(description="Why the wait is not known.")
    price: shown.Price | None = Field(
        description="The price of an hour; none where the queue has no rate."
    )
    cost_micro: int | None = Field(
        description="Millionths for the time asked for, with the rates to come; "
        "none without a time or a rate."
    )
    left_micro: int | None = Field(
        description="Millionths that the tenant has left this month; none: no budget."
    )
    objections: tuple[str, ...] = Field(description="Why it could never start.")
    cautions: tuple[str, ...] = Field(
        description="What it would wait for beside its turn."
    )


class Asked(Model):
    """The worker was asked for a fresh look."""

    asked_at: float = Field(
        description="When; a picture taken after it is the answer to it."
    )


@routes.get("/queues", Spec(query=InTenant, answer=shown.QueueList, errors=(NotFound,)))
async def list_queues(ask: Ask) -> Listing:
    """List the queues: what is free, how many wait, what you may use."""
    queues = ask.deps.queues
    tenant = await tenant_of(ask, ask.query(InTenant).tenant)
    picture, found = await queues.list(ask.me.person, tenant)
    return Listing(
        lambda: shown.QueueList(
            tenant=tenant,
            picture=shown.picture(picture, ask.texts),
            queues=tuple(shown.row(one, queues.pricing, ask.texts) for one in found),
        )
    )


@routes.get(
    "/queues/{queue}",
    Spec(
        query=InTenant,
        answer=shown.QueueDetails,
        errors=(NotFound,),
        example_path={"queue": "jupyter"},
    ),
)
async def show_queue(ask: Ask) -> Listing:
    """Show a queue: its nodes, its limits, and why your jobs wait."""
    queues, name = ask.deps.queues, ask.path["queue"]
    tenant = await tenant_of(ask, ask.query(InTenant).tenant)
    picture, queue = await queues.one(name, ask.me.person, tenant)

    def details() -> shown.QueueDetails:
        jobs = queues.jobs_waiting(picture, name, ask.me.person)
        return shown.QueueDetails(
            tenant=tenant,
            picture=shown.picture(picture, ask.texts),
            queue=shown.row(queue, queues.pricing, ask.texts),
            nodes=shown.kinds(queue),
            limits=shown.limits(queue),
            waiting=shown.waiting(jobs, picture, ask.texts),
        )

    return Listing(details)


@routes.get(
    "/queues/{queue}/estimate",
    Spec(
        query=WantedShape,
        answer=EstimateAnswer,
        errors=(NotFound,),
        example_path={"queue": "jupyter"},
    ),
)
async def estimate_job(ask: Ask) -> EstimateAnswer:
    """Say what a job would cost, how long it would wait, and whether it can start."""
    queues, sent = ask.deps.queues, ask.query(WantedShape)
    tenant = await tenant_of(ask, sent.tenant)
    picture, queue = await queues.one(ask.path["queue"], ask.me.person, tenant)
    found = await queues.estimate(picture, queue, sent.shape, sent.lifetime_s)
    return estimate_answer(ask, found)


@routes.post("/refresh", Spec(answer=Asked, status=202, errors=(ClusterUnreachable,)))
async def refresh_picture(ask: Ask) -> Asked:
    """Ask the worker for a fresh look at Slurm, once for everybody who asks."""
    return Asked(asked_at=await ask.deps.queues.refresh())


async def tenant_of(ask: Ask, wanted: str | None) -> str | None:
    """Return the tenant to look from; NotFound for one that is not the asker's."""
    if wanted is None:
        return ask.tenant
    who = ask.me
    if who.role_in(wanted) is None and not (
        who.is_operator and wanted in await ask.deps.people.tenants()
    ):
        raise no_such_tenant(wanted)
    return wanted


def estimate_answer(ask: Ask, found: Estimate) -> EstimateAnswer:
    """Return what a job would meet as JSON."""
    say = ask.texts.phrase
    return EstimateAnswer(
        queue=found.queue.name,
        is_possible=not found.objections,
        wait=found.wait.outlook.value,
        wait_s=found.wait.seconds,
        why=None if found.wait.why is None else say(found.wait.why),
        price=shown.price(found.price, ask.deps.queues.pricing),
        cost_micro=found.cost,
        left_micro=found.left,
        objections=tuple(map(say, found.objections)),
        cautions=tuple(map(say, found.cautions)),
    )
