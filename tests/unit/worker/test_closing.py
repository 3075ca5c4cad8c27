"""The worker looks for orders to close a month, and outlives what goes wrong."""

import logging

import pytest

from kqi_hub.domain.close_orders import CloseOrder, CloseStep, NewOrder
from kqi_hub.domain.errors import DatabaseNotReady
from kqi_hub.worker.closing import CloseRounds
from kqi_hub.worker.journal import Journal

DONE = CloseOrder(1, NewOrder(202610, "rita", "", "x"), 1.0, CloseStep.CLOSED)


async def test_what_was_carried_out_is_told_and_a_fault_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    faults = [DatabaseNotReady("It is away."), DatabaseNotReady("It is away.")]
    orders = iter([DONE, None])

    async def work() -> CloseOrder | None:
        if faults:
            raise faults.pop()
        return next(orders)

    rounds = CloseRounds(work, Journal())
    fine = [await rounds.look() for _ in range(4)]
    assert fine == [False, False, True, True]
    told = [one.getMessage() for one in caplog.records]
    assert told == ["trouble", "back", "closing"]
    pairs = vars(caplog.records[2])["pairs"]
    assert pairs == {"month": "2026-10", "end": "closed", "runs": 0}
