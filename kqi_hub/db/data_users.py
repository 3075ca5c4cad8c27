"""What data items are asked about before they change, in the same transaction."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection

from kqi_hub.domain.dataset_ports import Blocker


class DataUsers(Protocol):
    """Those who use data items: datasets, preprocessings, whatever comes.

    The tenant is held (tenant_lock.py) when these are called.
    """

    def blockers(
        self, connection: Connection, data_ids: Sequence[int]
    ) -> Mapping[int, tuple[Blocker, ...]]:
        """Return what keeps each of these from changing or going, if anything does."""

    def forget(self, connection: Connection, data_id: int) -> None:
        """Take an item that nothing blocks out of wherever it is: it is deleted."""


class NoUsers:
    """Nobody uses anything: DataUsers for tests."""

    def blockers(
        self, connection: Connection, data_ids: Sequence[int]
    ) -> Mapping[int, tuple[Blocker, ...]]:
        """Return nothing."""
        return {}

    def forget(self, connection: Connection, data_id: int) -> None:
        """Do nothing: it is nowhere."""
