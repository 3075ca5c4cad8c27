"""The queues in which work on environments may run, and the one that is proposed."""

from dataclasses import dataclass

from handlers.ask import Ask


@dataclass(frozen=True, slots=True)
class Offer:
    """A queue that the person may use."""

    name: str
    is_free: bool


@dataclass(frozen=True, slots=True)
class Offers:
    """All of them, free ones first; `proposed` is empty where none can be used."""

    queues: tuple[Offer, ...]
    proposed: str


async def queue_offers(ask: Ask) -> Offers:
    """Return the queues that the tenant may use; a free one is proposed."""
    service = ask.deps.queues
    _, found = await service.list(ask.me.person, ask.tenant)
    usable = [queue for queue in found if queue.obstacle is None]
    offers = [Offer(one.name, service.pricing.is_free(one.name)) for one in usable]
    usual = next((one.name for one in usable if one.partition.is_default), "")
    free = next((one.name for one in offers if one.is_free), "")
    first = offers[0].name if offers else ""
    offers.sort(key=lambda one: not one.is_free)
    return Offers(tuple(offers), free or usual or first)
