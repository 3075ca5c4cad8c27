"""Prices follow the cards that are published, in every process, soon."""

from collections.abc import Callable
from typing import Protocol

from kqi_hub.domain.node_shapes import NodeShapes
from kqi_hub.domain.rate_ports import Published, Standing
from kqi_hub.services.pricing import Pricing


class RateReader(Protocol):
    """Where cards are kept, as far as prices need it. Blocks."""

    def standing(self) -> Standing:
        """Return what changes with every change, cheaply."""

    def cards(self) -> tuple[Published, ...]:
        """Return all cards."""

    def shapes(self) -> NodeShapes:
        """Return what nodes have and had."""


class RateWatch:
    """Keep prices those of the cards: one cheap question, now and then.

    `seed` is called while there are no cards: it may publish the first.
    """

    def __init__(
        self,
        store: RateReader,
        pricing: Pricing,
        seed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._pricing = pricing
        self._seed = seed
        self._seen: Standing | None = None

    def renew(self) -> None:
        """Read the cards where there are others than before. Blocks."""
        standing = self._store.standing()
        if not standing.newest:
            self._seed()
            standing = self._store.standing()
        if standing == self._seen:
            return
        cards = [x.card for x in self._store.cards() if not x.is_withdrawn]
        self._pricing.use(cards, self._store.shapes())
        self._seen = standing
