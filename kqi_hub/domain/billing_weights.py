"""What Slurm counts as `billing`, beside what the site's card of rates says it costs.

Slurm holds no money: a limit in money becomes one in minutes of `billing`, which is
what TRESBillingWeights of a queue make of CPUs, memory and GPUs. The worth of an hour
of one `billing` is the most that it may cost in any queue, so that the limit is reached
before the money is gone, never after.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from kqi_hub.domain.amounts import GPU, Amounts
from kqi_hub.domain.money import MB_PER_GB, Rule
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.queues import NodeKind, Supply
from kqi_hub.domain.rate_cards import WHOLE, CardLine, RateCard

_WEIGHT: Final = re.compile(
    r"(\d+(?:\.\d+)?|\.\d+)([KMGTP]?)", re.ASCII | re.IGNORECASE
)
# Of memory, a weight is for so many MB; it is for one where no unit stands.
_PER_MB: Final = {
    "": Fraction(1),
    "K": Fraction(1, 1024),
    "M": Fraction(1),
    "G": Fraction(1024),
    "T": Fraction(1024**2),
    "P": Fraction(1024**3),
}
_NONE: Final = Fraction(0)


@dataclass(frozen=True, slots=True)
class Worth:
    """What an hour of one `billing` may cost at most, in millionths, and where.

    `notes` are what an operator should know of weights that differ from the card.
    """

    per_hour: Fraction = _NONE
    queue: str = ""
    notes: tuple[Phrase, ...] = ()

    def minutes(self, amount: int) -> int:
        """Return how many minutes of `billing` an amount of money pays for."""
        return int(amount * 60 / self.per_hour) if self.per_hour else 0


def weights_of(text: str) -> Mapping[str, Fraction]:
    """Return TRESBillingWeights by Slurm's names of resources, memory for an MB.

    What cannot be read is left out: Slurm itself leaves it out.
    """
    found: dict[str, Fraction] = {}
    for entry in text.strip('"').split(","):
        name, _, amount = entry.strip().partition("=")
        read = _WEIGHT.fullmatch(amount)
        if read is not None:
            resource = name.lower()
            per = _PER_MB[read[2].upper()] if resource == "mem" else Fraction(1)
            found[resource] = Fraction(read[1]) / per
    return found


def billing_of(weights: Mapping[str, Fraction], takes: Amounts) -> Fraction:
    """Return what Slurm counts for a job, before it cuts off what follows the point."""
    counted = ((takes.of(name) or 0) * weight for name, weight in weights.items())
    return sum(counted, _NONE)


def worth(card: RateCard | None, supplies: Iterable[Supply], tenant: str) -> Worth:
    """Return what `billing` is worth to a tenant at a card's prices."""
    if card is None:
        return Worth()
    terms = card.tenants.get(tenant)
    part = Fraction(WHOLE - (terms.discount if terms else 0), WHOLE)
    dearest = max([WHOLE, *card.qos.values()])
    best, where, notes = _NONE, "", []
    for supply in supplies:
        for ratio, note in _of_queue(card, supply):
            if note is not None:
                notes.append(note)
            elif ratio > best:
                best, where = ratio, supply.partition.name
    factor = part * Fraction(dearest, WHOLE)
    return Worth(best * factor, where, tuple(dict.fromkeys(notes)))


@dataclass(frozen=True, slots=True)
class Advice:
    """A queue's TRESBillingWeights as Slurm has them, and as the card would have them.

    `wanted` None: weights cannot say the queue's price. `is_max`: they say it only with
    PriorityFlags=MAX_TRES, and of one node.
    """

    queue: str
    found: str
    wanted: str | None
    is_max: bool = False

    @property
    def is_as_wanted(self) -> bool:
        """Tell whether Slurm counts as the card does already."""
        if self.wanted is None:
            return False
        found = {name: w for name, w in weights_of(self.found).items() if w}
        return found == {n: w for n, w in weights_of(self.wanted).items() if w}


