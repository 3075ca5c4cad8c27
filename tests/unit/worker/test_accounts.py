import asyncio
from collections.abc import Collection

import pytest

from kqi_hub.domain.cluster import Association, Qos
from kqi_hub.domain.errors import ClusterError, ClusterUnreachable
from kqi_hub.worker.accounts import INTERVAL_S, Accounts
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal
from tests.fakes.cluster import FakeCluster


class KeptInMemory:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[tuple[Association, ...]] = []
        self.kept_qos: list[tuple[Qos, ...]] = []

    def keep(self, found: Collection[Association]) -> bool:
        self.kept.append(tuple(found))
        return True

    def keep_qos(self, found: Collection[Qos]) -> bool:
        self.kept_qos.append(tuple(found))
        return True


class SilentAccounting(FakeCluster):
    """A slurmdbd that is down."""

    async def associations(self) -> tuple[Association, ...]:
        raise ClusterUnreachable("slurmdbd does not answer.")

    async def qos(self) -> tuple[Qos, ...]:
        raise ClusterUnreachable("slurmdbd does not answer.")


class OddQos(FakeCluster):
    """A release whose sacctmgr words a QOS in another way."""

    async def qos(self) -> tuple[Qos, ...]:
        raise ClusterError("sacctmgr's answer cannot be read.")


async def test_associations_are_taken_over_again_and_again() -> None:
    keeper, slept = KeptInMemory(), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    accounts = Accounts(FakeCluster(), keeper, Journal(), Clocks(sleep=sleep))
    with pytest.raises(asyncio.CancelledError):
        await accounts.run()
    assert slept == [INTERVAL_S] * 3
    assert len(keeper.kept) == len(keeper.kept_qos) == 3


async def test_accounting_that_is_silent_changes_nothing_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    keeper = KeptInMemory()
    accounts = Accounts(SilentAccounting(), keeper, Journal())
    with caplog.at_level("INFO", logger="kqi_hub.worker"):
        await accounts.ask()
        await accounts.ask()
    assert (keeper.kept, keeper.kept_qos) == ([], [])
    # One line for each of the two steps, however often they fail.
    assert [record.getMessage() for record in caplog.records] == ["trouble"] * 2


async def test_a_qos_that_cannot_be_read_keeps_no_association_back() -> None:
    keeper = KeptInMemory()
    await Accounts(OddQos(), keeper, Journal()).ask()
    assert (len(keeper.kept), keeper.kept_qos) == (1, [])
