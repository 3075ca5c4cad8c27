"""Changes of one tenant's data and datasets happen one after the other."""

from typing import Final, cast

from sqlalchemy import Connection, Table, select

from kqi_hub.db.data_tables import TenantLockRow
from kqi_hub.db.upsert import insert_missing

_LOCKS: Final = cast(Table, TenantLockRow.__table__)


def hold_tenant(connection: Connection, tenant: str) -> None:
    """Wait until nobody else changes the tenant's data; held to the transaction's end.

    Hold it before reading what a change depends on: quotas, locks of datasets, items.
    """
    connection.execute(insert_missing(connection, _LOCKS), {"tenant": tenant})
    row = select(_LOCKS.c.tenant).where(_LOCKS.c.tenant == tenant)
    connection.execute(row.with_for_update())
