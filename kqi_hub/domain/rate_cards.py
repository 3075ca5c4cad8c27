"""What use costs, from when on: cards of rates, each whole and never changed."""

from bisect import bisect_right
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.money import MB_PER_GB, Rule, divided

# Factors and discounts are in millionths, as money is.
WHOLE: Final = 1_000_000
# The line for every queue that has none of its own.
EVERY_QUEUE: Final = "*"
_FOREVER: Final = 1 << 62
_MOST_REMEMBERED: Final = 200_000


@dataclass(frozen=True, slots=True)
class CardLine:
    """What an hour costs in a queue, in micro-currency; all zero is free.

    With `gpu_type` it holds for jobs with (or, for whole nodes, nodes with) GPUs of
    that type alone. `whole_node`: everything the node has is paid for, whatever the job
    asked of it. `minimum` is the least that a run costs which is not free.
    """

    queue: str
    gpu_type: str = ""
    cpu: int = 0
    memory_gb: int = 0
    gpu: int = 0
    node: int = 0
    rule: Rule = Rule.SUM
    whole_node: bool = False
    minimum: int = 0

    @property
    def is_free(self) -> bool:
        """Tell whether nothing costs anything."""
        return not (self.cpu or self.memory_gb or self.gpu or self.node)


@dataclass(frozen=True, slots=True)
class TenantTerms:
    """What a tenant has of its own.

    `discount` in millionths of the price; `allowance`: so much money a month is not
    asked of it.
    """

    discount: int = 0
    allowance: int = 0


@dataclass(frozen=True, slots=True)
class RateCard:
    """All that counts from `from_at` until the next card's; never changed.

    The QOS that is billed is the job's own, as accounting has it (not that of the
    partition); `qos` maps its name to a factor in millionths, 1 where it has none.
    """

    version: int
    from_at: int
    lines: tuple[CardLine, ...] = ()
    qos: Mapping[str, int] = field(default_factory=dict)
    tenants: Mapping[str, TenantTerms] = field(default_factory=dict)

    def line_for(
        self,
        queue: str,
        gpu_types: Iterable[str] = (),
        node_types: Iterable[str] = (),
    ) -> CardLine | None:
        """Return the line of a queue: for one of these GPUs, else for all.

        `node_types` are those of the nodes: lines for whole nodes hold for them, too.
        """
        kinds, nodes_have = {*gpu_types, ""}, set(node_types)
        for name in (queue, EVERY_QUEUE):
            found = [
                line
                for line in self.lines
                if line.queue == name
                and (
                    line.gpu_type in kinds
                    or (line.whole_node and line.gpu_type in nodes_have)
                )
            ]
            if found:
                # What was asked for by name comes first, the line for all last.
                return min(found, key=lambda line: _nearness(line, kinds))
        return None

    def per_hour(
        self, line: CardLine, takes: Amounts, qos: str = "", tenant: str = ""
    ) -> int:
        """Return what an hour of so much costs this tenant, in whole millionths."""
        # In parts of a megabyte, and rounded once, at the end.
        parts = (
            line.cpu * takes.cpus * MB_PER_GB,
            line.memory_gb * takes.memory_mb,
            line.gpu * takes.gpu_total * MB_PER_GB,
            line.node * takes.nodes * MB_PER_GB,
        )
        price = sum(parts) if line.rule is Rule.SUM else max(parts)
        factor = self.qos.get(qos, WHOLE)
        terms = self.tenants.get(tenant)
        left = WHOLE - (terms.discount if terms else 0)
        return divided(price * factor * left, MB_PER_GB * WHOLE * WHOLE)


def _nearness(line: CardLine, asked: Container[str]) -> tuple[bool, bool, str]:
    return (not line.gpu_type, line.gpu_type not in asked, line.gpu_type)


class Stretch(NamedTuple):
    """A time in which one card counts."""

    card: RateCard
    begins: int
    ends: int


class Remembered(dict[Hashable, Any]):
    """What was worked out once; thrown away before it grows without end."""

    def __setitem__(self, key: Hashable, value: Any) -> None:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        super().__setitem__(key, value)


class Tariff:
    """The cards of a cluster in the order of their beginning.

    `by_node` are the versions for which it matters which nodes a job has. `known` is
    room for prices of runs that are alike.
    """

    def __init__(self, cards: Sequence[RateCard] = ()) -> None:
        # Of two cards that begin at once the later version counts.
        last = {card.from_at: card for card in sorted(cards, key=lambda c: c.version)}
        self.cards = tuple(last[moment] for moment in sorted(last))
        self._begins = [card.from_at for card in self.cards]
        ends = [*self._begins, _FOREVER]
        self._spans = tuple(zip((None, *self.cards), ends, strict=True))
        self.by_node = frozenset(
            card.version
            for card in self.cards
            if any(line.whole_node for line in card.lines)
        )
        self.known = Remembered()

    def at(self, moment: float) -> RateCard | None:
        """Return the card that counts at a moment; None before the first."""
        found = bisect_right(self._begins, moment)
        return self.cards[found - 1] if found else None

    def span(self, moment: int) -> tuple[RateCard | None, int]:
        """Return the card that counts at a moment, and when another one begins."""
        found = bisect_right(self._begins, moment)
        return self._spans[found]

    def stretches(self, begins: int, ends: int) -> Iterator[Stretch]:
        """Yield the cards of a time, one after the other; nothing before the first."""
        borders = pairwise([*self._begins, _FOREVER])
        for card, (begun, over) in zip(self.cards, borders, strict=True):
            first, last = max(begins, begun), min(ends, over)
            if first < last:
                yield Stretch(card, first, last)
