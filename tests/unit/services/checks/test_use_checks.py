"""The doctor on what book and Slurm said of each other."""

import asyncio

import pytest

from kqi_hub.domain.errors import DatabaseNotReady
from kqi_hub.domain.reconciliation import Cause, Reconciliation, Use
from kqi_hub.services.checks.examine import examine
from kqi_hub.services.checks.finding import Finding, Level
from kqi_hub.services.checks.use_checks import UseChecks

DAY_S = 24 * 3600.0
NOW = 100 * DAY_S


def look(found: Reconciliation | None) -> Finding:
    [check] = UseChecks(lambda: found, lambda: NOW).checks()
    [finding] = asyncio.run(examine([check]))
    return finding


def with_causes(*causes: Cause, age_days: float = 0.5) -> Reconciliation:
    counts = dict.fromkeys(causes, 3)
    return Reconciliation(0, 1, NOW - age_days * DAY_S, (), {}, counts)


@pytest.mark.parametrize(
    ("found", "level", "said"),
    [
        (None, Level.SKIP, "once a day"),
        (with_causes(), Level.OK, "agree to the second"),
        (with_causes(Cause.RUNNING, Cause.LATE), Level.OK, "agree to the second"),
        (with_causes(Cause.GONE, Cause.RUNNING), Level.WARN, "differ: 3 gone"),
        (with_causes(Cause.RUNAWAY), Level.WARN, "differ: 3 runaway"),
        (with_causes(age_days=4), Level.WARN, "compared 4 days ago"),
        (
            Reconciliation(0, 1, NOW, unexplained=Use(cpu_s=1)),
            Level.FAIL,
            "without a cause",
        ),
    ],
)
def test_what_the_doctor_says(
    found: Reconciliation | None, level: Level, said: str
) -> None:
    finding = look(found)
    assert finding.level is level
    assert said in finding.seen


def test_runaways_are_for_an_administrator_of_slurm() -> None:
    assert "runawayjobs" in look(with_causes(Cause.RUNAWAY)).todo


def test_a_database_that_is_away_is_a_fault() -> None:
    def away() -> Reconciliation | None:
        raise DatabaseNotReady("The database does not answer.")

    [check] = UseChecks(away, lambda: NOW).checks()
    [finding] = asyncio.run(examine([check]))
    assert finding.level is Level.FAIL
