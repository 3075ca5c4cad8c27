"""Prices before anything is submitted: the same job in one queue, or in all."""

from typing import Final

from pydantic import Field

from handlers.api.queues import (
    EstimateAnswer,
    WantedShape,
    estimate_answer,
    tenant_of,
)
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import NotFound
from kqi_hub.i18n import N_
from kqi_hub.services.queues import Estimate

routes = Routes("/api/v1", tag=N_("Queues"))
_DEAREST: Final = float("inf")


class WantedPrice(WantedShape):
    """A job whose price is asked."""

    queue: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="In this queue; in all that you may use when left out.",
    )


class PriceAnswer(Model):
    """What a job would cost, the cheapest queue that takes it first."""

    tenant: str | None = Field(description="The tenant that would pay.")
    lifetime_s: int | None = Field(description="The time that was asked for.")
    queues: tuple[EstimateAnswer, ...] = Field(description="Queue by queue.")


@routes.get("/price", Spec(query=WantedPrice, answer=PriceAnswer, errors=(NotFound,)))
async def price_job(ask: Ask) -> PriceAnswer:
    """Say what a job would cost, by the hour and for its whole time."""
    queues, sent = ask.deps.queues, ask.query(WantedPrice)
    tenant = await tenant_of(ask, sent.tenant)
    if sent.queue is None:
        picture, every = await queues.list(ask.me.person, tenant)
        wanted = [one for one in every if one.obstacle is None]
    else:
        picture, one = await queues.one(sent.queue, ask.me.person, tenant)
        wanted = [one]
    found = await queues.estimates(picture, wanted, sent.shape, sent.lifetime_s)
    return PriceAnswer(
        tenant=tenant,
        lifetime_s=sent.lifetime_s,
        queues=tuple(estimate_answer(ask, x) for x in sorted(found, key=_dearness)),
    )


def _dearness(found: Estimate) -> tuple[bool, float]:
    price = _DEAREST if found.price is None else found.price.per_hour
    return bool(found.objections), price
