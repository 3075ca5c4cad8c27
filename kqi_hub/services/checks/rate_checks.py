"""The doctor looks at rates: is there a card, and is it what operators think."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.rate_cards import CardLine, RateCard, Tariff
from kqi_hub.domain.rate_ports import Published
from kqi_hub.services.checks.examine import Check, aside
from kqi_hub.services.checks.finding import Finding, fail, ok, skip, warn

RATES: Final = "rates"
# The worker posts use again within a minute or two, a large history in some.
_LATE_S: Final = 15 * 60.0


@dataclass(frozen=True, slots=True)
class RateFacts:
    """The cards that are published, and the lines of the settings file."""

    cards: Sequence[Published]
    settings: Sequence[CardLine]


class RateChecks:
    """Whether use has a price, and the one that is meant."""

    def __init__(
        self, facts: Callable[[], RateFacts], wall: Callable[[], float]
    ) -> None:
        self._facts = facts
        self._wall = wall

    def checks(self) -> list[Check]:
        """Return one check a line."""
        return [Check(RATES, self._rates)]

    async def _rates(self) -> Finding:
        try:
            facts = await aside(self._facts)
        except KqiError as error:
            return fail(RATES, error.message, error.hint)
        return judge(facts, self._wall())


def judge(facts: RateFacts, now: float) -> Finding:
    """Say what is to be said of the cards at a moment."""
    cards = [one for one in facts.cards if not one.is_withdrawn]
    counting = Tariff([one.card for one in cards]).at(now)
    if not cards:
        return _without_cards(facts)
    late = [one for one in cards if one.posted_at is None]
    if any(now - one.published_at > _LATE_S for one in late):
        seen = f"use since card {late[0].card.version} began is not posted by it yet"
        return warn(RATES, seen, "Look whether the worker runs: kqi-hub worker")
    if counting is None:
        first = min(one.card.version for one in cards)
        todo = "Until then use is counted and not charged; kqi-hub rates list"
        return warn(RATES, f"card {first} is still to come, none counts", todo)
    if facts.settings and _amounts(facts.settings) != _amounts(counting.lines):
        return warn(
            RATES,
            f"card {counting.version} counts, and [[rate]] of the settings differs",
            "Take [[rate]] out of the settings file: it is not read any more",
        )
    return ok(RATES, _said(counting, cards, now))


def _without_cards(facts: RateFacts) -> Finding:
    if facts.settings:
        todo = "It becomes one when the worker has seen Slurm: kqi-hub worker"
        return warn(RATES, "no card yet, only [[rate]] of the settings", todo)
    return skip(RATES, "there is no card: nothing has a price")


def _said(counting: RateCard, cards: Sequence[Published], now: float) -> str:
    coming = sum(one.card.from_at > now for one in cards)
    more = f", {coming} to come" if coming else ""
    return f"card {counting.version} counts, {len(counting.lines)} rates{more}"


def _amounts(lines: Sequence[CardLine]) -> frozenset[tuple[object, ...]]:
    """Return what both a card and the settings can say."""
    return frozenset(
        (one.queue, one.gpu_type, one.cpu, one.memory_gb, one.gpu, one.node, one.rule)
        for one in lines
    )
