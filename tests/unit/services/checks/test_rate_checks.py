"""What the doctor says of rates."""

from dataclasses import replace

import pytest

from kqi_hub.domain.errors import DatabaseNotReady
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.rate_ports import Published
from kqi_hub.services.checks.finding import Level
from kqi_hub.services.checks.rate_checks import RateChecks, RateFacts, judge

NOW = 1_795_000_000.0
LINE = CardLine("a100", gpu=5, whole_node=True, minimum=3)
FIRST = Published(RateCard(1, 0, (LINE,)), "", "settings", "", 1.0, 2.0)
COMING = replace(FIRST, card=RateCard(2, int(NOW) + 60, (LINE,)))
WITHDRAWN = replace(FIRST, withdrawn_at=2.0)
LATE = replace(FIRST, posted_at=None, published_at=NOW - 3600)
FRESH = replace(LATE, published_at=NOW - 60)
IN_FILE = CardLine("a100", gpu=5)


@pytest.mark.parametrize(
    ("cards", "settings", "level", "seen"),
    [
        ([], [], Level.SKIP, "nothing has a price"),
        ([WITHDRAWN], [], Level.SKIP, "nothing has a price"),
        ([], [IN_FILE], Level.WARN, "no card yet"),
        ([FIRST], [], Level.OK, "card 1 counts, 1 rates"),
        ([FIRST], [IN_FILE], Level.OK, "card 1 counts"),
        ([COMING, FIRST], [], Level.OK, "1 to come"),
        ([COMING], [], Level.WARN, "none counts"),
        ([FIRST], [replace(IN_FILE, gpu=6)], Level.WARN, "differs"),
        ([FIRST], [IN_FILE, CardLine("cpu")], Level.WARN, "differs"),
        ([LATE], [], Level.WARN, "not posted"),
        ([FRESH], [], Level.OK, "card 1 counts"),
    ],
)
def test_what_is_seen_of_the_cards(
    cards: list[Published], settings: list[CardLine], level: Level, seen: str
) -> None:
    found = judge(RateFacts(cards, settings), NOW)
    assert found.level is level
    assert seen in found.seen


async def test_a_database_that_is_away_is_told() -> None:
    def facts() -> RateFacts:
        raise DatabaseNotReady("It is away.", "Start it.")

    [check] = RateChecks(facts, lambda: NOW).checks()
    found = await check.look()
    assert (found.level, found.seen, found.todo) == (
        Level.FAIL,
        "It is away.",
        "Start it.",
    )
