"""The worker's rounds for rates: new lines are told, a fault is tried again."""

import logging

import pytest

from kqi_hub.domain.errors import DatabaseNotReady
from kqi_hub.worker.journal import Journal
from kqi_hub.worker.rates import RateRounds


async def test_use_posted_again_is_told_and_a_fault_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    lines = iter([7, 0])
    faults = [DatabaseNotReady("It is away."), DatabaseNotReady("It is away.")]

    def renew() -> None:
        if faults:
            raise faults.pop()

    async def settle() -> int:
        return next(lines)

    rounds = RateRounds(renew, settle, Journal())
    for _ in range(4):
        await rounds.look()
    told = [one.getMessage() for one in caplog.records]
    assert told == ["trouble", "back", "rates-posted"]
    assert "It is away." in str(vars(caplog.records[0])["pairs"])
    assert "7" in str(vars(caplog.records[2])["pairs"])
