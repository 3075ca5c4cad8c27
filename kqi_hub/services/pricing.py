"""What a job costs: an hour before it is submitted, and so far while it runs."""

from collections.abc import Iterable
from dataclasses import dataclass

from kqi_hub.domain.amounts import Amounts, is_enough, of_job, of_node, of_shape
from kqi_hub.domain.job import Job
from kqi_hub.domain.money import FREE, Price, Rate, price_of
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.queues import Queue, Scene, Supply, names_of


@dataclass(frozen=True, slots=True)
class Billing:
    """The currency, and the page of the site that explains its prices."""

    currency: str = "USD"
    price_page: str = ""


class Pricing:
    """The site's rates, applied to queues and jobs."""

    def __init__(self, rates: Iterable[Rate] = (), billing: Billing | None = None):
        self._rates = {(rate.queue, rate.gpu_type): rate for rate in rates}
        self.billing = billing or Billing()

    @property
    def has_rates(self) -> bool:
        """Tell whether anything has a price here; without rates nobody is told one."""
        return bool(self._rates)

    def rates_of(self, queue: str) -> tuple[Rate, ...]:
        """Return the rates of a queue, the general one first."""
        found = [rate for (name, _), rate in self._rates.items() if name == queue]
        return tuple(sorted(found, key=lambda rate: rate.gpu_type))

    def price_per_hour(self, queue: Queue | Supply, shape: Shape) -> Price | None:
        """Return the price of such a job; None where the queue has no rate.

        On an exclusive queue the whole node is paid for, whatever is asked of it.
        """
        supply = queue.supply if isinstance(queue, Queue) else queue
        name, wanted = supply.partition.name, of_shape(shape)
        whole = supply.partition.exclusive
        prices = []
        for kind in supply.kinds:
            if is_enough(kind.has, wanted):
                rate = self._rate(name, kind.has)
                if rate is None:
                    return None
                prices.append(rate.per_hour(kind.has if whole else wanted))
        if prices:
            return price_of(prices, whole)
        # No node takes it: the price of the shape itself is all that can be said.
        rate = self._rates.get((name, shape.gpu_type)) or self._rates.get((name, ""))
        return None if rate is None else price_of([rate.per_hour(wanted)], False)

    def is_free(self, queue: str) -> bool:
        """Tell whether everything in a queue is free."""
        rates = self.rates_of(queue)
        return bool(rates) and all(rate.is_free for rate in rates)

    def price_of_job(self, scene: Scene, job: Job) -> Price | None:
        """Return the price of an hour of a running job; None where it has no rate."""
        supply = scene.supplies.get(job.partition)
        if supply is None:
            return None
        nodes = [
            of_node(scene.nodes[name])
            for name in names_of(job.node_list)
            if name in scene.nodes
        ]
        rate = self._rate(job.partition, nodes[0] if nodes else Amounts())
        if rate is None:
            return None
        takes = of_job(job)
        if supply.partition.exclusive and nodes:
            takes = nodes[0]
            for node in nodes[1:]:
                takes = takes.plus(node)
        per_hour = rate.per_hour(takes)
        return Price(per_hour, per_hour, supply.partition.exclusive)

    def noted(self, supply: Supply | None, per_hour: int) -> Price:
        """Return a price that was noted when a job began."""
        whole = supply is not None and supply.partition.exclusive
        return Price(per_hour, per_hour, whole) if per_hour else FREE

    def cost_so_far(
        self, scene: Scene, job: Job, now: float, noted: Price | None = None
    ) -> int | None:
        """Return the cost of a job until now, provisional; waiting costs nothing.

        A price that was noted when it began counts before that of now.
        """
        if job.is_waiting or job.starts_at is None:
            return 0
        price = noted or self.price_of_job(scene, job)
        return None if price is None else price.cost(now - job.starts_at)

    def _rate(self, queue: str, has: Amounts) -> Rate | None:
        """Return the rate of a queue on a node with such GPUs."""
        for kind in has.gpus:
            if (rate := self._rates.get((queue, kind))) is not None:
                return rate
        return self._rates.get((queue, ""))