def advice(card: RateCard | None, supplies: Iterable[Supply]) -> tuple[Advice, ...]:
    """Return for each queue the weights by which `billing` is its price."""
    if card is None:
        return ()
    found = []
    for supply in supplies:
        lines = {line for _, line in _lines(card, supply)}
        is_max = any(line.rule is Rule.MAX for line in lines)
        now, wanted = supply.partition.billing_weights, weights_for(card, supply)
        found.append(Advice(supply.partition.name, now, wanted, is_max))
    return tuple(sorted(found, key=lambda one: one.queue))


def weights_for(card: RateCard, supply: Supply) -> str | None:
    """Return the TRESBillingWeights by which `billing` is the price of an hour.

    In thousandths of the currency's unit, for Slurm cuts off what follows the point.
    None where weights cannot say the price: no line, or lines that differ by GPU type.
    """
    lines = {line for _, line in _lines(card, supply)}
    if len(lines) != 1:
        return None
    [line] = lines
    parts = {
        "CPU": Fraction(line.cpu),
        "Mem": Fraction(line.memory_gb),
        "GRES/gpu": Fraction(line.gpu),
        "Node": Fraction(line.node),
    }
    said = (
        f"{name}={_decimal(amount / 1000)}{'G' if name == 'Mem' else ''}"
        for name, amount in parts.items()
        if amount
    )
    return ",".join(said) or "CPU=0,Mem=0,GRES/gpu=0"


def _of_queue(
    card: RateCard, supply: Supply
) -> Iterator[tuple[Fraction, Phrase | None]]:
    """Yield prices of an hour of one `billing`, and what is wrong with the weights."""
    queue = supply.partition.name
    weights = weights_of(supply.partition.billing_weights) or {"cpu": Fraction(1)}
    for kind, line in _lines(card, supply):
        if line.is_free:
            if any(weights.values()):
                yield _NONE, _counted_though_free(queue)
        elif line.whole_node:
            # Of an exclusive node Slurm counts the memory that was asked for alone.
            bare = Amounts(kind.has.cpus, 0, kind.has.gpus, 1)
            price = card.per_hour(line, kind.has)
            yield _ratio(queue, "node", Fraction(price), billing_of(weights, bare))
        else:
            yield from _by_part(queue, line, weights)


def _by_part(
    queue: str, line: CardLine, weights: Mapping[str, Fraction]
) -> Iterator[tuple[Fraction, Phrase | None]]:
    gpu = max(
        (w for name, w in weights.items() if name == GPU or name.startswith(f"{GPU}:")),
        default=_NONE,
    )
    parts = (
        ("cpu", Fraction(line.cpu), weights.get("cpu", _NONE)),
        ("mem", Fraction(line.memory_gb, MB_PER_GB), weights.get("mem", _NONE)),
        (GPU, Fraction(line.gpu), gpu),
        ("node", Fraction(line.node), weights.get("node", _NONE)),
    )
    for name, price, weight in parts:
        if price:
            yield _ratio(queue, name, price, weight)


def _ratio(
    queue: str, resource: str, price: Fraction, billing: Fraction
) -> tuple[Fraction, Phrase | None]:
    if billing:
        return price / billing, None
    return _NONE, Phrase(
        "Queue {queue}: {resource} costs money, and its TRESBillingWeights do not "
        "count it: no limit in Slurm can hold it.",
        queue=queue,
        resource=resource,
    )


def _counted_though_free(queue: str) -> Phrase:
    return Phrase(
        "Queue {queue} is free, and its TRESBillingWeights count its use all the same: "
        "it takes from the limit until the limits are applied again.",
        queue=queue,
    )


def _lines(card: RateCard, supply: Supply) -> Iterator[tuple[NodeKind, CardLine]]:
    """Yield the lines that jobs of a queue may be billed by, with a node's kind."""
    queue = supply.partition.name
    for kind in supply.kinds:
        types = sorted(kind.has.gpus)
        found = (card.line_for(queue, asked, types) for asked in (types, ()))
        for line in dict.fromkeys(found):
            if line is not None:
                yield kind, line


def _decimal(number: Fraction) -> str:
    return f"{float(number):.6f}".rstrip("0").rstrip(".")
