"""What a job costs: an hour and its whole time before it, and so far while it runs.

All of it comes from the function that charges what has ended, so it equals the bill.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kqi_hub.domain.amounts import Amounts, is_enough, of_node, of_shape
from kqi_hub.domain.charges import Priced, charges, price
from kqi_hub.domain.costs import Cost
from kqi_hub.domain.imagined import (
    gpus_text,
    record_of_job,
    record_of_wish,
    shapes_of,
)
from kqi_hub.domain.job import Job
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.ledger import Charge
from kqi_hub.domain.money import Price, price_of
from kqi_hub.domain.node_shapes import NO_SHAPES, NodeShape, NodeShapes
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import Queue, Scene, Supply, names_of
from kqi_hub.domain.rate_cards import EVERY_QUEUE, CardLine, RateCard, Tariff
from kqi_hub.domain.site_days import SiteDays

# From when until when, in epoch seconds.
Times = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Billing:
    """The currency, and the page of the site that explains its prices."""

    currency: str = "USD"
    price_page: str = ""


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose money it is: a tenant may have its own terms, a QOS its factor."""

    tenant: str = ""
    qos: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """Cards and nodes as they were read last; replaced as a whole."""

    tariff: Tariff
    shapes: NodeShapes


class Pricing:
    """The site's rates, applied to queues and jobs. Reads nothing by itself."""

    def __init__(
        self,
        cards: Iterable[RateCard] = (),
        billing: Billing | None = None,
        days: SiteDays | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.billing = billing or Billing()
        self.days = days or SiteDays()
        self._wall = wall
        self._known = _Known(Tariff(tuple(cards)), NO_SHAPES)

    def use(self, cards: Iterable[RateCard], shapes: NodeShapes = NO_SHAPES) -> None:
        """Reckon with these from now on; any thread may call it."""
        self._known = _Known(Tariff(tuple(cards)), shapes)

    @property
    def tariff(self) -> Tariff:
        """Return the cards that are reckoned with."""
        return self._known.tariff

    @property
    def shapes(self) -> NodeShapes:
        """Return what nodes have, as far as whole ones are reckoned with."""
        return self._known.shapes

    @property
    def has_rates(self) -> bool:
        """Tell whether anything has a price here; without rates nobody is told one."""
        return any(card.lines for card in self.tariff.cards)

    def rates_of(self, queue: str) -> tuple[CardLine, ...]:
        """Return the rates of a queue that count now, the general one first."""
        card = self.tariff.at(self._wall())
        for name in (queue, EVERY_QUEUE):
            found = [x for x in (card.lines if card else ()) if x.queue == name]
            if found:
                return tuple(sorted(found, key=lambda line: line.gpu_type))
        return ()

    def is_free(self, queue: str) -> bool:
        """Tell whether everything in a queue is free."""
        rates = self.rates_of(queue)
        return bool(rates) and all(rate.is_free for rate in rates)

    def price_per_hour(
        self, queue: Queue | Supply, shape: Shape, payer: Payer | None = None
    ) -> Price | None:
        """Return the price of an hour of such a job now; None where it has no rate.

        A range where it depends on the node. A Queue knows whose money it is.
        """
        tariff, now = self.tariff, int(self._wall())
        found = [
            price(record, tariff, tariff.at(now), shapes)
            for record, shapes in _wishes(queue, shape, payer, (now, now))
        ]
        amounts = [one.per_hour for one in found if one.per_hour is not None]
        if len(amounts) < len(found):
            return None
        return price_of(amounts, any(map(_is_whole, found)))

    def cost_of_time(
        self,
        queue: Queue | Supply,
        shape: Shape,
        lasts_s: int,
        payer: Payer | None = None,
    ) -> int | None:
        """Return what such a job costs that begins now, on the dearest node.

        Rates that are known to come count from their day on.
        """
        now = int(self._wall())
        wishes = _wishes(queue, shape, payer, (now, now + lasts_s))
        sums = [self._sum(record, shapes).amount for record, shapes in wishes]
        known = [one for one in sums if one is not None]
        return max(known) if known and len(known) == len(sums) else None

    def price_of_job(self, scene: Scene, job: Job) -> Price | None:
        """Return the price of an hour of a running job; None where it has no rate."""
        known, now = self._known, self._wall()
        record = record_of_job(job, now)
        shapes = _shapes_for(known.shapes, scene, record)
        found = price(record, known.tariff, known.tariff.at(now), shapes)
        if found.per_hour is None:
            return None
        return Price(found.per_hour, found.per_hour, _is_whole(found))

    def cost_so_far(self, scene: Scene, job: Job, now: float) -> int | None:
        """Return what a job would cost that ended now; waiting costs nothing."""
        return self.cost_of(scene, record_of_job(job, now)).amount

    def cost_of(self, scene: Scene, record: JobRecord) -> Cost:
        """Return what a run costs whose end is known, or imagined; waiting is free."""
        if record.started_at is None:
            return Cost(0)
        shapes = _shapes_for(self._known.shapes, scene, record)
        return self._sum(record, shapes)

    def charges_of(self, record: JobRecord) -> tuple[Charge, ...]:
        """Return what a run uses and costs, day by day and card by card."""
        known = self._known
        return charges(record, known.tariff, self.days, known.shapes)

    def _sum(self, record: JobRecord, shapes: NodeShapes) -> Cost:
        """Return the sum of a run's charges; None where no part of it has a price."""
        tariff = self.tariff
        parts = charges(record, tariff, self.days, shapes)
        if not parts:
            card = tariff.at(record.started_at or 0)
            is_priced = price(record, tariff, card, shapes).per_hour is not None
            return Cost(0 if is_priced else None)
        prices = [part.per_hour for part in parts if part.per_hour is not None]
        if not prices:
            return Cost()
        return Cost(sum(part.amount for part in parts), (min(prices), max(prices)))


def payer_of(scene: Scene, person: str, tenant: str, queue: str) -> Payer:
    """Return whose money a person's job is where nothing is said of its QOS."""
    return Payer(tenant, scene.accounts.usual_qos(person, tenant, queue))


def record_of_past(
    scene: Scene, payer: Payer, place: tuple[str, str], shape: Shape, times: Times
) -> JobRecord:
    """Return the record that a job may have which has ended, on a node of a queue.

    GPUs whose type it left open are those of the node.
    """
    queue, node = place
    takes, there = of_shape(shape), scene.nodes.get(node)
    if there is not None:
        takes = next(_typed(takes, of_node(there)))
    record = record_of_wish(takes, queue, payer.qos, payer.tenant, times)
    return record._replace(node_list=node)


def _wishes(
    queue: Queue | Supply, shape: Shape, payer: Payer | None, times: tuple[int, int]
) -> Iterator[tuple[JobRecord, NodeShapes]]:
    """Yield the records that such a job may get, with the nodes that it lies on."""
    supply = queue.supply if isinstance(queue, Queue) else queue
    if payer is None and isinstance(queue, Queue):
        payer = Payer(queue.tenant, queue.allowance.qos or "")
    whose, name = payer or Payer(), supply.partition.name
    wanted = of_shape(shape)
    fits = [kind.has for kind in supply.kinds if is_enough(kind.has, wanted)]
    for has in fits:
        for takes in _typed(wanted, has):
            record = record_of_wish(takes, name, whose.qos, whose.tenant, times)
            yield record, shapes_of(has)
    if not fits:
        # No node takes it: the price of the shape itself is all that can be said.
        yield record_of_wish(wanted, name, whose.qos, whose.tenant, times), NO_SHAPES


def _typed(wanted: Amounts, has: Amounts) -> Iterator[Amounts]:
    """Yield what a job gets that leaves the type of GPU open: any that there is."""
    count = wanted.gpus.get("", 0)
    kinds = [kind for kind, there in has.gpus.items() if there >= count]
    if not count or not kinds:
        yield wanted
        return
    for kind in kinds:
        yield Amounts(wanted.cpus, wanted.memory_mb, {kind: count}, wanted.nodes)


def _is_whole(found: Priced) -> bool:
    return found.line is not None and found.line.whole_node


def _shapes_for(known: NodeShapes, scene: Scene, record: JobRecord) -> NodeShapes:
    """Return what its nodes had at its start, or have while that is not written."""
    if not record.node_list or known.of(record.node_list, record.started_at or 0):
        return known
    nodes = (scene.nodes.get(name) for name in names_of(record.node_list))
    has = [(node.name, of_node(node)) for node in nodes if node is not None]
    return NodeShapes(
        NodeShape(name, 0, its.cpus, its.memory_mb, gpus_text(its.gpus))
        for name, its in has
    )
