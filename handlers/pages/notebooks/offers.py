"""What the form offers: ready-made choices, queues, and what a choice would meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from handlers.ask import Ask
from handlers.pages.notebooks.money import hourly, in_money
from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.money import Price
from kqi_hub.domain.notebooks import Preset, Shape
from kqi_hub.domain.objections import in_words
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.queues import Queue
from kqi_hub.domain.tenant_limits import Scope
from kqi_hub.face.formats import Formats
from kqi_hub.i18n import N_
from kqi_hub.services.board import Picture
from kqi_hub.services.queues import Estimate
from kqi_hub.services.waiting import Outlook, Wait

_MB_PER_GB: Final = 1024
_SMALLEST: Final = Shape(1, _MB_PER_GB)
_WAITS: Final[Mapping[Outlook, str]] = {
    Outlook.NOW: N_("at once"),
    Outlook.ABOUT: N_("in about {time}"),
    Outlook.LONGER: N_("later than in {time}"),
    Outlook.UNKNOWN: N_("not known"),
    Outlook.NEVER: N_("never like this"),
}
_LEFT: Final = {
    Scope.PERSON: N_("left for you: {left} of {most}"),
    Scope.TENANT: N_("left for the tenant: {left} of {most}"),
    Scope.QOS: N_("left for everybody here: {left} of {most}"),
    Scope.JOB: N_("at most in one job: {most}"),
}


@dataclass(frozen=True, slots=True)
class Met:
    """What a choice would meet, in words; `is_known` is false without a queue."""

    is_known: bool = False
    queue: str = ""
    price: str = ""
    price_note: str = ""
    total: str = ""
    left: str = ""
    wait: str = ""
    wait_why: str = ""
    against: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PresetCard:
    """A ready-made choice with its price and wait."""

    preset: Preset
    price: str
    wait: str
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueueCard:
    """A queue that may be chosen, with what is free and allowed in it."""

    name: str
    purpose: str
    price: str
    free: str
    largest: str
    places: tuple[int, int] | None
    mine_waiting: int
    others_waiting: int
    max_time_s: int | None
    is_exclusive: bool
    shares_gpus: bool
    limits: tuple[str, ...]
    obstacle: str


def queue_card(ask: Ask, queue: Queue) -> QueueCard:
    """Return a queue in words."""
    rates = ask.deps.queues.pricing
    return QueueCard(
        name=queue.name,
        purpose=queue.rules.purpose,
        price=_from(ask, queue, rates.price_per_hour(queue, _SMALLEST)),
        free=_amounts(queue.supply.free),
        largest=_amounts(queue.largest),
        places=queue.places,
        mine_waiting=queue.mine_waiting,
        others_waiting=queue.others_waiting,
        max_time_s=queue.max_time_s,
        is_exclusive=queue.is_exclusive,
        shares_gpus=queue.shares_gpus,
        limits=_limits(ask, queue),
        obstacle=said(ask, queue.obstacle),
    )


async def preset_card(
    ask: Ask, picture: Picture, preset: Preset, tenant: str | None
) -> PresetCard:
    """Return a ready-made choice with what it would meet now."""
    about = (preset.queue, preset.shape, preset.lifetime_s)
    found = await met(ask, picture, *about, tenant)
    return PresetCard(
        preset, found.price, found.wait if found.is_known else "", found.against
    )


async def met(
    ask: Ask,
    picture: Picture,
    name: str,
    shape: Shape,
    lifetime_s: int | None,
    tenant: str | None,
) -> Met:
    """Return what a job of this shape would meet in a queue."""
    queues = ask.deps.queues
    if name not in picture.scene.supplies:
        return Met()
    queue = queues.pick(picture, name, ask.me.person, tenant)
    found = await queues.estimate(picture, queue, shape, lifetime_s)
    return _met(ask, found)


def said(ask: Ask, phrase: Phrase | None) -> str:
    """Say a part of a sentence in the reader's language."""
    return "" if phrase is None else ask.texts.say(phrase.template, phrase.values)


def gpu_types(queues: Sequence[Queue]) -> tuple[str, ...]:
    """Return the types of GPU that there are in these queues."""
    return tuple(sorted({t for q in queues for t in q.supply.total.gpus if t}))


def _met(ask: Ask, found: Estimate) -> Met:
    price, say = found.price, ask.texts.say
    whole = N_("for the whole node, which is yours alone")
    note = whole if price is not None and price.whole_node else ""
    return Met(
        is_known=True,
        queue=found.queue.name,
        price=hourly(ask, price),
        price_note=say(note),
        total=in_money(ask, found.cost) if found.cost else "",
        left="" if found.left is None else in_money(ask, max(0, found.left)),
        wait=_wait(ask, found.wait),
        wait_why=said(ask, found.wait.why),
        against=tuple(said(ask, one) for one in found.objections),
        cautions=tuple(said(ask, one) for one in found.cautions),
    )


def _wait(ask: Ask, wait: Wait) -> str:
    formats = Formats(ask.texts.language, ask.deps.site.timezone)
    time = formats.span(wait.seconds or 0)
    return ask.texts.say(_WAITS[wait.outlook], {"time": time})


def _from(ask: Ask, queue: Queue, price: Price | None) -> str:
    """Return the price of the smallest job; that of a whole node is for all of it."""
    said_price = hourly(ask, price)
    if price is None or price.is_free or queue.is_exclusive:
        return said_price
    return ask.texts.say(N_("from {price}"), {"price": said_price})


def _amounts(amounts: Amounts) -> str:
    """Write amounts with units that are the same in every language."""
    times = "\N{MULTIPLICATION SIGN}"
    gpus = (
        f"{count} {times} {kind or 'GPU'}"
        for kind, count in amounts.gpus.items()
        if count
    )
    memory = f"{amounts.memory_mb // _MB_PER_GB:,} GB"
    return " · ".join([f"{amounts.cpus:,} CPU", memory, *gpus])


def _limits(ask: Ask, queue: Queue) -> tuple[str, ...]:
    found = []
    for limit in queue.allowance.limits:
        left = limit.left // _MB_PER_GB if limit.resource == "mem" else limit.left
        values = {"left": left, "most": in_words(limit.resource, limit.most)}
        found.append(ask.texts.say(_LEFT[limit.scope], values))
    return tuple(found)
