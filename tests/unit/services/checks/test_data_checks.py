"""What the doctor says of the comparisons of store and database."""

from collections.abc import Sequence

import pytest

from kqi_hub.domain.data_item_ports import Comparison
from kqi_hub.domain.errors import DatabaseNotReady
from kqi_hub.services.checks.data_checks import DataChecks
from kqi_hub.services.checks.examine import examine
from kqi_hub.services.checks.finding import Level

NOW = 1_795_000_000.0
DAY_S = 24 * 3600
FINE = Comparison("nlp", NOW - 60)


@pytest.mark.parametrize(
    ("found", "level", "says"),
    [
        ((), Level.OK, "nothing to compare"),
        ((FINE,), Level.OK, "tenants: 1"),
        ((FINE, Comparison("a", NOW, 2, 2**30)), Level.WARN, "nothing: 2"),
        ((Comparison("a", NOW, trouble="no answer"), FINE), Level.WARN, "no answer"),
        ((FINE, Comparison("a", NOW - 4 * DAY_S)), Level.WARN, "4 days ago"),
        (
            (Comparison("a", NOW, 2, 2**30, (3, 5)), FINE),
            Level.FAIL,
            "lost the files of data 3, 5",
        ),
        ((Comparison("a", NOW, missing=tuple(range(9))),), Level.FAIL, "4, …"),
    ],
)
async def test_the_worst_is_told(
    found: Sequence[Comparison], level: Level, says: str
) -> None:
    [finding] = await examine(DataChecks(lambda: found, lambda: NOW).checks())
    assert (finding.level, says in finding.seen) == (level, True), finding


async def test_a_database_that_does_not_answer_is_told() -> None:
    def broken() -> Sequence[Comparison]:
        raise DatabaseNotReady("The database does not answer.", "Start it.")

    [finding] = await examine(DataChecks(broken, lambda: NOW).checks())
    assert (finding.level, finding.todo) == (Level.FAIL, "Start it.")
