"""Notebooks in a tenant: make one, ask what it would meet, see who runs what."""

from pydantic import Field

from handlers.access import Who
from handlers.api import notebook_models as shown
from handlers.api.listing_models import Maker
from handlers.api.notebooks import NotebookList, Wanted, notebook_list
from handlers.api.queue_models import Price, price
from handlers.ask import Ask, Listing
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import (
    ClusterUnreachable,
    Conflict,
    InvalidInput,
    NotFound,
)
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Notebooks"))


class WantedOfAll(Wanted):
    """Which of everybody's notebooks to list."""

    created_by: Maker = ""


class Preset(Model):
    """A ready-made choice of the site's operators."""

    name: str = Field(description="Its short name.")
    title: str = Field(description="What people are shown.")
    queue: str = Field(description="Slurm's name of the queue.")
    cpus: int = Field(description="How many CPUs.")
    memory_mb: int = Field(description="Memory in MB.")
    gpus: int = Field(description="How many GPUs.")
    gpu_type: str = Field(description="Their type; empty: any.")
    lifetime_s: int | None = Field(description="Its lifetime; none: the queue's limit.")


class PresetList(Model):
    """Ready-made choices in the site's order."""

    presets: tuple[Preset, ...] = Field(description="Those of the tenant.")


class Check(Model):
    """What a notebook would meet if it were started now."""

    is_possible: bool = Field(description="Whether it could start at all.")
    objections: tuple[str, ...] = Field(description="Why it could never start.")
    cautions: tuple[str, ...] = Field(description="What it would wait for.")
    wait: str = Field(description="now, about, longer, unknown or never.")
    wait_s: int | None = Field(description="The wait in seconds, where one is known.")
    price: Price | None = Field(description="The price of an hour; none: no rate.")
    cost_micro: int | None = Field(
        description="Millionths for the time asked for, with the rates to come; "
        "none without a time or a rate."
    )
    left_micro: int | None = Field(
        description="Millionths that the tenant has left this month; none: no budget."
    )


@routes.get(
    "/tenants/{tenant}/notebooks",
    Spec(
        who=Who.MANAGER,
        query=WantedOfAll,
        answer=NotebookList,
        errors=(InvalidInput,),
    ),
)
async def list_tenant_notebooks(ask: Ask) -> Listing:
    """List everybody's notebooks in a tenant, without variables and commands."""
    asked = ask.query(WantedOfAll).question(ask.path["tenant"])
    return notebook_list(ask, await ask.deps.notebooks.search(asked, None))


@routes.post(
    "/tenants/{tenant}/notebooks",
    Spec(
        who=Who.MEMBER,
        body=shown.Choices,
        answer=shown.Notebook,
        status=201,
        errors=(InvalidInput, Conflict),
        example=shown.EXAMPLE_CHOICES,
    ),
)
async def create_notebook(ask: Ask) -> shown.Notebook:
    """Make a notebook in a tenant; nothing starts yet."""
    usual = ask.deps.notebooks.rules.ui
    choices = ask.body(shown.Choices).chosen(ask.path["tenant"], usual)
    made = await ask.deps.notebooks.create(ask.who, choices)
    _, view = await ask.deps.notebooks.one(ask.me.person, made.id)
    return shown.notebook(ask, view)


@routes.post(
    "/tenants/{tenant}/notebooks/check",
    Spec(
        who=Who.MEMBER,
        body=shown.Choices,
        answer=Check,
        errors=(InvalidInput, NotFound, ClusterUnreachable),
        example=shown.EXAMPLE_CHOICES,
    ),
)
async def check_notebook(ask: Ask) -> Check:
    """Say what a notebook would cost and meet, before it is made; nothing is kept."""
    usual = ask.deps.notebooks.rules.ui
    choices = ask.body(shown.Choices).chosen(ask.path["tenant"], usual)
    found = await ask.deps.notebooks.check(ask.me.person, choices)
    say = ask.texts.phrase
    return Check(
        is_possible=not found.objections,
        objections=tuple(map(say, found.objections)),
        cautions=tuple(map(say, found.cautions)),
        wait=found.wait.outlook.value,
        wait_s=found.wait.seconds,
        price=price(found.price, ask.deps.queues.pricing),
        cost_micro=found.cost,
        left_micro=found.left,
    )


@routes.get("/tenants/{tenant}/presets", Spec(who=Who.VIEWER, answer=PresetList))
async def list_presets(ask: Ask) -> PresetList:
    """List the ready-made choices of a tenant."""
    found = ask.deps.notebooks.presets_for(ask.path["tenant"])
    return PresetList(
        presets=tuple(
            Preset(
                name=one.name,
                title=one.title,
                queue=one.queue,
                cpus=one.shape.cpus,
                memory_mb=one.shape.memory_mb,
                gpus=one.shape.gpus,
                gpu_type=one.shape.gpu_type,
                lifetime_s=one.lifetime_s,
            )
            for one in found
        )
    )
